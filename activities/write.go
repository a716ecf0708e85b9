package activities

import (
	"context"
	"io"

	"sluice/internal/crm"
)

// Write brings one batch into the tables: customers, then contacts and notes,
// except for the records that the verdict calls duplicate.
//
// It reads the batch and its verdict from the stage. The ledger row of the
// batch commits with its records, so a second attempt, even at the same time,
// finds it and returns the counts entered the first time (invariant 3). An
// import that has ended fences it off, and that ends the step; so does a
// record of the import's own at another address, which means that our counting
// is wrong. A database that cannot be reached is waited for.
func (a *Activities) Write(ctx context.Context, in crm.WriteInput) (crm.Written, error) {
	verdict, err := a.batchVerdict(a.Stage.ReadCompressed(ctx, in.Verdict.Object))
	if err != nil {
		return crm.Written{}, err
	}
	counts, err := a.Store.Write(ctx, crm.WriteBatch{
		Import: in.Import.Number, Batch: in.Batch, Verdict: in.Verdict.Object, Preset: verdict.Outcomes,
	}, a.partOpener(&in.Batch))
	return crm.Written{Counts: counts}, err
}

func (a *Activities) partOpener(b *crm.Batch) crm.PartOpener {
	return func(ctx context.Context, e crm.Entity) (io.ReadCloser, error) {
		return a.Stage.ReadCompressed(ctx, b.Part(e).Object)
	}
}
