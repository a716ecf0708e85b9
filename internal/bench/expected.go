package main

import "sluice/internal/crm"

// What is in the database before an import.
type before int

const (
	nothing   before = iota // an empty database
	sameRows                // these very rows
	otherRows               // these rows with other values, as dataset.changed has it
)

// expected returns the counts that an import of the data must report, but for
// the warnings. Where customers is set, only the customers are imported.
//
// It reads the rows in order, as the invariants have it: the first record of
// an identity wins, and a faulty row takes nothing. A row of the same customer
// finds its contact and its note taken only if it repeats those of the owner.
func (d dataset) expected(was before, customers bool) crm.Counts {
	var c crm.Counts
	customer, contact, note := newBits(d.rows), newBits(d.rows), newBits(d.rows)
	count := func(t *crm.Tally, won bool, unlike bool) (duplicate bool) {
		t.Records++
		switch {
		case !won:
			t.Duplicate++
		case was == nothing:
			t.Created++
		case unlike && was == otherRows:
			t.Updated++
		default:
			t.Unchanged++
		}
		return !won
	}
	for i := range d.rows {
		c.Read++
		if d.faulty(i) != 0 {
			c.Rejected++
			continue
		}
		owner, _ := d.owner(i)
		from := d.contactOf(i)
		duplicate := count(&c.Customers, customer.take(owner), true)
		if !customers {
			duplicate = count(&c.Contacts, contact.take(from), true) && duplicate
			if d.hasNote(from) {
				duplicate = count(&c.Notes, note.take(from), false) && duplicate
			}
		}
		if duplicate {
			c.Duplicate++
		} else {
			c.Accepted++
		}
	}
	return c
}

// bits says of numbers from 0 which are taken.
type bits []uint64

func newBits(n int) bits { return make(bits, n/64+1) }

// take takes i and reports whether it was free.
func (b bits) take(i int) bool {
	word, bit := &b[i/64], uint64(1)<<(i%64)
	free := *word&bit == 0
	*word |= bit
	return free
}
