package mapping

import (
	"strings"

	"sluice/internal/crm"
)

// convertDecimal reads a number, and writes it with a point before its
// fraction. It is kept to the last digit: zeros that mean nothing are all it
// loses. Exponents, signs of a currency and percents are refused: they say
// more than the number does.
//
// In a column of decimal commas a value in canonical form is another number,
// or none: "1.234" is written so for a thousand.
func convertDecimal(r *reading, _ *memory, cell string) (string, crm.Reason) {
	number, ok := plainNumber(r, cell)
	if !ok {
		return "", crm.ReasonBadDecimal
	}
	return canonicalDecimal(number), ""
}

// canonicalDecimal writes a plain number without plus and zeros that mean
// nothing.
func canonicalDecimal(number string) string {
	rest, minus := strings.CutPrefix(number, "-")
	rest, plus := strings.CutPrefix(rest, "+")
	whole, fraction, point := strings.Cut(rest, ".")
	short := strings.TrimLeft(whole, "0")
	cut := strings.TrimRight(fraction, "0")
	switch {
	case short == "" && cut == "":
		return "0"
	case short == "":
		short = "0"
	}
	if !plus && short == whole && cut == fraction && point == (cut != "") {
		return number
	}
	if minus {
		short = "-" + short
	}
	if cut != "" {
		short += "." + cut
	}
	return short
}
