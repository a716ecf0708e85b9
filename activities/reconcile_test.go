package activities

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

func TestReportHintsAtWhatWasNoticedAndNotActedOn(t *testing.T) {
	t.Parallel()
	row := func(name string, ds ...crm.Decision) crm.FileRow {
		return crm.FileRow{File: crm.File{Name: name}, Decisions: ds}
	}
	totals := crm.Decision{About: "footer", Choice: crm.NoneAtAll, Evidence: "set footer to 1"}
	notes := crm.Decision{About: "comments", Choice: crm.NoneAtAll, Evidence: "set comment to #"}
	of := func(several bool, rows ...crm.FileRow) []string {
		var r crm.Report
		for _, row := range rows {
			hint(&r, row, several)
		}
		return r.Hints
	}
	for name, c := range map[string]struct{ got, want []string }{
		"one file": {of(false, row("a.csv", notes, totals)), []string{"set comment to #", "set footer to 1"}},
		"several":  {of(true, row("a.csv"), row("b.csv", totals)), []string{"b.csv: set footer to 1"}},
		"what was set, and what has no remedy": {of(false, row("a.csv",
			crm.Decision{About: "footer", Choice: "1 row", Evidence: "as set"},
			crm.Decision{About: "quote", Choice: crm.NoneAtAll, Evidence: "no quotes"},
			crm.Decision{About: "comments", Choice: crm.NoneAtAll})), nil},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var many []crm.FileRow
	for i := range crm.MaxHints {
		many = append(many, row(fmt.Sprint(i), notes, totals))
	}
	if got := of(true, many...); len(got) != crm.MaxHints {
		t.Errorf("%d hints of many files, want %d", len(got), crm.MaxHints)
	}
}
