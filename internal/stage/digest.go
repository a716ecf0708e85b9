package stage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/zeebo/blake3"

	"sluice/internal/crm"
)

// A digest sums up bytes under a name, as [crm.Object.Digest] holds it. The
// zero digest takes none.
type digest struct {
	hash.Hash
	name string
}

// newSHA256 is for what has its key by its content: every machine has a
// program that checks it.
func newSHA256() digest { return digest{sha256.New(), "sha256:"} }

// newBLAKE3 is for all else. Batches are summed up whenever they are put or
// read, and where the processor has no instructions for SHA-256 this is ten
// times as fast and no weaker: nobody finds two objects of one digest.
func newBLAKE3() digest { return digest{blake3.New(), "blake3:"} }

// digestFor returns the kind that text is of.
func digestFor(text string) (digest, error) {
	for _, d := range []func() digest{newBLAKE3, newSHA256} {
		if d := d(); strings.HasPrefix(text, d.name) {
			return d, nil
		}
	}
	return digest{}, fmt.Errorf("%w: its digest is of no kind this program knows", crm.ErrInvalid)
}

func (d digest) hex() string { return hex.EncodeToString(d.Sum(nil)) }

func (d digest) String() string { return d.name + d.hex() }
