package activities

import (
	"bytes"
	"context"
	"io"

	"sluice/internal/crm"
)

// Dedupe says which records of a group of batches repeat an earlier record of
// the import. The first in address order wins.
//
// It reads the batches' keys and leaves a verdict for each batch in the stage,
// keys and all, under the batch's number: from these the claims can be made
// again when Redis has lost them (invariant 5). The same input gives the same
// verdicts, so running it twice puts the same bytes in the same places. While
// Redis cannot be reached it fails and is tried again. No error ends the
// import.
func (a *Activities) Dedupe(ctx context.Context, in crm.DedupeInput) (crm.Deduped, error) {
	out := crm.Deduped{Claims: in.Claims}
	earlier := func(ctx context.Context, batch int) (*crm.BatchKeys, error) {
		r, err := a.Stage.OpenKey(ctx, verdictKey(in.Import.ID, batch))
		return decodeKeys(r, err)
	}
	for _, b := range in.Batches {
		keys, err := a.batchKeys(ctx, b.Keys)
		if err != nil {
			return crm.Deduped{}, err
		}
		if out.Claims, err = a.Judge.Batch(ctx, in.Import.ID, out.Claims, b.Number, keys, earlier); err != nil {
			return crm.Deduped{}, err
		}
		o, err := a.Stage.Put(ctx, verdictKey(in.Import.ID, b.Number), bytes.NewReader(keys.Encode()))
		if err != nil {
			return crm.Deduped{}, err
		}
		out.Verdicts = append(out.Verdicts, crm.Verdict{Object: o})
		out.Counts.Add(keys.Duplicates())
	}
	return out, nil
}

// batchKeys reads a batch's keys or its verdict. A batch all of whose rows are
// rejected has no keys object, and empty keys.
func (a *Activities) batchKeys(ctx context.Context, o crm.Object) (*crm.BatchKeys, error) {
	if o.IsZero() {
		return &crm.BatchKeys{}, nil
	}
	r, err := a.Stage.Open(ctx, o, 0)
	return decodeKeys(r, err)
}

func decodeKeys(r io.ReadCloser, err error) (*crm.BatchKeys, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return crm.DecodeBatchKeys(b)
}
