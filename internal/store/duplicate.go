package store

import (
	"context"
	"slices"

	"sluice/internal/crm"
)

// checkDuplicates holds the mode against the records that are not written
// because an earlier row has the same: one that exists, or does not, rejects
// its row no less than its winner's. Only so does a row's fate not depend on
// whether another batch, with the winner in it, is written by now
// (invariant 6). In the mode upsert there is nothing to check; the rows of a
// batch of leftovers were checked where they come from.
//
// A record that this very import created is no reason: its winner did.
func (a *attempt) checkDuplicates(ctx context.Context) error {
	if a.to.mode != crm.CreateOnly && a.to.mode != crm.UpdateOnly || a.in.Settles != nil {
		return nil
	}
	d := &attempt{s: a.s, tx: a.tx, in: a.in, open: a.open, to: a.to, keys: true}
	found := false
	for e, of := range a.preset {
		d.preset[e] = slices.Repeat([]crm.Outcome{crm.Duplicate}, len(of))
		d.of[e] = &records{entity: crm.Entity(e), lines: a.of[e].lines, addresses: a.of[e].addresses}
		for ord, o := range of {
			if o == crm.Duplicate {
				d.preset[e][ord], found = crm.ToWrite, true
			}
		}
	}
	if !found {
		return nil
	}
	d.begin()
	if err := d.look(ctx); err != nil {
		return err
	}
	for e, rs := range d.of {
		for ord, mark := range rs.marks {
			switch {
			case mark == markNew && a.to.mode == crm.UpdateOnly:
				a.preset[e][ord] = crm.Absent
			case (mark == markSame || mark == markChanged || mark == markSince) && a.to.mode == crm.CreateOnly:
				a.preset[e][ord] = crm.Exists
			}
		}
	}
	return d.clear(ctx)
}
