package crm

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// BatchKeys holds what identifies the records of a batch: what Dedupe judges
// by, and what it judged.
type BatchKeys struct {
	// Rows has an entry for each row that carries records, in address order:
	// bit e is set if the row has a record of entity e.
	Rows []byte

	// Of holds the keys of each entity's records, in the order of the batch's
	// objects.
	Of [3][]Key

	// Outcomes is the verdict: [Duplicate] for a record that repeats an
	// earlier one, [ToWrite] for the others. Nil before the verdict.
	Outcomes Outcomes
}

// ToWrite stands in a verdict for a record that has no outcome yet: Write
// gives it one.
const ToWrite Outcome = '.'

// AddRow adds the keys of one row. A nil key means that the row has no record
// of that entity; a row without records is not added.
func (k *BatchKeys) AddRow(keys [3]*Key) {
	var row byte
	for e, key := range keys {
		if key != nil {
			row |= 1 << e
			k.Of[e] = append(k.Of[e], *key)
		}
	}
	if row != 0 {
		k.Rows = append(k.Rows, row)
	}
}

// Reset empties k and keeps its memory for the next batch.
func (k *BatchKeys) Reset() {
	k.Rows, k.Outcomes = k.Rows[:0], Outcomes{}
	for e := range k.Of {
		k.Of[e] = k.Of[e][:0]
	}
}

// Encode returns k as bytes, without the verdict: the number of rows as a varint,
// the rows, and the keys by entity.
func (k *BatchKeys) Encode() []byte { return k.Append(nil) }

// Append appends what Encode returns to dst.
func (k *BatchKeys) Append(dst []byte) []byte {
	records := len(k.Of[Customer]) + len(k.Of[Contact]) + len(k.Of[Note])
	out := slices.Grow(dst, binary.MaxVarintLen64+len(k.Rows)+records*len(Key{}))
	out = binary.AppendUvarint(out, uint64(len(k.Rows)))
	out = append(out, k.Rows...)
	for _, keys := range k.Of {
		for i := range keys {
			out = append(out, keys[i][:]...)
		}
	}
	return out
}

var errBatchKeys = errors.New("batch keys: damaged")

// DecodeBatchKeys reads what Encode wrote. Anything else is damage, and an
// error.
func DecodeBatchKeys(b []byte) (*BatchKeys, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, errBatchKeys
	}
	k := &BatchKeys{Rows: b[w : w+int(n)]}
	b = b[w+int(n):]
	var counts [3]int
	for _, row := range k.Rows {
		for e := range counts {
			counts[e] += bits.OnesCount8(row & (1 << e))
		}
	}
	for e, count := range counts {
		if len(b) < count*len(Key{}) {
			return nil, errBatchKeys
		}
		k.Of[e] = make([]Key, count)
		for i := range k.Of[e] {
			copy(k.Of[e][i][:], b)
			b = b[len(Key{}):]
		}
	}
	if len(b) > 0 {
		return nil, errBatchKeys
	}
	return k, nil
}

// Duplicates counts the duplicates of a verdict: the rows every record of
// which is one, and the records by entity.
func (k *BatchKeys) Duplicates() Counts {
	var c Counts
	var at [3]int
	for _, row := range k.Rows {
		all := true
		for e := range at {
			if row&(1<<e) == 0 {
				continue
			}
			if k.Outcomes[e][at[e]] == Duplicate {
				c.Of(Entity(e)).Duplicate++
			} else {
				all = false
			}
			at[e]++
		}
		if all {
			c.Duplicate++
		}
	}
	return c
}
