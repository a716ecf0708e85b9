package store

import (
	"context"
	"errors"

	"sluice/internal/crm"
)

// A member is one record of a batch.
type member struct {
	entity crm.Entity
	ord    int
}

// refuse finds the records that the database does not take, by trying halves
// of the batch, and gives them the outcome Refused in preset. Nothing of a
// trial is kept. If no record is at fault for itself, it returns the fault.
func (s *Store) refuse(ctx context.Context, in *crm.WriteBatch, open crm.PartOpener, preset crm.Outcomes, why *fault) error {
	var all []member
	for e, of := range preset {
		for ord, o := range of {
			if o == crm.ToWrite {
				all = append(all, member{crm.Entity(e), ord})
			}
		}
	}
	found := false
	// Depth first, so that a batch's halves share the addresses in memory with
	// nothing but the recursion.
	var try func(some []member, known bool) error
	try = func(some []member, known bool) error {
		if !known {
			bad, err := s.trial(ctx, in, open, preset, some)
			if err != nil || !bad {
				return err
			}
		}
		if len(some) <= 1 {
			for _, m := range some {
				preset[m.entity][m.ord] = crm.Refused
				found = true
			}
			return nil
		}
		half := len(some) / 2
		if err := try(some[:half], false); err != nil {
			return err
		}
		return try(some[half:], false)
	}
	if err := try(all, true); err != nil {
		return err
	}
	if !found {
		return why
	}
	return nil
}

// trial writes some records of a batch and takes them back. It says whether
// the database refuses one of them.
func (s *Store) trial(ctx context.Context, in *crm.WriteBatch, open crm.PartOpener, preset crm.Outcomes, some []member) (bad bool, err error) {
	var only [3][]bool
	for e := range only {
		only[e] = make([]bool, len(preset[e]))
	}
	for _, m := range some {
		only[m.entity][m.ord] = true
	}
	_, err = s.attempt(ctx, &attempt{s: s, in: in, open: open, preset: preset, only: &only})
	if errors.Is(err, errTrial) {
		return false, nil
	}
	if f := faultOf(err); f != nil && f.data {
		return true, nil
	}
	return false, err
}
