package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sluice/internal/crm"
	"sluice/internal/wiring"
)

type importsRejectsCmd struct {
	Import    string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	listFlags `embed:""`
	Raw       bool `env:"SLUICE_RAW" help:"Leave cells as they are; by default a cell that a spreadsheet would run as a formula gets a ' in front."`
	Groups    bool `env:"SLUICE_GROUPS" help:"Print what was rejected by reason and column instead, with what mends it."`
}

type importsUnprocessedCmd struct {
	Import    string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	listFlags `embed:""`
	Raw       bool `env:"SLUICE_RAW" help:"Leave cells as they are; by default a cell that a spreadsheet would run as a formula gets a ' in front."`
}

type importsWarningsCmd struct {
	Import    string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	listFlags `embed:""`
	Raw       bool `env:"SLUICE_RAW" help:"Leave cells as they are; by default a cell that a spreadsheet would run as a formula gets a ' in front."`
}

// Run prints the rejected rows of an import that has ended, with the database
// and the stage alone.
func (c *importsRejectsCmd) Run(ctx context.Context, s *session) error {
	s.json = c.form() == asJSON
	if c.Groups {
		return s.groups(ctx, c.Import, c.form())
	}
	return s.rows(ctx, c.Import, c.listFlags, c.Raw, "rejected rows", func(r *crm.Report) crm.Object { return r.RejectObject })
}

// Run prints the rows that nobody came to, of an import that was cancelled or
// failed.
func (c *importsUnprocessedCmd) Run(ctx context.Context, s *session) error {
	s.json = c.form() == asJSON
	return s.rows(ctx, c.Import, c.listFlags, c.Raw, "unprocessed rows", func(r *crm.Report) crm.Object { return r.UnprocessedObject })
}

// Run prints the rows that are in and of which a value was kept as written or
// left out.
func (c *importsWarningsCmd) Run(ctx context.Context, s *session) error {
	s.json = c.form() == asJSON
	return s.rows(ctx, c.Import, c.listFlags, c.Raw, "rows with warnings", func(r *crm.Report) crm.Object { return r.WarnedObject })
}

// rows writes a list of rows that an ended import left in the stage.
func (s *session) rows(ctx context.Context, ref string, to listFlags, raw bool, what string, of func(*crm.Report) crm.Object) error {
	if err := to.check(s.out); err != nil {
		return err
	}
	row, err := s.ended(ctx, ref, what)
	if err != nil {
		return err
	}
	object := of(row.Report)
	if object.IsZero() {
		s.say("import %d of %s has no %s", row.Number, row.Source, what)
		return nil
	}
	from, err := s.origins(ctx, row)
	if err != nil {
		return err
	}
	cut := 0
	err = s.whySwept(ctx, row, s.staged(ctx, object, func(r io.Reader) error {
		return s.list(to, func(w io.Writer) error {
			lines := newRowWriter(w, layoutOf(from, raw), to.form())
			see := func(r crm.RejectedRow) error {
				if to.form() == asXLSX && tooLong(r.Cells) {
					cut++
				}
				return lines.row(r)
			}
			return errors.Join(eachRow(r, see), lines.close())
		})
	}))
	if cut > 0 {
		s.say("%s with a cell longer than a workbook holds: it is cut there and ends with …; take these rows from -o csv", count(int64(cut), "row"))
	}
	return err
}

// ended finds an import that has a report.
func (s *session) ended(ctx context.Context, ref, what string) (crm.ImportRow, error) {
	row, err := s.find(ctx, ref)
	if err == nil && row.Report == nil {
		err = failed(fmt.Errorf("import %d of %s is %s: its %s are listed when it has ended", row.Number, row.Source, stateText(row.State), what))
	}
	return row, err
}

// staged opens a list in the stage.
func (s *session) staged(ctx context.Context, o crm.Object, read func(io.Reader) error) error {
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return err
	}
	defer stage.Close()
	r, err := stage.ReadCompressed(ctx, o)
	if err != nil {
		return err
	}
	defer r.Close()
	return read(r)
}
