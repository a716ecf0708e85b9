package store

import (
	"bytes"
	"fmt"

	"sluice/internal/crm"
)

// judge gives every record its outcome before anything is written.
//
// A rejected record spares the others of its row, and a spared customer leaves
// its contacts without one, which may in turn reject their rows. So it judges
// until nothing changes; each round takes something away.
func (a *attempt) judge() (crm.Counts, error) {
	for {
		if err := a.foreign(); err != nil {
			return crm.Counts{}, err
		}
		a.outcomes = a.verdict()
		a.keepWritten()
		counts := a.outcomes.Tally(a.in.Batch.Counts, a.addresses())
		if !a.drop() {
			return counts, nil
		}
	}
}

func (a *attempt) addresses() (all [3][]crm.Address) {
	for e, rs := range a.of {
		all[e] = rs.addresses
	}
	return all
}

// foreign makes sure that no record was written by this import from another
// row. Two rows of one identity are a fault of the verdict, never a matter of
// rules: which of them won would depend on the order of the writers
// (invariant 6).
func (a *attempt) foreign() error {
	for _, rs := range a.of {
		if ord := bytes.IndexByte(rs.marks, markOwn); ord >= 0 {
			at := rs.addresses[ord]
			return fmt.Errorf("%w: the %s of line %d of file %d was written by this import from another row",
				crm.ErrUnbalanced, rs.entity, at.Line(), at.File())
		}
	}
	return nil
}

// verdict turns marks into outcomes by the import's mode.
func (a *attempt) verdict() (o crm.Outcomes) {
	for e, rs := range a.of {
		o[e] = append([]crm.Outcome(nil), a.preset[e]...)
		for ord, mark := range rs.marks {
			if mark != 0 {
				o[e][ord] = a.outcome(mark)
			}
		}
	}
	return o
}

func (a *attempt) outcome(mark byte) crm.Outcome {
	switch {
	case mark == markAgain, mark == markRepeats:
		return crm.Outcome(mark) // the modes speak of what was there before the import
	case mark == markMany:
		return crm.Ambiguous
	case mark == markWaits && a.in.Settles != nil:
		return crm.NoSuchCustomer
	case mark == markWaits:
		return crm.Held
	case mark == markNew && a.to.mode == crm.UpdateOnly:
		return crm.Absent
	case mark != markNew && a.to.mode == crm.CreateOnly:
		return crm.Exists
	}
	return crm.Outcome(mark)
}

// keepWritten keeps a row of leftovers accepted if a record of it is in the
// tables already: what is written is not rejected any more. The record that
// would reject the row repeats one that was rejected, and stays a duplicate.
func (a *attempt) keepWritten() {
	if a.in.Settles == nil {
		return
	}
	written := make(map[crm.Address]bool)
	for e, of := range a.preset {
		for ord, o := range of {
			if o == crm.Created || o == crm.Updated || o == crm.Again {
				written[a.of[e].addresses[ord]] = true
			}
		}
	}
	for e := range a.outcomes {
		for ord := range a.outcomes[e] {
			if written[a.of[e].addresses[ord]] && a.outcomes[e][ord].Reason() != "" {
				a.outcomes[e][ord] = crm.Duplicate
			}
		}
	}
}

// drop settles the records that would be written, but by their outcome are not.
// It reports true if that takes the customers of other records away, which must
// be judged again.
func (a *attempt) drop() (again bool) {
	lost := false // a customer that was to be created
	for e, rs := range a.of {
		for ord, mark := range rs.marks {
			o := a.outcomes[e][ord]
			if mark != markNew && mark != markChanged && mark != markAgain || o == crm.Created || o == crm.Updated || o == crm.Again {
				continue
			}
			a.preset[e][ord], rs.marks[ord] = o, 0
			lost = lost || e == int(crm.Customer) && mark == markNew
		}
	}
	if !lost {
		return false
	}
	customers := a.of[crm.Customer]
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		rs := a.of[e]
		for ord, mark := range rs.marks {
			if mark != 0 && rs.creator[ord] >= 0 && customers.marks[rs.creator[ord]] == 0 {
				rs.marks[ord], rs.customer[ord], rs.creator[ord] = markWaits, nil, -1
				again = true
			}
		}
	}
	return again
}
