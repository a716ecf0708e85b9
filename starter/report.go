package main

import (
	"fmt"
	"strings"
	"time"

	"sluice/internal/crm"
)

// places says where what an import left behind can be found. Empty fields are
// left out of the report.
type places struct {
	Database string // never with a password
	Link     string // the import's page in the Temporal UI
}

// reportText is the end of an import for people: what became of the rows and
// of the records they carry, why rows were rejected, how long it took, and
// where everything lies.
func reportText(r crm.Report, at places) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", headline(r))
	if r.Failure != nil {
		fmt.Fprintf(&b, "\n  %s\n", failureText(*r.Failure))
	}
	if r.State == crm.AlreadyImported {
		b.WriteString("\n" + indent(grid(nil, [][]string{
			{"earlier", "starter imports show " + r.Earlier}, {"again", "import it once more with --again"},
		})))
		return b.String()
	}
	b.WriteString("\n" + indent(rowsTable(r.Counts)))
	b.WriteString("\n" + indent(recordsTable(r.Counts)))
	if len(r.Rejects) > 0 {
		b.WriteString("\n" + indent(rejectsTable(r.Rejects)))
	}
	b.WriteString("\n" + indent(placesTable(r, at)))
	return b.String()
}

// headline says in one line which import it is and how it ended.
func headline(r crm.Report) string {
	subject := "Import of " + r.Source
	if r.Number > 0 {
		subject = fmt.Sprintf("Import %d of %s", r.Number, r.Source)
	}
	switch {
	case r.State == crm.AlreadyImported:
		return subject + ": already imported, nothing was done"
	case r.State == crm.Done && r.Rejected > 0:
		return fmt.Sprintf("%s: done, %s rejected", subject, count(r.Rejected, "row"))
	case r.State == crm.Cancelled, r.State == crm.Failed, r.State == crm.Interrupted:
		return fmt.Sprintf("%s: %s; %s", subject, r.State, remains(r.Counts))
	}
	return fmt.Sprintf("%s: %s", subject, strings.ReplaceAll(string(r.State), "_", " "))
}

// remains says what an import that did not get through leaves behind.
func remains(c crm.Counts) string {
	for _, e := range crm.Entities {
		if t := c.Of(e); t.Created+t.Updated > 0 {
			return "what was written stays"
		}
	}
	return "nothing was written"
}

// failureText says why an import failed: at which step, and what to do.
func failureText(f crm.Failure) string {
	text := plain(f.Message)
	if f.Step != "" {
		text = f.Step + ": " + text
	}
	return fmt.Sprintf("%s (%s)", text, f.Type)
}

func rowsTable(c crm.Counts) string {
	return grid([]string{"", "read", "blank", "rejected", "duplicate", "accepted", "unprocessed", "warnings"},
		[][]string{{"rows     ", // as wide as the word customers, so that the tables line up
			number(c.Read), number(c.Blank), number(c.Rejected), number(c.Duplicate),
			number(c.Accepted), number(c.Unprocessed), number(c.Warnings)}}, 1, 2, 3, 4, 5, 6, 7)
}

func recordsTable(c crm.Counts) string {
	var rows [][]string
	for _, e := range crm.Entities {
		t := c.Of(e)
		rows = append(rows, []string{e.Plural(), number(t.Records), number(t.Created), number(t.Updated),
			number(t.Unchanged), number(t.Duplicate)})
	}
	return grid([]string{"", "records", "created", "updated", "unchanged", "duplicate"}, rows, 1, 2, 3, 4, 5)
}

func rejectsTable(groups []crm.RejectGroup) string {
	var rows [][]string
	for _, g := range groups {
		column, line := g.Column, number(g.FirstLine)
		if column == "" {
			column = "(whole row)"
		}
		if g.FirstLine == 0 {
			line = ""
		}
		rows = append(rows, []string{string(g.Reason), column, number(g.Count), line})
	}
	return grid([]string{"rejected", "column", "rows", "first line"}, rows, 2, 3)
}

func placesTable(r crm.Report, at places) string {
	took := spell(time.Duration(r.Seconds * float64(time.Second)))
	if rate := perSecond(r.RowsPerSecond); rate != "" {
		took += ", " + rate
	}
	rows := [][]string{{"time", took}}
	add := func(what, where string) {
		if where != "" {
			rows = append(rows, []string{what, where})
		}
	}
	add("database", at.Database)
	if r.Rejected > 0 {
		add("rejected rows", "starter imports rejects "+reference(r))
	}
	add("details", "starter imports show "+reference(r))
	add("Temporal", at.Link)
	return grid(nil, rows)
}

// reference is the shortest name of an import that commands take.
func reference(r crm.Report) string {
	if r.Number > 0 {
		return fmt.Sprint(r.Number)
	}
	return r.ImportID
}

// complete fills what only the command knows into a report before it is
// printed as JSON, where a list is never null.
func complete(r crm.Report) crm.Report {
	if r.Rejects == nil {
		r.Rejects = []crm.RejectGroup{}
	}
	if r.RejectFile == "" && r.Rejected > 0 {
		r.RejectFile = "starter imports rejects " + reference(r)
	}
	return r
}

// printReport writes a report to standard output.
func (p *printer) printReport(r crm.Report, at places) error {
	if p.json {
		return p.object(complete(r))
	}
	return p.data(reportText(r, at))
}
