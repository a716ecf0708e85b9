package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// undoPageRow is a row of the table undo_pages, the ledger of undos.
type undoPageRow struct {
	bun.BaseModel `bun:"table:undo_pages,alias:p"`

	ImportNumber int64   `bun:",pk"`
	Page         int     `bun:",pk"`
	Result       *string // a crm.UndonePage; NULL only inside the transaction that reverses the page
	Records      []byte  // what became of each; see packRecords
	CommittedAt  instant
}

// OpenUndo enters the undo of an import under the id of its request, as an
// import of the kind "undo" whose parent is the one to undo. Whatever other
// imports of the source are still open, that one among them, are marked as
// interrupted: their workflows are gone, since a source has one at a time, and
// a writer that was thought dead is fenced out from now on. Opening an id a
// second time answers what it answered first (invariant 3).
//
// An import that cannot be undone (see [crm.Undoable]) or that the source has
// not had wraps [crm.ErrInvalid], and so does a source that is being removed.
func (s *Store) OpenUndo(ctx context.Context, r crm.Request) (crm.UndoOpened, error) {
	var opened crm.UndoOpened
	err := s.inTx(ctx, func(tx bun.Tx) (err error) {
		opened, err = s.openUndo(ctx, tx, r)
		return err
	})
	if err == nil {
		err = s.forget(ctx, "i.source_id = (SELECT id FROM sources WHERE slug = ?)", r.Source)
	}
	return opened, wrap("open undo "+r.ID, err)
}

func (s *Store) openUndo(ctx context.Context, tx bun.Tx, r crm.Request) (crm.UndoOpened, error) {
	locking := ""
	if s.dialect.lock() != "" {
		locking = "UPDATE"
	}
	source, err := sourceBySlug(ctx, tx, r.Source, locking)
	if err == nil {
		err = source.takes()
	}
	if err != nil {
		return crm.UndoOpened{}, err
	}
	target, err := s.Import(ctx, r.Undoes)
	if errors.Is(err, crm.ErrNotFound) || err == nil && target.Source != r.Source {
		err = fmt.Errorf("%w: the source has no import %s to undo", crm.ErrInvalid, r.Undoes)
	}
	if err != nil {
		return crm.UndoOpened{}, err
	}
	opened, err := openedBefore(ctx, tx, r, source.ID)
	if !errors.Is(err, sql.ErrNoRows) {
		return crm.UndoOpened{Import: opened.Import, Records: target.Written()}, err
	}
	retries, err := s.Retries(ctx, target.ID)
	if err == nil {
		err = crm.Undoable(target, retries)
	}
	if err != nil {
		return crm.UndoOpened{}, err
	}
	row, err := newImport(r, source.ID, "")
	if err != nil {
		return crm.UndoOpened{}, err
	}
	row.Kind, row.Parent, row.Fingerprint = crm.KindUndo, target.ID, "undo of "+target.ID
	if err := insertImport(ctx, tx, row); err != nil {
		return crm.UndoOpened{}, err
	}
	return crm.UndoOpened{Import: crm.Import{ID: r.ID, Number: row.Number, Source: r.Source}, Records: target.Written()},
		interruptOthers(ctx, tx, row)
}

// UndoSum adds up what the pages of an undo came to, with what there is to hold
// that against.
func (s *Store) UndoSum(ctx context.Context, number int64) (crm.UndoSum, error) {
	operation := fmt.Sprintf("sum of undo %d", number)
	undo, err := s.Opening(ctx, number)
	if err != nil {
		return crm.UndoSum{}, err
	}
	sum, err := s.undoSum(ctx, undo.Request.Undoes, number)
	return sum, wrap(operation, err)
}

// undoSum adds up the undos of an import: the one of this number, if there is
// one yet, and those before it.
func (s *Store) undoSum(ctx context.Context, target string, number int64) (sum crm.UndoSum, err error) {
	if sum.Target, err = s.Import(ctx, target); err != nil {
		return sum, err
	}
	rows, err := s.reads.NewSelect().Model((*undoPageRow)(nil)).Column("import_number", "result").
		Where("import_number IN (SELECT number FROM imports WHERE parent = ? AND kind = ?)", sum.Target.ID, crm.KindUndo).
		Where("result IS NOT NULL").Rows(ctx)
	if err != nil {
		return sum, err
	}
	defer rows.Close()
	for rows.Next() {
		var of int64
		var result string
		if err := rows.Scan(&of, &result); err != nil {
			return sum, err
		}
		var page crm.UndonePage
		if err := json.Unmarshal([]byte(result), &page); err != nil {
			return sum, err
		}
		if of != number {
			sum.Earlier.Add(page.Counts)
			continue
		}
		sum.Pages++
		sum.Counts.Add(page.Counts)
	}
	if err := rows.Err(); err != nil {
		return sum, err
	}
	sum.Left, err = s.Recount(ctx, sum.Target.Number)
	return sum, err
}

// EndUndo ends an undo in the state of its report, as [Store.EndImport] ends an
// import. If it is done, the import that it undid is undone from then on. A
// report of fewer or more pages than are in by now is refused with an error
// that is passing.
func (s *Store) EndUndo(ctx context.Context, number int64, report crm.Report) (crm.Report, error) {
	operation := fmt.Sprintf("end undo %d", number)
	if report.State.Open() || report.State == "" || report.Undo == nil {
		return report, fmt.Errorf("%s: %w: state %q does not end an undo", operation, crm.ErrInvalid, report.State)
	}
	err := s.inTx(ctx, func(tx bun.Tx) error {
		var row importRow
		err := tx.NewRaw("SELECT state, report FROM imports WHERE number = ?"+s.dialect.lock(), number).Scan(ctx, &row.State, &row.Report)
		switch {
		case err != nil:
			return err
		case row.Report != nil:
			report = crm.Report{}
			return json.Unmarshal([]byte(*row.Report), &report)
		case !row.State.Open():
			return crm.ErrFenced
		}
		return s.endUndo(ctx, tx, number, &report)
	})
	return report, wrap(operation, err)
}

func (s *Store) endUndo(ctx context.Context, tx bun.Tx, number int64, report *crm.Report) error {
	n, err := tx.NewSelect().Table("undo_pages").Where("import_number = ?", number).Count(ctx)
	if err != nil {
		return err
	}
	if int64(n) != int64(report.Batches) {
		return passing{fmt.Errorf("%d pages are in, %d were counted", n, report.Batches)}
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Table("imports").Set("state = ?", report.State).Set("ended_at = ?", instant{report.EndedAt}).
		Set("report = ?", string(text)).Where("number = ?", number).Exec(ctx)
	if err == nil {
		err = rewind(ctx, tx, report.Undo.Number)
	}
	if err != nil || report.State != crm.Done {
		return err
	}
	_, err = tx.NewUpdate().Table("imports").Set("state = ?", crm.Undone).Set("undone_by = ?", number).
		Where("number = ?", report.Undo.Number).Exec(ctx)
	return err
}

// rewind has the next sync read again what an import had brought of its source's
// changes, even if only some of that is undone.
func rewind(ctx context.Context, tx bun.Tx, number int64) error {
	var row importRow
	err := tx.NewRaw("SELECT source_id, request FROM imports WHERE number = ?", number).Scan(ctx, &row.SourceID, &row.Request)
	if err != nil {
		return err
	}
	var r crm.Request
	if err := json.Unmarshal([]byte(row.Request), &r); err != nil || r.Watermark.IsZero() {
		return err
	}
	mark := ""
	if !r.Since.IsZero() {
		mark = timeText(r.Since)
	}
	_, err = tx.NewUpdate().Table("sources").Set("watermark = ?", mark).Where("id = ?", row.SourceID).Where("watermark > ?", mark).Exec(ctx)
	return err
}
