package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/internal/crm"
)

// Reconcile recounts an import from its ledger and from the tables, writes the
// lists of rejected, warned and unprocessed rows, and ends the import: its
// state, its report and its notifications commit together.
//
// The list of warned rows has those that Parse did not reject, and a warning of
// it for each that is counted. What became of every accepted row is not listed
// here but made on demand from the ledger and the batches, so that an import
// nobody asks about pays nothing for it.
//
// A dry run has its ledger and nothing in the tables to hold it against. It is
// counted and listed like any other, with the fields it would change, and
// nobody is notified of it.
//
// Where the staged file is not the one it was, or a batch is lost, it ends the
// import as failed all the same, with what can be had of its lists: an import
// never stays open because its report cannot be perfect.
//
// An import that has ended keeps the report it has, so running it twice is
// harmless. A recount that disagrees with the tables, or rows that are not
// accounted for, end the import as failed and unbalanced (invariant 1); that
// is a fault of ours, and the report says so rather than hide it.
func (a *Activities) Reconcile(ctx context.Context, in crm.ReconcileInput) (crm.Report, error) {
	imp, err := a.Store.Opening(ctx, in.Import.Number)
	if err != nil {
		return crm.Report{}, err
	}
	if imp.Report != nil {
		return *imp.Report, nil
	}
	report := crm.Report{ImportID: imp.ID, Number: imp.Number, Source: imp.Source, State: in.State, Failure: in.Failure,
		DryRun: imp.Request.Plan, Parent: imp.Request.Parent, StartedAt: imp.StartedAt}
	l := &listing{a: a, in: in}
	if err = l.run(ctx, imp, &report); lost(err) {
		err = a.salvageReport(ctx, in, imp, &report, err)
	}
	if err != nil {
		return crm.Report{}, err
	}
	if err := a.remark(ctx, imp, &report); err != nil {
		return crm.Report{}, err
	}
	if !report.RejectObject.IsZero() {
		report.RejectFile = a.Stage.Path(report.RejectObject)
	}
	report.EndedAt = time.Now().UTC().Truncate(time.Millisecond)
	report.Seconds = report.EndedAt.Sub(report.StartedAt).Seconds()
	if report.Seconds > 0 {
		report.RowsPerSecond = float64(report.Read-report.Unprocessed) / report.Seconds
	}
	if err := a.agree(ctx, &report); err != nil {
		return crm.Report{}, err
	}
	report, err = a.Store.EndImport(ctx, imp.Number, report, a.messages(report))
	if err != nil {
		return crm.Report{}, err
	}
	// The claims have served. If they cannot be deleted they expire.
	_ = a.Judge.Forget(ctx, imp.ID)
	return report, nil
}

// remark says which columns went nowhere, each name once, and what was noticed
// about the files and not acted on. Files that were not inspected, because the
// import ended before, say nothing.
func (a *Activities) remark(ctx context.Context, imp crm.ImportRow, r *crm.Report) error {
	seen := map[string]bool{}
	for n := range imp.Request.FilesAtMost() {
		row, p, err := a.planned(ctx, imp.Import, n)
		if errors.Is(err, crm.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !p.listed() { // a reject file is of our making: there is nothing to set for it
			hint(r, row, imp.Request.FilesAtMost() > 1)
		}
		for _, name := range p.Ignored {
			if seen[name] {
				continue
			}
			seen[name] = true
			if r.IgnoredColumns++; r.IgnoredColumns <= crm.MaxIgnored {
				r.Ignored = append(r.Ignored, cut(name, 64))
			}
		}
	}
	return nil
}

// hint adds what was noticed at the end of a file, or of lines like comments,
// and left alone for want of a setting. Where there are several files it says
// of which one.
func hint(r *crm.Report, row crm.FileRow, several bool) {
	for _, d := range row.Decisions {
		if d.About != "footer" && d.About != "comments" || d.Choice != crm.NoneAtAll || d.Evidence == "" {
			continue
		}
		if len(r.Hints) == crm.MaxHints {
			return
		}
		text := d.Evidence
		if several {
			text = row.File.Name + ": " + text
		}
		r.Hints = append(r.Hints, text)
	}
}

// cut returns the first characters of a text, n at the most.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// agree compares the ledger's counts with what the tables say, and turns a
// disagreement into the report's failure. The tables say nothing of a dry run.
func (a *Activities) agree(ctx context.Context, r *crm.Report) error {
	var tables crm.Recount
	if !r.DryRun {
		var err error
		if tables, err = a.Store.Recount(ctx, r.Number); err != nil {
			return err
		}
	}
	fault := ""
	if !r.Balanced() {
		fault = "rows or records are not accounted for"
	}
	for _, e := range crm.Entities {
		t := r.Of(e)
		switch {
		case !r.DryRun && t.Created != tables[e].Created:
			fault = fmt.Sprintf("the ledger counts %d %s created, the table %d", t.Created, e.Plural(), tables[e].Created)
		case !r.DryRun && t.Updated != tables[e].Updated:
			fault = fmt.Sprintf("the ledger counts %d %s updated, their before-images %d", t.Updated, e.Plural(), tables[e].Updated)
		case t.Waiting != 0 && r.State == crm.Done:
			fault = fmt.Sprintf("%d %s still wait for their customer", t.Waiting, e.Plural())
		}
	}
	if fault != "" {
		r.State = crm.Failed
		r.Failure = &crm.Failure{Type: crm.FailUnbalanced, Step: crm.Reconcile.Name, Message: "counts do not add up: " + fault}
	}
	return nil
}

// messages makes the outbox rows of an ended import. Of a dry run nobody hears
// but who asked for it.
func (a *Activities) messages(r crm.Report) []crm.Message {
	if a.Mailer == nil || r.DryRun {
		return nil
	}
	subject, body := a.Mailer.Compose(r)
	var out []crm.Message
	for i, to := range a.MailTo {
		out = append(out, crm.Message{Channel: "email", To: to, Event: string(r.State), Subject: subject, Body: body,
			Stable: fmt.Sprintf("%s.%s.%d", r.ImportID, r.State, i)})
	}
	return out
}
