package mapping

import (
	"slices"
	"testing"

	"sluice/internal/crm"
)

var secondsCells = slices.Concat([]cellTest{
	{in: "060", want: "60"}, {in: "0", want: "0"}, {in: "2147483647", want: "2147483647"}, {in: "1:02:03", want: "3723"}, {in: "00:00:45", want: "45"}, {in: "100:00:00", want: "360000"},
}, reject(crm.ReasonBadInteger, "-1", "2147483648", "0:30", "1:2:3", "0:60:00", "0:00:60", "10000:00:00", ":00:00", "1:02:03.5", "1:02:03 ", "-1:00:00", "62s", "5 min", "1.5", "\xff"))

func TestSeconds(t *testing.T) {
	t.Parallel()
	checkType(t, countType, reading{}, secondsCells)
}
