package activities

import (
	"context"
	"errors"

	"sluice/internal/crm"
)

// Running knows what is running of a source.
type Running interface {
	Import(ctx context.Context, source string) (bool, error)
	Sync(ctx context.Context, source string) (bool, error)
}

// AwaitSource waits until no import of a source is running, for as long as it
// takes. It reads and leaves nothing, so another attempt asks anew. By the time
// it answers the next import may have begun.
func (a *Activities) AwaitSource(ctx context.Context, in crm.AwaitInput) (crm.None, error) {
	running, err := a.Running.Import(ctx, in.Source)
	if running {
		err = later("an import of " + in.Source + " is running")
	}
	return crm.None{}, err
}

// later fails an attempt that has to wait for work of ours. The next attempt
// asks again. Attempts that fail leave nothing in the history, and nothing sits
// in a worker: those that wait could be as many as the worker has places, and
// then what they wait for would have none.
func later(why string) error { return errors.New("waiting: " + why) }
