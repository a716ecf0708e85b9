package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// Inspect decides how a staged file is to be read and what its columns mean,
// with the evidence for each decision, and keeps the plan with the import.
//
// It leaves a UTF-8 copy in the stage when the file is not plain UTF-8 text
// already, and when the file is a reject file, whose rows go back to where they
// stood. Running it twice decides the same and stages another copy under the
// attempt's own key. A file that is no table, a header that is damaged, a
// mapping that does not fit the header, a column whose dates can be read in two
// ways and a reject file whose rows cannot be told apart end the import, before
// anything is written.
func (a *Activities) Inspect(ctx context.Context, in crm.InspectInput) (crm.Inspected, error) {
	imp, err := a.Store.Opening(ctx, in.Import.Number)
	if err != nil {
		return crm.Inspected{}, err
	}
	spec, options, err := a.mappingOf(ctx, imp)
	if err != nil {
		return crm.Inspected{}, err
	}
	t, err := a.table(ctx, in, imp, spec)
	if err != nil {
		return crm.Inspected{}, err
	}
	if err := a.decide(ctx, &t, spec, options); err != nil {
		return crm.Inspected{}, err
	}
	row := crm.FileRow{File: in.File, Parsed: t.file, Start: t.plan.Layout.Start, Decisions: t.decisions}
	if row.Plan, err = json.Marshal(t.plan); err != nil {
		return crm.Inspected{}, err
	}
	how := t.plan.Mapping.Writing()
	if imp.Request.Mode != "" {
		how.Mode = imp.Request.Mode
	}
	err = a.Store.SaveFile(ctx, imp.Number, row, how)
	return crm.Inspected{File: t.file, Start: row.Start}, err
}

// mappingOf returns the mapping that Open kept, nil if there is none, and what
// the source says about its values.
func (a *Activities) mappingOf(ctx context.Context, imp crm.ImportRow) (*mapping.Spec, mapping.Options, error) {
	source, err := a.Store.Source(ctx, imp.Source)
	if err != nil {
		return nil, mapping.Options{}, err
	}
	o := mapping.Options{Region: source.Region, TimeZone: source.TimeZone, Now: imp.Request.AskedAt, Named: imp.Request.Named}
	in, err := a.Stage.OpenKey(ctx, crm.MappingKey(imp.ID))
	kept, err := text(in, err)
	if err != nil || kept == "" {
		return nil, o, err
	}
	spec, err := mapping.ParseSpec([]byte(kept))
	return spec, o, err
}

// sampleRows is how many rows speak for and against the names of columns.
const sampleRows = 200

// decide fits the mapping to the table's columns.
func (a *Activities) decide(ctx context.Context, t *table, spec *mapping.Spec, o mapping.Options) error {
	if t.known == nil {
		samples, err := tabular.Samples(ctx, a.source(t.file), t.plan.Layout, sampleRows)
		if err != nil {
			return err
		}
		t.known = &known{samples: samples}
	}
	m, found, err := mapping.Resolve(t.plan.Layout.Header, t.known.samples, spec, o)
	if err != nil {
		return err
	}
	t.plan.Mapping, t.plan.Ignored = m, ignored(t.plan.Layout.Header, found)
	t.decisions = append(append(t.decisions, found...), t.known.orders(m)...)
	found, err = a.survey(ctx, t)
	t.decisions = append(t.decisions, found...)
	return err
}

// ignored names the columns that a mapping sends nowhere. Of its decisions the
// first ones are those about the columns, in order.
func ignored(header []string, decisions []crm.Decision) (names []string) {
	for i, name := range header {
		if decisions[i].Choice != "ignore" {
			continue
		}
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		names = append(names, name)
	}
	return names
}

// survey looks at whole columns where a part of one can mislead: dates.
func (a *Activities) survey(ctx context.Context, t *table) ([]crm.Decision, error) {
	s := t.plan.Mapping.Survey()
	if s == nil {
		return nil, nil
	}
	r, err := a.rows(ctx, t.file, &t.plan, t.plan.Layout.Start)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var row crm.Row
	for {
		err := r.Read(&row)
		if errors.Is(err, io.EOF) {
			return s.Decide(t.plan.Mapping)
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
