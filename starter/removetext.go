package main

import (
	"fmt"
	"strings"
	"time"

	"sluice/internal/crm"
)

// A removalReport is the end of a removal, for people and scripts. Its JSON keys
// are API.
type removalReport struct {
	Source   string       `json:"source"`
	State    crm.State    `json:"state"`
	Removed  crm.Holdings `json:"removed"`
	Of       crm.Holdings `json:"of"`       // what there was when it was first begun
	Schedule bool         `json:"schedule"` // the source had one
	Secrets  bool         `json:"secrets"`
	Seconds  float64      `json:"seconds"`
	Failure  *crm.Failure `json:"failure,omitempty"`
}

// holdings lists what a source holds, in the order in which it is told.
func holdings(h crm.Holdings) []struct {
	name string
	n    int64
} {
	return []struct {
		name string
		n    int64
	}{{"customers", h.Customers}, {"contacts", h.Contacts}, {"notes", h.Notes}, {"subscriptions", h.Subscriptions},
		{"imports", h.Imports}, {"batches in the ledger", h.Batches}, {"files of imports", h.Files}, {"before-images", h.BeforeImages}}
}

// recordsText is what a source holds in a few words.
func recordsText(h crm.Holdings) string {
	return fmt.Sprintf("%s, %s and %s", count(h.Customers, "customer"), count(h.Contacts, "contact"), count(h.Notes, "note"))
}

// removalPlanText says what goes with a source, and that it cannot be taken back.
func removalPlanText(p crm.RemovalPlan, database string) string {
	var rows [][]string
	for _, h := range holdings(p.Left) {
		rows = append(rows, []string{h.name, number(h.n)})
	}
	text := fmt.Sprintf("Source %s: what goes with it\n\n%s", p.Source, indent(grid(nil, rows, 1)))
	rows = [][]string{{"schedule", goes(p.Schedule)}, {"secrets", goes(p.Secrets)}, {"database", database}}
	if at := p.Removing; at != nil {
		rows = append(rows, []string{"being removed", fmt.Sprintf("since %s; gone already: %s", when(at.At), recordsText(at.Gone))})
	}
	for _, id := range p.Backfills {
		rows = append(rows, []string{"in the way", "backfill " + id + " names it"})
	}
	if p.Open > 0 {
		rows = append(rows, []string{"in the way", fmt.Sprintf("import %d has not ended", p.Open)})
	}
	rows = append(rows, []string{"afterwards", "nothing brings it back, and none of its imports can be undone"})
	return text + "\n" + indent(grid(nil, rows))
}

func goes(has bool) string {
	if has {
		return "goes too"
	}
	return "none"
}

// removalText is the end of a removal for people.
func removalText(r removalReport, database string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Source %s: %s\n", r.Source, removalEnd(r))
	if r.Failure != nil {
		fmt.Fprintf(&b, "\n  %s\n", failureText(*r.Failure))
	}
	of := holdings(r.Of)
	var rows [][]string
	for i, h := range holdings(r.Removed) {
		rows = append(rows, []string{h.name, number(h.n), number(of[i].n)})
	}
	b.WriteString("\n" + indent(grid([]string{"", "removed", "of"}, rows, 1, 2)))
	rows = [][]string{{"time", spell(time.Duration(r.Seconds * float64(time.Second)))}, {"database", database}}
	if r.State != crm.Done {
		rows = append(rows, []string{"the rest", "starter sources remove " + r.Source})
	}
	b.WriteString("\n" + indent(grid(nil, rows)))
	return b.String()
}

func removalEnd(r removalReport) string {
	if r.State == crm.Done {
		return "removed"
	}
	return fmt.Sprintf("removal %s; what is gone stays gone, and nothing is imported into it any more", stateText(r.State))
}

// removalTally is how far a removal is.
func removalTally(p crm.Progress) string {
	gone, total := p.Removing.Gone, p.Removing.Total
	text := fmt.Sprintf("  customers %s of %s   contacts %s   notes %s   imports %s of %s", number(gone.Customers), number(total.Customers),
		number(gone.Contacts), number(gone.Notes), number(gone.Imports), number(total.Imports))
	if p.Remaining > 0 && p.State == crm.Running {
		text += "   about " + roughly(p.Remaining) + " left"
	}
	return text
}
