package mapping

import (
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// convertInteger reads a whole number of 64 bits: see [plainNumber] for
// separators of thousands. A fraction is refused, even of zeros: "1.000" is a
// thousand to some.
func convertInteger(r *reading, _ *memory, cell string) (string, crm.Reason) {
	n, ok := integer(r, cell)
	if !ok {
		return "", crm.ReasonBadInteger
	}
	return decimalText(cell, n), ""
}

func integer(r *reading, cell string) (int64, bool) {
	number, ok := plainNumber(r, cell)
	if !ok || strings.Contains(number, ".") {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return n, err == nil
}

// decimalText returns n in digits: cell itself if that is how it is written.
func decimalText(cell string, n int64) string {
	var buf [20]byte
	text := strconv.AppendInt(buf[:0], n, 10)
	if string(text) == cell {
		return cell
	}
	return string(text)
}
