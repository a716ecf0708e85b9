package store

import (
	"context"

	"sluice/internal/crm"
)

// probed is how many of a batch's customers are looked up before it is taken to
// be new. A batch of which some exist has one among so many, all but surely; if
// not, the tables refuse it, and it is written anew with every record looked up.
const probed = 128

// mayBeNew reports whether a batch of new records can be told as such without
// staging them: the first time it is written, by the plainest rules.
func (a *attempt) mayBeNew() bool {
	return !a.again && a.only == nil && !a.keys && a.in.Settles == nil &&
		!a.to.dry && a.to.match == nil && a.to.since == nil && a.to.mode != crm.UpdateOnly
}

// allNew reports whether all records of the batch are new. That is believed of
// the customers after a look at some, and known of the contacts and notes, whose
// customers this import created; the unique keys of the tables judge.
func (a *attempt) allNew(ctx context.Context) (bool, error) {
	var first []string
	customers := a.of[crm.Customer]
	for ord := 0; ord < len(customers.marks) && len(first) < probed; ord++ {
		if customers.marks[ord] != 0 {
			first = append(first, crm.CopyValue(customers.key(ord)))
		}
	}
	there, err := a.customersOf(ctx, first)
	if len(there) > 0 || err != nil {
		return false, err
	}
	if ours, err := a.hang(ctx); !ours || err != nil {
		return false, err
	}
	return true, a.tryWaiting(ctx)
}

// tryWaiting stages the records that wait for their customers. What the database
// refuses is refused at once, whether its customer is there by now or not
// (invariant 6).
func (a *attempt) tryWaiting(ctx context.Context) error {
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		var ords []int
		for ord, mark := range a.of[e].marks {
			if mark == markWaits {
				ords = append(ords, ord)
			}
		}
		if len(ords) == 0 {
			continue
		}
		if err := a.stage(ctx, a.of[e], ords); err != nil {
			return err
		}
	}
	return nil
}
