package mapping

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
)

var keyCells = slices.Concat([]cellTest{
	{in: "007", want: "007"}, {in: "cus_1", want: "cus_1"}, {in: "9007199254740993", want: "9007199254740993"}, {in: "Zoe\u0308", want: "Zoë"},
	{in: "1e5", want: "1e5"}, {in: "1E5", want: "1E5"}, {in: "1E+15", want: "1E+15"}, {in: "1.5E+9", want: "1.5E+9"}, {in: "1.5e+15", want: "1.5e+15"}, {in: "12.5E+15", want: "12.5E+15"},
	{in: "1.5E-15", want: "1.5E-15"}, {in: "1.E+15", want: "1.E+15"}, {in: "1.5E+15a", want: "1.5E+15a"}, {in: "-1.5E+15", want: "-1.5E+15"}, {in: "x1.5E+15", want: "x1.5E+15"},
	{in: "1.2.3E+15", want: "1.2.3E+15"}, {in: "1.23E+", want: "1.23E+"}, {in: strings.Repeat("a", 1024), want: strings.Repeat("a", 1024)},
	{in: strings.Repeat("a", 1025), fault: crm.ReasonTooLong}, {in: strings.Repeat("ü", 513), fault: crm.ReasonTooLong}, {in: "a\x00", fault: crm.ReasonBadCharacter},
}, reject(crm.ReasonDamagedNumber, "1.23457E+15", "4.15555E+09", "1.2E+10", "9.00719925474099E+15", "1,23457E+15", "1.5E+100"))

func TestIDsAreTextsThatNobodyHasCut(t *testing.T) {
	t.Parallel()
	checkType(t, keyType, reading{}, keyCells)
}
