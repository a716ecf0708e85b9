package mapping

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
)

var decimalCells = slices.Concat([]cellTest{
	{in: "1.50", want: "1.5"}, {in: "+01.0", want: "1"}, {in: ".5", want: "0.5"}, {in: ".50", want: "0.5"}, {in: "-0.0", want: "0"}, {in: "-0", want: "0"}, {in: "-0.10", want: "-0.1"}, {in: "-.5", want: "-0.5"}, {in: "0", want: "0"}, {in: "007", want: "7"},
	{in: "12345678901234567890.123456789", want: "12345678901234567890.123456789"}, {in: "1.234", want: "1.234"},
	{in: "1,234.5", want: "1234.5"}, {in: "1,234,567", want: "1234567"}, {in: "1 234.50", want: "1234.5"}, {in: "1'234'567.8", want: "1234567.8"}, {in: "\u22121.5", want: "-1.5"},
}, reject(crm.ReasonBadDecimal, "1,5", "1,234", "1.234,56", "1.", ".", "-", "+", "", "1e5", "1.2.3", "1.234.567", "1,23.4", "1,234.", "1.5,5", "1.234 567", "NaN", "Inf", "$5", "5€", "5 %", "(5)", "5-", "- 5", "\xff", strings.Repeat("1", 101)))

func TestDecimal(t *testing.T) {
	t.Parallel()
	checkType(t, Decimal, reading{}, decimalCells)
}

func TestDecimalsFollowTheirColumn(t *testing.T) {
	t.Parallel()
	checkType(t, Decimal, reading{decimal: ','}, append(reject(crm.ReasonBadDecimal, "1.5", "1,234.56", "1,", "1,2,3", "0.123", "1.23,4"), []cellTest{
		{in: "1,5", want: "1.5"}, {in: "1.234,56", want: "1234.56"}, {in: "1.234", want: "1234"}, {in: "-1 234,50", want: "-1234.5"}, {in: "0,50", want: "0.5"}, {in: "7", want: "7"}, {in: ",5", want: "0.5"}, {in: "1'234,5", want: "1234.5"},
	}...))
	checkType(t, Decimal, reading{decimal: '.'}, append(reject(crm.ReasonBadDecimal, "1,5", "1.234,56"), []cellTest{{in: "1,234", want: "1234"}, {in: "1.234", want: "1.234"}}...))
}
