package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// A reading is how the files of one import are to be read: by what its mapping
// and its source say.
type reading struct {
	spec     *mapping.Spec // nil: the header decides
	text     []byte        // of the mapping file that was given; nil if none was
	settings crm.Reading
	options  mapping.Options
}

// readMapping reads the mapping file at path, or the source's saved one when
// path is "". The error names every fault with its line.
func readMapping(path, sheet string, source crm.Source) (reading, error) {
	r := reading{options: mapping.Options{Region: source.Region, TimeZone: source.TimeZone}, settings: crm.Reading{Sheet: sheet}}
	text, name := []byte(source.Mapping), "saved mapping of "+source.Slug
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return r, unreadable(path, err)
		}
		r.text, name = text, path
	}
	if len(text) == 0 {
		return r, nil
	}
	spec, err := mapping.ParseSpec(text)
	if err != nil {
		return r, usage("%s: %s", name, fault(err))
	}
	r.spec = spec
	r.settings = r.settings.Over(spec.Reading)
	return r, nil
}

// A looked is what a look at a file found out.
type looked struct {
	layout    tabular.Layout
	decisions []crm.Decision
	samples   [][]string // the first rows
}

const sampleRows = 200

// check looks at a file as the step Inspect will, so that what cannot be
// imported is known before anything is started. The error is one line.
func (r reading) check(ctx context.Context, in input) error {
	found, err := r.look(ctx, in)
	if err == nil {
		_, _, err = mapping.Resolve(found.layout.Header, nil, r.spec, r.options)
	}
	return fileFault(ctx, in, err)
}

// fileFault makes a fault of a file a usage error that begins with its name.
func fileFault(ctx context.Context, in input, err error) error {
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return usage("%s: %s", in.name, fault(err))
}

// fault is the text of an error without what stands before the fault itself:
// which room of ours found out.
func fault(err error) string {
	text := err.Error()
	if _, after, found := strings.Cut(text, crm.ErrInvalid.Error()+": "); found && errors.Is(err, crm.ErrInvalid) {
		text = after
	}
	return plain(text)
}

// look finds out how a file is written, and reads its first rows.
func (r reading) look(ctx context.Context, in input) (looked, error) {
	var found looked
	src := in.source()
	format, decisions, err := tabular.Identify(ctx, src, r.settings)
	if err != nil {
		return found, err
	}
	if format.Kind == tabular.KindCSV && r.settings.Sheet != "" {
		return found, fmt.Errorf("%w: it is no workbook and has no sheets; leave --sheet away", crm.ErrInvalid)
	}
	found.decisions = decisions
	if !format.Plain() {
		if src, err = beginning(ctx, src, format); err != nil {
			return found, err
		}
	}
	layout, decisions, err := tabular.Sniff(ctx, src, format, r.settings)
	if err != nil {
		return found, err
	}
	found.layout, found.decisions = layout, append(found.decisions, decisions...)
	found.samples, err = samples(ctx, src, layout)
	return found, err
}

// samples reads the first rows. A file without a single one holds nothing to
// import.
func samples(ctx context.Context, src tabular.Source, l tabular.Layout) ([][]string, error) {
	r, err := src.Open(ctx, l.Start.Offset)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	rows := tabular.NewReader(r, l, l.Start)
	var list [][]string
	var row crm.Row
	for n := 0; n < sampleRows; n++ {
		err := rows.Read(&row)
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return nil, fmt.Errorf("%w: it has a header and no rows", crm.ErrInvalid)
			}
			break
		}
		if err != nil {
			return nil, err
		}
		if row.Fault == "" {
			list = append(list, ownCells(row.Cells))
		}
	}
	return list, nil
}

// ownCells copies cells out of the reader's memory.
func ownCells(cells []string) []string {
	own := make([]string, len(cells))
	for i, c := range cells {
		own[i] = string([]byte(c))
	}
	return own
}

// beginningSize is how much of a file that must be rewritten is looked at.
const beginningSize = 1 << 20

var errEnough = errors.New("enough has been rewritten")

// beginning rewrites as much of a file as a look needs, in memory, to its last
// whole line.
func beginning(ctx context.Context, src tabular.Source, format tabular.Format) (tabular.Source, error) {
	var w head
	err := format.Rewrite(ctx, src, &w)
	text := w.b.Bytes()
	if errors.Is(err, errEnough) || w.full {
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	} else if err != nil {
		return tabular.Source{}, err
	}
	return tabular.Source{Name: src.Name, Size: int64(len(text)), Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text[offset:])), nil
	}}, nil
}

// head keeps the first bytes written to it and refuses the rest.
type head struct {
	b    bytes.Buffer
	full bool
}

func (h *head) Write(p []byte) (int, error) {
	room := beginningSize - h.b.Len()
	if len(p) <= room {
		return h.b.Write(p)
	}
	h.b.Write(p[:room])
	h.full = true
	return room, errEnough
}
