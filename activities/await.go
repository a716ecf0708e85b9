package activities

import (
	"context"

	"sluice/internal/crm"
)

// Running knows which imports are running.
type Running interface {
	// Await waits until no import of a source is running.
	Await(ctx context.Context, source string) error

	// AwaitSync waits until no sync of a source is running.
	AwaitSync(ctx context.Context, source string) error
}

// AwaitSource waits until no import of a source is running, for as long as it
// takes. It reads and leaves nothing, so another attempt waits anew. By the time
// it answers the next import may have begun.
func (a *Activities) AwaitSource(ctx context.Context, in crm.AwaitInput) (crm.None, error) {
	return crm.None{}, a.Running.Await(ctx, in.Source)
}
