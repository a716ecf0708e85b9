package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/internal/crm"
)

// reportText is the end of an import for people: what became of the rows and
// of the records they carry, why rows were rejected, how long it took, and
// where everything lies.
func reportText(r crm.Report, at aside) string {
	if r.Undo != nil {
		return undoText(r, at)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", headline(r, at.Parent))
	if r.Failure != nil {
		fmt.Fprintf(&b, "\n  %s\n", failureText(*r.Failure))
	}
	part := func(text string) { b.WriteString("\n" + indent(text)) }
	if r.State == crm.AlreadyImported {
		part(earlierTable(r, at))
		return b.String()
	}
	part(rowsTable(r.Counts))
	part(recordsTable(r.Counts))
	if len(r.Changes) > 0 {
		part(changesTable(r.Changes))
	}
	if len(r.Warned) > 0 {
		part(groupsTable("warning", r.Warned))
	}
	groups := at.Groups
	if groups == nil {
		groups = groupsOf(r.Rejects)
	}
	if len(groups) > 0 {
		part(groupsTable("rejected", r.Rejects))
	}
	if text := remediesText(groups); text != "" && r.State != crm.Undone {
		part(text)
	}
	if r.Rejected > 0 && r.State != crm.Undone {
		part(mendText(r, groups))
	}
	if len(r.Hints) > 0 {
		part(hintsText(r.Hints))
	}
	part(placesTable(r, at))
	return b.String()
}

// headline says in one line which import it is and how it ended.
func headline(r crm.Report, parent int64) string {
	if r.Undo != nil {
		return undoHeadline(r)
	}
	subject := "Import of " + r.Source
	if r.Number > 0 {
		subject = fmt.Sprintf("Import %d of %s", r.Number, r.Source)
	}
	switch {
	case parent > 0:
		subject += fmt.Sprintf(", retry of import %d", parent)
	case r.Parent != "":
		subject += ", retry of import " + r.Parent
	}
	text := fmt.Sprintf("%s: %s", subject, strings.ReplaceAll(string(r.State), "_", " "))
	switch {
	case r.State == crm.AlreadyImported:
		text += ", nothing was done"
	case r.State == crm.Done && r.Rejected > 0:
		text += fmt.Sprintf(", %s rejected", count(r.Rejected, "row"))
	}
	switch {
	case r.DryRun:
		text += "; dry run: nothing was written"
	case r.State == crm.Cancelled, r.State == crm.Failed, r.State == crm.Interrupted:
		text += "; " + remains(r.Counts)
	}
	return text
}

// earlierTable says which import was the first of the same.
func earlierTable(r crm.Report, at aside) string {
	earlier := "starter imports show " + r.Earlier
	if at.Earlier > 0 {
		earlier = fmt.Sprintf("import %d, %s: starter imports show %d", at.Earlier, r.Earlier, at.Earlier)
	}
	rows := [][]string{{"earlier", earlier}}
	if at.Left > 0 {
		rows = append(rows, []string{"rejected rows", fmt.Sprintf("%s left by it: starter imports rejects %d", count(at.Left, "row"), at.Earlier)})
	}
	return grid(nil, append(rows, []string{"again", "import it once more with --again"}))
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

// changesTable says how often which field would have another value.
func changesTable(c crm.Changes) string {
	fields := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		return cmp.Or(cmp.Compare(c[b], c[a]), strings.Compare(a, b))
	})
	var rows [][]string
	for _, f := range fields {
		rows = append(rows, []string{f, number(c[f])})
	}
	return grid([]string{"would change", "records"}, rows, 1)
}

func groupsTable(what string, groups []crm.RejectGroup) string {
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
	return grid([]string{what, "column", "rows", "first line"}, rows, 2, 3)
}

// mostRemedies bounds what a report proposes; the whole is in `imports rejects
// --groups`.
const mostRemedies = 5

// remediesText says what would mend rejected rows all at once.
func remediesText(list []*group) string {
	var rows [][]string
	for _, g := range list {
		if text := cmp.Or(g.setting(), g.leftOut()); text != "" && len(rows) < mostRemedies {
			rows = append(rows, []string{g.name(), text})
		}
	}
	if rows == nil {
		return ""
	}
	return "may be mended at once:\n" + indent(grid(nil, rows))
}

// hintsText says what was noticed and not acted on.
func hintsText(hints []string) string {
	var rows [][]string
	for _, h := range hints {
		rows = append(rows, []string{"note", h})
	}
	return grid(nil, rows)
}

func placesTable(r crm.Report, at aside) string {
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
	add("ignored columns", ignoredText(r))
	if r.Warnings > 0 && !r.WarnedObject.IsZero() {
		add("warnings", "starter imports warnings "+reference(r))
	}
	if r.Unprocessed > 0 && !r.UnprocessedObject.IsZero() {
		add("unprocessed rows", "starter imports unprocessed "+reference(r))
	}
	if at.UndoneBy > 0 {
		add("undone by", fmt.Sprintf("import %d: starter imports undone %d", at.UndoneBy, at.UndoneBy))
	}
	var retries []string
	for _, n := range at.Retries {
		retries = append(retries, fmt.Sprintf("import %d", n))
	}
	add("retried by", strings.Join(retries, ", "))
	add("details", "starter imports show "+reference(r))
	add("Temporal", at.Link)
	return grid(nil, rows)
}

// ignoredText names the columns that went nowhere.
func ignoredText(r crm.Report) string {
	var names []string
	for _, name := range r.Ignored {
		names = append(names, fmt.Sprintf("%q", name))
	}
	if more := r.IgnoredColumns - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
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
func (p *printer) printReport(r crm.Report, at aside) error {
	if p.json {
		return p.object(complete(r))
	}
	return p.data(reportText(r, at))
}
