package mapping

import (
	"math"

	"sluice/internal/crm"
)

// convertPlace reads a place in an order: a whole number from 1 that a
// database's integer holds.
func convertPlace(r *reading, _ *memory, cell string) (string, crm.Reason) {
	n, ok := integer(r, cell)
	if !ok || n < 1 || n > math.MaxInt32 {
		return "", crm.ReasonBadInteger
	}
	return decimalText(cell, n), ""
}
