package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// plan is what Inspect decided about a file and every later step obeys: how to
// read it and what its columns mean. It is kept as JSON in the import's row.
type plan struct {
	Layout  tabular.Layout   `json:"layout"`
	Mapping *mapping.Mapping `json:"mapping"`
}

// planned reads what Inspect decided about a file.
func (a *Activities) planned(ctx context.Context, imp crm.Import, file int) (crm.FileRow, plan, error) {
	row, err := a.Store.File(ctx, imp.Number, file)
	if err != nil {
		return row, plan{}, err
	}
	var p plan
	if err := json.Unmarshal(row.Plan, &p); err != nil {
		return row, plan{}, fmt.Errorf("plan of file %d: %w", file, err)
	}
	return row, p, nil
}

// source lets tabular read a staged file.
func (a *Activities) source(f crm.File) tabular.Source {
	return tabular.Source{Name: f.Name, Size: f.Object.Size, Open: func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		return a.Stage.Open(ctx, f.Object, offset)
	}}
}

// rows reads a staged file's rows from a position on. The caller closes it.
func (a *Activities) rows(ctx context.Context, f crm.File, l tabular.Layout, at crm.Position) (*tabular.Reader, io.Closer, error) {
	r, err := a.Stage.Open(ctx, f.Object, at.Offset)
	if err != nil {
		return nil, nil, err
	}
	return tabular.NewReader(r, l, at), r, nil
}
