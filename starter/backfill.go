package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/store"
)

type backfillStartCmd struct {
	Source string   `arg:"" optional:"" help:"The source."`
	Files  []string `arg:"" optional:"" name:"file" help:"Files to import into a source of files, each by itself; patterns such as 'exports/*.csv' and addresses such as 's3://bucket/exports/*.csv' too."`

	From day `placeholder:"DAY" env:"SLUICE_FROM" help:"What was created on that day or later, such as 2015-01-01."`
	To   day `placeholder:"DAY" env:"SLUICE_TO" help:"What was created before the end of that day. Default: up to the present."`

	Plan    string `placeholder:"FILE" env:"SLUICE_BACKFILL_PLAN" help:"A file that names several sources, in place of one."`
	Mapping string `placeholder:"FILE" env:"SLUICE_MAPPING" help:"Which column of the files is which field. Default: the source's saved mapping, else what the header says."`
	Sheet   string `placeholder:"NAME" env:"SLUICE_SHEET" help:"The sheet of workbooks."`
	AtOnce  int    `default:"4" env:"SLUICE_AT_ONCE" placeholder:"N" help:"Sources at the same time."`
	Detach  bool   `env:"SLUICE_DETACH" help:"Start it and return; needs a worker that runs elsewhere."`

	backfillOutput `embed:""`

	BatchRows positive      `group:"tuning" placeholder:"N" env:"SLUICE_BATCH_ROWS" help:"Rows a batch; 25000."`
	Heartbeat time.Duration `group:"tuning" placeholder:"TIME" env:"SLUICE_HEARTBEAT" help:"How long a step may be silent before another worker takes it; 30s."`
}

type backfillOutput struct {
	NoProgress bool   `env:"SLUICE_NO_PROGRESS" help:"Show no progress."`
	Output     string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// A day is a day of the calendar, in UTC.
type day struct{ time.Time }

// UnmarshalText is called by kong.
func (d *day) UnmarshalText(text []byte) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return errors.New("write a day as 2015-01-31")
	}
	return nil
}

// read reads a day that need not be given.
func (d *day) read(text string) error {
	if text == "" {
		return nil
	}
	return d.UnmarshalText([]byte(text))
}

// span is from the beginning of one day to the end of another.
func span(from, to day) crm.Span {
	s := crm.Span{From: from.Time}
	if !to.IsZero() {
		s.To = to.AddDate(0, 0, 1)
	}
	return s
}

// Run starts a backfill and follows it to its end.
func (c *backfillStartCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	wanted, err := c.wanted()
	if err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	if c.Detach && k.ends() {
		return usage("--detach needs a worker that runs elsewhere, and here this command is the worker; leave --detach away, or set TEMPORAL_ADDRESS and the rest")
	}
	b := crm.Backfill{AtOnce: c.AtOnce, StartedBy: login(), Tuning: crm.Tuning{BatchRows: int(c.BatchRows), Heartbeat: c.Heartbeat}}
	for _, w := range wanted {
		src, err := w.staged(ctx, k)
		if err != nil {
			return err
		}
		b.Sources = append(b.Sources, src)
	}
	if b, err = k.Launcher.Backfill(ctx, b); err != nil {
		return err
	}
	if c.Detach {
		s.say("follow it with: starter backfill watch")
		if s.json {
			return s.object(b)
		}
		return s.data(b.ID + "\n")
	}
	return s.followBackfill(ctx, k, b.ID, c.NoProgress)
}

// A backfillRef names a backfill.
type backfillRef struct {
	ID string `arg:"" optional:"" help:"A backfill's id. Default: the latest."`
}

// row finds the backfill in the database.
func (r backfillRef) row(ctx context.Context, s *session) (crm.BackfillRow, error) {
	db, err := s.readStore(ctx)
	if err != nil {
		return crm.BackfillRow{}, err
	}
	defer db.Close()
	row, err := db.Backfill(ctx, r.ID)
	if errors.Is(err, crm.ErrNotFound) {
		err = fmt.Errorf("backfill: %w; see starter backfill list", crm.ErrNotFound)
	}
	return row, err
}

// with has something done about the backfill, with what it takes to start or
// command it.
func (r backfillRef) with(ctx context.Context, s *session, do func(k *stack, id string) error) error {
	row, err := r.row(ctx, s)
	if err != nil {
		return err
	}
	k, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop(k)
	return do(k, row.ID)
}

type backfillWatchCmd struct {
	backfillRef    `embed:""`
	backfillOutput `embed:""`
}

// Run follows a backfill to its end; the way back after a detach or Ctrl-C.
func (c *backfillWatchCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	return c.with(ctx, s, func(k *stack, id string) error { return s.followBackfill(ctx, k, id, c.NoProgress) })
}

type backfillListCmd struct {
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run lists backfills from the database alone.
func (c *backfillListCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	db, err := s.readStore(ctx)
	if errors.Is(err, crm.ErrNotFound) {
		s.say("no backfills yet")
		return nil
	}
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.Backfills(ctx, 100)
	if err != nil {
		return err
	}
	if s.json {
		return each(list, s.object)
	}
	if len(list) == 0 {
		s.say("no backfills yet")
		return nil
	}
	var rows [][]string
	for _, b := range list {
		var names []string
		for _, src := range b.Sources {
			names = append(names, src.Source)
		}
		rows = append(rows, []string{b.ID, stateText(b.State), when(b.StartedAt), b.StartedBy, strings.Join(names, ", ")})
	}
	return s.data(grid([]string{"backfill", "state", "started", "by", "sources"}, rows))
}

type backfillShowCmd struct {
	backfillRef `embed:""`
	Source      string `placeholder:"NAME" env:"SLUICE_SOURCE" help:"Only this source."`
	Output      string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one partition a line."`
}

// A listedPartition is a partition as the list shows it.
type listedPartition struct {
	Source string `json:"source"`
	crm.BackfillPartition
}

// Run shows how far a backfill is with each source, and its partitions. It asks
// the workflow when there is one to reach, and else the database, and starts
// nothing.
func (c *backfillShowCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	row, err := c.row(ctx, s)
	if err != nil {
		return err
	}
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := c.partitions(ctx, db, row)
	if err != nil {
		return err
	}
	if s.json {
		return each(list, s.object)
	}
	p, view, err := s.backfillOf(ctx, db, row)
	if err != nil {
		return err
	}
	p.Sources = slices.DeleteFunc(p.Sources, func(at crm.SourceProgress) bool { return c.Source != "" && c.Source != at.Source })
	return s.data(view.text(p, time.Now()) + "\n" + partitionsTable(list))
}

func (c *backfillShowCmd) partitions(ctx context.Context, db *store.Store, row crm.BackfillRow) (list []listedPartition, err error) {
	for _, src := range row.Sources {
		if c.Source != "" && c.Source != src.Source {
			continue
		}
		parts, err := db.BackfillPartitions(ctx, row.ID, src.Source)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			list = append(list, listedPartition{src.Source, p})
		}
	}
	return list, nil
}

// backfillOf says how far a backfill is, and how to show it.
func (s *session) backfillOf(ctx context.Context, db *store.Store, row crm.BackfillRow) (crm.BackfillProgress, *backfillView, error) {
	view := newBackfillView(func(source string) bound { return s.boundOf(ctx, db, source) })
	if row.EndedAt.IsZero() {
		k, err := s.reach(ctx)
		if err == nil {
			defer s.stop(k)
			p, live, err := k.Launcher.BackfillProgress(ctx, row.ID)
			if err == nil && live {
				view.imports = askRunning(ctx, k.Launcher, p, 0)
				return p, view, nil
			}
		} else if !errors.Is(err, crm.ErrNotFound) {
			s.say("%s", plain(err.Error()))
		}
		s.say("from the database: no workflow answers; if nothing works on the backfill, it goes on with: starter backfill watch")
	}
	p, err := launch.StoredBackfill(ctx, db, row.ID)
	return p, view, err
}

func partitionsTable(list []listedPartition) string {
	if len(list) == 0 {
		return "no partitions are planned yet\n"
	}
	var rows [][]string
	for _, p := range list {
		why := ""
		if p.Failure != nil {
			why = oneLine(failureText(*p.Failure))
		}
		rows = append(rows, []string{p.Source, fmt.Sprint(p.Number), p.Name, string(p.State), number(p.Rows), p.ImportID, why})
	}
	return grid([]string{"source", "", "partition", "state", "rows", "import", "failure"}, rows, 1, 4)
}
