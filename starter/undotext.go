package main

import (
	"fmt"
	"strings"
	"time"

	"sluice/internal/crm"
)

// whys say in words why records were not reversed.
var whys = map[crm.Why]string{
	crm.WhyChangedSince:   "somebody changed it after the import",
	crm.WhyOthersHangOnIt: "a contact or a note that stays hangs on the customer",
	crm.WhyGone:           "somebody removed it after the import",
	crm.WhyRefused:        "the database refuses it, as when a table of your own refers to it",
}

// undoText is the end of an undo for people.
func undoText(r crm.Report, at aside) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", headline(r, 0))
	if r.Failure != nil {
		fmt.Fprintf(&b, "\n  %s\n", failureText(*r.Failure))
	}
	b.WriteString("\n" + indent(undoTable(r.Undo.UndoCounts)))
	if len(r.Undo.Whys) > 0 {
		b.WriteString("\n" + indent(whysTable(r.Undo.Whys)))
	}
	rows := [][]string{{"time", spell(time.Duration(r.Seconds * float64(time.Second)))}}
	add := func(what, text string) { rows = append(rows, []string{what, text}) }
	if at.Database != "" {
		add("database", at.Database)
	}
	add("records", "starter imports undone "+reference(r))
	if total := r.Undo.Total(); total.Kept+total.Errored > 0 {
		add("not reversed", "starter imports undone "+reference(r)+" --kept")
	}
	if r.State == crm.Done {
		add("import again", "starter imports undo "+reference(r))
	} else {
		add("the rest", fmt.Sprintf("starter imports undo %d", r.Undo.Number))
	}
	add("details", "starter imports show "+reference(r))
	if at.Link != "" {
		add("Temporal", at.Link)
	}
	b.WriteString("\n" + indent(grid(nil, rows)))
	return b.String()
}

// undoHeadline says which undo it is and how it ended.
func undoHeadline(r crm.Report) string {
	if r.DryRun {
		return fmt.Sprintf("Undo of import %d of %s: dry run, nothing was written", r.Undo.Number, r.Source)
	}
	text := fmt.Sprintf("Import %d of %s, undo of import %d: %s", r.Number, r.Source, r.Undo.Number, stateText(r.State))
	total := r.Undo.Total()
	if total.Kept > 0 {
		text += fmt.Sprintf(", %s kept", count(total.Kept, "record"))
	}
	if r.State != crm.Done && total.Reversed > 0 {
		text += "; what was reversed stays so"
	}
	return text
}

// previewText says what an undo would do, and to what.
func previewText(r crm.Report, row crm.ImportRow, database string) string {
	rows := [][]string{{"files", fileNames(row.Request.Files)}, {"imported", when(row.StartedAt)}}
	if row.Request.StartedBy != "" {
		rows = append(rows, []string{"by", row.Request.StartedBy})
	}
	rows = append(rows, []string{"state", stateText(row.State)}, []string{"database", database},
		[]string{"to do it", fmt.Sprintf("starter imports undo %d", row.Number)})
	text := headline(r, 0) + "\n\n" + indent(undoTable(r.Undo.UndoCounts))
	if len(r.Undo.Whys) > 0 {
		text += "\n" + indent(whysTable(r.Undo.Whys))
	}
	return text + "\n" + indent(grid(nil, rows))
}

// undoTable has a line for what the import created of each entity and one for
// what it changed; what holds nothing but zeros is left out.
func undoTable(c crm.UndoCounts) string {
	total := c.Total()
	header := []string{"", "records", "reversed", "kept"}
	rare := []struct {
		name string
		of   func(crm.UndoTally) int64
	}{
		{"errored", func(t crm.UndoTally) int64 { return t.Errored }},
		{"reversed earlier", func(t crm.UndoTally) int64 { return t.Earlier }},
		{"gone", func(t crm.UndoTally) int64 { return t.Gone }},
		{"unprocessed", func(t crm.UndoTally) int64 { return t.Unprocessed }},
	}
	for _, r := range rare {
		if r.of(total) > 0 {
			header = append(header, r.name)
		}
	}
	var rows [][]string
	line := func(what string, t crm.UndoTally) {
		if t == (crm.UndoTally{}) {
			return
		}
		cells := []string{what, number(t.Records), number(t.Reversed), number(t.Kept)}
		for _, r := range rare {
			if r.of(total) > 0 {
				cells = append(cells, number(r.of(t)))
			}
		}
		rows = append(rows, cells)
	}
	for _, e := range crm.Entities {
		line(e.Plural()+" created", c.Of(e).Created)
		line(e.Plural()+" changed", c.Of(e).Changed)
	}
	if rows == nil {
		return "nothing was written by the import\n"
	}
	return grid(header, rows, 1, 2, 3, 4, 5, 6, 7)
}

func whysTable(of map[crm.Why]int64) string {
	var rows [][]string
	for _, why := range []crm.Why{crm.WhyChangedSince, crm.WhyOthersHangOnIt, crm.WhyGone, crm.WhyRefused} {
		if of[why] > 0 {
			rows = append(rows, []string{string(why), number(of[why]), whys[why]})
		}
	}
	return grid([]string{"not reversed", "records", ""}, rows, 1)
}

// undoTally is how far an undo is.
func undoTally(p crm.Progress) string {
	t := p.Undo.Total()
	text := fmt.Sprintf("  reversed %s   kept %s   of %s", number(t.Reversed), number(t.Kept), number(p.UndoTotal))
	if t.Errored > 0 {
		text += fmt.Sprintf("   errored %s", number(t.Errored))
	}
	if p.Remaining > 0 && p.State == crm.Running {
		text += "   about " + roughly(p.Remaining) + " left"
	}
	return text
}
