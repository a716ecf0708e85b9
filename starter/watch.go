package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/store"
)

type importsWatchCmd struct {
	Import     string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`
}

// Run follows an import to its end, prints its report, and exits as the import
// itself would have. One that has ended needs nothing started.
func (c *importsWatchCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	row, err := s.find(ctx, c.Import)
	if err != nil {
		return err
	}
	if row.State.Open() {
		return s.watch(ctx, row, c.NoProgress)
	}
	report := reportOf(row)
	return errors.Join(s.printReport(report, s.aside(ctx, row)), end(codeOfReport(report)))
}

// find looks an import up in the database, and starts nothing. A source's name
// means its latest import that had work to do.
func (s *session) find(ctx context.Context, ref string) (crm.ImportRow, error) {
	return s.findThat(ctx, ref, ran)
}

// ran is false for an import that only found its work done already.
func ran(r crm.ImportRow) bool { return r.State != crm.AlreadyImported }

// wrote is false also for a dry run, and for an undo, which takes back.
func wrote(r crm.ImportRow) bool { return ran(r) && !r.Request.Plan && r.Kind != crm.KindUndo }

// findThat is find with another notion of which imports a source's name means.
// Where none fits it means the latest, so that what is wrong with that one is
// what people read.
func (s *session) findThat(ctx context.Context, ref string, fits func(crm.ImportRow) bool) (crm.ImportRow, error) {
	db, err := s.readStore(ctx)
	if err != nil {
		return crm.ImportRow{}, err
	}
	defer db.Close()
	row, err := db.Import(ctx, ref)
	if errors.Is(err, crm.ErrNotFound) {
		err = fmt.Errorf("%w; see starter imports list", err)
	}
	if err != nil || row.Source != ref || strings.TrimPrefix(ref, "#") == fmt.Sprint(row.Number) || fits(row) {
		return row, err
	}
	const most = 1000 // enough for years of a nightly import of one file
	list, err := db.Imports(ctx, store.ImportQuery{Source: ref, Limit: most})
	if i := slices.IndexFunc(list, fits); err == nil && i >= 0 {
		return db.Import(ctx, list[i].ID)
	}
	return row, err
}

// watch starts or reaches the installation, where the import goes on, and
// follows it.
func (s *session) watch(ctx context.Context, row crm.ImportRow, quiet bool) error {
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	started, err := running(ctx, k, row)
	if err != nil {
		return err
	}
	return s.finish(ctx, k, started, quiet)
}

// running finds the workflow of an import that is open in the database.
func running(ctx context.Context, k *stack, row crm.ImportRow) (launch.Started, error) {
	started, err := k.Launcher.Running(ctx, row.Source)
	if errors.Is(err, crm.ErrNotFound) || err == nil && started.ImportID != "" && started.ImportID != row.ID {
		return started, failed(fmt.Errorf("import %d of %s is not running any more: its workflow was terminated; "+
			"what was written stays, and importing the file again completes it", row.Number, row.Source))
	}
	return started, err
}
