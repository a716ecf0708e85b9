package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"sluice/internal/crm"
)

// packRecords is what the ledger keeps of the records of a page: one
// [crm.UndoneRecord] as JSON a line, zstd-compressed. That is some ten bytes a
// record, and no cell's value.
func packRecords(met []undone, e crm.Entity, created bool) ([]byte, error) {
	var plain bytes.Buffer
	lines := json.NewEncoder(&plain)
	for _, r := range met {
		a := crm.Address(r.Address)
		out := crm.UndoneRecord{File: a.File(), Line: a.Line(), Entity: e.String(), Outcome: crm.Restored, Why: r.Why, ID: r.ID}
		switch {
		case r.errored:
			out.Outcome = crm.Errored
		case r.Why != "":
			out.Outcome = crm.Kept
		case created:
			out.Outcome = crm.Removed
		}
		if err := lines.Encode(out); err != nil {
			return nil, err
		}
	}
	return packer.EncodeAll(plain.Bytes(), nil), nil
}

// UndoneRecords goes through what an undo did with each record, in the order in
// which it did so. It holds one page in memory, and no connection while the
// caller works on a record. An error ends it.
func (s *Store) UndoneRecords(ctx context.Context, number int64) iter.Seq2[crm.UndoneRecord, error] {
	return func(yield func(crm.UndoneRecord, error) bool) {
		operation := fmt.Sprintf("records of undo %d", number)
		for page := 0; ; page++ {
			var rows []undoPageRow
			err := s.reads.NewSelect().Model(&rows).Where("import_number = ?", number).Where("page = ?", page).Scan(ctx)
			if err != nil {
				yield(crm.UndoneRecord{}, wrap(operation, err))
				return
			}
			if len(rows) == 0 { // pages are entered one after the other
				return
			}
			plain, err := unpacker.DecodeAll(rows[0].Records, nil)
			for lines := json.NewDecoder(bytes.NewReader(plain)); err == nil; {
				var r crm.UndoneRecord
				if err = lines.Decode(&r); err == nil && !yield(r, nil) {
					return
				}
			}
			if !errors.Is(err, io.EOF) {
				yield(crm.UndoneRecord{}, wrap(operation, passing{fmt.Errorf("page %d: damaged", page)}))
				return
			}
		}
	}
}

// PreviewUndo says what undoing an import would come to, by the rules of
// [Store.UndoPage] and without writing anything. What an undo before, that did
// not get through, reversed already is in the counts.
func (s *Store) PreviewUndo(ctx context.Context, target string) (crm.UndoCounts, error) {
	operation := "preview the undo of import " + target
	sum, err := s.undoSum(ctx, target, 0)
	if err != nil {
		return crm.UndoCounts{}, wrap(operation, err)
	}
	sum.Left = crm.Recount{} // nothing is gone yet
	least, greatest := crm.IDRange(sum.Target.StartedAt)
	for _, e := range crm.Entities {
		if err := s.previewCreated(ctx, &sum, e, least, greatest); err != nil {
			return crm.UndoCounts{}, wrap(operation, err)
		}
		if err := s.previewChanged(ctx, &sum, e); err != nil {
			return crm.UndoCounts{}, wrap(operation, err)
		}
	}
	counts, fault := sum.Complete(true)
	if fault != "" {
		err = fmt.Errorf("%w: %s", crm.ErrUnbalanced, fault)
	}
	return counts, wrap(operation, err)
}

func (s *Store) previewCreated(ctx context.Context, sum *crm.UndoSum, e crm.Entity, least, greatest string) error {
	// A contact or a note that goes too does not keep its customer.
	stays := "NOT (m.created_import = ?0 AND m.rev = 1 AND m.changed_import = ?0)"
	var groups []struct {
		Why crm.Why
		N   int64
	}
	err := s.reads.NewRaw("SELECT k.why, count(*) AS n FROM (SELECT "+whyKept(e, stays)+" AS why FROM "+tables[e]+
		" AS t WHERE "+ofImport+") AS k GROUP BY k.why", sum.Target.Number, least, greatest).Scan(ctx, &groups)
	for _, g := range groups {
		tally := &sum.Counts.Of(e).Created
		if g.Why == "" {
			tally.Reversed += g.N
			continue
		}
		tally.Kept += g.N
		sum.Counts.Because(g.Why, g.N)
	}
	return err
}

func (s *Store) previewChanged(ctx context.Context, sum *crm.UndoSum, e crm.Entity) error {
	var all, there, restored int64
	err := s.reads.NewRaw("SELECT count(*), count(t.id), count(CASE WHEN "+restorable+" THEN 1 END) FROM "+before(e)+" AS b LEFT JOIN "+
		tables[e]+" AS t ON t.id = b.id WHERE b.import_number = ?0", sum.Target.Number).Scan(ctx, &all, &there, &restored)
	tally := &sum.Counts.Of(e).Changed
	tally.Reversed, tally.Kept = restored, all-restored
	sum.Counts.Because(crm.WhyGone, all-there)
	sum.Counts.Because(crm.WhyChangedSince, there-restored)
	return err
}
