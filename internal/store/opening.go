package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// Opening returns what every step needs of an import: the row as it was
// opened, with its secret and, once it has ended, its report; no files and no
// totals, which cost a look at the whole ledger. No such import wraps
// [crm.ErrNotFound].
func (s *Store) Opening(ctx context.Context, number int64) (crm.ImportRow, error) {
	operation := fmt.Sprintf("import %d", number)
	var r importRow
	if err := s.selectImports(&r).Where("i.number = ?", number).Scan(ctx); err != nil {
		return crm.ImportRow{}, wrap(operation, err)
	}
	row, err := r.opening()
	return row, wrap(operation, err)
}

// Open returns the import of a source that has not ended, or an error that
// wraps [crm.ErrNotFound].
func (s *Store) Open(ctx context.Context, source string) (crm.ImportRow, error) {
	rows, err := s.Imports(ctx, ImportQuery{Source: source, Open: true, Limit: 1})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("open import of %s: %w", source, crm.ErrNotFound)
	}
	if err != nil {
		return crm.ImportRow{}, err
	}
	return rows[0], nil
}

// opening makes an ImportRow of what its row alone says.
func (r *importRow) opening() (crm.ImportRow, error) {
	row := crm.ImportRow{Import: crm.Import{ID: r.ID, Number: r.Number, Source: r.Source}, Kind: r.Kind, State: r.State,
		By: r.StateBy, StartedAt: r.StartedAt.Time, EndedAt: r.EndedAt.Time, Secret: r.Secret, UndoneBy: r.UndoneBy}
	if err := json.Unmarshal([]byte(r.Request), &row.Request); err != nil || r.Report == nil {
		return row, err
	}
	row.Report = new(crm.Report)
	err := json.Unmarshal([]byte(*r.Report), row.Report)
	row.Totals = row.Report.Counts
	return row, err
}

// counted makes sure that a report speaks of the ledger as it is. A writer that
// committed between the recount and the end is thereby counted by the retry.
func counted(ctx context.Context, tx bun.Tx, number int64, batches int) error {
	n, err := tx.NewSelect().Table("import_batches").Where("import_number = ?", number).Count(ctx)
	if err == nil && int64(n) != int64(batches) {
		err = passing{fmt.Errorf("%d batches are in, %d were counted", n, batches)}
	}
	return err
}
