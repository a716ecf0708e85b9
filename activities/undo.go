package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
)

// undoStore is the part of the store that an undo needs.
type undoStore interface {
	OpenUndo(ctx context.Context, r crm.Request) (crm.UndoOpened, error)
	UndoPage(ctx context.Context, in crm.UndoPage) (crm.UndonePage, error)
	UndoSum(ctx context.Context, number int64) (crm.UndoSum, error)
	EndUndo(ctx context.Context, number int64, r crm.Report) (crm.Report, error)
}

// registerUndo makes the steps of an undo known to a worker.
func registerUndo(r worker.ActivityRegistry, a *Activities) {
	register(r, crm.OpenUndo, a.OpenUndo)
	register(r, crm.Reverse, a.Reverse)
	register(r, crm.EndUndo, a.EndUndo)
}

// OpenUndo enters an undo in the store and fences out whoever may still write
// for the import that it undoes. Opening it twice answers the same. An import
// that cannot be undone ends the step.
func (a *Activities) OpenUndo(ctx context.Context, r crm.Request) (crm.UndoOpened, error) {
	return a.Store.OpenUndo(ctx, r)
}

// Reverse reverses some pages of records, each in a transaction of its own. It
// leaves nothing in the stage: what became of each record is in the ledger of
// undos.
//
// A page that is in already answers what it came to, and where the next one
// begins, so another attempt, even at the same time, goes over what is done and
// on from there (invariant 3). An undo that has ended ends the step. It holds
// one page in memory.
func (a *Activities) Reverse(ctx context.Context, in crm.ReverseInput) (crm.Reversed, error) {
	out := crm.Reversed{Page: in.Page, Next: in.From}
	for range in.Pages {
		if out.Next.End() {
			break
		}
		page, err := a.Store.UndoPage(ctx, crm.UndoPage{Import: in.Import.Number, Page: out.Page, From: out.Next, Rows: in.Rows})
		if err != nil {
			return crm.Reversed{}, err
		}
		out.Page, out.Next = out.Page+1, page.Next
		out.Counts.Add(page.Counts)
	}
	return out, nil
}

// EndUndo adds an undo up, holds it against the ledger of the import that it
// undoes and against the tables, and ends it: its report commits with the state
// of both imports. An undo that has ended keeps the report it has, so running
// it twice is harmless.
//
// Records that are not accounted for end it as failed and unbalanced
// (invariant 1). Records that the database did not let go end it as failed too,
// so that it can be undone again when that is mended; kept ones do not.
func (a *Activities) EndUndo(ctx context.Context, in crm.ReconcileInput) (crm.Report, error) {
	undo, err := a.Store.Opening(ctx, in.Import.Number)
	if err != nil {
		return crm.Report{}, err
	}
	if undo.Report != nil {
		return *undo.Report, nil
	}
	sum, err := a.Store.UndoSum(ctx, undo.Number)
	if err != nil {
		return crm.Report{}, err
	}
	counts, fault := sum.Complete(in.State == crm.Done)
	r := crm.Report{ImportID: undo.ID, Number: undo.Number, Source: undo.Source, State: in.State, Failure: in.Failure,
		Undo:    &crm.UndoneReport{ImportID: sum.Target.ID, Number: sum.Target.Number, UndoCounts: counts},
		Batches: sum.Pages, StartedAt: undo.StartedAt, EndedAt: time.Now().UTC().Truncate(time.Millisecond)}
	total := counts.Total()
	if r.Seconds = r.EndedAt.Sub(r.StartedAt).Seconds(); r.Seconds > 0 {
		r.RowsPerSecond = float64(total.Reversed) / r.Seconds
	}
	switch {
	case fault != "":
		r.State = crm.Failed
		r.Failure = &crm.Failure{Type: crm.FailUnbalanced, Step: crm.EndUndo.Name, Message: "counts do not add up: " + fault}
	case in.State == crm.Done && total.Errored > 0:
		r.State = crm.Failed
		r.Failure = &crm.Failure{Type: crm.FailInvalid, Step: crm.Reverse.Name,
			Message: fmt.Sprintf("the database refuses to let %d records be reversed, as when a table of your own refers to them; mend that and undo again", total.Errored)}
	}
	return a.Store.EndUndo(ctx, undo.Number, r)
}
