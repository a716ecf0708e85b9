package store

import (
	"context"
	"testing"

	"sluice/internal/crm"
)

func TestContactsWaitForTheirCustomer(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		before := m.write(testRow{line: 2, contact: fields{"email": "late@x.org"}, of: "late"},
			testRow{line: 3, contact: fields{"email": "gone@x.org"}, of: "gone"}, testRow{line: 4, customer: person("here", "H"), contact: fields{"email": "h@x.org"}})
		want(t, "outcomes", m.outcomes(0), "c wwc")
		m.write(testRow{line: 5, customer: person("late", "L")})

		in, p := m.stage(testRow{line: 2, contact: fields{"email": "late@x.org"}, of: "late"}, testRow{line: 3, contact: fields{"email": "gone@x.org"}, of: "gone"})
		in.Settles = &crm.Settles{Before: crm.Counts{Read: 2, Accepted: 2, Contacts: crm.Tally{Records: 2, Waiting: 2}},
			Moved: map[int][3][]int{0: {crm.Contact: {0, 1}}}}
		counts, err := s.Write(context.Background(), in, p.open)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "correction", counts, crm.Counts{Rejected: 1, Accepted: -1, Contacts: crm.Tally{Records: -1, Created: 1, Waiting: -2}})
		want(t, "outcomes moved", m.outcomes(0), "c mmc")
		want(t, "outcomes settled", m.outcomes(2), "cN")
		before.Add(counts)
		if !before.Balanced() || before.Contacts.Waiting != 0 {
			t.Errorf("after settling %+v", before)
		}

		// The same leftovers under another number: nothing is left to settle.
		in.Batch.Number = 3
		if _, err := s.Write(context.Background(), in, p.open); crm.TypeOf(err) != crm.FailUnbalanced {
			t.Errorf("settling twice: %v, want unbalanced", err)
		}
	})
}

func TestWrittenRowsStayAcceptedWhenSettled(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "Ann")})
		m.end(crm.Done)
		m = begin(t, s, crm.Rules{}, "")
		// The database refuses the first row's customer; the second row
		// repeats it and brings a contact.
		refused := fields{"external_id": "a", "status": "Not A Status"}
		m.write(testRow{line: 2, customer: refused},
			testRow{line: 3, customer: refused, contact: fields{"email": "c@x.org"}, preset: [3]crm.Outcome{crm.Duplicate}})
		want(t, "outcomes", m.outcomes(0), "Rd c")
		in, p := m.stage(testRow{line: 3, customer: refused, contact: fields{"email": "c@x.org"}, preset: [3]crm.Outcome{crm.ToWrite, crm.Created}})
		in.Settles = &crm.Settles{Before: crm.Counts{Read: 1, Accepted: 1, Customers: crm.Tally{Records: 1, Duplicate: 1}, Contacts: crm.Tally{Records: 1, Created: 1}},
			Moved: map[int][3][]int{0: {crm.Customer: {1}}}}
		counts, err := s.Write(context.Background(), in, p.open)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "correction", counts, crm.Counts{})
		want(t, "outcomes settled", m.outcomes(1), "d c")
	})
}

func TestDuplicateIsHeldAgainstTheModeAsItsWinnerIs(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "Ann")})
		m.end(crm.Done)
		// The winners are in another batch, which may not be written yet.
		rows := []testRow{
			{line: 12, customer: person("a", "Ann"), contact: fields{"email": "c@x.org"}, preset: [3]crm.Outcome{crm.Duplicate}},
			{line: 13, customer: person("b", "Ben"), preset: [3]crm.Outcome{crm.Duplicate}},
		}
		m = begin(t, s, crm.Rules{}, crm.CreateOnly)
		m.write(rows...)
		want(t, "create_only", m.outcomes(0), "Ed s")
		m.end(crm.Done)
		m = begin(t, s, crm.Rules{}, crm.UpdateOnly)
		m.write(rows...)
		want(t, "update_only", m.outcomes(0), "dA A")
	})
}

func TestADuplicateThatWouldBeRefusedIsNoFault(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, crm.CreateOnly)
		bad := fields{"external_id": "a", "status": "Not A Status", "custom": "no object"}
		m.write(testRow{line: 2, customer: person("a", "Ann")}, testRow{line: 3, customer: bad, preset: [3]crm.Outcome{crm.Duplicate}},
			testRow{line: 4, contact: fields{"email": "c@x.org"}, of: "a"},
			testRow{line: 5, contact: fields{"email": "c@x.org", "position": "first"}, of: "a", preset: [3]crm.Outcome{0, crm.Duplicate}})
		want(t, "outcomes", m.outcomes(0), "cd cd")
	})
}
