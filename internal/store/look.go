package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"sluice/internal/crm"
)

// What is found out about a record, a letter each.
const (
	markNew     = 'c' // there is no such record
	markChanged = 'u'
	markSame    = 'n'
	markWaits   = 'w'                 // nor is there its customer
	markOwn     = '!'                 // this import wrote it from another row
	markRepeats = byte(crm.Duplicate) // this import wrote it from an earlier file, and newer than this
	markAgain   = byte(crm.Again)     // this import wrote it from an earlier file, and this is newer
	markMany    = byte(crm.Ambiguous)
	markSince   = byte(crm.ChangedSince)
)

// look finds, for each record to write, the record in the tables that it means.
// Nothing is locked: a record that somebody else changes before we write it has
// another rev then, and the transaction runs again.
func (a *attempt) look(ctx context.Context) error {
	if a.mayBeNew() {
		if done, err := a.allNew(ctx); done || err != nil {
			return err
		}
		a.begin()
	}
	if err := a.meet(ctx, crm.Customer); err != nil {
		return err
	}
	if a.to.match != nil {
		if err := a.meetMatching(ctx); err != nil {
			return err
		}
	}
	if _, err := a.hang(ctx); err != nil {
		return err
	}
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		if err := a.meet(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// begin forgets what was found out.
func (a *attempt) begin() {
	for e, rs := range a.of {
		rs.begin(func(ord int) bool {
			return a.preset[e][ord] == crm.ToWrite && (a.only == nil || a.only[e][ord])
		})
	}
}

// meet stages the records of e and finds those that are in the tables.
func (a *attempt) meet(ctx context.Context, e crm.Entity) error {
	rs := a.of[e]
	ords := rs.live()
	if len(ords) == 0 {
		return nil
	}
	if err := a.stage(ctx, rs, ords); err != nil {
		return err
	}
	where := fmt.Sprintf("t.source_id = %d AND t.external_id = s.external_id", a.to.source)
	if e != crm.Customer {
		where = "t.customer_id = s.customer_id AND t.match_key = s.match_key"
	}
	return a.find(ctx, rs, staged(e)+" AS s", where)
}

// stage fills the temporary table of an entity.
func (a *attempt) stage(ctx context.Context, rs *records, ords []int) error {
	return a.fill(ctx, stagedTable(rs.entity, a.s.dialect.types()), a.staging(rs, ords))
}

// fill puts rows into a temporary table, which is made if need be and empty.
func (a *attempt) fill(ctx context.Context, definition string, r *rows) error {
	if slices.Contains(a.filled, r.table) {
		definition = "DELETE FROM " + r.table
	} else {
		a.filled = append(a.filled, r.table)
	}
	if _, err := a.tx.ExecContext(ctx, definition); err != nil {
		return err
	}
	_, err := a.s.dialect.insert(ctx, a.tx, r)
	return err
}

// find notes which records there are: from names the staged rows s to look up,
// and where says which record t is theirs.
func (a *attempt) find(ctx context.Context, rs *records, from, where string) error {
	mark := a.mark(merge(a.s.dialect, rs.entity, a.to.rules).changes())
	query := a.s.dialect.lookUp([]string{"s.ord"}, from, []string{"t.id AS id", "t.rev AS rev", mark + " AS mark"}, tables[rs.entity], where)
	return a.s.dialect.read(ctx, a.tx, query, func(values [][]byte) error {
		ord, rev := int(number(values[0])), number(values[2])
		if ord >= len(rs.marks) || len(values[3]) != 1 {
			return fmt.Errorf("%w: a record that was not staged is found", crm.ErrUnbalanced)
		}
		rs.marks[ord] = values[3][0]
		rs.meets(ord, bytes.Clone(values[1]), rev)
		return nil
	})
}

// mark is what a record t is to the staged record s that means it; changes is
// true if it would change.
func (a *attempt) mark(changes string) string {
	own := fmt.Sprintf("t.created_import = %[1]d AND t.created_address <> s.address OR t.changed_import = %[1]d AND t.changed_address <> s.address", a.in.Import)
	changed := "'u'"
	switch {
	case a.to.paged:
		return a.pagedMark(changes)
	case a.to.since != nil:
		changed = "CASE WHEN " + a.to.since.newer() + " THEN 'C' ELSE 'u' END"
	}
	return "CASE WHEN " + own + " THEN '!' WHEN " + changes + " THEN " + changed + " ELSE 'n' END"
}

// pagedMark is mark where a record may come in several files of the import. Of
// two the newer one counts, by the source's own word or else by which came
// later; so does what is in the tables already.
func (a *attempt) pagedMark(changes string) string {
	const (
		wrote = "t.created_import = %[1]d AND t.created_address%[2]s <> s.address%[2]s OR t.changed_import = %[1]d AND t.changed_address%[2]s <> s.address%[2]s"
		newer = "COALESCE(t.source_updated_at > s.source_updated_at, false)"
		later = "t.changed_import = %d AND t.changed_address > s.address AND COALESCE(t.source_updated_at = s.source_updated_at, true)"
	)
	file := fmt.Sprintf(" >> %d", crm.LineBits)
	any, other := fmt.Sprintf(wrote, a.in.Import, ""), fmt.Sprintf(wrote, a.in.Import, file)
	stale := newer + " OR " + fmt.Sprintf(later, a.in.Import)
	return "CASE WHEN " + other + " THEN CASE WHEN (" + changes + ") AND NOT (" + stale + ") THEN 'a' ELSE 'd' END" +
		" WHEN " + any + " THEN '!'" +
		" WHEN (" + changes + ") AND NOT (" + stale + ") THEN 'u' ELSE 'n' END"
}

// number reads digits that a database wrote.
func number(digits []byte) (n int64) {
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	return n
}
