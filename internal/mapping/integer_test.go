package mapping

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
)

var integerCells = slices.Concat([]cellTest{
	{in: "7", want: "7"}, {in: "+007", want: "7"}, {in: "-0", want: "0"}, {in: "\u22125", want: "-5"}, {in: "９", want: "9"},
	{in: "9223372036854775807", want: "9223372036854775807"}, {in: "-9223372036854775808", want: "-9223372036854775808"},
	{in: "1,234,567", want: "1234567"}, {in: "1 234", want: "1234"}, {in: "-1\u202f234\u00a0567", want: "-1234567"}, {in: "1'234", want: "1234"}, {in: "1’234", want: "1234"},
}, reject(crm.ReasonBadInteger, "1.0", "1.000", "1,000", "1.234.567", "1,23", "1,2345", "0,123", ",123", "1,,234", "1,234 567", "1 234,567", "12 34", "1e5", "9223372036854775808", "0x1", "1_000", "-", "+", "--1", "1-", "one", "$5", "5 %", "٣", "\xff", strings.Repeat("0", 200)))

func TestInteger(t *testing.T) {
	t.Parallel()
	checkType(t, Integer, reading{}, integerCells)
}

func TestThousandsAreDividedByWhatIsNoDecimal(t *testing.T) {
	t.Parallel()
	checkType(t, Integer, reading{decimal: '.'}, append(reject(crm.ReasonBadInteger, "1.000", "1,00", "0,100"), cellTest{in: "1,000", want: "1000"}))
	checkType(t, Integer, reading{decimal: ','}, append(reject(crm.ReasonBadInteger, "1,000", "1.00"), cellTest{in: "1.000", want: "1000"}, cellTest{in: "1 000", want: "1000"}))
}
