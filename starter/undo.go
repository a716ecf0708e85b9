package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

type importsUndoCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest that wrote something. Of an undo: import the files again."`

	DryRun     bool   `env:"SLUICE_DRY_RUN" help:"Write nothing: say what would be removed, restored and kept."`
	Detach     bool   `env:"SLUICE_DETACH" help:"Start it and return; needs a worker that runs elsewhere."`
	Queue      bool   `env:"SLUICE_QUEUE" help:"When another import of the source is running, wait for its end first."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`

	BatchRows positive      `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_ROWS" help:"Records reversed in one transaction; 5000, and no more."`
	Heartbeat time.Duration `group:"tuning" placeholder:"TIME" env:"SLUICE_HEARTBEAT" help:"How long a step may be silent before another worker takes it; 30s."`
}

type importsUndoneCmd struct {
	Import    string `arg:"" name:"id|source" help:"The id or number of an undo, or of an import that was undone, or a source, which means its latest."`
	Kept      bool   `env:"SLUICE_KEPT" help:"Only the records that were not reversed."`
	listFlags `embed:""`
}

// Run undoes an import: what it created is removed, what it changed restored,
// unless somebody changed it since.
func (c *importsUndoCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	row, err := s.findThat(ctx, c.Import, wrote)
	if err != nil {
		return err
	}
	if c.DryRun {
		return s.previewUndo(ctx, row)
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	if c.Detach && k.ends() {
		return usage("--detach needs a worker that runs elsewhere, and here this command is the worker; leave --detach away, or set TEMPORAL_ADDRESS and the rest")
	}
	started, err := s.queued(ctx, k, row.Source, c.Queue, func() (launch.Started, error) {
		return k.Launcher.Undo(ctx, launch.UndoOptions{Import: row.ID, StartedBy: login(), Tuning: crm.Tuning{BatchRows: int(c.BatchRows), Heartbeat: c.Heartbeat}})
	})
	if err != nil {
		return err
	}
	if c.Detach {
		return s.detached(started)
	}
	return s.finish(ctx, k, started, c.NoProgress)
}

// previewUndo says what undoing an import would come to, from the database
// alone, and why it is not possible now, if it is not.
func (s *session) previewUndo(ctx context.Context, row crm.ImportRow) error {
	if row.Kind == crm.KindUndo {
		return usage("import %d of %s is an undo: undoing it imports the files again, which starter import --dry-run tries", row.Number, row.Source)
	}
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	retries, err := db.Retries(ctx, row.ID)
	if err != nil {
		return err
	}
	refused := crm.Undoable(row, retries)
	if refused != nil && (row.State == crm.Undone || row.State == crm.AlreadyImported || row.Request.Plan) {
		return refused
	}
	counts, err := db.PreviewUndo(ctx, row.ID)
	if err != nil {
		return err
	}
	r := crm.Report{Source: row.Source, State: row.State, DryRun: true, StartedAt: row.StartedAt, EndedAt: row.EndedAt,
		Undo: &crm.UndoneReport{ImportID: row.ID, Number: row.Number, UndoCounts: counts}}
	if s.json {
		return errors.Join(s.object(complete(r)), refused)
	}
	return errors.Join(s.data(previewText(r, row, databaseName(s.config))), refused)
}

// Run lists what an undo did with each record.
func (c *importsUndoneCmd) Run(ctx context.Context, s *session) error {
	s.json = c.form() == asJSON
	if err := c.check(s.out); err != nil {
		return err
	}
	row, err := s.find(ctx, c.Import)
	if err != nil {
		return err
	}
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	undo := row.Number
	switch {
	case row.Kind == crm.KindUndo:
		if row, err = db.Import(ctx, row.Request.Undoes); err != nil {
			return err
		}
	case row.UndoneBy == 0:
		return failed(fmt.Errorf("import %d of %s is not undone; see starter imports list --source %s", row.Number, row.Source, row.Source))
	default:
		undo = row.UndoneBy
	}
	from, err := originsOf(ctx, db, row)
	if err != nil {
		return err
	}
	return s.list(c.listFlags, func(w io.Writer) error {
		lines := newUndoneWriter(w, from.files(), c.form())
		for r, err := range db.UndoneRecords(ctx, undo) {
			if err == nil && (!c.Kept || r.Why != "") {
				err = lines.row(r)
			}
			if err != nil {
				return errors.Join(err, lines.close())
			}
		}
		return lines.close()
	})
}

// newUndoneWriter writes where the row of a record stands, and what became of
// the record.
func newUndoneWriter(w io.Writer, files []string, form string) rowWriter[crm.UndoneRecord] {
	if form == asJSON {
		return asObjects(w, func(r crm.UndoneRecord) any {
			return struct {
				FileName string `json:"file,omitempty"`
				crm.UndoneRecord
			}{nameOf(files, r.File), r}
		})
	}
	header := []string{"line", "entity", "outcome", "why", "id"}
	if files != nil {
		header = append([]string{"file"}, header...)
	}
	t := newCells(w, form, "undone", header)
	record := make([]string, 0, len(header))
	return rowWriter[crm.UndoneRecord]{
		row: func(r crm.UndoneRecord) error {
			line := ""
			if record = record[:0]; r.Line > 0 {
				line = strconv.FormatInt(r.Line, 10)
			}
			if files != nil {
				record = append(record, crm.Guard(nameOf(files, r.File)))
			}
			return t.row(append(record, line, r.Entity, r.Outcome, string(r.Why), r.ID))
		},
		close: t.close,
	}
}
