package mapping

import (
	"math"

	"sluice/internal/crm"
)

// convertSeconds reads a length of time as whole seconds from 0 that a
// database's integer holds, or as hours, minutes and seconds: "3723",
// "1:02:03". "2:05" is refused: telephone systems mean minutes by it, and
// spreadsheets hours.
func convertSeconds(r *reading, _ *memory, cell string) (string, crm.Reason) {
	n, ok := integer(r, cell)
	if !ok {
		n, ok = clock(cell)
	}
	if !ok || n < 0 || n > math.MaxInt32 {
		return "", crm.ReasonBadInteger
	}
	return decimalText(cell, n), ""
}

// clock reads h:mm:ss, with up to four digits for the hours.
func clock(cell string) (seconds int64, ok bool) {
	c := scanner{s: cell}
	hours, hw := c.number(4)
	if hw == 0 || !c.take(':') {
		return 0, false
	}
	minutes, mw := c.number(2)
	if mw != 2 || minutes > 59 || !c.take(':') {
		return 0, false
	}
	secs, sw := c.number(2)
	if sw != 2 || secs > 59 || !c.end() {
		return 0, false
	}
	return int64(hours)*3600 + int64(minutes)*60 + int64(secs), true
}
