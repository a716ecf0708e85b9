package main

import (
	"context"
	"errors"
	"io"
	"slices"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/wiring"
)

type importsRetryCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	File   string `placeholder:"FILE" env:"SLUICE_FILE" help:"The mended rows, as imports rejects wrote them, or - for standard input. Default: the rejected rows as they were."`
	Again  bool   `env:"SLUICE_AGAIN" help:"Retry even what is imported already."`

	startFlags `embed:""`
}

// Run imports the rejected rows of an import again, as an import of its own
// that knows its parent.
func (c *importsRetryCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	if flag := c.misplaced(); c.File == "" && flag != "" {
		return usage("--%s says how a file is read, and the rejected rows are no such file any more; import the file again with it", flag)
	}
	row, err := s.findThat(ctx, c.Import, wrote)
	if err == nil && row.State.Open() && c.File == "" {
		return s.goOn(ctx, c.Import, "retry", "writing the parked batches of import %d of %s again", (*launch.Launcher).Retry)
	}
	if err == nil {
		err = refusal(launch.Retryable(row))
	}
	if err == nil {
		err = s.gone(ctx, row)
	}
	if err != nil {
		return err
	}
	var files []input
	if c.File != "" {
		var clean func()
		if files, clean, err = inputs(ctx, []string{c.File}, s.in, false); err != nil {
			return err
		}
		defer clean()
	}
	read, err := c.readingOf(ctx, s, row)
	if err != nil {
		return err
	}
	for _, f := range files {
		known, err := read.checkMended(ctx, f)
		if err != nil {
			return err
		}
		if !known {
			s.say("%s has no column line, so its rows are taken as new ones", f.name)
		}
	}
	o := c.options(row.Source, read)
	o.Parent, o.Again = row.ID, c.Again
	return refusal(s.begin(ctx, c.startFlags, o, files))
}

// refusal makes a retry that is refused a wrong usage of the command.
func refusal(err error) error {
	var refused *launch.RetryError
	if errors.As(err, &refused) {
		return usage("%s", refused)
	}
	return err
}

// misplaced returns the name of a flag that says how a file is written: it
// changes nothing about rows that have been read. "" if there is none.
func (f readingFlags) misplaced() string {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"encoding", f.Encoding != ""}, {"delimiter", f.Delimiter != ""}, {"quote", f.Quote != ""}, {"escape", f.Escape != ""},
		{"header", f.Header != ""}, {"comment", f.Comment != ""}, {"footer", f.Footer != nil}, {"hidden", f.Hidden != ""},
		{"sheet", f.Sheet != ""},
	} {
		if flag.given {
			return flag.name
		}
	}
	return ""
}

// readingOf finds the mapping: the one that is given, else the parent's, which
// is kept with it.
func (c *importsRetryCmd) readingOf(ctx context.Context, s *session, parent crm.ImportRow) (reading, error) {
	db, err := s.readStore(ctx)
	if err != nil {
		return reading{}, err
	}
	defer db.Close()
	source, err := db.Source(ctx, parent.Source)
	if err != nil {
		return reading{}, err
	}
	if c.Mapping == "" {
		if source.Mapping, err = s.mappingOf(ctx, parent); err != nil {
			return reading{}, err
		}
	}
	return readMapping(c.Mapping, source, c.readingFlags, c.meaningFlags)
}

// mappingOf returns the mapping under which an import ran, "" if it had none.
func (s *session) mappingOf(ctx context.Context, row crm.ImportRow) (string, error) {
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return "", err
	}
	defer stage.Close()
	r, err := stage.OpenKey(ctx, crm.MappingKey(row.ID))
	if errors.Is(err, crm.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	return string(text), err
}

// checkMended checks a file that is given to a retry. What the mapping says of
// files is not said of reject files, which are of our making. What columns mean
// is decided by the file that the rows were part of, and not by these, which
// are the worst of it. It is false for a file that is no reject file.
func (r reading) checkMended(ctx context.Context, in input) (known bool, err error) {
	ours := r
	ours.settings = crm.Reading{Sheet: r.settings.Sheet}
	found, err := ours.look(ctx, in, false)
	if err != nil {
		return false, r.check(ctx, in)
	}
	defer found.close()
	columns, ok := crm.ParseRejectHeader(found.layout.Header)
	if !ok {
		return false, r.check(ctx, in)
	}
	if r.spec == nil {
		return true, nil
	}
	header := found.layout.Header[columns.Width():]
	for _, c := range r.spec.Columns {
		if !slices.Contains(header, c.Column) && !slices.Contains(header, crm.Guard(c.Column)) {
			return true, usage("%s: column %q of the mapping is not in its header; take the rows from imports rejects again, with all their columns", in.name, c.Column)
		}
	}
	return true, nil
}
