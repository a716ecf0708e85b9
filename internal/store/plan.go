package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// plan does what a dry run does in place of apply. The customers that would be
// created go into import_customers, where the batches to come find those that
// their contacts and notes hang on; nothing else of a batch bears on another.
func (a *attempt) plan(ctx context.Context) error {
	var keys []string
	for _, ord := range a.places(crm.Customer, crm.Created) {
		keys = append(keys, crm.CopyValue(a.of[crm.Customer].key(ord)))
	}
	slices.Sort(keys) // so that two batches wait for each other and do not deadlock
	created, want := int64(0), int64(len(keys))
	err := a.inParts(keys, func(some any) error {
		res, err := a.tx.ExecContext(ctx, "INSERT INTO import_customers (import_number, external_id) SELECT ?1, k.key FROM "+
			a.s.dialect.keys()+" WHERE true ON CONFLICT DO NOTHING", some, a.in.Import)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		created += n
		return err
	})
	if err == nil && created != want {
		err = fmt.Errorf("%w: a customer would be created by two rows, and the verdict calls neither a duplicate", crm.ErrUnbalanced)
	}
	return err
}

// changes counts the fields that would change of the records that a dry run
// would update. A nil result means none.
func (a *attempt) changes(ctx context.Context) (crm.Changes, error) {
	var out crm.Changes
	for _, e := range crm.Entities {
		m := merge(a.s.dialect, e, a.to.rules)
		n, err := a.meetChanging(ctx, e)
		if err != nil {
			return nil, err
		}
		if n == 0 || len(m.columns) == 0 {
			continue
		}
		counts, into, sums := make([]int64, len(m.columns)), make([]any, len(m.columns)), make([]string, len(m.columns))
		for i, c := range m.columns {
			sums[i] = "count(CASE WHEN " + m.values[i] + " IS DISTINCT FROM t." + c + " THEN 1 END)"
			into[i] = &counts[i]
		}
		err = a.tx.QueryRowContext(ctx, "SELECT "+strings.Join(sums, ", ")+" FROM "+a.changing(e)+" CROSS JOIN "+tables[e]+
			" AS t WHERE s.ord = m.ord AND t.id = m.target").Scan(into...)
		if err != nil {
			return nil, err
		}
		for i, c := range m.columns {
			if counts[i] > 0 {
				out = out.Add(crm.Changes{e.String() + "." + c: counts[i]})
			}
		}
	}
	return out, nil
}

// forget drops what import_customers holds of imports that have ended; the
// where clause says which imports i. It is no part of the transaction that
// ends them: with as many rows as a file has customers, it takes its time.
func (s *Store) forget(ctx context.Context, where string, arg any) error {
	_, err := s.db.NewRaw("DELETE FROM import_customers WHERE import_number IN (SELECT i.number FROM imports AS i WHERE "+where+
		" AND i.state NOT IN (?))", arg, bun.In(openStates)).Exec(ctx)
	return err
}
