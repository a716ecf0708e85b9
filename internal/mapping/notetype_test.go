package mapping

import (
	"slices"
	"testing"

	"sluice/internal/crm"
)

var noteTypeCells = slices.Concat(accept("note", "note", "Note", "NOTE"), accept("call", "call", "CALL"), reject(crm.ReasonBadNoteType, "mail", "notes", "-", "\xff"))

func TestNoteType(t *testing.T) {
	t.Parallel()
	checkType(t, noteType, reading{}, noteTypeCells)
}
