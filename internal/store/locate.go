package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// locateAtOnce bounds the length of one statement.
const locateAtOnce = 1000

// Locate returns the ids of the records of entity e that keys mean in the
// tables as they are now, one for each key, in order. match is how the import
// that the keys are from found its customers. "" stands for a record that is
// not there, and for one whose customer the match does not tell from another.
//
// No such source wraps [crm.ErrNotFound], a match that is none
// [crm.ErrInvalid].
func (s *Store) Locate(ctx context.Context, source string, match crm.Match, e crm.Entity, keys []crm.RecordKey) ([]string, error) {
	operation := fmt.Sprintf("locate %s of %s", e.Plural(), source)
	by, err := matchingBy(match)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	src, err := sourceBySlug(ctx, s.reads, source, "")
	if err != nil {
		return nil, wrap(operation, err)
	}
	out := make([]string, len(keys))
	query := locateQuery(s.dialect, by, e)
	err = s.reads.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := s.dialect.seek(ctx, tx, true); err != nil {
			return err
		}
		at := 0
		for some := range slices.Chunk(keys, locateAtOnce) {
			if err := locate(ctx, tx, query, src.ID, some, out[at:]); err != nil {
				return err
			}
			at += len(some)
		}
		return nil
	})
	return out, wrap(operation, err)
}

// locate asks for some keys and fills in their ids.
func locate(ctx context.Context, tx bun.Tx, query string, source int64, keys []crm.RecordKey, into []string) error {
	wanted := make([][]any, len(keys))
	for i, k := range keys {
		wanted[i] = []any{i, k.Customer, k.Match}
	}
	rows, err := tx.QueryContext(ctx, query, source, bun.In(wanted))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i int
		var id sql.NullString
		if err := rows.Scan(&i, &id); err != nil {
			return err
		}
		into[i] = id.String
	}
	return rows.Err()
}

// locateQuery asks for keys ?1 of source ?0: a place, a customer's key and a
// match key each.
func locateQuery(d dialect, by *matching, e crm.Entity) string {
	customer := "(SELECT t.id FROM customer_records AS t WHERE t.source_id = ?0 AND t.external_id = k.customer)"
	if by != nil {
		customer = "COALESCE(" + customer + ", (SELECT CASE WHEN count(*) = 1 THEN " + d.one("h.id") + " END FROM (" +
			by.hits(d, "?0", "k.customer") + " AND " + by.keyed("k.customer") + " LIMIT 2) AS h))"
	}
	id := customer
	if e != crm.Customer {
		id = "(SELECT m.id FROM " + tables[e] + " AS m WHERE m.customer_id = " + customer + " AND m.match_key = " + d.uuid("k.match_key") + ")"
	}
	return strings.Join([]string{"WITH k (place, customer, match_key) AS (VALUES ?1) SELECT k.place, CAST(", id, " AS text) FROM k"}, "")
}
