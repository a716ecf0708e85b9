package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// importRow is a row of the table imports, with its source's slug.
type importRow struct {
	bun.BaseModel `bun:"table:imports,alias:i"`

	Number      int64 `bun:",pk"`
	ID          string
	SourceID    int64
	Source      string `bun:",scanonly"`
	Kind        string
	State       crm.State
	StateBy     string
	Request     string
	Fingerprint string
	Dry         bool
	Parent      string
	Earlier     string
	Secret      []byte
	StartedAt   instant
	EndedAt     instant
	Report      *string
	UndoneBy    int64 `bun:",nullzero"`
}

// now is the time as the tables keep it: UTC, whole milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func (s *Store) selectImports(into any) *bun.SelectQuery {
	return s.reads.NewSelect().Model(into).ColumnExpr("?TableColumns").ColumnExpr("src.slug AS source").
		Join("JOIN sources AS src ON src.id = i.source_id")
}

// importOf makes an ImportRow, all but its files. While the import has no
// report, its totals are summed from the ledger.
func (s *Store) importOf(ctx context.Context, r *importRow) (crm.ImportRow, error) {
	row, err := r.opening()
	if err == nil && r.Report == nil {
		row.Totals, err = s.totals(ctx, r.Number)
	}
	return row, err
}

// totals adds up the ledger. The sum is not kept in the import's row: every
// writer would wait for every other to have changed it.
func (s *Store) totals(ctx context.Context, number int64) (crm.Counts, error) {
	var sum crm.Counts
	var all []string
	err := s.reads.NewSelect().Table("import_batches").Column("counts").
		Where("import_number = ?", number).Where("counts IS NOT NULL").Scan(ctx, &all)
	for _, text := range all {
		var c crm.Counts
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return sum, err
		}
		sum.Add(c)
	}
	return sum, err
}

// Import returns an import with its files, its totals so far, its parked batches
// and, once it has ended, its report. ref is an import's id, its number as "12" or "#12", or a
// source's slug, which means the latest import of the source. If ref means
// nothing the error wraps [crm.ErrNotFound].
func (s *Store) Import(ctx context.Context, ref string) (crm.ImportRow, error) {
	found, err := s.findImport(ctx, ref)
	if err != nil {
		return crm.ImportRow{}, wrap("import "+ref, err)
	}
	row, err := s.importOf(ctx, found)
	if err != nil {
		return row, wrap("import "+ref, err)
	}
	var files []fileRow
	err = s.reads.NewSelect().Model(&files).Where("import_number = ?", row.Number).Order("file").Scan(ctx)
	for i := range files {
		f, err := files[i].fileRow()
		if err != nil {
			return row, wrap("import "+ref, err)
		}
		row.Files = append(row.Files, f)
	}
	if err == nil {
		row.Parked, err = s.Parked(ctx, row.Number)
	}
	return row, wrap("import "+ref, err)
}

func (s *Store) findImport(ctx context.Context, ref string) (*importRow, error) {
	var rows []importRow
	try := func(where string, arg any) (*importRow, error) {
		err := s.selectImports(&rows).Where(where, arg).OrderExpr("i.number DESC").Limit(1).Scan(ctx)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		return &rows[0], nil
	}
	number, notNumber := strconv.ParseInt(strings.TrimPrefix(ref, "#"), 10, 64)
	if notNumber == nil {
		if row, err := try("i.number = ?", number); row != nil || err != nil {
			return row, err
		}
	}
	for _, where := range []string{"i.id = ?", "src.slug = ?"} {
		if row, err := try(where, ref); row != nil || err != nil {
			return row, err
		}
	}
	return nil, crm.ErrNotFound
}

// An ImportQuery says which imports to list. Zero fields do not narrow it.
type ImportQuery struct {
	Source string // slug
	Open   bool   // only those that have not ended
	Limit  int    // at most this many; 0 means 100
}

// Imports lists imports, newest first, without their files.
func (s *Store) Imports(ctx context.Context, q ImportQuery) ([]crm.ImportRow, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	var rows []importRow
	sel := s.selectImports(&rows).OrderExpr("i.number DESC").Limit(int64(q.Limit))
	if q.Source != "" {
		sel = sel.Where("src.slug = ?", q.Source)
	}
	if q.Open {
		sel = sel.Where("i.state IN (?)", bun.In(openStates))
	}
	if err := sel.Scan(ctx); err != nil {
		return nil, wrap("imports", err)
	}
	out, err := s.importsOf(ctx, rows)
	return out, wrap("imports", err)
}

func (s *Store) importsOf(ctx context.Context, rows []importRow) ([]crm.ImportRow, error) {
	out := make([]crm.ImportRow, len(rows))
	for i := range rows {
		var err error
		if out[i], err = s.importOf(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// openStates lists the states in which an import may still write.
var openStates = []crm.State{crm.Queued, crm.Running, crm.Paused, crm.Waiting, crm.NeedsAttention}

// Mark puts an open import into another open state and notes who did. An
// import that has ended stays as it is and the error wraps [crm.ErrFenced]; no
// such import wraps [crm.ErrNotFound].
func (s *Store) Mark(ctx context.Context, number int64, state crm.State, by string) error {
	operation := fmt.Sprintf("mark import %d", number)
	if !state.Open() {
		return fmt.Errorf("%s: %w: %s ends an import", operation, crm.ErrInvalid, state)
	}
	return wrap(operation, s.inTx(ctx, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Table("imports").Set("state = ?", state).Set("state_by = ?", by).
			Where("number = ?", number).Where("state IN (?)", bun.In(openStates)).Exec(ctx)
		if err != nil {
			return err
		}
		if n, _ := res.RowsAffected(); n > 0 {
			return nil
		}
		there, err := tx.NewSelect().Table("imports").Where("number = ?", number).Exists(ctx)
		if err == nil {
			err = crm.ErrNotFound
			if there {
				err = crm.ErrFenced
			}
		}
		return err
	}))
}
