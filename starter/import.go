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
	Files  []string `arg:"" name:"file" help:"CSV, XLSX and JSON files, also packed, or - for standard input; or where one lies: https://…, s3://bucket/key, gs://…, azblob://…, sftp://user@host/path, with a star in the last part for all that match."`
	Source string   `required:"" placeholder:"NAME" env:"SLUICE_SOURCE" help:"The source the records belong to: 1 to 64 of a-z, 0-9 and -. Made if there is none."`
	Again  bool     `env:"SLUICE_AGAIN" help:"Import even what is imported already."`

	MaxRejected percent `placeholder:"PERCENT" env:"SLUICE_MAX_REJECTED" help:"Stop and ask when more of the rows are rejected, once there are 1000; 20. 100: never."`

	startFlags `embed:""`
}

// startFlags are those of every command that starts an import.
type startFlags struct {
	Mapping string `placeholder:"FILE" env:"SLUICE_MAPPING" help:"Which column is which field. Default: the source's saved mapping, else what the header says."`
	Mode    string `enum:"upsert,create_only,update_only," default:"" placeholder:"MODE" env:"SLUICE_MODE" help:"upsert, create_only or update_only. Default: what the mapping says, else upsert."`

	DryRun     bool   `env:"SLUICE_DRY_RUN" help:"Do everything but keep nothing: say what would be created, updated and rejected."`
	Detach     bool   `env:"SLUICE_DETACH" help:"Start it and return; needs a worker that runs elsewhere."`
	Queue      bool   `env:"SLUICE_QUEUE" help:"When another import of the source is running, wait for its end first."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`

	readingFlags `embed:""`
	meaningFlags `embed:""`

	BatchRows  positive      `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_ROWS" help:"Rows a batch; 25000."`
	BatchBytes positive      `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_BYTES" help:"Bytes of text a batch; 6291456."`
	Writers    positive      `group:"tuning" placeholder:"N" env:"SLUICE_WRITERS" help:"Batches written at the same time; 2."`
	Heartbeat  time.Duration `group:"tuning" placeholder:"TIME" env:"SLUICE_HEARTBEAT" help:"How long a step may be silent before another worker takes it; 30s."`
}

// Validate is called by kong.
func (c startFlags) Validate() error {
	if c.Heartbeat < 0 {
		return errors.New("--heartbeat: use a time above 0, such as 30s")
	}
	return c.readingFlags.Validate()
}

// Run checks everything that can be checked, and only then starts.
func (c *importCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	if err := crm.CheckSlug(c.Source); err != nil {
		return err
	}
	files, clean, err := inputs(ctx, c.Files, s.in, true)
	if err != nil {
		return err
	}
	defer clean()
	read, err := c.reading(ctx, s, c.Source)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.place != nil {
			continue // only a worker looks at it
		}
		header, err := read.checked(ctx, f)
		if _, ours := crm.ParseRejectHeader(header); ours {
			s.say("%s is a list of rejected rows; starter imports retry is meant for it", f.name)
		}
		if err != nil {
			return err
		}
	}
	o := c.options(c.Source, read)
	o.Again, o.MaxRejected = c.Again, int(c.MaxRejected)
	return s.begin(ctx, c.startFlags, o, files)
}

// begin starts an import of files, or reaches the very same one, and follows it
// to its end.
func (s *session) begin(ctx context.Context, c startFlags, o launch.Options, files []input) error {
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	if c.Detach && k.ends() {
		return usage("--detach needs a worker that runs elsewhere, and here this command is the worker; leave --detach away, or set TEMPORAL_ADDRESS and the rest")
	}
	for _, f := range files {
		ref, err := stageInput(ctx, k, f)
		if err != nil {
			return err
		}
		o.Files = append(o.Files, ref)
	}
	started, err := s.launch(ctx, k, o, c.Queue)
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
func (c *startFlags) reading(ctx context.Context, s *session, slug string) (reading, error) {
	source := crm.Source{Slug: slug, Kind: crm.KindFile}
	db, err := s.readStore(ctx)
	if err == nil {
		defer db.Close()
		var known crm.Source
		if known, err = db.Source(ctx, slug); err == nil {
			source = known
		}
	}
	if err != nil && !errors.Is(err, crm.ErrNotFound) {
		return reading{}, err
	}
	if source.Kind != crm.KindFile {
		return reading{}, usage("source %s is read from %s and takes no files; choose another name", slug, source.Kind)
	}
	return readMapping(c.Mapping, source, c.readingFlags, c.meaningFlags)
}

// options is what the flags and the mapping say about an import.
func (c *startFlags) options(source string, read reading) launch.Options {
	return launch.Options{Source: source, Mapping: read.text, Sheet: c.Sheet, Mode: crm.Mode(c.Mode), Plan: c.DryRun, StartedBy: login(),
		Tuning: crm.Tuning{BatchRows: int(c.BatchRows), BatchBytes: int64(c.BatchBytes), Writers: int(c.Writers), Heartbeat: c.Heartbeat}}
}

// launch starts an import. If queue is set and another one of its source is
// running, it waits for that one first.
func (s *session) launch(ctx context.Context, k *stack, o launch.Options, queue bool) (launch.Started, error) {
	return s.queued(ctx, k, o.Source, queue, func() (launch.Started, error) { return k.Launcher.Start(ctx, o) })
}

// queued is launch for whatever start starts.
func (s *session) queued(ctx context.Context, k *stack, source string, queue bool, start func() (launch.Started, error)) (launch.Started, error) {
	started, err := start()
	var running *launch.RunningError
	for queue && errors.As(err, &running) {
		s.say("waiting for %s", runningName(running))
		if err := awaitOther(ctx, k, source); err != nil {
			return started, err
		}
		started, err = start()
	}
	if err == nil && started.Attached {
		s.say("this very import is running already: watching it")
	}
	return started, err
}

// stageInput copies a file into the stage. Of a place elsewhere only the address
// goes there, if it is one on the web.
func stageInput(ctx context.Context, k *stack, f input) (ref crm.FileRef, err error) {
	if p := f.place; p != nil {
		ref = crm.FileRef{Name: f.name, Place: p.String(), Many: p.Pattern()}
		if p.Web() {
			ref.Address, err = k.Launcher.StageAddress(ctx, p.Text())
		}
		return ref, err
	}
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
	report, err := follow(ctx, k.Launcher, started, s.printer, following{quiet: quiet, attached: k.Attached, bound: s.boundOf(ctx, k.Store, started.Source)})
	if ctx.Err() != nil {
		return s.interrupted(k, started)
	}
	if err != nil {
		return err
	}
	if s.json && !quiet {
		s.say("%s", headline(report, 0))
	}
	if err := s.printReport(report, k.aside(ctx, started, report)); err != nil {
		return err
	}
	return end(codeOfReport(report))
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
