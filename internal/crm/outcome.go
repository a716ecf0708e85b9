package crm

import "slices"

// An Outcome is what became of one record of a batch. The ledger keeps one for
// each record, in the order of the batch's objects, so that every row can be
// answered for without reading a log.
type Outcome byte

// The outcomes. Those from Exists on reject the record's row.
const (
	Created   Outcome = 'c'
	Updated   Outcome = 'u'
	Unchanged Outcome = 'n'
	Duplicate Outcome = 'd' // an earlier record of the import has the same identity
	Again     Outcome = 'a' // a duplicate of a record of an earlier file that is newer than that, and written over it
	Held      Outcome = 'w' // waiting for Settle: its customer had not landed
	Spared    Outcome = 's' // not written, because another record of its row was rejected
	Moved     Outcome = 'm' // judged anew by a batch of Settle, whose ledger row counts it

	Exists         Outcome = 'E'
	Absent         Outcome = 'A'
	NoSuchCustomer Outcome = 'N'
	Refused        Outcome = 'R'
	Ambiguous      Outcome = 'M'
	ChangedSince   Outcome = 'C'
	Skipped        Outcome = 'S'
	Suppressed     Outcome = 'P'
)

// Reason returns why the record was rejected; "" if it was not.
func (o Outcome) Reason() Reason {
	switch o {
	case Exists:
		return ReasonExists
	case Absent:
		return ReasonAbsent
	case NoSuchCustomer:
		return ReasonNoSuchCustomer
	case Refused:
		return ReasonRefused
	case Ambiguous:
		return ReasonAmbiguousMatch
	case ChangedSince:
		return ReasonChangedSince
	case Skipped:
		return ReasonSkipped
	case Suppressed:
		return ReasonSuppressed
	}
	return ""
}

// Landed reports whether a record with this outcome is in the tables.
func (o Outcome) Landed() bool { return o == Created || o == Updated || o == Unchanged || o == Again }

// Outcomes holds the outcomes of the records of one batch, by entity. The
// i-th outcome is that of the i-th record of the entity's object.
type Outcomes [3][]Outcome

// Skip returns a copy of a verdict in which nothing is to be written: what was,
// is [Skipped].
func (o Outcomes) Skip() (out Outcomes) {
	for e, of := range o {
		out[e] = slices.Clone(of)
		for i, was := range of {
			if was == ToWrite {
				out[e][i] = Skipped
			}
		}
	}
	return out
}

// Tally adds up the outcomes of a batch into the counts of its ledger row.
//
// addresses holds, for each entity, the address of each record, ascending.
// rows is what Parse counted: its rejected rows carry no records. A row none
// of whose records is named counts as accepted.
//
// Tally keeps invariant 1 for a batch: the result is [Counts.Balanced]
// whenever the outcomes are complete. It also completes them: the other
// records of a row that has a rejected record become Spared, but for those that
// are Duplicate, whose winner is another row's.
func (o Outcomes) Tally(rows RowTally, addresses [3][]Address) Counts {
	c := Counts{Read: rows.Read, Blank: rows.Blank, Rejected: rows.Rejected, Warnings: rows.Warnings}
	var at [3]int
	var seen int64
	for {
		next, any := nextAddress(addresses, at)
		if !any {
			break
		}
		seen++
		o.tallyRow(&c, addresses, &at, next)
	}
	c.Accepted += rows.Read - rows.Rejected - seen
	return c
}

func nextAddress(addresses [3][]Address, at [3]int) (next Address, any bool) {
	for e := range addresses {
		if at[e] < len(addresses[e]) && (!any || addresses[e][at[e]] < next) {
			next, any = addresses[e][at[e]], true
		}
	}
	return next, any
}

func (o Outcomes) tallyRow(c *Counts, addresses [3][]Address, at *[3]int, row Address) {
	rejected, duplicate := false, true
	for e := range addresses {
		if i := at[e]; i < len(addresses[e]) && addresses[e][i] == row {
			rejected = rejected || o[e][i].Reason() != ""
			duplicate = duplicate && (o[e][i] == Duplicate || o[e][i] == Again)
		}
	}
	for e := range addresses {
		i := at[e]
		if i >= len(addresses[e]) || addresses[e][i] != row {
			continue
		}
		at[e]++
		if rejected && o[e][i].Reason() == "" && o[e][i] != Duplicate {
			o[e][i] = Spared
		}
		if !rejected {
			c.Of(Entity(e)).add(o[e][i])
		}
	}
	switch {
	case rejected:
		c.Rejected++
	case duplicate:
		c.Duplicate++
	default:
		c.Accepted++
	}
}

func (t *Tally) add(o Outcome) {
	t.Records++
	switch o {
	case Created:
		t.Created++
	case Updated:
		t.Updated++
	case Unchanged:
		t.Unchanged++
	case Duplicate, Again:
		t.Duplicate++
	case Held:
		t.Waiting++
	}
}
