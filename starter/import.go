package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

type importCmd struct {
	Files   []string `arg:"" name:"file" help:"CSV or XLSX files, or - for standard input."`
	Source  string   `required:"" placeholder:"NAME" env:"SLUICE_SOURCE" help:"The source the records belong to: 1 to 64 of a-z, 0-9 and -. Made if there is none."`
	Mapping string   `placeholder:"FILE" env:"SLUICE_MAPPING" help:"Which column is which field. Default: the source's saved mapping, else what the header says."`
	Sheet   string   `placeholder:"NAME" env:"SLUICE_SHEET" help:"The sheet of a workbook."`
	Mode    string   `enum:"upsert,create_only,update_only," default:"" placeholder:"MODE" env:"SLUICE_MODE" help:"upsert, create_only or update_only. Default: what the mapping says, else upsert."`

	Detach     bool   `env:"SLUICE_DETACH" help:"Start it and return; needs a worker that runs elsewhere."`
	Queue      bool   `env:"SLUICE_QUEUE" help:"When another import of the source is running, wait for its end first."`
	Again      bool   `env:"SLUICE_AGAIN" help:"Import even what is imported already."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`

	BatchRows  int           `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_ROWS" help:"Rows a batch; 20000."`
	BatchBytes int64         `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_BYTES" help:"Bytes of text a batch; 4194304."`
	Writers    int           `group:"tuning" placeholder:"N" env:"SLUICE_WRITERS" help:"Batches written at the same time; 2."`
	Heartbeat  time.Duration `group:"tuning" placeholder:"TIME" env:"SLUICE_HEARTBEAT" help:"How long a step may be silent before another worker takes it; 30s."`
}

// Run checks everything that can be checked, and only then starts.
func (c *importCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	if err := crm.CheckSlug(c.Source); err != nil {
		return err
	}
	files, clean, err := inputs(ctx, c.Files, s.in)
	if err != nil {
		return err
	}
	defer clean()
	read, err := c.reading(ctx, s)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := read.check(ctx, f); err != nil {
			return err
		}
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	if c.Detach && k.ends() {
		return usage("--detach needs a worker that runs elsewhere, and here this command is the worker; leave --detach away, or set TEMPORAL_ADDRESS and the rest")
	}
	started, err := c.launch(ctx, s, k, files, read)
	if err != nil {
		return err
	}
	if c.Detach {
		return s.detached(started)
	}
	return s.finish(ctx, k, started, c.NoProgress)
}

// reading finds the mapping. The source's own settings are read from the
// database, if there is one yet.
func (c *importCmd) reading(ctx context.Context, s *session) (reading, error) {
	source := crm.Source{Slug: c.Source, Kind: crm.KindFile}
	db, err := s.readStore(ctx)
	if err == nil {
		defer db.Close()
		var known crm.Source
		if known, err = db.Source(ctx, c.Source); err == nil {
			source = known
		}
	}
	if err != nil && !errors.Is(err, crm.ErrNotFound) {
		return reading{}, err
	}
	if source.Kind != crm.KindFile {
		return reading{}, usage("source %s is read from %s and takes no files; choose another name", c.Source, source.Kind)
	}
	return readMapping(c.Mapping, c.Sheet, source)
}

// launch stages the files and starts the import, or attaches to the very same
// one.
func (c *importCmd) launch(ctx context.Context, s *session, k *stack, files []input, read reading) (launch.Started, error) {
	o := launch.Options{Source: c.Source, Mapping: read.text, Sheet: c.Sheet, Mode: crm.Mode(c.Mode), Again: c.Again, StartedBy: login(),
		Tuning: crm.Tuning{BatchRows: c.BatchRows, BatchBytes: c.BatchBytes, Writers: c.Writers, Heartbeat: c.Heartbeat}}
	for _, f := range files {
		ref, err := stageInput(ctx, k, f)
		if err != nil {
			return launch.Started{}, err
		}
		o.Files = append(o.Files, ref)
	}
	started, err := k.Launcher.Start(ctx, o)
	var running *launch.RunningError
	for c.Queue && errors.As(err, &running) {
		s.say("waiting for %s", runningName(running))
		if err := awaitOther(ctx, k, c.Source); err != nil {
			return started, err
		}
		started, err = k.Launcher.Start(ctx, o)
	}
	if err == nil && started.Attached {
		s.say("this very import is running already: watching it")
	}
	return started, err
}

// stageInput copies a file into the stage.
func stageInput(ctx context.Context, k *stack, f input) (crm.FileRef, error) {
	r, err := os.Open(f.path)
	if err != nil {
		return crm.FileRef{}, unreadable(f.name, err)
	}
	defer r.Close()
	return k.Launcher.StageFile(ctx, f.name, r)
}

func runningName(r *launch.RunningError) string {
	if r.ImportID == "" {
		return "the import of " + r.Source + " that is running"
	}
	return fmt.Sprintf("import %s of %s to end", r.ImportID, r.Source)
}

// awaitOther waits until no import of a source is running.
func awaitOther(ctx context.Context, k *stack, source string) error {
	started, err := k.Launcher.Running(ctx, source)
	if errors.Is(err, crm.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = k.Launcher.Wait(ctx, started)
	return err
}

// detached says what was started and how to come back to it.
func (s *session) detached(started launch.Started) error {
	s.say("follow it with: starter imports watch %s", started.Source)
	if s.json {
		return s.object(started)
	}
	return s.data(started.ImportID + "\n")
}

// finish follows an import to its end and prints its report.
func (s *session) finish(ctx context.Context, k *stack, started launch.Started, quiet bool) error {
	if link := k.Launcher.Link(started); link != "" && !quiet {
		s.say("Temporal UI: %s", link)
	}
	report, err := follow(ctx, k.Launcher, started, s.printer, following{quiet: quiet, attached: k.Attached})
	if ctx.Err() != nil {
		return s.interrupted(k, started)
	}
	if err != nil {
		return err
	}
	if s.json && !quiet {
		s.say("%s", headline(report))
	}
	if err := s.printReport(report, k.places(started)); err != nil {
		return err
	}
	return end(codeOfState(report.State, report.Rejected))
}

// interrupted says what Ctrl-C did to the import: nothing, where a worker runs
// elsewhere; here, it rests.
func (s *session) interrupted(k *stack, started launch.Started) error {
	if k.ends() {
		s.say("stopping; batches in hand are finished (Ctrl-C again stops at once)")
	} else {
		s.say("detached: the import goes on; watch it with: starter imports watch %s", started.Source)
	}
	return end(exitInterrupted)
}
