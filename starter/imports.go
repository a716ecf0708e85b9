package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/store"
)

type importsListCmd struct {
	Source string   `placeholder:"NAME" env:"SLUICE_SOURCE" help:"Only imports of this source."`
	Limit  positive `default:"50" placeholder:"N" env:"SLUICE_LIMIT" help:"How many at the most."`
	Output string   `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run lists imports from the database alone.
func (c *importsListCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	list, err := s.imports(ctx, store.ImportQuery{Source: c.Source, Limit: int(c.Limit)})
	if err != nil {
		return err
	}
	if s.json {
		return each(list, s.object)
	}
	if len(list) == 0 {
		s.say("no imports yet")
		return nil
	}
	return s.data(importsTable(list))
}

// imports lists imports; where there is no database yet, there are none.
func (s *session) imports(ctx context.Context, q store.ImportQuery) ([]crm.ImportRow, error) {
	db, err := s.readStore(ctx)
	if errors.Is(err, crm.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Imports(ctx, q)
}

// each prints a list, one object a line.
func each[T any](list []T, object func(any) error) error {
	for _, v := range list {
		if err := object(v); err != nil {
			return err
		}
	}
	return nil
}

func importsTable(list []crm.ImportRow) string {
	var rows [][]string
	for _, r := range list {
		c := countsOf(r)
		took := ""
		if !r.EndedAt.IsZero() {
			took = spell(r.EndedAt.Sub(r.StartedAt))
		}
		rows = append(rows, []string{fmt.Sprint(r.Number), r.Source, kindText(r), fileNames(r.Request.Files),
			when(r.StartedAt), took, number(c.Read), number(c.Accepted), number(c.Duplicate), number(c.Rejected)})
	}
	return grid([]string{"import", "source", "state", "file", "started", "took", "read", "accepted", "duplicate", "rejected"},
		rows, 0, 6, 7, 8, 9)
}

// countsOf returns the final counts, or those of what is written so far.
func countsOf(r crm.ImportRow) crm.Counts {
	if r.Report != nil {
		return r.Report.Counts
	}
	return r.Totals
}

// kindText is an import's state, and what it is if it is no plain import.
func kindText(r crm.ImportRow) string {
	text := stateText(r.State)
	if r.Request.Parent != "" {
		text += ", retry"
	}
	if r.Kind == crm.KindUndo {
		text += ", undo"
	}
	if r.Report != nil && r.Report.Undo != nil {
		text += fmt.Sprintf(" of import %d", r.Report.Undo.Number)
	}
	if r.Request.Plan {
		text += ", dry run"
	}
	return text
}

func stateText(s crm.State) string { return strings.ReplaceAll(string(s), "_", " ") }

type importsShowCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// Run shows an import from the database alone.
func (c *importsShowCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	row, err := s.find(ctx, c.Import)
	if err != nil {
		return err
	}
	if s.json {
		return s.object(row)
	}
	return s.data(importText(row, s.aside(ctx, row)))
}

// importText is all that is known of an import: who asked for what, what was
// decided about each file and why, and what it came to.
func importText(r crm.ImportRow, at aside) string {
	var b strings.Builder
	report := reportOf(r)
	b.WriteString(reportText(report, at))
	b.WriteString("\n" + indent(grid(nil, requestRows(r))))
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n  file %d: %s, %s, SHA-256 %s\n", f.File.Number+1, f.File.Name,
			bytesOf(f.File.Object.Size), short(path.Base(f.File.Object.Key)))
		b.WriteString(indent(decisionsTable(f.Decisions)))
	}
	if len(r.Parked) > 0 {
		b.WriteString("\n" + indent(parkedTable(r.Parked)))
	}
	return b.String()
}

func parkedTable(list []crm.ParkedBatch) string {
	var rows [][]string
	for _, p := range list {
		rows = append(rows, []string{fmt.Sprint(p.Batch.Number), fmt.Sprint(p.Batch.File + 1), fmt.Sprintf("%d-%d", p.Batch.First, p.Batch.Last), plain(p.Failure)})
	}
	return grid([]string{"parked batch", "file", "lines", "because"}, rows, 0, 1, 2)
}

// reportOf returns an import's report, or what can be said of an open one.
func reportOf(r crm.ImportRow) crm.Report {
	if r.Report != nil {
		report := *r.Report
		if r.State == crm.Undone {
			report.State = r.State
		}
		return report
	}
	report := crm.Report{ImportID: r.ID, Number: r.Number, Source: r.Source, State: r.State, Counts: r.Totals,
		Parent: r.Request.Parent, DryRun: r.Request.Plan, StartedAt: r.StartedAt}
	if !r.State.Open() && !r.EndedAt.IsZero() {
		report.EndedAt, report.Seconds = r.EndedAt, r.EndedAt.Sub(r.StartedAt).Seconds()
	} else {
		report.Seconds = time.Since(r.StartedAt).Seconds()
	}
	return report
}

func requestRows(r crm.ImportRow) [][]string {
	rows := [][]string{{"id", r.ID}}
	add := func(what, value string) {
		if value != "" {
			rows = append(rows, []string{what, value})
		}
	}
	add("asked for by", r.Request.StartedBy)
	add("started", when(r.StartedAt))
	add("ended", when(r.EndedAt))
	add("put into this state by", r.By)
	add("mode", string(r.Request.Mode))
	add("sheet", r.Request.Sheet)
	if r.Request.Plan {
		add("dry run", "nothing is written")
	}
	add("retry of", r.Request.Parent)
	add("undo of", r.Request.Undoes)
	if !r.Request.Mapping.IsZero() {
		add("mapping file", "SHA-256 "+short(path.Base(r.Request.Mapping.Key)))
	}
	return rows
}

// short is enough of a hash to tell two apart.
func short(sum string) string { return sum[:min(len(sum), 12)] }

func decisionsTable(list []crm.Decision) string {
	var rows [][]string
	for _, d := range list {
		rows = append(rows, []string{d.About, shown(d.Choice), d.Evidence, fmt.Sprintf("%.0f%%", 100*d.Score)})
	}
	return grid([]string{"decided", "as", "because", "sure"}, rows, 3)
}

// shown makes a choice that is white space visible.
func shown(choice string) string {
	if strings.TrimSpace(choice) == "" && choice != "" {
		return fmt.Sprintf("%q", choice)
	}
	return choice
}
