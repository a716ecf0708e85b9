package activities

import (
	"encoding/json"
	"strings"
	"testing"

	"sluice/internal/crm"
)

// TestBatchIsAClaimCheck holds the largest reference that Parse can make against
// what internal/crm promises (invariant 2).
func TestBatchIsAClaimCheck(t *testing.T) {
	t.Parallel()
	prefix := batchKey("0193f3a0-7b1c-7d2e-8f3a-4b5c6d7e8f90", "0193f3a0-10000-100", 10_000_000)
	object := func(name string) crm.Object {
		return crm.Object{Key: prefix + "/" + name, Size: 16 << 20, BLAKE3: strings.Repeat("f", 64)}
	}
	const rows = 1_000_000
	b := crm.Batch{Number: 10_000_000, File: crm.MaxFiles - 1, First: 1<<32 - rows, Last: 1<<32 - 1,
		From:   crm.Position{Offset: 1 << 45, Line: 1<<32 - 1},
		Counts: crm.RowTally{Read: rows, Blank: rows, Rejected: rows, Warnings: 10 * rows},
		Keys:   object("keys"), Rejects: object("rejects.zst"), Warned: object("warned.zst")}
	for _, e := range crm.Entities {
		*b.Part(e) = crm.Part{Object: object(e.Plural() + ".zst"), Records: rows}
	}
	text, err := json.Marshal(b)
	if err != nil || len(text) >= 1600 {
		t.Errorf("a batch encodes to %d bytes, %v; want under 1,600", len(text), err)
	}
}
