package activities

import (
	"context"

	"sluice/internal/crm"
)

// Park puts a batch aside that cannot be written, with what it takes to write
// it later: the workflow remembers its number alone. Parking one twice is
// harmless.
func (a *Activities) Park(ctx context.Context, in crm.ParkInput) (crm.None, error) {
	return crm.None{}, a.Store.Park(ctx, in.Import.Number, in.Parked)
}

// Unpark returns the batches that were put aside and have not been written or
// skipped since. How often they failed before is forgotten, so running it
// twice is harmless.
func (a *Activities) Unpark(ctx context.Context, in crm.UnparkInput) (crm.Unparked, error) {
	parked, err := a.Store.Unpark(ctx, in.Import.Number)
	return crm.Unparked{Parked: parked}, err
}

// Skip gives a batch up, of which it reads the verdict alone. It goes into the
// ledger with all its rows rejected, so every later attempt, also at writing it,
// finds it decided (invariant 3).
func (a *Activities) Skip(ctx context.Context, in crm.SkipInput) (crm.Written, error) {
	verdict, err := a.batchVerdict(a.Stage.ReadCompressed(ctx, in.Parked.Verdict.Object))
	if err != nil {
		return crm.Written{}, err
	}
	counts, err := a.Store.Skip(ctx, in.Import.Number, in.Parked, verdict.Outcomes, in.By)
	return crm.Written{Counts: counts}, err
}
