package mapping

import "sluice/internal/crm"

// maxKeyBytes bounds an external id: an entry of a PostgreSQL index has room
// for 2,704 bytes.
const maxKeyBytes = 1024

// convertKey keeps an external id as it is: it is a text, whatever it looks
// like. One that a spreadsheet has cut to its first digits is refused, since
// others may have been cut to the same.
func convertKey(r *reading, _ *memory, cell string) (string, crm.Reason) {
	if damagedNumber(cell) {
		return "", crm.ReasonDamagedNumber
	}
	value, fault := convertText(r, nil, cell)
	if len(value) > maxKeyBytes {
		return "", crm.ReasonTooLong
	}
	return value, fault
}

// damagedNumber reports whether a cell is what spreadsheets write for a long
// number in a narrow cell: a digit, a point or comma, digits, and E+ with two
// digits or more, as in "4.15555E+09". An id such as "1e5" is none.
func damagedNumber(cell string) bool {
	const shortest = len("1.0E+10")
	if len(cell) < shortest || cell[0]-'0' >= 10 || cell[1] != '.' && cell[1] != ',' {
		return false
	}
	e := 2
	for e < len(cell) && cell[e]-'0' < 10 {
		e++
	}
	if e == 2 || len(cell)-e < len("E+10") || cell[e:e+2] != "E+" {
		return false
	}
	return allDigits(cell[e+2:])
}
