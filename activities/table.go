package activities

import (
	"bytes"
	"context"
	"errors"
	"io"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// table is a file on its way from how it came to how Parse reads it.
type table struct {
	file      crm.File // text that a reader can seek in
	plan      plan
	decisions []crm.Decision

	// known is what was known of the columns when the rows of a reject file
	// were first read; nil for any other file.
	known *known
}

// table makes a file readable: what is packed is unpacked, what is no UTF-8
// text is rewritten, and its layout is found.
//
// What the mapping says about files is said of those that its owner makes. A
// reject file is of our making, whatever a spreadsheet did to it since, so only
// the sheet named in the request holds for one.
func (a *Activities) table(ctx context.Context, in crm.InspectInput, imp crm.ImportRow, spec *mapping.Spec) (table, error) {
	settings := crm.Reading{Sheet: imp.Request.Sheet}
	if imp.Request.Parent == "" {
		return a.sniffed(ctx, in, over(settings, spec))
	}
	r, err := a.relisting(ctx, in, imp)
	if err != nil {
		return table{}, err
	}
	t, err := a.sniffed(ctx, in, settings)
	if err != nil && !errors.Is(err, crm.ErrInvalid) {
		return table{}, err
	}
	var listed bool
	if r.columns, listed = crm.ParseRejectHeader(t.plan.Layout.Header); !listed {
		t, err = a.sniffed(ctx, in, over(settings, spec))
		t.plan.Retry = &r.retry
		return t, err
	}
	r.padded = over(settings, spec).ShortRows == crm.PadShort
	return r.table(ctx, in, t)
}

// over returns the settings of a request over those of a mapping.
func over(s crm.Reading, spec *mapping.Spec) crm.Reading {
	if spec == nil {
		return s
	}
	return s.Over(spec.Reading)
}

// sniffed makes a file readable under the settings given.
func (a *Activities) sniffed(ctx context.Context, in crm.InspectInput, s crm.Reading) (t table, err error) {
	t.file = in.File
	if err := a.unpack(ctx, in, &t); err != nil {
		return t, err
	}
	format, found, err := tabular.Identify(ctx, a.source(t.file), s)
	if err != nil {
		return t, err
	}
	t.decisions = append(t.decisions, found...)
	if !format.Plain() {
		src := a.source(t.file)
		err = a.rewrite(ctx, &t.file, fileKey(in.Import.ID, attempt(ctx), in.File.Number, "csv"), func(w io.Writer) error {
			return format.Rewrite(ctx, src, w)
		})
		if err != nil {
			return t, err
		}
	}
	t.plan.Layout, found, err = tabular.Sniff(ctx, a.source(t.file), format, s)
	t.decisions = append(t.decisions, found...)
	return t, err
}

// unpack stages what is packed in the file, if it is.
func (a *Activities) unpack(ctx context.Context, in crm.InspectInput, t *table) error {
	src := a.source(in.File)
	packing, err := tabular.Packed(ctx, src)
	if err != nil || packing == "" {
		return err
	}
	t.decisions = append(t.decisions, crm.Decision{About: "packing", Choice: packing, Evidence: "by its content", Score: 1})
	return a.rewrite(ctx, &t.file, fileKey(in.Import.ID, attempt(ctx), in.File.Number, "unpacked"), func(w io.Writer) error {
		return tabular.Unpack(ctx, src, packing, w)
	})
}

// rewrite stages what write writes, and its checksums, and makes that the bytes
// of a file.
func (a *Activities) rewrite(ctx context.Context, f *crm.File, key string, write func(io.Writer) error) error {
	var sums blockSums
	o, err := a.putWritten(ctx, key, &sums, write)
	if err != nil {
		return err
	}
	f.Object = o
	f.Sums, err = a.Stage.Put(ctx, key+".sums", bytes.NewReader(sums.all()))
	return err
}

// putWritten stages what write writes, which sums sees too.
func (a *Activities) putWritten(ctx context.Context, key string, sums io.Writer, write func(io.Writer) error) (crm.Object, error) {
	pr, pw := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(io.MultiWriter(pw, sums))
		pw.CloseWithError(err)
		written <- err
	}()
	o, err := a.Stage.Put(ctx, key, pr)
	pr.CloseWithError(err) // ends write if Put gave up first
	if wrote := <-written; wrote != nil && !errors.Is(wrote, io.ErrClosedPipe) {
		err = wrote // Put only passes it on
	}
	return o, err
}
