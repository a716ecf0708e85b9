package activities

import (
	"context"

	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
)

// removeStore is the part of the store that removing a source needs.
type removeStore interface {
	OpenRemoval(ctx context.Context, r crm.Request) (crm.Removal, error)
	Removal(ctx context.Context, source, id string) (crm.Removal, error)
	RemovePage(ctx context.Context, in crm.RemovePage) (crm.Removal, error)
	EndRemoval(ctx context.Context, in crm.EndRemovalInput) error
}

// registerRemove makes the steps of a removal known to a worker.
func registerRemove(r worker.ActivityRegistry, a *Activities) {
	register(r, crm.OpenRemoval, a.OpenRemoval)
	register(r, crm.RemovePages, a.RemovePages)
	register(r, crm.EndRemoval, a.EndRemoval)
}

// OpenRemoval marks a source as being removed, so that nothing more is imported
// into it, and then takes it off the Temporal server's schedules. Opening it
// twice answers the same. A source that is not there ends the step.
func (a *Activities) OpenRemoval(ctx context.Context, r crm.Request) (crm.Removal, error) {
	at, err := a.Store.OpenRemoval(ctx, r)
	if err == nil {
		err = a.Schedules.Remove(ctx, r.Source)
	}
	return at, err
}

// RemovePages removes some pages of what a source holds, each in a transaction of
// its own. It leaves nothing in the stage, and what imports have there goes by
// its age.
//
// How far the removal is commits with each page, so a page that is behind it is
// not removed again, and another attempt, even at the same time, goes on from
// there (invariant 3). What the database does not let go ends the step. It holds
// no record in memory.
func (a *Activities) RemovePages(ctx context.Context, in crm.RemovePagesInput) (crm.Removal, error) {
	if in.Pages == 0 {
		return a.Store.Removal(ctx, in.Source, in.ID)
	}
	var at crm.Removal
	for n := range in.Pages {
		var err error
		at, err = a.Store.RemovePage(ctx, crm.RemovePage{Source: in.Source, ID: in.ID, Page: in.Page + n, Rows: in.Rows})
		if err != nil || at.Done {
			return at, err
		}
	}
	return at, nil
}

// EndRemoval removes a source of which nothing else is left. One that is gone,
// or that was made anew under the name, is left alone, so running it twice is
// harmless.
func (a *Activities) EndRemoval(ctx context.Context, in crm.EndRemovalInput) (crm.None, error) {
	return crm.None{}, a.Store.EndRemoval(ctx, in)
}
