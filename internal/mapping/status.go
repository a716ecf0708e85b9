package mapping

import "sluice/internal/crm"

// convertStatus reads a lead status without regard to case, spaces, hyphens and
// underscores: "Qualified Lead", "qualified_lead". The states of a subscriber
// come from billing alone, so they are refused here.
func convertStatus(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	return word(cell, crm.ReasonBadStatus, "New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead")
}

// convertBilled reads the status of a customer as billing gives it.
func convertBilled(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	return word(cell, crm.ReasonBadStatus, crm.StatusNewLead, "Working Lead", "Qualified Lead", "Unqualified Lead",
		crm.StatusActive, crm.StatusPastDue, crm.StatusCancelled)
}

// word returns the one of words that has the letters and digits of cell,
// without regard to case; if there is none, the fault.
func word(cell string, fault crm.Reason, words ...string) (string, crm.Reason) {
	for _, w := range words {
		if cell == w {
			return w, ""
		}
	}
	plain := plainText(cell)
	for _, w := range words {
		if sameWord(plain, w) {
			return w, ""
		}
	}
	return "", fault
}

// sameWord reports whether a and b have the same letters and digits, without
// regard to case.
func sameWord(a, b string) bool {
	var x, y [32]byte
	fa, fb := foldASCII(x[:], a), foldASCII(y[:], b)
	return fa != nil && string(fa) == string(fb)
}
