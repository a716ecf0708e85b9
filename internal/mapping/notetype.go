package mapping

import "sluice/internal/crm"

// convertNoteType reads the type of a note.
func convertNoteType(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	return word(cell, crm.ReasonBadNoteType, "note", "call")
}
