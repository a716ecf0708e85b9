package activities

import (
	"context"
	"fmt"
	"time"

	"sluice/internal/crm"
)

// Reconcile recounts an import from its ledger and from the tables, writes the
// lists of rejected and unprocessed rows, and ends the import: its state, its
// report and its notifications commit together.
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
	l := &listing{a: a, in: in, groups: map[group]*crm.RejectGroup{}}
	if err := l.run(ctx, imp); err != nil {
		return crm.Report{}, err
	}
	report := crm.Report{ImportID: imp.ID, Number: imp.Number, Source: imp.Source, State: in.State, Failure: in.Failure,
		Counts: l.counts, Rejects: l.grouped(), RejectObject: l.rejects, UnprocessedObject: l.unprocessed,
		Batches: l.batches, StartedAt: imp.StartedAt, EndedAt: time.Now().UTC().Truncate(time.Millisecond)}
	if !l.rejects.IsZero() {
		report.RejectFile = a.Stage.Path(l.rejects)
	}
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

// agree compares the ledger's counts with what the tables say, and turns a
// disagreement into the report's failure.
func (a *Activities) agree(ctx context.Context, r *crm.Report) error {
	tables, err := a.Store.Recount(ctx, r.Number)
	if err != nil {
		return err
	}
	fault := ""
	if !r.Balanced() {
		fault = "rows or records are not accounted for"
	}
	for _, e := range crm.Entities {
		t := r.Of(e)
		switch {
		case t.Created != tables[e].Created:
			fault = fmt.Sprintf("the ledger counts %d %s created, the table %d", t.Created, e.Plural(), tables[e].Created)
		case t.Updated != tables[e].Updated:
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

// messages makes the outbox rows of an ended import.
func (a *Activities) messages(r crm.Report) []crm.Message {
	if a.Mailer == nil {
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
