package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

// awkward is a batch of new records whose values try what COPY escapes, what a
// created record has instead of a blank, and the ways a contact has a customer.
func awkward() []testRow {
	return []testRow{
		{line: 2, customer: fields{"external_id": "a\tb\\c\nd\re'\"{},NULL\\N", "name": `\N`, "custom": `{"gone":null,"kept":"null","n":1.50}`},
			contact: fields{"email": "a@x.org", "custom": `{"only":null}`}},
		{line: 3, customer: fields{"external_id": "b", "status": "Active", "tags": `["x","y"]`, "custom": `{}`, "lead_created_at": "2024-01-02T03:04:05.678Z"},
			contact: fields{"email": "b@x.org", "position": "7", "custom": `{"a\\b":"c\td"}`},
			note:    fields{"type": "call", "text": "one\r\ntwo\t\\", "call_duration": "12", "created_at": "2024-01-02T03:04:05.678Z"}},
		{line: 4, of: "b", contact: fields{"email": "second@x.org"}},
		{line: 5, of: "earlier", note: fields{"type": "note", "text": "of a customer of the batch before"}},
		{line: 6, of: "nobody", contact: fields{"email": "held@x.org"}},
		{line: 7, customer: person("b", "Repeated"), preset: [3]crm.Outcome{crm.Customer: crm.Duplicate}},
	}
}

// TestNewRecordsAreTheSameStagedOrNot writes them both ways.
func TestNewRecordsAreTheSameStagedOrNot(t *testing.T) {
	t.Parallel()
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got [2]string
			for i := range got {
				s := migrated(t, address(t))
				m := begin(t, s, crm.Rules{}, "")
				m.write(testRow{line: 1, customer: person("earlier", "Before")})
				in, p := m.stage(awkward()...)
				preset, err := completePreset(&in)
				if err != nil {
					t.Fatal(err)
				}
				a := &attempt{s: s, in: &in, open: p.open, preset: preset, again: i == 1}
				counts, err := s.attempt(context.Background(), a)
				if err != nil {
					t.Fatal(err)
				}
				customers := exported(t, s, crm.Customer)
				for _, line := range []string{`|New Lead|||||` + "\n", `|Active|||["x","y"]||` + "\n", `|New Lead||||{"kept":"null","n":1.50}|` + "\n"} {
					if !strings.Contains(customers, line) {
						t.Errorf("no customer ends in %q:\n%s", line, customers)
					}
				}
				got[i] = fmt.Sprintf("%+v\n%s\n%s", counts, m.outcomes(1), dump(t, s))
			}
			if d := cmp.Diff(got[1], got[0]); d != "" {
				t.Errorf("-staged +not staged\n%s", d)
			}
		})
	}
}

// dump is all that the tables hold but for what is minted anew by each import.
func dump(t testing.TB, s *Store) (text string) {
	t.Helper()
	for _, e := range crm.Entities {
		var rows []map[string]any
		query := "SELECT t.*, t.customer_uuid = t.id AS alone FROM customer_records AS t ORDER BY t.created_address"
		if e != crm.Customer {
			query = "SELECT t.*, c.external_id AS of FROM " + tables[e] + " AS t JOIN customer_records AS c ON c.id = t.customer_id ORDER BY t.created_address"
		}
		if err := s.reads.NewRaw(query).Scan(context.Background(), &rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if fmt.Sprint(r["stored_at"]) != fmt.Sprint(r["updated_at"]) {
				t.Errorf("stored at %v, updated at %v", r["stored_at"], r["updated_at"])
			}
			for _, minted := range []string{"id", "customer_uuid", "customer_id", "stored_at", "updated_at"} {
				delete(r, minted)
			}
			text += fmt.Sprintf("%s %s\n", e, r)
		}
	}
	return text
}

// TestWhatMeetsARecordIsStaged writes new records beside one that is there, late
// in the batch where the look at the first does not find it.
func TestWhatMeetsARecordIsStaged(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("there", "Before")})
		m.end(crm.Done)
		m = begin(t, s, crm.Rules{}, "")
		var rows []testRow
		for i := range probed + 10 {
			rows = append(rows, testRow{line: int64(i + 2), customer: person(fmt.Sprint("new", i), "New"), contact: fields{"email": "a@x.org"}})
		}
		rows = append(rows, testRow{line: 1000, customer: person("there", "After")})
		n := int64(probed + 10)
		want(t, "counts", m.write(rows...), crm.Counts{Read: n + 1, Accepted: n + 1,
			Customers: crm.Tally{Records: n + 1, Created: n, Updated: 1}, Contacts: crm.Tally{Records: n, Created: n}})
	})
}

// TestAVerdictThatMissesARepeatIsFound: the tables' own keys refuse what the
// verdict should have called a duplicate, and then the batch is at fault.
func TestAVerdictThatMissesARepeatIsFound(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		in, p := m.stage(testRow{line: 2, customer: person("a", "A")}, testRow{line: 3, customer: person("a", "B")})
		if _, err := s.Write(context.Background(), in, p.open); !errors.Is(err, crm.ErrUnbalanced) {
			t.Errorf("Write = %v, want it unbalanced", err)
		}
		m.write(testRow{line: 4, customer: person("a", "A")})
		in, p = m.stage(testRow{line: 5, customer: person("a", "B")})
		if _, err := s.Write(context.Background(), in, p.open); !errors.Is(err, crm.ErrUnbalanced) {
			t.Errorf("Write of another batch = %v, want it unbalanced", err)
		}
	})
}
