package launch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"sluice/internal/crm"
	"sluice/workflows"
)

// UndoOptions is what a person says about an undo.
type UndoOptions struct {
	Import    string // id, number, or a source, which means its latest
	StartedBy string
	Tuning    crm.Tuning
}

// Undo starts the undo of an import and returns at once. The undo of an undo is
// a new import of the files that the undone one had, which are still in the
// stage, with what was said about them then.
//
// When that very undo is running already it attaches to it; when anything else
// of the source is running the error is a [RunningError]. An import that cannot
// be undone (see [crm.Undoable]), and one that is running, wraps
// [crm.ErrInvalid].
func (l *Launcher) Undo(ctx context.Context, o UndoOptions) (Started, error) {
	row, err := l.Store.Import(ctx, o.Import)
	if err != nil {
		return Started{}, err
	}
	if row.Kind == crm.KindUndo {
		return l.redo(ctx, row, o)
	}
	if err := l.CheckUndo(ctx, row); err != nil {
		return Started{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Started{}, err
	}
	r := crm.Request{Version: crm.RequestVersion, ID: id.String(), Source: row.Source, Undoes: row.ID, StartedBy: o.StartedBy,
		AskedAt: time.Now().UTC().Truncate(time.Millisecond), Tuning: l.tuned(o.Tuning)}
	return l.execute(ctx, "Undo", r, workflows.UndoInput{Request: r})
}

// CheckUndo returns why an import cannot be undone now, nil if it can.
func (l *Launcher) CheckUndo(ctx context.Context, row crm.ImportRow) error {
	src, err := l.Store.Source(ctx, row.Source)
	if err == nil {
		err = src.Takes()
	}
	if err != nil {
		return err
	}
	retries, err := l.Store.Retries(ctx, row.ID)
	if err == nil {
		err = crm.Undoable(row, retries)
	}
	if err != nil || !row.State.Open() {
		return err
	}
	// The store may not know that the workflow was terminated.
	running, err := l.Running(ctx, row.Source)
	switch {
	case errors.Is(err, crm.ErrNotFound):
		return nil
	case err == nil && running.ImportID == row.ID:
		return fmt.Errorf("import %d of %s cannot be undone: %w: it is running; wait for its end, or cancel it", row.Number, row.Source, crm.ErrInvalid)
	}
	return err
}

// redo imports again what an undo took back.
func (l *Launcher) redo(ctx context.Context, undo crm.ImportRow, o UndoOptions) (Started, error) {
	cannot := func(why string) error {
		return fmt.Errorf("undo %d of %s cannot be undone: %w: %s", undo.Number, undo.Source, crm.ErrInvalid, why)
	}
	if undo.State != crm.Done {
		return Started{}, cannot("it did not get through; undo the import once more, or import the file again")
	}
	row, err := l.Store.Import(ctx, undo.Request.Undoes)
	if err != nil {
		return Started{}, err
	}
	if row.Request.Parent != "" {
		parent, err := l.Store.Import(ctx, row.Request.Parent)
		if err == nil {
			err = Retryable(parent)
		}
		if err != nil {
			return Started{}, err
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Started{}, err
	}
	r := row.Request
	r.Version, r.ID, r.Again, r.StartedBy, r.Tuning = crm.RequestVersion, id.String(), false, o.StartedBy, l.tuned(o.Tuning)
	r.AskedAt = time.Now().UTC().Truncate(time.Millisecond)
	return l.execute(ctx, "Import", r, workflows.ImportInput{Request: r})
}
