package mapping

import (
	"strings"
	"testing"

	"sluice/internal/crm"
)

var stringCells = []cellTest{
	{in: "007", want: "007"}, {in: "1.23457E+15", want: "1.23457E+15"},
	{in: strings.Repeat("ü", 255), want: strings.Repeat("ü", 255)}, {in: strings.Repeat("e\u0308", 255), want: strings.Repeat("ë", 255)},
	{in: strings.Repeat("ü", 256), fault: crm.ReasonTooLong}, {in: strings.Repeat("a", 256), fault: crm.ReasonTooLong},
}

func TestStringsHave255Characters(t *testing.T) {
	t.Parallel()
	checkType(t, String, reading{}, stringCells)
}
