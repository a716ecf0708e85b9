package activities

import (
	"encoding/json"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestRowThatCouldNotBeReadIsRejectedAgainUntilItIsMended(t *testing.T) {
	t.Parallel()
	header := []string{"id", "name"}
	parent := crm.ImportRow{Files: []crm.FileRow{{Plan: json.RawMessage(`{"layout":{"header":["id","name"]}}`)}}}
	for name, c := range map[string]struct {
		reason crm.Reason
		was    []string
		cells  []string
		padded bool
		right  bool // its owner says that it is
		again  bool
	}{
		"as it was":               {crm.ReasonStrayQuote, []string{"1", "\"A\"nn"}, []string{"1", "\"A\"nn"}, false, false, true},
		"as a spreadsheet has it": {crm.ReasonTooManyCells, []string{"1 ", "a\r\nb", "x"}, []string{"1", "a\nb", "x", ""}, false, false, true},
		"mended":                  {crm.ReasonStrayQuote, []string{"1", "\"A\"nn"}, []string{"1", "Ann"}, false, false, false},
		"short":                   {crm.ReasonTooFewCells, []string{"1"}, []string{"1", ""}, false, false, true},
		"short, and may be":       {crm.ReasonTooFewCells, []string{"1"}, []string{"1", ""}, true, false, false},
		"half mended":             {crm.ReasonBadEncoding, []string{"1", "M\uFFFDller"}, []string{"2", "M\uFFFDller"}, false, false, true},
		"wholly mended":           {crm.ReasonBadEncoding, []string{"1", "M\uFFFDller"}, []string{"1", "Müller"}, false, false, false},
		"by way of a workbook":    {crm.ReasonBadCharacter, []string{"1", "M\x00ller"}, []string{"1", "M\uFFFDller"}, false, false, true},
		"a fault of its meaning":  {crm.ReasonBadEmail, []string{"1", "x"}, []string{"1", "x"}, false, false, false},

		"declared right":               {crm.ReasonStrayQuote, []string{"1", "\"A\"nn"}, []string{"1", "\"A\"nn"}, false, true, false},
		"declared right, and short":    {crm.ReasonTooFewCells, []string{"1"}, []string{"1", ""}, false, true, false},
		"declared right, but lost":     {crm.ReasonBadEncoding, []string{"1", "M\uFFFDller"}, []string{"1", "M\uFFFDller"}, false, true, true},
		"declared right, but lost too": {crm.ReasonStrayQuote, []string{"1", "\"A\"\x00"}, []string{"1", "\"A\"\x00"}, false, true, true},
		"declared right, and mended":   {crm.ReasonStrayQuote, []string{"1", "\"A\"nn"}, []string{"1", "Ann"}, false, true, false},
		"declared right with no lost":  {crm.ReasonBadCharacter, []string{"1", "a"}, []string{"1", "a"}, false, true, false},
	} {
		var list strings.Builder
		for _, r := range []crm.RejectedRow{
			{Line: 2, Faults: []crm.Rejection{{Reason: crm.ReasonStrayQuote}}, Cells: c.cells},
			{Line: 5, Faults: []crm.Rejection{{Reason: crm.ReasonRequired}, {Reason: c.reason}}, Cells: c.was},
		} {
			if err := json.NewEncoder(&list).Encode(r); err != nil {
				t.Fatal(err)
			}
		}
		w, err := newRejectedBefore(strings.NewReader(list.String()), parent)
		if err != nil {
			t.Fatal(err)
		}
		want := crm.Reason("")
		if c.again {
			want = c.reason
		}
		for _, at := range []struct {
			line int64
			want crm.Reason
		}{{3, ""}, {5, want}, {9, ""}} { // between, at and behind the rows that were rejected
			if got, err := w.fault(crm.At(0, at.line), header, c.cells, c.padded, c.right); got != at.want || err != nil {
				t.Errorf("%s: line %d: %q, %v; want %q", name, at.line, got, err, at.want)
			}
		}
	}
}
