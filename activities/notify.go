package activities

import (
	"context"
	"time"

	"sluice/internal/crm"
)

// Notify sends one row of the outbox, unless it was sent before.
//
// A process that dies between sending and noting it sends again, under the
// same stable id, by which a receiver can drop the repeat. A receiver that
// refuses for good ends the step and nothing else.
func (a *Activities) Notify(ctx context.Context, in crm.NotifyInput) (crm.None, error) {
	m, err := a.Store.Message(ctx, in.Outbox)
	if err != nil || !m.SentAt.IsZero() {
		return crm.None{}, err
	}
	if err := a.Mailer.Send(ctx, m); err != nil {
		return crm.None{}, err
	}
	return crm.None{}, a.Store.MarkSent(ctx, m.ID, time.Now().UTC())
}

// Mark shows in the import's row that the import was paused or resumed, and
// keeps its claims alive. The last of two marks stands, and an ended import is
// not marked.
func (a *Activities) Mark(ctx context.Context, in crm.MarkInput) (crm.None, error) {
	if err := a.Store.Mark(ctx, in.Import.Number, in.State, in.By); err != nil {
		return crm.None{}, err
	}
	// Claims that cannot be renewed are made again when they are missed.
	_ = a.Judge.Renew(ctx, in.Import.ID, in.Claims)
	return crm.None{}, nil
}
