package mapping

import "sluice/internal/crm"

// convertStatus reads a lead status without regard to case, spaces and
// underscores. The states of a subscriber come from billing alone, so they are
// refused here.
func convertStatus(_ *reading, cell string) (string, crm.Reason) {
	for _, word := range [...]string{"New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead"} {
		if cell == word || sameWord(cell, word) {
			return word, ""
		}
	}
	return "", crm.ReasonBadStatus
}

// convertNoteType reads the type of a note.
func convertNoteType(_ *reading, cell string) (string, crm.Reason) {
	for _, word := range [...]string{"note", "call"} {
		if sameWord(cell, word) {
			return word, ""
		}
	}
	return "", crm.ReasonBadNoteType
}

// sameWord reports whether a and b have the same letters and digits, without
// regard to case.
func sameWord(a, b string) bool {
	var x, y [32]byte
	fa, fb := foldASCII(x[:], a), foldASCII(y[:], b)
	return fa != nil && string(fa) == string(fb)
}

// convertBoolean reads the words for true and false.
func convertBoolean(_ *reading, cell string) (string, crm.Reason) {
	var buf [8]byte
	if len(cell) > len("false") {
		return "", crm.ReasonBadBoolean
	}
	n := copy(buf[:], cell)
	for i := range n {
		buf[i] = lower(buf[i])
	}
	switch string(buf[:n]) {
	case "true", "t", "yes", "y", "1":
		return "true", ""
	case "false", "f", "no", "n", "0":
		return "false", ""
	}
	return "", crm.ReasonBadBoolean
}
