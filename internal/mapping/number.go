package mapping

import (
	"math"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// maxDecimal bounds a decimal, in characters.
const maxDecimal = 100

// convertInteger reads a whole number of 64 bits. Separators of thousands are
// refused: "1,234" is one number here and another there.
func convertInteger(_ *reading, cell string) (string, crm.Reason) {
	n, ok := integer(cell)
	if !ok {
		return "", crm.ReasonBadInteger
	}
	return sameOr(cell, strconv.FormatInt(n, 10)), ""
}

// convertCount reads a whole number from 0 that a database's integer holds.
func convertCount(_ *reading, cell string) (string, crm.Reason) {
	n, ok := integer(cell)
	if !ok || n < 0 || n > math.MaxInt32 {
		return "", crm.ReasonBadInteger
	}
	return sameOr(cell, strconv.FormatInt(n, 10)), ""
}

// convertPlace is convertCount from 1.
func convertPlace(r *reading, cell string) (string, crm.Reason) {
	value, fault := convertCount(r, cell)
	if value == "0" {
		return "", crm.ReasonBadInteger
	}
	return value, fault
}

func integer(cell string) (int64, bool) {
	if len(cell) > maxDecimal {
		return 0, false
	}
	for i := range len(cell) {
		if cell[i]-'0' >= 10 && (i > 0 || cell[i] != '-' && cell[i] != '+') {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	return n, err == nil
}

// convertDecimal reads digits with at most one point. It is kept to the last
// digit: zeros that mean nothing are all it loses.
func convertDecimal(_ *reading, cell string) (string, crm.Reason) {
	sign, rest := "", cell
	switch {
	case strings.HasPrefix(cell, "-"):
		sign, rest = "-", cell[1:]
	case strings.HasPrefix(cell, "+"):
		rest = cell[1:]
	}
	whole, fraction, point := strings.Cut(rest, ".")
	if len(cell) > maxDecimal || whole+fraction == "" || point && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return "", crm.ReasonBadDecimal
	}
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
		if fraction == "" {
			return "0", ""
		}
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sameOr(cell, sign+whole+fraction), ""
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' >= 10 {
			return false
		}
	}
	return true
}

func sameOr(cell, value string) string {
	if value == cell {
		return cell
	}
	return value
}
