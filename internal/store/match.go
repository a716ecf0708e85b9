package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

// hits selects the records of a source that m finds for a key.
func (m *matching) hits(d dialect, source, key string) string {
	return "SELECT t.id FROM customer_records AS t WHERE " + inSource("t.source_id", m.value(d, "t."+m.field)) + " = " +
		inSource(source, fmt.Sprintf("substr(%s, %d)", key, len(m.prefix)+1)) + " AND NOT " + m.keyed("t.external_id")
}

// matchingOf returns the customers that keys hit by their field. Keys of another
// kind, and those that hit none, are left out.
func (a *attempt) matchingOf(ctx context.Context, keys []string) (map[string]holder, error) {
	d, m := a.s.dialect, a.to.match
	keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, m.prefix) })
	out := make(map[string]holder)
	if len(keys) == 0 {
		return out, nil
	}
	if err := d.seek(ctx, a.tx, true); err != nil {
		return nil, err
	}
	err := a.inParts(keys, func(some any) error {
		var found []struct{ Key, Hit string }
		if err := a.tx.NewRaw(a.matchingQuery(), some, a.to.source, a.in.Import).Scan(ctx, &found); err != nil {
			return err
		}
		for _, f := range found {
			h := holder{creator: -1, many: f.Hit == ""}
			if !h.many {
				h.id = []byte(f.Hit)
			}
			out[string(crm.AppendCopyValue(nil, f.Key))] = h
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, d.seek(ctx, a.tx, false)
}

// matchingQuery asks for keys ?0 of source ?1, and of what import ?2 remembers:
// of those that hit, the id, or "" if there are more. It is one statement, so
// that no record falls in between: another batch may change one, and remember
// it, at this moment.
func (a *attempt) matchingQuery() string {
	m, d := a.to.match, a.s.dialect
	hits := "(SELECT record_id AS id FROM import_customers WHERE import_number = ?2 AND external_id = k.key AND record_id IS NOT NULL UNION ALL " +
		m.hits(d, "?1", "k.key") + " AND t.changed_import <> ?2 LIMIT 2)"
	return "SELECT f.key, f.hit FROM (SELECT k.key, (SELECT CASE count(*) WHEN 0 THEN NULL WHEN 1 THEN CAST(" + d.one("h.id") +
		" AS text) ELSE '' END FROM " + hits + " AS h) AS hit FROM " + d.keys() + ") AS f WHERE f.hit IS NOT NULL"
}

// meetMatching finds the customers that no record has for an external id.
func (a *attempt) meetMatching(ctx context.Context) error {
	rs := a.of[crm.Customer]
	at := make(map[string][]int) // several, of a batch's duplicates
	var keys []string
	for ord, mark := range rs.marks {
		if mark == 0 || rs.targetOf(ord) != nil {
			continue
		}
		key := string(rs.key(ord))
		if at[key] == nil {
			keys = append(keys, crm.CopyValue([]byte(key)))
		}
		at[key] = append(at[key], ord)
	}
	hits, err := a.matchingOf(ctx, keys)
	if err != nil {
		return err
	}
	var ords []int
	for key, h := range hits {
		for _, ord := range at[key] {
			if h.many {
				rs.marks[ord] = markMany
				continue
			}
			rs.meets(ord, h.id, 0)
			ords = append(ords, ord)
		}
	}
	if len(ords) == 0 {
		return nil
	}
	slices.Sort(ords)
	if err := a.fill(ctx, metTable(crm.Customer, a.s.dialect.types()), meeting(rs, ords)); err != nil {
		return err
	}
	return a.find(ctx, rs, met(crm.Customer)+" AS m JOIN "+staged(crm.Customer)+" AS s ON s.ord = m.ord", "t.id = m.target")
}

// holdersMatching adds the customers that contacts and notes hang on by a match.
func (a *attempt) holdersMatching(ctx context.Context, holders map[string]holder, keys []string) error {
	open := slices.DeleteFunc(slices.Clone(keys), func(k string) bool {
		_, ok := holders[string(crm.AppendCopyValue(nil, k))]
		return ok
	})
	hits, err := a.matchingOf(ctx, open)
	for key, h := range hits {
		holders[key] = h
	}
	return err
}

// rememberMatched notes which of the records that change were met under a key
// that is not their own: their field may say something else from now on.
func (a *attempt) rememberMatched(ctx context.Context) error {
	_, err := a.tx.ExecContext(ctx, "INSERT INTO import_customers (import_number, external_id, record_id) SELECT ?0, s.external_id, t.id FROM "+
		a.changing(crm.Customer)+" CROSS JOIN customer_records AS t WHERE s.ord = m.ord AND t.id = m.target AND t.external_id <> s.external_id ORDER BY s.external_id", a.in.Import)
	return err
}
