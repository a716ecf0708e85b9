package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// batchRow is a row of the table import_batches, the ledger.
type batchRow struct {
	bun.BaseModel `bun:"table:import_batches,alias:b"`

	ImportNumber int64  `bun:",pk"`
	Batch        int    `bun:",pk"`
	Described    string // the crm.Batch
	Settles      bool
	SkippedBy    string
	Verdict      string
	Counts       *string // NULL only inside the transaction that writes the batch
	Outcomes     []byte
	Changes      *string // NULL if the import is no dry run
	CommittedAt  instant
}

func (r *batchRow) ledgerRow() (row crm.LedgerRow, err error) {
	row.Settles, row.Skipped, row.CommittedAt = r.Settles, r.SkippedBy, r.CommittedAt.Time
	if err := json.Unmarshal([]byte(r.Described), &row.Batch); err != nil {
		return row, err
	}
	if err := json.Unmarshal([]byte(r.Verdict), &row.Verdict); err != nil {
		return row, err
	}
	if r.Counts == nil {
		return row, nil
	}
	if err := json.Unmarshal([]byte(*r.Counts), &row.Counts); err != nil {
		return row, err
	}
	if r.Changes != nil {
		if err := json.Unmarshal([]byte(*r.Changes), &row.Changes); err != nil {
			return row, err
		}
	}
	row.Outcomes, err = unpackOutcomes(r.Outcomes)
	return row, err
}

// ledgerPage is how many rows of the ledger are read at a time. An outcome is
// a byte a record, so a page is a few megabytes.
const ledgerPage = 64

// Ledger goes through the ledger of an import by batch number, beginning with
// number from. It holds no connection while the caller works on a row, and
// rows that are entered meanwhile may be among those to come. An error ends it.
func (s *Store) Ledger(ctx context.Context, number int64, from int) iter.Seq2[crm.LedgerRow, error] {
	return func(yield func(crm.LedgerRow, error) bool) {
		operation := fmt.Sprintf("ledger of import %d", number)
		for {
			var page []batchRow
			err := s.reads.NewSelect().Model(&page).Where("import_number = ?", number).Where("batch >= ?", from).
				Order("batch").Limit(ledgerPage).Scan(ctx)
			if err != nil {
				yield(crm.LedgerRow{}, wrap(operation, err))
				return
			}
			for i := range page {
				row, err := page[i].ledgerRow()
				if !yield(row, wrap(operation, err)) || err != nil {
					return
				}
				from = page[i].Batch + 1
			}
			if len(page) < ledgerPage {
				return
			}
		}
	}
}

// Written returns the ledger row of a batch; false if the batch is not in.
func (s *Store) Written(ctx context.Context, number int64, batch int) (crm.LedgerRow, bool, error) {
	var r batchRow
	err := s.reads.NewSelect().Model(&r).Where("import_number = ?", number).Where("batch = ?", batch).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return crm.LedgerRow{}, false, nil
	}
	if err != nil {
		return crm.LedgerRow{}, false, wrap(fmt.Sprintf("batch %d of import %d", batch, number), err)
	}
	row, err := r.ledgerRow()
	return row, err == nil, err
}

// enter puts a batch into the ledger. If it is there already it answers the
// counts entered the first time, and true.
//
// Invariant 3: this row comes first and commits with the records. A second
// attempt at the same time waits here, on the ledger's key, until the first
// has ended.
func (a *attempt) enter(ctx context.Context) (counts crm.Counts, there bool, err error) {
	described, err := json.Marshal(a.in.Batch)
	if err != nil {
		return counts, false, err
	}
	verdict, err := json.Marshal(a.in.Verdict)
	if err != nil {
		return counts, false, err
	}
	res, err := a.tx.NewInsert().Model(&batchRow{ImportNumber: a.in.Import, Batch: a.in.Batch.Number, Described: string(described),
		Settles: a.in.Settles != nil, Verdict: string(verdict)}).On("CONFLICT (import_number, batch) DO NOTHING").Returning("NULL").Exec(ctx)
	if err != nil {
		return counts, false, err
	}
	if n, err := res.RowsAffected(); n == 1 || err != nil {
		return counts, false, err
	}
	var row batchRow
	err = a.tx.NewSelect().Model(&row).Where("import_number = ?", a.in.Import).Where("batch = ?", a.in.Batch.Number).Scan(ctx)
	if err != nil {
		return counts, true, err
	}
	was, err := row.ledgerRow()
	if err != nil {
		return counts, true, err
	}
	if !sameRows(was.Batch, a.in.Batch) {
		// Not another attempt at the same rows: their counts are not the answer.
		// A workflow that was reset reads the pages of a source once more, and
		// the source may have changed.
		return counts, true, fmt.Errorf("%w: other rows are in the ledger as this batch", crm.ErrUnbalanced)
	}
	return was.Counts, true, nil
}

// sameRows reports whether two batches of one number hold the same rows,
// wherever in the stage they lie.
func sameRows(a, b crm.Batch) bool {
	for _, e := range crm.Entities {
		if a.Part(e).Object.BLAKE3 != b.Part(e).Object.BLAKE3 {
			return false
		}
	}
	return a.File == b.File && a.First == b.First && a.Last == b.Last && a.Counts == b.Counts
}

// close completes the batch's ledger row.
//
// Its changes are counted here and not in a trial, of which nothing is kept.
func (a *attempt) close(ctx context.Context, counts crm.Counts) error {
	text, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	update := a.tx.NewUpdate().Table("import_batches").Set("counts = ?", string(text)).
		Set("outcomes = ?", packOutcomes(a.outcomes)).Set("committed_at = ?", instant{now()}).
		Where("import_number = ?", a.in.Import).Where("batch = ?", a.in.Batch.Number)
	if a.to.dry {
		changes, err := a.changes(ctx)
		if err != nil {
			return err
		}
		if text, err = json.Marshal(changes); err != nil {
			return err
		}
		update.Set("changes = ?", string(text))
	}
	_, err = update.Exec(ctx)
	return err
}

// move notes in the batches that leftovers come from that their records were
// judged anew. A record that is no leftover there has been moved already, or
// never was one.
func (a *attempt) move(ctx context.Context) error {
	batches := make([]int, 0, len(a.in.Settles.Moved))
	for b := range a.in.Settles.Moved {
		batches = append(batches, b)
	}
	if len(batches) == 0 {
		return nil
	}
	var rows []batchRow
	sel := a.tx.NewSelect().Model(&rows).Column("batch", "outcomes").Where("import_number = ?", a.in.Import).
		Where("batch IN (?)", bun.In(batches)).Order("batch")
	if a.s.dialect.lock() != "" {
		sel = sel.For("UPDATE")
	}
	if err := sel.Scan(ctx); err != nil {
		return err
	}
	if len(rows) != len(batches) {
		return fmt.Errorf("%w: leftovers of batches that are not in the ledger", crm.ErrUnbalanced)
	}
	for i := range rows {
		outcomes, err := unpackOutcomes(rows[i].Outcomes)
		if err != nil {
			return err
		}
		if err := markMoved(outcomes, a.in.Settles.Moved[rows[i].Batch], rows[i].Batch); err != nil {
			return err
		}
		_, err = a.tx.NewUpdate().Table("import_batches").Set("outcomes = ?", packOutcomes(outcomes)).
			Where("import_number = ?", a.in.Import).Where("batch = ?", rows[i].Batch).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

func markMoved(outcomes crm.Outcomes, moved [3][]int, batch int) error {
	for e, ords := range moved {
		for _, ord := range ords {
			if ord < 0 || ord >= len(outcomes[e]) || outcomes[e][ord] != crm.Held && outcomes[e][ord] != crm.Duplicate {
				return fmt.Errorf("%w: record %d of the %s of batch %d is no leftover", crm.ErrUnbalanced, ord, crm.Entity(e).Plural(), batch)
			}
			outcomes[e][ord] = crm.Moved
		}
	}
	return nil
}
