package main

import (
	"context"
	"errors"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/wiring"
)

type sweepCmd struct {
	DryRun bool   `env:"SLUICE_DRY_RUN" help:"Say what would go, and remove nothing."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// Run removes from the stage what nobody needs any more, with the database and
// the stage alone. A worker does the same once a day.
func (c *sweepCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	db, err := s.readStore(ctx)
	if errors.Is(err, crm.ErrNotFound) {
		s.say("nothing has been imported yet, so there is nothing to sweep")
		return nil
	}
	if err != nil {
		return err
	}
	defer db.Close()
	if !c.DryRun { // it notes what it removes
		if err := db.Migrate(ctx); err != nil {
			return err
		}
	}
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return err
	}
	defer stage.Close()
	out, err := wiring.Sweep(ctx, s.config, db, stage, c.DryRun)
	if err != nil {
		return err
	}
	if s.json {
		return s.object(out)
	}
	return s.data(swept(out, s.config))
}

// swept writes what a sweep came to.
func swept(out launch.Sweepings, c wiring.Config) string {
	verb := "removed"
	if out.DryRun {
		verb = "would go"
	}
	all := out.All()
	var rows [][]string
	for _, kind := range []struct {
		what string
		launch.Amount
	}{
		{"batches of " + count(int64(out.Imports), "import"), out.Batches},
		{"lists and rewritten files of imports", out.Lists},
		{"source files and mapping files", out.Files},
		{"left by writers that were killed", out.Unfinished},
		{"all", all},
	} {
		rows = append(rows, []string{kind.what, count(int64(kind.Objects), "object"), bytesOf(kind.Bytes)})
	}
	kept := "kept for ever: SLUICE_KEEP"
	if keep, _ := c.Kept(); keep > 0 {
		kept = "kept for " + launch.Days(keep) + " after the end of an import: SLUICE_KEEP"
	}
	return grid([]string{verb, "", ""}, rows, 1, 2) + kept + "\n"
}

// whySwept explains why a list or a batch of an import is missing, if it was
// swept. Other errors stay what they are.
func (s *session) whySwept(ctx context.Context, row crm.ImportRow, err error) error {
	if !errors.Is(err, crm.ErrNotFound) {
		return err
	}
	db, openErr := s.readStore(ctx)
	if openErr != nil {
		return err
	}
	defer db.Close()
	return wiring.WhySwept(ctx, s.config, db, row, err)
}

// gone is the error of a command that needs the lists of an import that were
// swept; nil if they are there.
func (s *session) gone(ctx context.Context, row crm.ImportRow) error {
	var swept *launch.SweptError
	if err := s.whySwept(ctx, row, crm.ErrNotFound); errors.As(err, &swept) && swept.What == "lists" {
		return swept
	}
	return nil
}
