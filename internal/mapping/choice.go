package mapping

import "sluice/internal/crm"

// Choice is the type of a custom attribute that has one of the values which
// its column lists, kept as a text.
const Choice Type = "choice"

// convertChoice reads one of a column's values, without regard to case. What
// it may become is listed beside what is written for it, so that a value again
// gives itself.
func convertChoice(r *reading, _ *memory, cell string) (string, crm.Reason) {
	value, ok := r.choices[cell]
	if !ok {
		value, ok = r.choices[wordKey(cell)]
	}
	if !ok {
		return "", crm.ReasonBadChoice
	}
	return value, ""
}
