package dedupe

import (
	"encoding/binary"
	"math/bits"
	"sort"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// Of a key, its first keyBytes are kept. The first byte alone tells the bucket
// of the lowest level; a bucket holds the bytes after it, so that it can be
// divided.
const (
	memberBytes  = 9
	keyBytes     = 1 + memberBytes
	lowestLevel  = 8
	highestLevel = 30
)

// fullBucket is how many members a bucket has on average before all are
// divided. A bucket is read and written whole, so more of them cost time; each
// costs some 50 bytes of its own, so fewer cost memory.
const fullBucket = 64

// levelFor returns how many of a key's first bits number its bucket, when
// there are so many keys.
func levelFor(keys int64) int {
	level := lowestLevel
	for level < highestLevel && keys > fullBucket<<level {
		level++
	}
	return level
}

// A bucketID is the number of a bucket below a one that marks its level: 1 is
// all keys, 2 and 3 are those of its halves.
type bucketID uint32

func bucketOf(key *crm.Key, level int) bucketID {
	return bucketID(1)<<level | bucketID(binary.BigEndian.Uint32(key[:4])>>(32-level))
}

func (b bucketID) level() int { return bits.Len32(uint32(b)) - 1 }

// of returns the bucket of a level that a member of b falls into.
func (b bucketID) of(member string, level int) bucketID {
	lowest := b >> (b.level() - lowestLevel)
	first := uint32(member[0])<<24 | uint32(member[1])<<16 | uint32(member[2])<<8 | uint32(member[3])
	return lowest<<(level-lowestLevel) | bucketID(first>>(32-(level-lowestLevel)))
}

// field adds the name of b's field: at most six letters and digits, which is
// what Redis keeps in the least room.
func (b bucketID) field(to []byte) []byte { return strconv.AppendUint(to, uint64(b), 36) }

// A bucket is what a batch has to do with one bucket.
type bucket struct {
	id      bucketID
	keys    []crm.Key // of the batch, ascending
	members string    // that it had, ascending
	fresh   bool      // it had no field: it is new, or cut from a larger one
	field   string
	value   string // to write; empty for nothing
}

// group returns the buckets of keys that ascend.
func group(keys []crm.Key, level int) []bucket {
	buckets := make([]bucket, 0, min(len(keys), 1<<level))
	var fields []byte
	for from := 0; from < len(keys); {
		id, to := bucketOf(&keys[from], level), from+1
		for to < len(keys) && bucketOf(&keys[to], level) == id {
			to++
		}
		buckets = append(buckets, bucket{id: id, keys: keys[from:to]})
		fields = id.field(fields)
		from = to
	}
	// One string for all: there are many, and an allocation each would show.
	text, width := string(fields), 0
	for i := range buckets {
		width = len(buckets[i].id.field(fields[:0]))
		buckets[i].field, text = text[:width], text[width:]
	}
	return buckets
}

// cut divides the members of b among the buckets of a higher level.
func (b bucketID) cut(members string, level int, each func(id bucketID, members string)) error {
	if len(members)%memberBytes != 0 {
		return errInexact
	}
	for len(members) > 0 {
		id := b.of(members, level)
		if id>>(id.level()-b.level()) != b {
			return errInexact
		}
		n := sort.Search(len(members)/memberBytes, func(i int) bool { return b.of(members[i*memberBytes:], level) > id })
		each(id, members[:n*memberBytes])
		members = members[n*memberBytes:]
	}
	return nil
}

// merge adds the keys that each bucket has not to its members, and sets its
// value if that changes anything. Lost is told the place of every key that is
// there already.
func merge(buckets []bucket, lost func(i int)) {
	var size, at int
	for i := range buckets {
		size += len(buckets[i].members) + len(buckets[i].keys)*memberBytes
	}
	var all strings.Builder // again one string for all
	all.Grow(size)
	ends := make([]int, len(buckets))
	for i := range buckets {
		b := &buckets[i]
		rest := b.members
		for k := range b.keys {
			member := b.keys[k][keyBytes-memberBytes : keyBytes]
			n := memberBytes * sort.Search(len(rest)/memberBytes, func(i int) bool {
				return rest[i*memberBytes:(i+1)*memberBytes] >= string(member)
			})
			all.WriteString(rest[:n])
			if rest = rest[n:]; strings.HasPrefix(rest, string(member)) {
				lost(at + k)
			} else {
				all.Write(member)
			}
		}
		all.WriteString(rest)
		at += len(b.keys)
		ends[i] = all.Len()
	}
	text, from := all.String(), 0
	for i, to := range ends {
		if b := &buckets[i]; b.fresh || to-from > len(b.members) {
			b.value = text[from:to]
		}
		from = to
	}
}
