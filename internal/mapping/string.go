package mapping

import (
	"unicode/utf8"

	"sluice/internal/crm"
)

// maxAttribute bounds a custom attribute of type String, in characters.
const maxAttribute = 255

// convertString keeps the text of a custom attribute, which has a length.
func convertString(r *reading, _ *memory, cell string) (string, crm.Reason) {
	value, fault := convertText(r, nil, cell)
	if len(value) > maxAttribute && utf8.RuneCountInString(value) > maxAttribute {
		return "", crm.ReasonTooLong
	}
	return value, fault
}
