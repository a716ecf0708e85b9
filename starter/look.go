package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"sluice/internal/crm"
	"sluice/internal/tabular"
)

// A looked is what a look at a file found out. It may keep a copy of the file,
// so it must be closed.
type looked struct {
	layout    tabular.Layout
	decisions []crm.Decision
	samples   [][]string // the first rows

	text   tabular.Source // what the layout is of
	copies []string       // temporary files
}

const sampleRows = 200

// look finds out how a file is written and reads its first rows, as the step
// Inspect does. Of a file that must be unpacked or rewritten first only the
// beginning is, unless it is wanted whole.
func (r reading) look(ctx context.Context, in input, whole bool) (found *looked, err error) {
	found = &looked{text: in.source()}
	defer func() {
		if err != nil {
			found.close()
		}
	}()
	if err := found.unpack(ctx, whole); err != nil {
		return found, err
	}
	format, decisions, err := tabular.Identify(ctx, found.text, r.settings)
	if err != nil {
		return found, err
	}
	if format.Kind != tabular.KindXLSX && r.settings.Sheet != "" {
		return found, fmt.Errorf("%w: it is no workbook and has no sheets; leave --sheet away", crm.ErrInvalid)
	}
	found.decisions = append(found.decisions, decisions...)
	if !format.Plain() {
		src := found.text
		if err := found.rewrite(whole, func(w io.Writer) error { return format.Rewrite(ctx, src, w) }); err != nil {
			return found, err
		}
	}
	found.layout, decisions, err = tabular.Sniff(ctx, found.text, format, r.settings)
	if err != nil {
		return found, err
	}
	found.decisions = append(found.decisions, decisions...)
	found.samples, err = tabular.Samples(ctx, found.text, found.layout, sampleRows)
	return found, err
}

// close removes the copies.
func (f *looked) close() {
	for _, path := range f.copies {
		_ = os.Remove(path)
	}
}

func (f *looked) unpack(ctx context.Context, whole bool) error {
	src := f.text
	packing, err := tabular.Packed(ctx, src)
	if err != nil || packing == "" {
		return err
	}
	f.decisions = append(f.decisions, crm.Decision{About: "packing", Choice: packing, Evidence: "by its content", Score: 1})
	return f.rewrite(whole, func(w io.Writer) error { return tabular.Unpack(ctx, src, packing, w) })
}

// beginningSize is how much of a file that must be rewritten is looked at.
const beginningSize = 1 << 20

var errEnough = errors.New("enough has been rewritten")

// rewrite makes what write writes the text that is looked at: all of it, or its
// beginning.
func (f *looked) rewrite(whole bool, write func(io.Writer) error) error {
	file, err := os.CreateTemp("", "sluice-*")
	if err != nil {
		return err
	}
	f.copies = append(f.copies, file.Name())
	w := &beginning{file: file, whole: whole}
	err = write(w)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil && !w.full {
		return err
	}
	f.text = input{name: f.text.Name, path: file.Name(), size: w.size}.source()
	return nil
}

// beginning keeps the first bytes written to it and refuses the rest. Of a
// workbook it keeps all: its table of contents stands at its end.
type beginning struct {
	file  *os.File
	whole bool
	size  int64
	full  bool // bytes were refused
}

func (b *beginning) Write(p []byte) (int, error) {
	if b.size == 0 && bytes.HasPrefix(p, []byte("PK\x03\x04")) {
		b.whole = true
	}
	if room := beginningSize - b.size; !b.whole && int64(len(p)) > room {
		p, b.full = p[:room], true
	}
	n, err := b.file.Write(p)
	b.size += int64(n)
	if err == nil && b.full {
		err = errEnough
	}
	return n, err
}

// rows calls see for every row.
func (f *looked) rows(ctx context.Context, see func(*crm.Row)) error {
	r, err := f.text.Open(ctx, f.layout.Start.Offset)
	if err != nil {
		return err
	}
	defer r.Close()
	rows := tabular.NewReader(r, f.layout, f.layout.Start)
	var row crm.Row
	for {
		err := rows.Read(&row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		see(&row)
	}
}
