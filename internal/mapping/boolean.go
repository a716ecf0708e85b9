package mapping

import "sluice/internal/crm"

// convertBoolean reads the words for true and false, without regard to case:
// the usual ones of English, and those that spreadsheets write in the languages
// of their owners. A mark such as "x" is none of them: what its absence means
// only the owner knows, who can say so with values.
func convertBoolean(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	const longest = len("verdadeiro")
	if len(cell) > longest {
		return "", crm.ReasonBadBoolean
	}
	var buf [longest]byte
	n := copy(buf[:], cell)
	for i := range n {
		buf[i] = lower(buf[i])
	}
	switch string(buf[:n]) {
	case "true", "t", "yes", "y", "1", "on", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar":
		return "true", ""
	case "false", "f", "no", "n", "0", "off", "falsch", "faux", "falso", "onwaar":
		return "false", ""
	}
	return "", crm.ReasonBadBoolean
}
