package activities

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

func TestRowWithAnErrorInACellNamesItsColumns(t *testing.T) {
	t.Parallel()
	header := []string{"id", "name", "name", "city"}
	of := func(reason crm.Reason, columns ...string) (out []crm.Rejection) {
		for _, c := range columns {
			out = append(out, crm.Rejection{Column: c, Reason: reason})
		}
		return out
	}
	for name, c := range map[string]struct {
		fault crm.Reason
		cells []string
		want  []crm.Rejection
	}{
		"one":                   {crm.ReasonCellError, []string{"1", "#N/A", "", "Ulm"}, of(crm.ReasonCellError, "name")},
		"two":                   {crm.ReasonCellError, []string{"#REF!", "Ann", "", " #DIV/0! "}, of(crm.ReasonCellError, "id", "city")},
		"two columns of a name": {crm.ReasonCellError, []string{"1", "#N/A", "#N/A", ""}, of(crm.ReasonCellError, "name")},
		"an error nobody knows": {crm.ReasonCellError, []string{"1", "#NEW!", "", "x"}, of(crm.ReasonCellError, "")},
		"a short row":           {crm.ReasonCellError, []string{"#N/A"}, of(crm.ReasonCellError, "id")},
		"beyond the header":     {crm.ReasonCellError, []string{"1", "", "", "", "#N/A"}, of(crm.ReasonCellError, "")},
		"another fault":         {crm.ReasonNoValue, []string{"1", "#N/A", "", ""}, of(crm.ReasonNoValue, "")},
	} {
		got := unreadable(&crm.Row{Fault: c.fault, Cells: c.cells}, header)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
