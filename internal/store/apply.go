package store

import (
	"context"
	"fmt"
	"strings"

	"sluice/internal/crm"
)

// errRace makes the transaction run again: somebody else created or changed a
// record after we had judged it.
var errRace = &fault{text: "a record was written by somebody else meanwhile", race: true}

// apply writes what judge decided, customers first, and verifies that as many
// records were written as are counted.
func (a *attempt) apply(ctx context.Context) error {
	for _, e := range crm.Entities {
		created, updated := a.count(e, crm.Created), a.count(e, crm.Updated)
		if created > 0 {
			if err := a.expect(ctx, created, a.insert(e), a.to.source, a.in.Import, a.to.by, a.to.started); err != nil {
				return err
			}
		}
		if updated > 0 {
			if err := a.expect(ctx, updated, a.imageOf(e), a.in.Import, int(e)); err != nil {
				return err
			}
			if err := a.expect(ctx, updated, a.update(e), a.in.Import, a.to.by, a.to.started); err != nil {
				return err
			}
		}
		if updated > 0 && e == crm.Customer && a.to.match != nil {
			if err := a.rememberMatched(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// count counts the staged records of an outcome.
func (a *attempt) count(e crm.Entity, o crm.Outcome) (n int64) {
	for _, ord := range a.live[e] {
		if a.outcomes[e][ord] == o {
			n++
		}
	}
	return n
}

// expect runs a statement that must affect n rows.
func (a *attempt) expect(ctx context.Context, n int64, statement string, args ...any) error {
	res, err := a.tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if got, err := res.RowsAffected(); err != nil || got != n {
		return errRace
	}
	return nil
}

// insert creates the records that were not found, in key order, so that two
// batches that create the same records wait for each other and do not
// deadlock.
func (a *attempt) insert(e crm.Entity) string {
	values := []string{"s.id", "?0", "s.id"}
	order, where := "s.external_id", "s.found IS NULL"
	if e != crm.Customer {
		values = []string{"s.id", "s.customer_id", "s.match_key"}
		order, where = "s.customer_id, s.match_key", "s.found IS NULL AND s.customer_id IS NOT NULL"
	}
	for _, f := range crm.Fields(e) {
		values = append(values, newValue(a.s.dialect, e, f))
	}
	values = append(values, "?1", "s.address", "?1", "s.address", "1", "?2", a.s.dialect.stamp("?3"), a.s.dialect.stamp("?3"))
	return "INSERT INTO " + tables[e] + " (" + strings.Join(tableColumns(e), ", ") + ") SELECT " + strings.Join(values, ", ") +
		" FROM " + staged(e) + " AS s WHERE " + where + " ORDER BY " + order
}

// imageOf keeps what the records that change were before.
func (a *attempt) imageOf(e crm.Entity) string {
	return "INSERT INTO before_images (import_number, entity, record_id, rev_before, rev_after, image) SELECT ?0, ?1, t.id, t.rev, t.rev + 1, " +
		a.s.dialect.image(e) + " FROM " + staged(e) + " AS s CROSS JOIN " + tables[e] + " AS t WHERE s.found = 'u' AND t.id = s.target"
}

// update changes the records that differ, unless they moved on since they were
// judged.
func (a *attempt) update(e crm.Entity) string {
	m := merge(a.s.dialect, e, a.to.rules)
	set := []string{"rev = t.rev + 1", "changed_import = ?0", "changed_address = s.address", "changed_by = ?1", "updated_at = " + a.s.dialect.stamp("?2")}
	for i, c := range m.columns {
		set = append(set, c+" = "+m.values[i])
	}
	return "UPDATE " + tables[e] + " AS t SET " + strings.Join(set, ", ") + " FROM " + staged(e) +
		" AS s WHERE s.found = 'u' AND t.id = s.target AND t.rev = s.rev"
}

// distinct makes sure that no two staged records have one key. If two have,
// the verdict on the batch is wrong, and running again would not help.
func (a *attempt) distinct(ctx context.Context) error {
	for _, e := range crm.Entities {
		if len(a.live[e]) == 0 {
			continue
		}
		key := "external_id"
		if e != crm.Customer {
			key = "customer_key, match_key"
		}
		var twice bool
		err := a.tx.NewRaw("SELECT EXISTS (SELECT 1 FROM "+staged(e)+" GROUP BY "+key+" HAVING count(*) > 1)").Scan(ctx, &twice)
		if err != nil {
			return err
		}
		if twice {
			return fmt.Errorf("%w: two %s of the batch are the same, and the verdict calls neither a duplicate", crm.ErrUnbalanced, e.Plural())
		}
	}
	return nil
}
