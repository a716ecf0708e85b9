package mapping

import (
	"slices"
	"testing"

	"sluice/internal/crm"
)

var placeCells = slices.Concat(accept("1", "1", "01", "+1"), accept("2147483647", "2147483647"), reject(crm.ReasonBadInteger, "0", "-1", "2147483648", "CEO", "1.0", "0:00:01", "\xff"))

func TestPlace(t *testing.T) {
	t.Parallel()
	checkType(t, placeType, reading{}, placeCells)
}
