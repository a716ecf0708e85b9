package crm

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// A Key stands for the identity of a record where the identity itself must not
// go: in Redis and in the stage's key objects. It is 128 bits of a SHA-256
// under a secret of the import, so that neither a dictionary nor a crafted
// file gets anywhere with it.
type Key [16]byte

// ClaimKey returns the key of a record's identity under an import's secret.
// Parts are length-prefixed: ("ab", "c") and ("a", "bc") differ.
func ClaimKey(secret []byte, e Entity, parts ...string) Key {
	var some [512]byte // longer ones are notes
	b := append(append(some[:0], secret...), byte(e))
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return Key(sum[:16])
}

// MatchKey returns what identifies a contact or a note within its customer, as
// the tables keep it: 128 bits in the text form of a UUID. The rule is frozen:
// changing it would make every record a stranger to its next import.
func MatchKey(e Entity, parts ...string) string {
	return uuidText(ClaimKey(nil, e, parts...))
}

// EmailKey returns the external id of a customer known only by an e-mail
// address, which must be normalised and case folded already.
func EmailKey(address string) string { return "email:" + address }

// DomainKey returns the external id of a customer known only by the domain of
// its website: a host in lower case, without "www." and without a port.
func DomainKey(host string) string { return "domain:" + host }

// RecordID returns the id a record takes if an import creates it: a UUID,
// version 7. Its time is the import's start, the next 46 bits are the row's
// address, so that ids ascend as rows are read and all that an import created
// lies in one range, and the rest is a hash of the three.
//
// No two imports of a store start in the same millisecond, so ids do not
// repeat. a must be valid: see [Address.Fits].
func RecordID(started time.Time, e Entity, a Address) string {
	return uuidText(recordID(started.UnixMilli(), a, idHash(started, e, a)))
}

// IDRange returns the least and the greatest id that an import started at the
// given time can have given to a record.
func IDRange(started time.Time) (least, greatest string) {
	ms := started.UnixMilli()
	return uuidText(recordID(ms, 0, 0)), uuidText(recordID(ms, At(MaxFiles-1, 1<<lineIDBits-1), 1<<28-1))
}

// Fits reports whether a has room in a record's id: 16,384 files of
// 4,294,967,295 lines.
func (a Address) Fits() bool { return a.File() < MaxFiles && a.Line() < 1<<lineIDBits }

const lineIDBits = 32

// idHash mixes what a record's id depends on. It keeps the ids of entities and
// of stores apart and hides nothing, so a mixer of 64 bits will do: the
// finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
// Number Generators, 2014), once a part.
func idHash(started time.Time, e Entity, a Address) uint32 {
	h := mix(uint64(started.UnixMilli()))
	h = mix(h ^ uint64(a))
	h = mix(h ^ uint64(e))
	return uint32(h >> 36)
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// recordID lays out 48 bits of time, version 7, 12 + 34 bits of ordinal with
// the variant between them, and 28 bits of hash (RFC 9562, section 5.7).
func recordID(ms int64, a Address, hash uint32) [16]byte {
	ordinal := uint64(a.File())<<lineIDBits | uint64(a.Line())
	var b [16]byte
	binary.BigEndian.PutUint64(b[0:], uint64(ms)<<16|7<<12|ordinal>>34)
	binary.BigEndian.PutUint64(b[8:], 2<<62|(ordinal&(1<<34-1))<<28|uint64(hash&(1<<28-1)))
	return b
}

func uuidText(b [16]byte) string {
	var t [36]byte
	return string(appendUUID(t[:0], b))
}

func appendUUID(dst []byte, b [16]byte) []byte {
	var t [36]byte
	at := 0
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			t[at] = '-'
			at++
		}
		t[at], t[at+1] = hexDigits[c>>4], hexDigits[c&15]
		at += 2
	}
	return append(dst, t[:]...)
}

const hexDigits = "0123456789abcdef"
