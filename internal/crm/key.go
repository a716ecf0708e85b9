package crm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
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
	h := sha256.New()
	h.Write(secret)
	h.Write([]byte{byte(e)})
	var n [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var sum [sha256.Size]byte
	return Key(h.Sum(sum[:0])[:16])
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

func idHash(started time.Time, e Entity, a Address) uint32 {
	var b [17]byte
	binary.BigEndian.PutUint64(b[0:], uint64(started.UnixMilli()))
	binary.BigEndian.PutUint64(b[8:], uint64(a))
	b[16] = byte(e)
	sum := sha256.Sum256(b[:])
	return binary.BigEndian.Uint32(sum[:]) >> 4
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
	hex.Encode(t[0:8], b[0:4])
	t[8] = '-'
	hex.Encode(t[9:13], b[4:6])
	t[13] = '-'
	hex.Encode(t[14:18], b[6:8])
	t[18] = '-'
	hex.Encode(t[19:23], b[8:10])
	t[23] = '-'
	hex.Encode(t[24:36], b[10:16])
	return string(t[:])
}
