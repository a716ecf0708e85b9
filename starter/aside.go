package main

import (
	"context"
	"io"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/wiring"
)

// An aside is what is told of an import beside its report: where things lie,
// which imports belong to it, what mends its rejected rows. Zero fields are
// left out.
type aside struct {
	Database string // never with a password
	Link     string // the import's page in the Temporal UI

	Earlier  int64    // of one that was imported already: the import that did it
	Left     int64    // the rejected rows that one left
	Parent   int64    // of a retry: the import whose rejected rows it retried
	UndoneBy int64    // the undo that undid it
	Retries  []int64  // the imports that retried its rejected rows, dry runs left out
	Groups   []*group // what was rejected; nil leaves it to the report
}

// importReader is the part of the store that an aside needs.
type importReader interface {
	Import(ctx context.Context, ref string) (crm.ImportRow, error)
	Retries(ctx context.Context, id string) ([]crm.ImportRow, error)
	fileNamer
}

// listReader is the part of the stage that an aside needs.
type listReader interface {
	ReadCompressed(ctx context.Context, o crm.Object) (io.ReadCloser, error)
}

// asideOf gathers what can be told beside a report. What cannot be had is left
// out: a report is never held back for it.
func asideOf(ctx context.Context, r crm.Report, db importReader, lists listReader) aside {
	numberOf := func(id string) int64 {
		if id == "" {
			return 0
		}
		row, err := db.Import(ctx, id)
		if err != nil {
			return 0
		}
		return row.Number
	}
	a := aside{Parent: numberOf(r.Parent)}
	if r.Earlier != "" {
		if row, err := db.Import(ctx, r.Earlier); err == nil {
			a.Earlier, a.Left = row.Number, reportOf(row).Rejected
		}
	}
	retries, _ := db.Retries(ctx, r.ImportID)
	for _, retry := range retries {
		if wrote(retry) {
			a.Retries = append(a.Retries, retry.Number)
		}
	}
	row, err := db.Import(ctx, r.ImportID)
	a.UndoneBy = row.UndoneBy
	if err == nil && lists != nil {
		if from, err := originsOf(ctx, db, row); err == nil {
			a.Groups, _ = groupsIn(ctx, row, from, lists)
		}
	}
	return a
}

// groupsIn looks into the rejected rows of an import that has ended.
func groupsIn(ctx context.Context, row crm.ImportRow, from origins, lists listReader) ([]*group, error) {
	if row.Report == nil || row.Report.RejectObject.IsZero() {
		return nil, nil
	}
	r, err := lists.ReadCompressed(ctx, row.Report.RejectObject)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return lookInto(r, row.Report.Rejects, from)
}

// aside gathers what can be told beside the report of an import in the
// database, without starting anything.
func (s *session) aside(ctx context.Context, row crm.ImportRow) (a aside) {
	defer func() { a.Database = databaseName(s.config) }()
	db, err := s.readStore(ctx)
	if err != nil {
		return a
	}
	defer db.Close()
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return asideOf(ctx, reportOf(row), db, nil)
	}
	defer stage.Close()
	return asideOf(ctx, reportOf(row), db, stage)
}

// groups prints what was rejected by reason and column, with what mends it.
func (s *session) groups(ctx context.Context, ref, form string) error {
	row, err := s.ended(ctx, ref, "rejected rows")
	if err != nil {
		return err
	}
	from, err := s.origins(ctx, row)
	if err != nil {
		return err
	}
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return err
	}
	defer stage.Close()
	list, err := groupsIn(ctx, row, from, stage)
	switch {
	case err != nil:
		return s.whySwept(ctx, row, err)
	case len(list) == 0:
		s.say("import %d of %s has no rejected rows", row.Number, row.Source)
		return nil
	case form == asJSON:
		return each(list, func(v any) error { return s.object(v.(*group).object()) })
	}
	var b strings.Builder
	for _, g := range list {
		b.WriteString(g.text(from.files()) + "\n")
	}
	return s.data(b.String() + mendText(*row.Report, list))
}

// text is a group for people.
func (g *group) text(files []string) string {
	text := g.name() + ": " + count(g.Count, "row") + "\n"
	rows := [][]string{{"lines", g.linesText(files)}, {"wrong", remedies[g.Reason].wrong}}
	if all := g.atOnce(); all != "" {
		rows = append(rows, []string{"at once", all})
	}
	if one := remedies[g.Reason].row; one != "" {
		rows = append(rows, []string{"each", one})
	}
	return text + indent(grid(nil, rows))
}

// linesText names the first lines of a group.
func (g *group) linesText(files []string) string {
	lines := g.lines
	if len(lines) == 0 {
		lines = []crm.Address{crm.At(g.FirstFile, g.FirstLine)}
	}
	var texts []string
	for _, at := range lines {
		text := number(at.Line())
		if name := nameOf(files, at.File()); name != "" {
			text += " of " + name
		}
		texts = append(texts, text)
	}
	if int64(len(lines)) < g.Count {
		texts = append(texts, "…")
	}
	return strings.Join(texts, ", ")
}

// A groupObject is a group for scripts.
type groupObject struct {
	crm.RejectGroup
	Lines  []int64     `json:"lines,omitempty"` // the first few, in their files
	Wrong  string      `json:"wrong"`
	Each   string      `json:"each,omitempty"`    // what mends one row
	AtOnce string      `json:"at_once,omitempty"` // what mends all
	Looked int64       `json:"looked_at"`         // rows tried under the settings
	Cures  []cureCount `json:"settings,omitempty"`
}

type cureCount struct {
	Setting string `json:"setting"`
	Mends   int64  `json:"mends"`
}

func (g *group) object() groupObject {
	o := groupObject{RejectGroup: g.RejectGroup, Wrong: remedies[g.Reason].wrong, Each: remedies[g.Reason].row, AtOnce: g.atOnce(), Looked: g.looked}
	for _, at := range g.lines {
		o.Lines = append(o.Lines, at.Line())
	}
	for _, c := range g.cures {
		if c.mends > 0 {
			o.Cures = append(o.Cures, cureCount{c.setting, c.mends})
		}
	}
	return o
}

// mendText says which commands come next for rejected rows. A dry run wrote
// nothing, so there is nothing to retry: the file itself is to be mended.
func mendText(r crm.Report, list []*group) string {
	// A name of its own: a list never replaces the one before, which may be
	// mended by now.
	file := "fix-" + reference(r) + ".xlsx"
	rows := [][]string{{"rejected rows", "starter imports rejects " + reference(r) + " --to " + file}}
	if r.DryRun || r.Number == 0 {
		return grid(nil, rows)
	}
	rows = append(rows, []string{"mended, again", "starter imports retry " + reference(r) + " --file " + file})
	if flags := retryFlags(list); flags != "" {
		rows = append(rows, []string{"as they are", "starter imports retry " + reference(r) + flags})
	}
	return grid(nil, rows)
}

// retryFlags are the flags under which rows of the groups would fit. Where two
// groups want the same flag in different ways, the larger one has it.
func retryFlags(list []*group) string {
	text := ""
	said := map[string]bool{}
	for _, g := range list {
		c := g.best()
		if c == nil || c.flag == "" {
			continue
		}
		if name, _, _ := strings.Cut(c.flag, " "); !said[name] {
			said[name] = true
			text += " " + c.flag
		}
	}
	return text
}
