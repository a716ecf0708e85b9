package main

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"sluice/internal/crm"
)

// A backfillColumn is a column of the table. Those of a higher rank are the first
// to go where there is no room.
type backfillColumn struct {
	name  string
	rank  int
	right bool
	cell  func(l sourceLine) string
}

func numeric(n func(crm.BackfillCounts) int) func(sourceLine) string {
	return func(l sourceLine) string { return fmt.Sprint(n(l.BackfillCounts)) }
}

var backfillColumns = []backfillColumn{
	{"source", 0, false, func(l sourceLine) string { return l.Source }},
	{"state", 0, false, func(l sourceLine) string { return stateStyle(l.shown).Render(stateText(l.shown)) }},
	{"done", 0, true, func(l sourceLine) string { return fmt.Sprintf("%d of %d", l.Done, l.All()) }},
	{"running", 4, true, numeric(func(c crm.BackfillCounts) int { return c.Running })},
	{"parked", 0, true, numeric(func(c crm.BackfillCounts) int { return c.Parked })},
	{"skipped", 5, true, numeric(func(c crm.BackfillCounts) int { return c.Skipped })},
	{"left", 1, true, numeric(func(c crm.BackfillCounts) int { return c.Left })},
	{"rows", 0, true, func(l sourceLine) string { return number(l.Rows) }},
	{"rate", 2, true, func(l sourceLine) string { return perSecond(l.rate) }},
	{"time left", 3, true, func(l sourceLine) string {
		if l.left == 0 {
			return ""
		}
		return roughly(l.left)
	}},
}

// table lays the sources out in as many columns as the width has room for; 0 is
// any. Columns that say nothing are left out. What is at hand comes last, and may
// be cut.
func (v *backfillView) table(lines []sourceLine, width int, live bool) string {
	const hand = 14 // room for the beginning of what is at hand
	for rank := 5; ; rank-- {
		var t columns
		for _, c := range backfillColumns {
			if c.rank <= rank {
				t.add(c.name, c.right, lines, c.cell)
			}
		}
		if rank > 0 && width > 0 && lipgloss.Width(t.grid())+hand > width {
			continue
		}
		t.add("at hand", false, lines, func(l sourceLine) string { return v.atHand(l, live) })
		return indent(t.grid())
	}
}

// columns are a table that is made column by column.
type columns struct {
	header []string
	rows   [][]string
	right  []int // which are set to the right
}

// add adds a column, unless all its cells are empty.
func (t *columns) add(name string, right bool, lines []sourceLine, cell func(sourceLine) string) {
	cells, empty := make([]string, len(lines)), true
	for i, l := range lines {
		cells[i] = cell(l)
		empty = empty && cells[i] == ""
	}
	if empty {
		return
	}
	if right {
		t.right = append(t.right, len(t.header))
	}
	t.header = append(t.header, name)
	if t.rows == nil {
		t.rows = make([][]string, len(lines))
	}
	for i := range lines {
		t.rows[i] = append(t.rows[i], cells[i])
	}
}

func (t *columns) grid() string { return grid(t.header, t.rows, t.right...) }

// atHand says which partition of a source is being imported, and how far that
// is.
func (v *backfillView) atHand(l sourceLine, live bool) string {
	if l.Name == "" {
		return ""
	}
	text := partitionName(l.Name)
	if live && l.shown == crm.Running {
		text = string(spinner[v.frame%len(spinner)]) + " " + text
	}
	at := l.running
	switch {
	case at.BytesTotal > 0:
		text += fmt.Sprintf(", %d%% read", int(100*min(float64(at.Bytes)/float64(at.BytesTotal), 1)))
	case at.Import.ID != "":
		text += ", " + count(writtenRows(at), "row")
	}
	return text
}

// stateStyle is how a state looks.
func stateStyle(s crm.State) lipgloss.Style {
	switch s {
	case crm.Done:
		return good
	case crm.NeedsAttention, crm.Failed, crm.Waiting, crm.Paused:
		return warn
	case crm.Queued, crm.Cancelled:
		return dim
	}
	return lipgloss.NewStyle()
}

func tableLines(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }
