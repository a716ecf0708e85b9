package crm

import (
	"encoding/binary"
	"errors"
	"io"
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

// Encode returns k as bytes: the number of rows as a varint, the rows, the
// keys by entity, then a byte that says whether a verdict follows, and the
// verdict by entity.
func (k *BatchKeys) Encode() []byte { return k.Append(nil) }

// Append appends what Encode returns to dst.
func (k *BatchKeys) Append(dst []byte) []byte {
	records := len(k.Of[Customer]) + len(k.Of[Contact]) + len(k.Of[Note])
	out := slices.Grow(dst, binary.MaxVarintLen64+len(k.Rows)+records*(len(Key{})+1)+1)
	out = binary.AppendUvarint(out, uint64(len(k.Rows)))
	out = append(out, k.Rows...)
	for _, keys := range k.Of {
		for i := range keys {
			out = append(out, keys[i][:]...)
		}
	}
	if !k.judged() {
		return append(out, 0)
	}
	out = append(out, 1)
	for _, outcomes := range k.Outcomes {
		for _, o := range outcomes {
			out = append(out, byte(o))
		}
	}
	return out
}

func (k *BatchKeys) judged() bool {
	for e := range k.Of {
		if len(k.Outcomes[e]) != len(k.Of[e]) {
			return false
		}
	}
	return true
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
	return k, k.decodeOutcomes(b, counts)
}

func (k *BatchKeys) decodeOutcomes(b []byte, counts [3]int) error {
	if len(b) == 0 {
		return io.ErrUnexpectedEOF
	}
	judged := b[0] == 1
	b = b[1:]
	if !judged {
		return nil
	}
	if len(b) != counts[0]+counts[1]+counts[2] {
		return errBatchKeys
	}
	for e, count := range counts {
		k.Outcomes[e] = make([]Outcome, count)
		for i := range k.Outcomes[e] {
			k.Outcomes[e][i] = Outcome(b[i])
		}
		b = b[count:]
	}
	return nil
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
