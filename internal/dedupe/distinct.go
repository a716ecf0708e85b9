package dedupe

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"sluice/internal/crm"
)

// distinct holds the keys of one batch without their repeats. Entities share
// one list: their keys never meet.
type distinct struct {
	keys  []crm.Key // ascending
	first []uint32  // for each, the place in the batch where it stands first
}

// A place is where a key stands among all keys of a batch, the entities' one
// after the other.
type place struct {
	head uint64 // the key's first bytes
	at   uint32
}

func distinctKeys(k *crm.BatchKeys) *distinct {
	all := slices.Concat(k.Of[:]...)
	d := &distinct{make([]crm.Key, 0, len(all)), make([]uint32, 0, len(all))}
	for _, p := range inOrder(all) {
		key := all[p.at]
		if n := len(d.keys); n == 0 || d.keys[n-1] != key {
			d.keys = append(d.keys, key)
			d.first = append(d.first, p.at)
		}
	}
	return d
}

// inOrder returns the places of keys, by key and then by place. Keys are
// hashes: dealt out by their first bits they are all but in order.
func inOrder(keys []crm.Key) []place {
	shift := 64 - bits.Len(uint(len(keys)))
	next := make([]uint32, 1<<(64-shift)+1) // by first bits, where the next goes
	places := make([]place, len(keys))
	for i := range keys {
		places[i] = place{binary.BigEndian.Uint64(keys[i][:8]), uint32(i)}
		next[places[i].head>>shift+1]++
	}
	for i := 1; i < len(next); i++ {
		next[i] += next[i-1]
	}
	sorted := make([]place, len(keys))
	for _, p := range places {
		to := &next[p.head>>shift]
		sorted[*to] = p
		*to++
	}
	for from := 0; from < len(sorted); {
		to := int(next[sorted[from].head>>shift])
		if to-from > 1 {
			slices.SortFunc(sorted[from:to], func(a, b place) int {
				if a.head != b.head {
					return cmp.Compare(a.head, b.head)
				}
				return cmp.Or(bytes.Compare(keys[a.at][8:], keys[b.at][8:]), cmp.Compare(a.at, b.at))
			})
		}
		from = to
	}
	return sorted
}

// find returns the place of a key in d.keys, if it is there.
func (d *distinct) find(key crm.Key) (int, bool) {
	return slices.BinarySearchFunc(d.keys, key, func(a, b crm.Key) int { return bytes.Compare(a[:], b[:]) })
}

// outcomes gives the verdict, when won says for each distinct key whether no
// earlier batch has it: the first record that presents it is the one to write.
func (d *distinct) outcomes(k *crm.BatchKeys, won []bool) crm.Outcomes {
	all := slices.Repeat([]crm.Outcome{crm.Duplicate}, len(k.Of[0])+len(k.Of[1])+len(k.Of[2]))
	for i, w := range won {
		if w {
			all[d.first[i]] = crm.ToWrite
		}
	}
	var o crm.Outcomes
	for e, of := range k.Of {
		o[e], all = all[:len(of):len(of)], all[len(of):]
	}
	return o
}
