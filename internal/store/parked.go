package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// failureRow is a row of the table batch_failures.
type failureRow struct {
	bun.BaseModel `bun:"table:batch_failures,alias:f"`

	ImportNumber int64 `bun:",pk"`
	Batch        int   `bun:",pk"`
	Failures     int
	Failure      string
	Described    *string // the crm.Batch; NULL until it is parked
	Verdict      *string
	ParkedAt     instant
}

// failuresToPark is how often a batch may fail, for a reason that is neither an
// outage nor a record's own, before it is parked.
const failuresToPark = 5

// failed counts a failure of a batch, and says whether that was one too many.
// The count is kept here and not by attempts, which outages and deploys use up
// too.
func (s *Store) failed(ctx context.Context, number int64, batch int, why error) (tooOften bool, err error) {
	var failures int
	err = s.db.NewInsert().Model(&failureRow{ImportNumber: number, Batch: batch, Failures: 1, Failure: why.Error()}).
		Column("import_number", "batch", "failures", "failure").
		On("CONFLICT (import_number, batch) DO UPDATE").Set("failures = f.failures + 1").Set("failure = EXCLUDED.failure").
		Returning("failures").Scan(ctx, &failures)
	return failures >= failuresToPark, err
}

// Park puts a batch aside that cannot be written, for somebody to decide about.
// Parking one again changes nothing but why.
func (s *Store) Park(ctx context.Context, number int64, p crm.ParkedBatch) error {
	operation := fmt.Sprintf("park batch %d of import %d", p.Batch.Number, number)
	described, err := json.Marshal(p.Batch)
	if err != nil {
		return wrap(operation, err)
	}
	verdict, err := json.Marshal(p.Verdict)
	if err != nil {
		return wrap(operation, err)
	}
	d, v := string(described), string(verdict)
	_, err = s.db.NewInsert().Model(&failureRow{ImportNumber: number, Batch: p.Batch.Number, Failure: p.Failure,
		Described: &d, Verdict: &v, ParkedAt: instant{now()}}).
		On("CONFLICT (import_number, batch) DO UPDATE").Set("failure = EXCLUDED.failure").
		Set("described = EXCLUDED.described").Set("verdict = EXCLUDED.verdict").Set("parked_at = EXCLUDED.parked_at").
		Returning("NULL").Exec(ctx)
	return wrap(operation, err)
}

// Parked lists the batches of an import that are put aside, by number. One that
// has been written or skipped since is not among them.
func (s *Store) Parked(ctx context.Context, number int64) ([]crm.ParkedBatch, error) {
	operation := fmt.Sprintf("parked batches of import %d", number)
	var rows []failureRow
	err := s.reads.NewSelect().Model(&rows).Where("f.import_number = ?", number).Where("f.parked_at IS NOT NULL").
		Where("NOT EXISTS (SELECT 1 FROM import_batches AS b WHERE b.import_number = f.import_number AND b.batch = f.batch)").
		Order("f.batch").Scan(ctx)
	if err != nil {
		return nil, wrap(operation, err)
	}
	out := make([]crm.ParkedBatch, len(rows))
	for i, r := range rows {
		out[i].Failure = r.Failure
		err := errors.Join(json.Unmarshal([]byte(*r.Described), &out[i].Batch), json.Unmarshal([]byte(*r.Verdict), &out[i].Verdict))
		if err != nil {
			return nil, wrap(operation, err)
		}
	}
	return out, nil
}

// Unpark lists the batches that are put aside, as [Store.Parked] does, and
// forgets how often each has failed: somebody wants them tried again.
func (s *Store) Unpark(ctx context.Context, number int64) ([]crm.ParkedBatch, error) {
	_, err := s.db.NewUpdate().Table("batch_failures").Set("failures = 0").Where("import_number = ?", number).Exec(ctx)
	if err != nil {
		return nil, wrap(fmt.Sprintf("unpark batches of import %d", number), err)
	}
	return s.Parked(ctx, number)
}

// Skip enters a batch in the ledger as one of which nothing was written, by
// somebody's decision: each of its rows is rejected, those that Parse took as
// [crm.ReasonSkipped]. preset is the verdict on it, as in [crm.WriteBatch]: what
// is a duplicate takes no key from the record that it repeats. Skip reads no
// record, so a batch whose records are lost can be skipped too.
//
// A batch that is in the ledger already stays as it is, and Skip answers the
// counts entered the first time. An import that has ended wraps [crm.ErrFenced].
func (s *Store) Skip(ctx context.Context, number int64, p crm.ParkedBatch, preset crm.Outcomes, by string) (crm.Counts, error) {
	operation := fmt.Sprintf("skip batch %d of import %d", p.Batch.Number, number)
	a := &attempt{s: s, in: &crm.WriteBatch{Import: number, Batch: p.Batch, Verdict: p.Verdict.Object, Preset: preset}}
	var counts crm.Counts
	outcomes, err := completePreset(a.in)
	if err != nil {
		return counts, wrap(operation, err)
	}
	err = s.inSession(ctx, func(tx session) error {
		a.tx = tx
		var there bool
		var err error
		if counts, there, err = a.enter(ctx); there || err != nil {
			return err
		}
		if err := a.aim(ctx); err != nil {
			return err
		}
		a.to.dry = false // it would change nothing
		a.outcomes = outcomes.Skip()
		rows := p.Batch.Counts
		counts = crm.Counts{Read: rows.Read, Blank: rows.Blank, Rejected: rows.Read, Warnings: rows.Warnings}
		if err := a.close(ctx, counts); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Table("import_batches").Set("skipped_by = ?", skippedBy(by)).
			Where("import_number = ?", number).Where("batch = ?", p.Batch.Number).Exec(ctx)
		return err
	})
	return counts, wrap(operation, err)
}

// skippedBy is never blank: that is how a batch shows that it was skipped.
func skippedBy(by string) string {
	if by == "" {
		return "somebody"
	}
	return by
}
