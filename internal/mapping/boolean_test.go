package mapping

import (
	"slices"
	"testing"

	"sluice/internal/crm"
)

var booleanCells = slices.Concat(
	accept("true", "TRUE", "true", "t", "1", "Yes", "y", "on", "WAHR", "VRAI", "VERDADERO", "VERO", "VERDADEIRO", "WAAR"),
	accept("false", "FALSE", "false", "F", "0", "no", "N", "off", "FALSCH", "FAUX", "FALSO", "ONWAAR"),
	reject(crm.ReasonBadBoolean, "maybe", "2", "-1", "truee", "x", "✓", "-", "tru", "1.0", "verdadeiros", "\xff"))

func TestBoolean(t *testing.T) {
	t.Parallel()
	checkType(t, Boolean, reading{}, booleanCells)
}
