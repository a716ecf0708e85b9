package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sluice/internal/crm"
)

func TestLocate(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		const n = locateAtOnce + 10
		m := begin(t, s, crm.Rules{}, "")
		var rows []testRow
		for i := range n {
			rows = append(rows, testRow{line: int64(i + 2), customer: fields{"external_id": fmt.Sprint("k?0'", i), "email": fmt.Sprintf("A%d@x.org", i/2)},
				contact: fields{"email": "c@x.org"}, note: fields{"type": "note", "text": "t"}})
		}
		m.write(rows...)
		located := func(match crm.Match, e crm.Entity, keys ...crm.RecordKey) []string {
			t.Helper()
			ids, err := s.Locate(ctx, "leads", match, e, keys)
			if err != nil || len(ids) != len(keys) {
				t.Fatalf("Locate = %d ids, %v, want %d", len(ids), err, len(keys))
			}
			return ids
		}
		for _, e := range crm.Entities {
			var keys []crm.RecordKey
			var ids []string
			for i := n - 1; i >= 0; i-- { // in the order of the keys, not of the table
				match := ""
				if e != crm.Customer {
					match = crm.MatchKey(e, crm.Identity(e, rows[i].values(e))...)
				}
				keys = append(keys, crm.RecordKey{Customer: rows[i].customer["external_id"], Match: match})
				ids = append(ids, crm.RecordID(m.StartedAt, e, crm.At(0, rows[i].line)))
			}
			want(t, e.Plural(), located("", e, keys...), ids)
			keys[3].Customer = "nobody"
			want(t, "nobody's "+e.Plural(), located(crm.MatchID, e, keys[:5]...)[3], "")
		}
		m.write(testRow{line: 5000, customer: fields{"external_id": "one", "email": "One@x.org", "website_url": "https://www.one.org/"}, contact: fields{"email": "c@x.org"}},
			testRow{line: 5001, customer: fields{"external_id": "email:one@x.org"}}, testRow{line: 5002, customer: fields{"external_id": "two", "email": "Two@x.org"}})
		id := func(e crm.Entity, line int64) string { return crm.RecordID(m.StartedAt, e, crm.At(0, line)) }
		contact := crm.MatchKey(crm.Contact, crm.Identity(crm.Contact, testRow{contact: fields{"email": "c@x.org"}}.values(crm.Contact))...)
		want(t, "by e-mail", located(crm.MatchEmail, crm.Customer, crm.RecordKey{Customer: "email:two@x.org"}, crm.RecordKey{Customer: "email:one@x.org"},
			crm.RecordKey{Customer: "email:a0@x.org"}, crm.RecordKey{Customer: "email:nobody@x.org"}, crm.RecordKey{Customer: "two"}),
			[]string{id(crm.Customer, 5002), id(crm.Customer, 5001), "", "", id(crm.Customer, 5002)})
		want(t, "contacts by domain", located(crm.MatchDomain, crm.Contact, crm.RecordKey{Customer: "domain:one.org", Match: contact}, crm.RecordKey{Customer: "domain:x.org", Match: contact}),
			[]string{id(crm.Contact, 5000), ""})
		want(t, "nothing", located("", crm.Note), []string{})
		if _, err := s.Locate(ctx, "nobody", "", crm.Note, nil); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("Locate of no source = %v, want not found", err)
		}
		if _, err := s.Locate(ctx, "leads", "telephone", crm.Note, nil); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("Locate by no match = %v, want invalid", err)
		}
	})
}
