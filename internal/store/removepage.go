package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sluice/internal/crm"
)

// importTables hold what there is of an import beside its own row, with the key
// that goes with its number, and what counts their rows; nil: nobody does.
var importTables = []struct {
	name, key string
	counts    func(*crm.Holdings) *int64
}{
	{before(crm.Note), "id", images},
	{before(crm.Contact), "id", images},
	{before(crm.Customer), "id", images},
	{"import_customers", "external_id", nil},
	{"undo_pages", "page", nil},
	{"batch_failures", "batch", nil},
	{"import_batches", "batch", func(r *crm.Holdings) *int64 { return &r.Batches }},
	{"outbox", "id", nil},
	{"import_files", "file", func(r *crm.Holdings) *int64 { return &r.Files }},
	{"swept_imports", "import_number", nil},
}

func images(r *crm.Holdings) *int64 { return &r.BeforeImages }

// importsOfPage is how many imports go in one transaction at the most.
const importsOfPage = 100

// RemovePage removes the next of what a source holds, in one transaction with
// how far that has come: customers with what hangs on them, by external id; then
// subscriptions; then imports, the oldest first, with all there is of them. Of
// each kind at most rows go. It returns how far the removal is then.
//
// Pages are numbered from 0. One that is behind the removal already is not
// removed again (invariant 3), and two attempts at one wait for each other. What
// belongs to other sources is not touched, be it the same customer's.
//
// A source that another removal is at, or none, wraps [crm.ErrInvalid], and so
// does what the database does not let go, as when a table of somebody else refers
// to it.
func (s *Store) RemovePage(ctx context.Context, in crm.RemovePage) (crm.Removal, error) {
	operation := fmt.Sprintf("page %d of the removal of %s", in.Page, in.Source)
	var out crm.Removal
	err := s.inSession(ctx, func(tx session) error {
		row, at, err := s.removalOf(ctx, tx, in.Source)
		if err != nil {
			return err
		}
		if at == nil || at.ID != in.ID {
			return errNotAtIt
		}
		if at.Page > in.Page || at.Done {
			out = at.Removal
			return nil
		}
		r := &removing{s: s, tx: tx, source: row.ID, rows: in.Rows, at: at}
		if err := r.page(ctx); err != nil {
			return err
		}
		at.Page++
		out = at.Removal
		return saveRemoval(ctx, tx, row.ID, at)
	})
	if f := faultOf(err); f != nil && f.race {
		err = fmt.Errorf("%w: the database does not let records go (%s), as when a table of your own refers to them; mend that and remove the source again",
			crm.ErrInvalid, f.text)
	}
	return out, wrap(operation, err)
}

// A removing is one transaction that removes a page.
type removing struct {
	s      *Store
	tx     session
	source int64
	rows   int
	at     *removal
}

func (r *removing) page(ctx context.Context) error {
	// A walk through the table, once a page, would make the work grow with the
	// square of the records.
	if err := r.s.dialect.seek(ctx, r.tx, true); err != nil {
		return err
	}
	if err := r.s.dialect.lookUps(ctx, r.tx); err != nil {
		return err
	}
	do := [...]func(context.Context) (bool, error){
		removeRecords: r.records, removeSubscriptions: r.subscriptions, removeImports: r.imports}[r.at.Phase]
	more, err := do(ctx)
	if err != nil || more {
		return err
	}
	r.at.Phase, r.at.After = r.at.Phase+1, ""
	if r.at.Phase == nothingLeft {
		return r.lookAgain(ctx)
	}
	return nil
}

// lookAgain ends the removal, or begins again if something is there that the
// removal has passed: who writes to the tables by hand is told by nobody.
func (r *removing) lookAgain(ctx context.Context) error {
	left := false
	for _, table := range []string{tables[crm.Customer], "subscriptions"} {
		there, err := r.tx.NewSelect().Table(table).Where("source_id = ?", r.source).Exists(ctx)
		if err != nil {
			return err
		}
		left = left || there
	}
	r.at.Done = !left
	if left {
		r.at.Phase = removeRecords
	}
	return nil
}

// records removes the next customers, once what hangs on them is gone. More of
// that than a page holds leaves the customers to the next page.
func (r *removing) records(ctx context.Context) (more bool, err error) {
	last, n, err := r.next(ctx, tables[crm.Customer], "source_id", "external_id", r.source)
	if err != nil || n == 0 {
		return false, err
	}
	page := "(SELECT c.id FROM customer_records AS c WHERE " + r.span("c.source_id", "c.external_id") + ") AS c"
	for _, e := range []crm.Entity{crm.Note, crm.Contact} {
		hanging := r.s.dialect.lookUp([]string{"c.id AS customer"}, page, []string{"t.id AS id"}, tables[e], "t.customer_id = c.id")
		gone, err := r.remove(ctx, "DELETE FROM "+tables[e]+" WHERE id IN (SELECT k.id FROM ("+hanging+") AS k LIMIT ?3)", r.source, last)
		if err != nil {
			return false, err
		}
		if *r.at.Gone.Of(e) += gone; gone == int64(r.rows) {
			return true, nil
		}
	}
	gone, err := r.remove(ctx, "DELETE FROM customer_records WHERE "+r.span("source_id", "external_id"), r.source, last)
	r.at.Gone.Customers += gone
	r.at.After = last
	return n == r.rows, err
}

func (r *removing) subscriptions(ctx context.Context) (more bool, err error) {
	gone, more, err := r.strip(ctx, "subscriptions", "source_id", "external_id", r.source)
	r.at.Gone.Subscriptions += gone
	return more, err
}

// imports removes the next imports, the oldest first: what undid one is younger
// than that, and the row of that refers to it.
func (r *removing) imports(ctx context.Context) (more bool, err error) {
	left := int64(r.rows)
	for range importsOfPage {
		var number sql.NullInt64
		err := r.tx.NewSelect().Table("imports").ColumnExpr("min(number)").Where("source_id = ?", r.source).Scan(ctx, &number)
		if err != nil || !number.Valid {
			return false, err
		}
		for ; r.at.Table < len(importTables); r.at.Table++ {
			t := importTables[r.at.Table]
			gone, more, err := r.strip(ctx, t.name, "import_number", t.key, number.Int64)
			if err != nil {
				return false, err
			}
			if t.counts != nil {
				*t.counts(&r.at.Gone) += gone
			}
			if left -= gone; more {
				return true, nil
			}
			r.at.After = ""
		}
		if _, err := r.tx.NewDelete().Table("imports").Where("number = ?", number.Int64).Exec(ctx); err != nil {
			return false, err
		}
		r.at.Table = 0
		r.at.Gone.Imports++
		if left <= 0 {
			break
		}
	}
	return true, nil
}

// strip removes the next rows of a table that belong to one owner, by their
// key. more is false when none is left.
func (r *removing) strip(ctx context.Context, table, owner, key string, of int64) (gone int64, more bool, err error) {
	last, n, err := r.next(ctx, table, owner, key, of)
	if err != nil || n == 0 {
		return 0, false, err
	}
	gone, err = r.remove(ctx, "DELETE FROM "+table+" WHERE "+r.span(owner, key), of, last)
	r.at.After = last
	return gone, n == r.rows, err
}

// next finds the last key of the next rows of a table that belong to one owner,
// and how many these are.
func (r *removing) next(ctx context.Context, table, owner, key string, of int64) (last string, n int, err error) {
	behind := ""
	if r.at.After != "" {
		behind = " AND " + key + " > ?1"
	}
	err = r.tx.NewRaw("SELECT CAST(k.key AS text), count(*) OVER () FROM (SELECT "+key+" AS key FROM "+table+" WHERE "+owner+" = ?0"+behind+
		" ORDER BY "+key+" LIMIT ?2) AS k ORDER BY k.key DESC LIMIT 1", of, r.at.After, r.rows).Scan(ctx, &last, &n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return last, n, err
}

// span is true of the rows of owner ?0 behind the place ?1, up to key ?2. Keys
// that are no texts are given as texts: both databases take them for what the
// column is.
func (r *removing) span(owner, key string) string {
	where := owner + " = ?0 AND " + key + " <= ?2"
	if r.at.After != "" {
		where += " AND " + key + " > ?1"
	}
	return where
}

// remove runs a statement on the rows of an owner up to a key, and counts them.
func (r *removing) remove(ctx context.Context, statement string, of int64, last string) (int64, error) {
	res, err := r.tx.NewRaw(statement, of, r.at.After, last, r.rows).Exec(ctx)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
