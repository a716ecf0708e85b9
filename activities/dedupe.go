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
// under the batch's number. It says where the keys are: from these the claims can
// be made again when Redis has lost them (invariant 5). The same input gives the same
// verdicts, so running it twice puts the same bytes in the same places. While
// Redis cannot be reached it fails and is tried again. No error ends the
// import.
func (a *Activities) Dedupe(ctx context.Context, in crm.DedupeInput) (crm.Deduped, error) {
	out := crm.Deduped{Claims: in.Claims}
	earlier := func(ctx context.Context, batch int) (*crm.BatchKeys, error) {
		v, err := a.batchVerdict(a.Stage.ReadCompressedKey(ctx, verdictKey(in.Import.ID, batch)))
		if err != nil {
			return nil, err
		}
		return a.batchKeys(ctx, v.Keys)
	}
	for _, b := range in.Batches {
		keys, err := a.batchKeys(ctx, b.Keys)
		if err != nil {
			return crm.Deduped{}, err
		}
		if out.Claims, err = a.Judge.Batch(ctx, in.Import.ID, out.Claims, b.Number, keys, earlier); err != nil {
			return crm.Deduped{}, err
		}
		v := crm.BatchVerdict{Keys: b.Keys, Outcomes: keys.Outcomes}
		o, err := a.Stage.PutCompressed(ctx, verdictKey(in.Import.ID, b.Number), bytes.NewReader(v.Encode()))
		if err != nil {
			return crm.Deduped{}, err
		}
		out.Verdicts = append(out.Verdicts, crm.Verdict{Object: o})
		out.Counts.Add(keys.Duplicates())
	}
	return out, nil
}

// batchKeys reads a batch's keys. A batch all of whose rows are rejected has no
// keys object, and empty keys.
func (a *Activities) batchKeys(ctx context.Context, o crm.Object) (*crm.BatchKeys, error) {
	if o.IsZero() {
		return &crm.BatchKeys{}, nil
	}
	b, err := readAll(a.Stage.Open(ctx, o, 0))
	if err != nil {
		return nil, err
	}
	return crm.DecodeBatchKeys(b)
}

// batchVerdict reads a verdict from what was just opened.
func (a *Activities) batchVerdict(r io.ReadCloser, err error) (*crm.BatchVerdict, error) {
	b, err := readAll(r, err)
	if err != nil {
		return nil, err
	}
	return crm.DecodeBatchVerdict(b)
}

func readAll(r io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
