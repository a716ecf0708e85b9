package activities

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// Inspect decides how a staged file is to be read and what its columns mean,
// with the evidence for each decision, and keeps the plan with the import.
//
// It leaves a UTF-8 copy in the stage when the file is not plain UTF-8 text
// already. Running it twice decides the same and stages another copy under the
// attempt's own key. A file that is no table, a header that is damaged, a
// mapping that does not fit the header and a column whose dates can be read in
// two ways end the import, before anything is written.
func (a *Activities) Inspect(ctx context.Context, in crm.InspectInput) (crm.Inspected, error) {
	imp, err := a.Store.Opening(ctx, in.Import.Number)
	if err != nil {
		return crm.Inspected{}, err
	}
	spec, options, err := a.mappingOf(ctx, imp)
	if err != nil {
		return crm.Inspected{}, err
	}
	settings := readingSettings(spec, imp.Request.Sheet)
	file, format, decisions, err := a.readable(ctx, in, settings)
	if err != nil {
		return crm.Inspected{}, err
	}
	layout, found, err := tabular.Sniff(ctx, a.source(file), format, settings)
	if err != nil {
		return crm.Inspected{}, err
	}
	decisions = append(decisions, found...)
	m, found, err := mapping.Resolve(layout.Header, nil, spec, options)
	if err != nil {
		return crm.Inspected{}, err
	}
	decisions = append(decisions, found...)
	if found, err = a.survey(ctx, file, layout, m); err != nil {
		return crm.Inspected{}, err
	}
	row := crm.FileRow{File: in.File, Parsed: file, Start: layout.Start, Decisions: append(decisions, found...)}
	if row.Plan, err = json.Marshal(plan{layout, m}); err != nil {
		return crm.Inspected{}, err
	}
	how := m.Writing()
	if imp.Request.Mode != "" {
		how.Mode = imp.Request.Mode
	}
	err = a.Store.SaveFile(ctx, imp.Number, row, how)
	return crm.Inspected{File: file, Start: layout.Start}, err
}

// mappingOf returns the mapping that Open kept, nil if there is none, and what
// the source says about its values.
func (a *Activities) mappingOf(ctx context.Context, imp crm.ImportRow) (*mapping.Spec, mapping.Options, error) {
	source, err := a.Store.Source(ctx, imp.Source)
	if err != nil {
		return nil, mapping.Options{}, err
	}
	o := mapping.Options{Region: source.Region, TimeZone: source.TimeZone, Now: imp.Request.AskedAt}
	in, err := a.Stage.OpenKey(ctx, mappingKey(imp.ID))
	kept, err := text(in, err)
	if err != nil || kept == "" {
		return nil, o, err
	}
	spec, err := mapping.ParseSpec([]byte(kept))
	return spec, o, err
}

// readingSettings takes what the mapping says about the file itself; a sheet
// named in the request wins.
func readingSettings(spec *mapping.Spec, sheet string) crm.Reading {
	s := crm.Reading{Sheet: sheet}
	if spec != nil {
		s = s.Over(spec.Reading)
	}
	return s
}

// readable returns the file as text that a reader can seek in: as it came, or
// rewritten once.
func (a *Activities) readable(ctx context.Context, in crm.InspectInput, s crm.Reading) (crm.File, tabular.Format, []crm.Decision, error) {
	src := a.source(in.File)
	format, decisions, err := tabular.Identify(ctx, src, s)
	if err != nil || format.Plain() {
		return in.File, format, decisions, err
	}
	pr, pw := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := format.Rewrite(ctx, src, pw)
		pw.CloseWithError(err)
		written <- err
	}()
	o, err := a.Stage.Put(ctx, fileKey(in.Import.ID, attempt(ctx), in.File.Number), pr)
	pr.CloseWithError(err) // ends Rewrite if Put gave up first
	if wrote := <-written; wrote != nil && !errors.Is(wrote, io.ErrClosedPipe) {
		err = wrote // Put only passes it on
	}
	return crm.File{Number: in.File.Number, Name: in.File.Name, Object: o}, format, decisions, err
}

// survey looks at whole columns where a part of one can mislead: dates.
func (a *Activities) survey(ctx context.Context, f crm.File, l tabular.Layout, m *mapping.Mapping) ([]crm.Decision, error) {
	s := m.Survey()
	if s == nil {
		return nil, nil
	}
	r, closer, err := a.rows(ctx, f, l, l.Start)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	var row crm.Row
	for {
		err := r.Read(&row)
		if errors.Is(err, io.EOF) {
			return s.Decide(m)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if row.Fault == "" {
			s.Observe(row.Cells)
		}
	}
}
