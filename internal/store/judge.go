package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// What is found out about a staged record, a letter each. Those that are not
// in found are 'c', there is no such record, and 'w', nor is its customer.
const (
	markNew     = 'c'
	markChanged = 'u'
	markSame    = 'n'
	markWaits   = 'w'
	markOwn     = '!'
	markMany    = byte(crm.Ambiguous)
	markSince   = byte(crm.ChangedSince)
)

// judge gives every record its outcome before anything is written, and takes
// those that are not to be written out of the temporary tables.
//
// A rejected record spares the others of its row, and a spared customer leaves
// its contacts without one, which may in turn reject their rows. So it judges
// until nothing changes; each round takes something away.
func (a *attempt) judge(ctx context.Context) (crm.Counts, error) {
	if err := a.match(ctx); err != nil {
		return crm.Counts{}, err
	}
	for {
		marks, err := a.marks(ctx)
		if err == nil {
			err = a.foreign(marks)
		}
		if err != nil {
			return crm.Counts{}, err
		}
		a.outcomes = a.verdict(marks)
		a.keepWritten()
		counts := a.outcomes.Tally(a.in.Batch.Counts, a.addresses)
		again, err := a.drop(ctx, marks)
		if err != nil || !again {
			return counts, err
		}
	}
}

// match finds, for each staged record, the record it means. Nothing is locked:
// a record that somebody else changes before we write it has another rev then,
// and the transaction runs again.
func (a *attempt) match(ctx context.Context) error {
	if err := a.s.dialect.small(ctx, a.tx, true); err != nil {
		return err
	}
	if len(a.live[crm.Customer]) > 0 {
		err := a.find(ctx, crm.Customer, "t.source_id = ?0 AND t.external_id = s.external_id", "1 = 1")
		if err == nil && a.to.match != nil {
			err = a.findMatching(ctx, crm.Customer, "s.external_id", "target")
			if err == nil {
				err = a.find(ctx, crm.Customer, "t.id = s.target", "s.target IS NOT NULL AND s.found IS NULL")
			}
		}
		if err != nil {
			return err
		}
	}
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		if len(a.live[e]) == 0 {
			continue
		}
		if err := a.findCustomers(ctx, e); err != nil {
			return err
		}
		err := a.find(ctx, e, "t.customer_id = s.customer_id AND t.match_key = s.match_key", "s.fresh IS NULL AND s.customer_id IS NOT NULL")
		if err != nil {
			return err
		}
	}
	return a.s.dialect.small(ctx, a.tx, false)
}

func (a *attempt) find(ctx context.Context, e crm.Entity, where, only string) error {
	m := merge(a.s.dialect, e, a.to.rules)
	changed := "'u'"
	if a.to.since != nil {
		changed = "CASE WHEN " + a.to.since.newer() + " THEN 'C' ELSE 'u' END"
	}
	found := "CASE WHEN t.created_import = ?1 AND t.created_address <> s.address OR t.changed_import = ?1 AND t.changed_address <> s.address" +
		" THEN '!' WHEN " + m.changes() + " THEN " + changed + " ELSE 'n' END"
	_, err := a.tx.ExecContext(ctx, a.s.dialect.find(staged(e), tables[e],
		[]string{"target", "rev", "found"}, []string{"t.id", "t.rev", found}, where, only), a.to.source, a.in.Import)
	return err
}

// findCustomers finds the customers that contacts or notes hang on: first
// among those of the same batch, then in the table, as match finds them.
func (a *attempt) findCustomers(ctx context.Context, e crm.Entity) error {
	d := a.s.dialect
	if len(a.live[crm.Customer]) > 0 {
		if err := d.index(ctx, a.tx); err != nil {
			return err
		}
		batch := "t.external_id = s.customer_key"
		if a.to.match != nil {
			batch += " AND t.found IS DISTINCT FROM 'M'" // which customer it is, nobody knows
		}
		_, err := a.tx.ExecContext(ctx, d.find(staged(e), staged(crm.Customer), []string{"customer_id", "fresh"},
			[]string{"COALESCE(t.target, t.id)", "CASE WHEN t.target IS NULL THEN 1 END"}, batch, "1 = 1"))
		if err != nil {
			return err
		}
	}
	_, err := a.tx.ExecContext(ctx, d.find(staged(e), tables[crm.Customer], []string{"customer_id"}, []string{"t.id"},
		"t.source_id = ?0 AND t.external_id = s.customer_key", "s.customer_id IS NULL"), a.to.source)
	if err == nil && a.to.match != nil {
		err = a.findMatching(ctx, e, "s.customer_key", "customer_id")
	}
	if err == nil && a.to.dry {
		err = a.findPlanned(ctx, e)
	}
	return err
}

// marks reads what was found out, in one string for each entity.
func (a *attempt) marks(ctx context.Context) (marks [3]string, err error) {
	for _, e := range crm.Entities {
		if len(a.live[e]) == 0 {
			continue
		}
		value := "COALESCE(s.found, 'c')"
		if e != crm.Customer {
			value = "COALESCE(s.found, CASE WHEN s.customer_id IS NULL THEN 'w' ELSE 'c' END)"
		}
		err := a.tx.NewRaw("SELECT "+a.s.dialect.gather(value)+" FROM "+staged(e)+" AS s").Scan(ctx, &marks[e])
		if err != nil {
			return marks, err
		}
		if len(marks[e]) != len(a.live[e]) {
			return marks, fmt.Errorf("%w: %d of %d %s are loaded", crm.ErrUnbalanced, len(marks[e]), len(a.live[e]), e.Plural())
		}
	}
	return marks, nil
}

// foreign makes sure that no record was written by this import from another
// row. Two rows of one identity are a fault of the verdict, never a matter of
// rules: which of them won would depend on the order of the writers
// (invariant 6).
func (a *attempt) foreign(marks [3]string) error {
	for _, e := range crm.Entities {
		if i := strings.IndexByte(marks[e], markOwn); i >= 0 {
			at := a.addresses[e][a.live[e][i]]
			return fmt.Errorf("%w: the %s of line %d of file %d was written by this import from another row",
				crm.ErrUnbalanced, e, at.Line(), at.File())
		}
	}
	return nil
}

// verdict turns marks into outcomes by the import's mode.
func (a *attempt) verdict(marks [3]string) (o crm.Outcomes) {
	for e := range o {
		o[e] = append([]crm.Outcome(nil), a.preset[e]...)
		for i, ord := range a.live[e] {
			o[e][ord] = a.outcome(marks[e][i])
		}
	}
	return o
}

func (a *attempt) outcome(mark byte) crm.Outcome {
	switch {
	case mark == markMany:
		return crm.Ambiguous
	case mark == markWaits && a.in.Settles != nil:
		return crm.NoSuchCustomer
	case mark == markWaits:
		return crm.Held
	case mark == markNew && a.to.mode == crm.UpdateOnly:
		return crm.Absent
	case mark != markNew && a.to.mode == crm.CreateOnly:
		return crm.Exists
	}
	return crm.Outcome(mark)
}

// keepWritten keeps a row of leftovers accepted if a record of it is in the
// tables already: what is written is not rejected any more. The record that
// would reject the row repeats one that was rejected, and stays a duplicate.
func (a *attempt) keepWritten() {
	if a.in.Settles == nil {
		return
	}
	written := make(map[crm.Address]bool)
	for e, of := range a.preset {
		for ord, o := range of {
			if o == crm.Created || o == crm.Updated {
				written[a.addresses[e][ord]] = true
			}
		}
	}
	for e := range a.outcomes {
		for ord := range a.outcomes[e] {
			if written[a.addresses[e][ord]] && a.outcomes[e][ord].Reason() != "" {
				a.outcomes[e][ord] = crm.Duplicate
			}
		}
	}
}

// dropAtOnce bounds the length of one statement.
const dropAtOnce = 10_000

// drop takes the records that would be written, but by their outcome are not,
// out of the temporary tables. It is true if that takes the customers of other
// records away, which must be judged again.
func (a *attempt) drop(ctx context.Context, marks [3]string) (again bool, err error) {
	for _, e := range crm.Entities {
		var gone, stay []int
		for i, ord := range a.live[e] {
			o := a.outcomes[e][ord]
			writes := marks[e][i] == markNew || marks[e][i] == markChanged
			if !writes || o == crm.Created || o == crm.Updated {
				stay = append(stay, ord)
				continue
			}
			gone = append(gone, ord)
			a.preset[e][ord] = o
			again = again || e == crm.Customer && marks[e][i] == markNew
		}
		a.live[e] = stay
		for len(gone) > 0 {
			n := min(len(gone), dropAtOnce)
			if _, err := a.tx.ExecContext(ctx, "DELETE FROM "+staged(e)+" WHERE ord IN (?)", bun.In(gone[:n])); err != nil {
				return false, err
			}
			gone = gone[n:]
		}
	}
	if !again {
		return false, nil
	}
	again = false
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		if len(a.live[e]) == 0 {
			continue
		}
		again = true
		_, err := a.tx.ExecContext(ctx, "UPDATE "+staged(e)+" SET customer_id = NULL, fresh = NULL WHERE fresh = 1 AND customer_id NOT IN (SELECT id FROM "+
			staged(crm.Customer)+")")
		if err != nil {
			return false, err
		}
	}
	return again, nil
}
