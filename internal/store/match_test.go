package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/crm"
)

// known imports customers with ids of their own.
func known(t *testing.T, s *Store, customers []fields) {
	t.Helper()
	m := begin(t, s, crm.Rules{}, "")
	var rows []testRow
	for i, f := range customers {
		rows = append(rows, testRow{line: int64(i + 2), customer: f})
	}
	m.write(rows...)
	m.end(crm.Done)
}

func numbered(rows []testRow) []testRow {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].line = int64(i + 2)
	}
	return rows
}

// matched carries out an import that is one batch.
func matched(t *testing.T, s *Store, match crm.Match, rows []testRow) played {
	t.Helper()
	return player{s: s, request: request("leads"), how: crm.Writing{Match: match}, rows: numbered(rows), size: 100, order: []int{0}}.play(t)
}

// outcomesOf are those of the first batch, without its counts.
func outcomesOf(p played) string {
	outcomes, _, _ := strings.Cut(p.Batches[0], " {")
	return strings.TrimSpace(outcomes)
}

func TestMatchByEmail(t *testing.T) {
	there := []fields{
		{"external_id": "cus_1", "email": "Ann@X.org", "name": "Ann"},
		{"external_id": "cus_2", "email": "two@x.org"}, {"external_id": "cus_3", "email": "TWO@x.org"},
		{"external_id": "email:own@x.org", "email": "other@x.org"}, {"external_id": "cus_4", "email": "own@x.org"},
		{"external_id": "cus_5", "email": "jürgen@x.org"}, {"external_id": "cus_6"},
	}
	keyed := func(address, name string) fields {
		return fields{"external_id": "email:" + strings.ToLower(address), "email": address, "name": name}
	}
	contact := fields{"email": "c@x.org"}
	for _, tt := range []struct {
		name     string
		rows     []testRow
		outcomes string
		export   string // of the customer at hand
	}{
		{"the one record that has the address is changed and keeps its id",
			[]testRow{{customer: keyed("ANN@x.org", "Anna"), contact: contact}}, "u c", "cus_1|Anna|ANN@x.org|"},
		{"a key is no change", []testRow{{customer: keyed("Ann@X.org", "Ann")}}, "n", "cus_1|Ann|Ann@X.org|"},
		{"two records that have it reject all that bears the key",
			[]testRow{{customer: keyed("two@x.org", "Two"), contact: contact}, {contact: fields{"email": "d@x.org"}, of: "email:two@x.org"}}, "M MM", "cus_2||two@x.org|"},
		{"a record of that key wins over its field", []testRow{{customer: keyed("own@x.org", "Own"), contact: contact}}, "u c", "email:own@x.org|Own|own@x.org|"},
		{"a record of another key is known by that alone", []testRow{{customer: keyed("other@x.org", "Other")}}, "c", "email:other@x.org|Other|other@x.org|"},
		{"one that nobody has is created under the key", []testRow{{customer: keyed("new@x.org", "New"), contact: contact}}, "c c", "email:new@x.org|New|new@x.org|"},
		{"letters beyond A to Z are compared as they are", []testRow{{customer: keyed("Jürgen@x.org", "J")}}, "u", "cus_5|J|Jürgen@x.org|"},
		{"a contact finds its customer without the customer's row", []testRow{{contact: contact, of: "email:ann@x.org"}}, "c", "cus_1|Ann|Ann@X.org|"},
		{"a contact of nobody has no customer", []testRow{{contact: contact, of: "email:nobody@x.org"}}, "m", "cus_6|||"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				known(t, s, there)
				got := matched(t, s, crm.MatchEmail, tt.rows)
				want(t, "outcomes", outcomesOf(got), tt.outcomes)
				if all := exported(t, s, crm.Customer); !strings.Contains(all, "\n"+tt.export) {
					t.Errorf("exported\n%swant a line %s…", all, tt.export)
				}
			})
		})
	}
}

func TestMatchByDomain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		var there []fields
		for i, site := range []string{"https://www.one.org/?q=/a", "http://two.org:8080", "https://three.org#x:y", "https://four.org./a:b", "https://shared.org/a", "http://www.shared.org",
			"https://www.bücher.de", "https://notwww.org", "https://wwwx.org/https://evil.org", ""} {
			there = append(there, fields{"external_id": fmt.Sprint("cus_", i), "website_url": site})
		}
		var rows []testRow
		for _, host := range []string{"one.org", "two.org", "three.org", "four.org", "shared.org", "bücher.de", "notwww.org", "wwwx.org", "evil.org", "www.one.org"} {
			rows = append(rows, testRow{customer: fields{"external_id": "domain:" + host, "name": "N"}})
		}
		known(t, s, there)
		got := matched(t, s, crm.MatchDomain, rows)
		want(t, "outcomes", outcomesOf(got), "uuuuMuuucc")
	})
}

// TestInvariant6MatchesAreOfTheStateBefore matches records whose fields the
// import itself changes into what other rows look for.
func TestInvariant6MatchesAreOfTheStateBefore(t *testing.T) {
	t.Parallel()
	const n = 60
	var there []fields
	var rows []testRow
	host := func(i int) string { return fmt.Sprintf("h%d.org", i%n) }
	for i := range n {
		there = append(there, fields{"external_id": fmt.Sprint("cus_", i), "website_url": "https://www." + host(i) + "/old", "name": "Old"})
		// Every third is there twice.
		if i%3 == 0 {
			there = append(there, fields{"external_id": fmt.Sprint("twin_", i), "website_url": "http://" + host(i)})
		}
	}
	for i := range n {
		// Rows take the website of the next record, or of none, so that each
		// key hits other records by the time the import is done.
		site := "https://" + host(i+1)
		if i%7 == 0 {
			site = "https://new" + host(i)
		}
		rows = append(rows, testRow{customer: fields{"external_id": "domain:" + host(i), "website_url": site, "name": "New"}, contact: fields{"email": "a@x.org"}})
	}
	for i := range n {
		rows = append(rows, testRow{of: "domain:" + host(i), contact: fields{"email": "b@x.org"}, note: fields{"type": "note", "text": "t"}},
			testRow{customer: fields{"external_id": "domain:new" + host(i), "name": "Newer"}},
			testRow{customer: fields{"external_id": "domain:" + host(i), "website_url": "https://again.org"}})
	}
	r := rand.New(rand.NewPCG(3, 4))
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, mode := range []crm.Mode{crm.Upsert, crm.CreateOnly, crm.UpdateOnly} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			var first string
			for name, address := range addresses {
				for _, p := range []player{{size: 1000, writers: 1}, {size: 7, writers: 1}, {size: 7, writers: 4}} {
					s := migrated(t, address(t))
					known(t, s, there)
					p.s, p.request, p.rows, p.how = s, request("leads"), numbered(rows), crm.Writing{Match: crm.MatchDomain, Mode: mode}
					got := p.play(t)
					all := fmt.Sprintf("%+v\n", got.Total)
					for _, e := range crm.Entities {
						all += exported(t, s, e)
					}
					if first == "" {
						first = all
					}
					want(t, fmt.Sprintf("%s in batches of %d by %d writers", name, p.size, p.writers), all, first)
				}
			}
		})
	}
}

func TestTheIndexOfAMatchIsMadeOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: fields{"external_id": "a", "email": "a@x.org"}}, testRow{line: 3, customer: fields{"external_id": "b", "email": "a@x.org"}})
		if s.dialect.name() == "postgres" {
			// An index that was not finished: what is to be unique is not.
			_, err := s.db.ExecContext(ctx, "CREATE UNIQUE INDEX CONCURRENTLY customer_records_email ON customer_records (email)")
			if err == nil {
				t.Fatal("the index was made")
			}
			if there, valid, err := indexState(ctx, s.db, "customer_records_email"); !there || valid || err != nil {
				t.Fatalf("index there %v, valid %v, %v", there, valid, err)
			}
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := s.SaveFile(ctx, m.Number, crm.FileRow{}, crm.Writing{Match: crm.MatchEmail}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if s.dialect.name() == "postgres" {
			if there, valid, err := indexState(ctx, s.db, "customer_records_email"); !there || !valid || err != nil {
				t.Errorf("index there %v, valid %v, %v", there, valid, err)
			}
		}
		if err := s.SaveFile(ctx, m.Number, crm.FileRow{}, crm.Writing{Match: "telephone"}); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("SaveFile with a match that is none = %v, want invalid", err)
		}
	})
}

// TestMatchesAreLookedUpByTheirIndex asks the planner, whose statistics say
// that any look-up finds every record at once.
func TestMatchesAreLookedUpByTheirIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		var rows []testRow
		for i := range 3000 {
			rows = append(rows, testRow{line: int64(i + 2), customer: fields{"external_id": fmt.Sprint("cus_", i), "email": "all@x.org", "website_url": "https://all.org"}})
		}
		m.write(rows...)
		for match, by := range matchings {
			if err := s.SaveFile(ctx, m.Number, crm.FileRow{}, crm.Writing{Match: match}); err != nil {
				t.Fatal(err)
			}
			explain := map[string]string{"postgres": "EXPLAIN ", "sqlite": "EXPLAIN QUERY PLAN "}[s.dialect.name()]
			in, p := m.stage(testRow{line: 5000, customer: fields{"external_id": by.prefix + "x"}, contact: fields{"email": "c@x.org"}})
			a := &attempt{s: s, in: &in, open: p.open}
			a.preset, _ = completePreset(&in)
			var plans []string
			err := s.inSession(ctx, func(tx session) error {
				a.tx = tx
				if err := errors.Join(a.aim(ctx), s.dialect.seek(ctx, tx, true)); err != nil {
					return err
				}
				keys := s.dialect.list([]string{by.prefix + "x", by.prefix + "y"})
				plans = append(plans, explained(t, tx, explain+a.matchingQuery(), keys, int64(1), m.Number),
					explained(t, tx, strings.Replace(explain+locateQuery(s.dialect, by, crm.Contact), "?1", by.twoKeys(), 1), int64(1)))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, plan := range plans {
				if !strings.Contains(plan, "customer_records_"+by.field) {
					t.Errorf("matching by %s does not use its index:\n%s", match, plan)
				}
			}
		}
	})
}

// twoKeys are those of contacts, as Locate asks for them.
func (m *matching) twoKeys() string {
	return fmt.Sprintf("(1, '%[1]sx', '%[2]s'), (2, '%[1]sy', '%[2]s')", m.prefix, crm.MatchKey(crm.Contact))
}

func explained(t *testing.T, tx session, query string, args ...any) string {
	t.Helper()
	rows, err := tx.QueryContext(context.Background(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var out strings.Builder
	for rows.Next() {
		cells := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, cells...)
	}
	return out.String()
}
