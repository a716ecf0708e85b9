package store

import (
	"context"

	"sluice/internal/crm"
)

// A holder is a customer that contacts and notes may hang on.
type holder struct {
	id      []byte // nil if there are many, or if another batch of a dry run would create it
	creator int    // its place in the batch, if the batch creates it; else -1
	many    bool   // the key hits several: which it is, nobody knows
}

// hang finds the customers that contacts and notes hang on: first among those
// of the same batch, then in the table, as customers themselves are found. It
// reports false if some customer is not of this import.
func (a *attempt) hang(ctx context.Context) (ours bool, err error) {
	if len(a.of[crm.Contact].lines)+len(a.of[crm.Note].lines) == 0 {
		return true, nil
	}
	holders := make(map[string]holder, len(a.of[crm.Customer].lines))
	a.holdersOfBatch(holders)
	ours = true
	missing := a.missing(holders)
	known, err := a.customersOf(ctx, missing)
	if err != nil {
		return false, err
	}
	for _, c := range known {
		ours = ours && c.CreatedImport == a.in.Import
		holders[string(crm.AppendCopyValue(nil, c.Key))] = holder{id: []byte(c.ID), creator: -1}
	}
	if a.to.match != nil {
		if err := a.holdersMatching(ctx, holders, missing); err != nil {
			return false, err
		}
	}
	if a.to.dry {
		if err := a.holdersPlanned(ctx, holders, missing); err != nil {
			return false, err
		}
	}
	a.hangOn(holders)
	return ours, nil
}

func (a *attempt) holdersOfBatch(into map[string]holder) {
	rs := a.of[crm.Customer]
	for ord, mark := range rs.marks {
		switch {
		case mark == 0 || mark == markMany:
		case rs.targetOf(ord) != nil:
			into[string(rs.key(ord))] = holder{id: rs.targetOf(ord), creator: -1}
		default:
			into[string(rs.key(ord))] = holder{id: rs.id(ord), creator: ord}
		}
	}
}

// missing lists the keys of the customers that are not among holders.
func (a *attempt) missing(holders map[string]holder) (keys []string) {
	seen := make(map[string]bool)
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		rs := a.of[e]
		for ord, mark := range rs.marks {
			if mark == 0 {
				continue
			}
			key := rs.key(ord)
			if _, ok := holders[string(key)]; !ok && !seen[string(key)] {
				seen[string(key)] = true
				keys = append(keys, crm.CopyValue(key))
			}
		}
	}
	return keys
}

// hangOn notes the customer of every contact and note to write.
func (a *attempt) hangOn(holders map[string]holder) {
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		rs := a.of[e]
		for ord, mark := range rs.marks {
			if mark == 0 {
				continue
			}
			h, ok := holders[string(rs.key(ord))]
			rs.customer[ord], rs.creator[ord] = h.id, h.creator
			switch {
			case !ok:
				rs.marks[ord], rs.creator[ord] = markWaits, -1
			case h.many:
				rs.marks[ord] = markMany
			}
		}
	}
}

// A knownCustomer is a customer in the tables.
type knownCustomer struct {
	Key           string
	ID            string
	CreatedImport int64
}

// customersOf returns the customers of the source that have the keys. Those
// that are not there are left out.
func (a *attempt) customersOf(ctx context.Context, keys []string) (out []knownCustomer, err error) {
	query := a.s.dialect.lookUp([]string{"k.key"}, a.s.dialect.keys(), []string{"t.id AS id", "t.created_import AS created_import"},
		tables[crm.Customer], "t.source_id = ?1 AND t.external_id = k.key")
	err = a.inParts(keys, func(some any) error {
		var found []knownCustomer
		err := a.tx.NewRaw(query, some, a.to.source).Scan(ctx, &found)
		out = append(out, found...)
		return err
	})
	return out, err
}

// holdersPlanned adds the customers that another batch of this dry run would
// create. What hangs on them is new, as they are.
func (a *attempt) holdersPlanned(ctx context.Context, holders map[string]holder, keys []string) error {
	query := a.s.dialect.lookUp([]string{"k.key"}, a.s.dialect.keys(), []string{"1 AS there"}, "import_customers",
		"t.import_number = ?1 AND t.external_id = k.key")
	return a.inParts(keys, func(some any) error {
		var found []struct {
			Key   string
			There int
		}
		if err := a.tx.NewRaw(query, some, a.in.Import).Scan(ctx, &found); err != nil {
			return err
		}
		for _, c := range found {
			key := string(crm.AppendCopyValue(nil, c.Key))
			if _, ok := holders[key]; !ok {
				holders[key] = holder{creator: -1}
			}
		}
		return nil
	})
}

// keysAtOnce bounds the length of one statement.
const keysAtOnce = 5_000

// inParts calls do with some of the keys after the other, as a statement takes
// them.
func (a *attempt) inParts(keys []string, do func(some any) error) error {
	for len(keys) > 0 {
		n := min(len(keys), keysAtOnce)
		if err := do(a.s.dialect.list(keys[:n])); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}
