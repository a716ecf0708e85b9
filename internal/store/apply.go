package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// errRace makes the transaction run again: somebody else created or changed a
// record after we had judged it.
var errRace = &fault{text: "a record was written by somebody else meanwhile", race: true}

// apply writes what judge decided, customers first, and verifies that as many
// records were written as are counted.
func (a *attempt) apply(ctx context.Context) error {
	for _, e := range crm.Entities {
		if err := a.create(ctx, e); err != nil {
			return err
		}
		if err := a.change(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// places lists the places of the records to write of an outcome.
func (a *attempt) places(e crm.Entity, o crm.Outcome) []int {
	var out []int
	for ord, mark := range a.of[e].marks {
		if mark != 0 && a.outcomes[e][ord] == o {
			out = append(out, ord)
		}
	}
	return out
}

func (a *attempt) create(ctx context.Context, e crm.Entity) error {
	r := a.created(a.of[e])
	if r.count == 0 {
		return nil
	}
	n, err := a.s.dialect.insert(ctx, a.tx, r)
	if err == nil && n != int64(r.count) {
		err = errRace
	}
	return err
}

func (a *attempt) change(ctx context.Context, e crm.Entity) error {
	n, err := a.meetChanging(ctx, e)
	if n == 0 || err != nil {
		return err
	}
	if err := expect(ctx, a.tx.Tx, int64(len(a.places(e, crm.Updated))), a.imageOf(e), a.in.Import); err != nil {
		return err
	}
	if err := expect(ctx, a.tx.Tx, n, a.update(e), a.in.Import, a.to.by, a.to.started); err != nil {
		return err
	}
	if e == crm.Customer && a.to.match != nil {
		return a.rememberMatched(ctx)
	}
	return nil
}

// meetChanging lays the records that change beside those that they meet, and
// returns how many there are.
func (a *attempt) meetChanging(ctx context.Context, e crm.Entity) (int64, error) {
	ords := slices.Sorted(slices.Values(append(a.places(e, crm.Updated), a.places(e, crm.Again)...)))
	if len(ords) == 0 {
		return 0, nil
	}
	if err := a.s.dialect.lookUps(ctx, a.tx); err != nil {
		return 0, err
	}
	return int64(len(ords)), a.fill(ctx, metTable(e, a.s.dialect.types()), meeting(a.of[e], ords))
}

// changing names the staged records s that change, and with each, m, what it
// meets.
func (a *attempt) changing(e crm.Entity) string {
	return met(e) + " AS m CROSS JOIN " + staged(e) + " AS s"
}

// expect runs a statement that must affect n rows.
func expect(ctx context.Context, tx bun.Tx, n int64, statement string, args ...any) error {
	res, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if got, err := res.RowsAffected(); err != nil || got != n {
		return errRace
	}
	return nil
}

// imageOf keeps what the records that change were before, as rows like theirs:
// writing them as JSON takes PostgreSQL six times as long. What they were before
// the import first changed them is kept, and nothing of those it created.
func (a *attempt) imageOf(e crm.Entity) string {
	columns := tableColumns(e)
	return "INSERT INTO " + before(e) + " (import_number, " + strings.Join(columns, ", ") + ") SELECT ?0, t." + strings.Join(columns, ", t.") +
		" FROM " + met(e) + " AS m CROSS JOIN " + tables[e] + " AS t WHERE t.id = m.target AND t.created_import <> ?0 AND t.changed_import <> ?0"
}

// update changes the records that differ, unless they moved on since they were
// judged.
func (a *attempt) update(e crm.Entity) string {
	m := merge(a.s.dialect, e, a.to.rules)
	rev := "rev = t.rev + 1"
	if a.to.paged { // what one import does to a record is one change, for undo
		rev = "rev = t.rev + CASE WHEN t.changed_import = ?0 THEN 0 ELSE 1 END"
	}
	set := []string{rev, "changed_import = ?0", "changed_address = s.address", "changed_by = ?1", "updated_at = " + a.s.dialect.stamp("?2")}
	for i, c := range m.columns {
		set = append(set, c+" = "+m.values[i])
	}
	return "UPDATE " + tables[e] + " AS t SET " + strings.Join(set, ", ") + " FROM " + a.changing(e) +
		" WHERE s.ord = m.ord AND t.id = m.target AND t.rev = m.rev"
}

// distinct makes sure that no two records to write have one key. If two have,
// the verdict on the batch is wrong, and running again would not help.
func (a *attempt) distinct() error {
	for _, rs := range a.of {
		seen := make(map[string]bool, len(rs.lines))
		for _, ord := range rs.live() {
			key := string(rs.key(ord))
			if rs.entity != crm.Customer {
				key += "\t" + string(rs.match(ord))
			}
			if seen[key] {
				return fmt.Errorf("%w: two %s of the batch are the same, and the verdict calls neither a duplicate", crm.ErrUnbalanced, rs.entity.Plural())
			}
			seen[key] = true
		}
	}
	return nil
}
