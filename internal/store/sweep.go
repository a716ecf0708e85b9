package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// importsPage is how many imports are read at a time: a request may name
// hundreds of files.
const importsPage = 200

// ImportsAfter goes through all imports with a number above the one given, in
// the order of their numbers: their requests, states and reports, no files and
// no totals. It holds no connection while the caller works on one. An error
// ends it.
func (s *Store) ImportsAfter(ctx context.Context, number int64) iter.Seq2[crm.ImportRow, error] {
	return func(yield func(crm.ImportRow, error) bool) {
		for {
			var page []importRow
			err := s.selectImports(&page).Where("i.number > ?", number).OrderExpr("i.number").Limit(importsPage).Scan(ctx)
			for i := 0; i < len(page) && err == nil; i++ {
				var row crm.ImportRow
				if row, err = page[i].opening(); err == nil && !yield(row, nil) {
					return
				}
				number = page[i].Number
			}
			if err != nil {
				yield(crm.ImportRow{}, wrap("imports", err))
				return
			}
			if len(page) < importsPage {
				return
			}
		}
	}
}

// sweptRow is a row of the table swept_imports.
type sweptRow struct {
	bun.BaseModel `bun:"table:swept_imports,alias:w"`

	ImportNumber int64 `bun:",pk"`
	BatchesAt    instant
	ListsAt      instant
}

// MarkSwept notes that the stage no longer has, or will soon not have, what an
// import left there. What was noted first stays; a zero time notes nothing.
func (s *Store) MarkSwept(ctx context.Context, number int64, w crm.Swept) error {
	_, err := s.db.NewInsert().Model(&sweptRow{ImportNumber: number, BatchesAt: instant{w.Batches}, ListsAt: instant{w.Lists}}).
		On("CONFLICT (import_number) DO UPDATE").
		Set("batches_at = coalesce(w.batches_at, EXCLUDED.batches_at)").
		Set("lists_at = coalesce(w.lists_at, EXCLUDED.lists_at)").Returning("NULL").Exec(ctx)
	return wrap(fmt.Sprintf("mark import %d as swept", number), err)
}

// Swept says since when the stage lacks what an import left there. Times are
// zero for what it has.
func (s *Store) Swept(ctx context.Context, number int64) (crm.Swept, error) {
	var rows []sweptRow
	err := s.reads.NewSelect().Model(&rows).Where("import_number = ?", number).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return crm.Swept{}, wrap(fmt.Sprintf("what was swept of import %d", number), err)
	}
	return crm.Swept{Batches: rows[0].BatchesAt.Time, Lists: rows[0].ListsAt.Time}, nil
}

// Claim asks for a chore that one process at a time does. It is true when
// nobody has it, or had it for longer than lease without an end, and it was not
// done within the last every. The caller then ends it with [Store.Release].
func (s *Store) Claim(ctx context.Context, chore string, lease, every time.Duration) (bool, error) {
	at := now()
	operation := "claim the chore " + chore
	_, err := s.db.NewRaw("INSERT INTO chores (name) VALUES (?) ON CONFLICT (name) DO NOTHING", chore).Exec(ctx)
	if err != nil {
		return false, wrap(operation, err)
	}
	res, err := s.db.NewUpdate().Table("chores").Set("taken_at = ?", instant{at}).Where("name = ?", chore).
		Where("taken_at IS NULL OR taken_at < ?", instant{at.Add(-lease)}).
		Where("done_at IS NULL OR done_at <= ?", instant{at.Add(-every)}).Exec(ctx)
	if err != nil {
		return false, wrap(operation, err)
	}
	n, err := res.RowsAffected()
	return n == 1, wrap(operation, err)
}

// Release ends a chore that was claimed. Unless it is done, the next who asks
// gets it.
func (s *Store) Release(ctx context.Context, chore string, done bool) error {
	free := s.db.NewUpdate().Table("chores").Set("taken_at = NULL").Where("name = ?", chore)
	if done {
		free = free.Set("done_at = ?", instant{now()})
	}
	_, err := free.Exec(ctx)
	return wrap("release the chore "+chore, err)
}
