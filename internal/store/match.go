package store

import (
	"context"
	"fmt"

	"sluice/internal/crm"
)

// A matching says how a customer is found by a field when no record of its
// source has its key for an external id. The customers of a file so matched
// have such keys and no others.
//
// Invariant 6: within an import no record is met under two keys, and which key
// meets it does not depend on what is written by now.
//
//   - A record whose external id is itself such a key is met under that alone,
//     whatever its fields say.
//   - Any other is met by what its field said before the import. What the
//     import created is not looked at. What it changed is remembered, in
//     import_customers, with the key it was met under.
type matching struct {
	prefix string // what the keys begin with; the rest is what is looked for
	field  string // by which records are found

	// Its value in a record, as keys have it: ASCII letters in lower case, and
	// others as they are, since the databases fold them in different ways.
	value func(d dialect, column string) string
}

var matchings = map[crm.Match]*matching{
	crm.MatchEmail:  {crm.EmailKey(""), "email", dialect.lower},
	crm.MatchDomain: {crm.DomainKey(""), "website_url", dialect.host},
}

// matchingBy returns nil for a match by external id.
func matchingBy(m crm.Match) (*matching, error) {
	by := matchings[m]
	if by == nil && m != "" && m != crm.MatchID {
		return nil, fmt.Errorf("%w: customers cannot be matched by %q", crm.ErrInvalid, m)
	}
	return by, nil
}

// makeIndex makes the index by which m finds records, if it is not there. Only
// imports that match so pay for it.
func (m *matching) makeIndex(ctx context.Context, d dialect) error {
	return d.makeIndex(ctx, "customer_records_"+m.field, tables[crm.Customer], "("+inSource("source_id", m.value(d, m.field))+")")
}

// inSource makes one value of a source and what is looked for in it, so that no
// other index can serve for half of it: were all records of one address, as a
// planner may well believe, going through any index would find it at once.
func inSource(source, value string) string { return "CAST(" + source + " AS text) || ' ' || " + value }

// keyed is true of keys that m may find by their field.
func (m *matching) keyed(key string) string {
	return fmt.Sprintf("substr(%s, 1, %d) = '%s'", key, len(m.prefix), m.prefix)
}

// hits selects the records of source ?0 that m finds for a key.
func (m *matching) hits(d dialect, key string) string {
	return "SELECT t.id FROM customer_records AS t WHERE " + inSource("t.source_id", m.value(d, "t."+m.field)) + " = " +
		inSource("?0", fmt.Sprintf("substr(%s, %d)", key, len(m.prefix)+1)) + " AND NOT " + m.keyed("t.external_id")
}

// findMatching finds the customers of staged rows that no record has for an
// external id: into column goes the one that the key hits, and 'M' into found
// if there are more.
func (a *attempt) findMatching(ctx context.Context, e crm.Entity, key, column string) error {
	d := a.s.dialect
	if err := d.seek(ctx, a.tx, true); err != nil {
		return err
	}
	if _, err := a.tx.ExecContext(ctx, a.matchingQuery(e, key, column), a.to.source, a.in.Import); err != nil {
		return err
	}
	return d.seek(ctx, a.tx, false)
}

// matchingQuery is one statement, so that no record falls in between: another
// batch may change one, and remember it, at this moment.
func (a *attempt) matchingQuery(e crm.Entity, key, column string) string {
	m, d := a.to.match, a.s.dialect
	hits := "(SELECT record_id AS id FROM import_customers WHERE import_number = ?1 AND external_id = " + key + " AND record_id IS NOT NULL UNION ALL " +
		m.hits(d, key) + " AND t.changed_import <> ?1 LIMIT 2)"
	return d.find(staged(e), hits, []string{column, "found"},
		[]string{"CASE WHEN count(*) = 1 THEN " + d.one("t.id") + " END", "CASE WHEN count(*) > 1 THEN 'M' END"},
		"1 = 1 HAVING count(*) > 0", "s."+column+" IS NULL AND "+m.keyed(key))
}

// rememberMatched notes which of the records that change were met under a key
// that is not their own: their field may say something else from now on.
func (a *attempt) rememberMatched(ctx context.Context) error {
	_, err := a.tx.ExecContext(ctx, "INSERT INTO import_customers (import_number, external_id, record_id) SELECT ?0, s.external_id, t.id FROM "+
		staged(crm.Customer)+" AS s CROSS JOIN customer_records AS t WHERE s.found = 'u' AND t.id = s.target AND t.external_id <> s.external_id"+
		" ORDER BY s.external_id", a.in.Import)
	return err
}
