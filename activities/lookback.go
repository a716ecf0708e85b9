package activities

import (
	"context"
	"encoding/json"
	"fmt"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

// known is what speaks for the meaning of columns beside their names. The rows
// of a reject file are the worst there is to learn it from: what was wrong with
// them speaks against the right field, and a day and a month that any other row
// would tell apart may not be among them. So a retry goes by the file that
// they were part of.
type known struct {
	samples [][]string
	order   map[string]mapping.DateOrder // of columns by name, where it was found
}

// lookBack gathers what was known of the columns when the rows were first read.
func (r *relisting) lookBack(ctx context.Context) (*known, error) {
	out := &known{order: map[string]mapping.DateOrder{}}
	first := r.parent
	for first.Request.Parent != "" {
		var err error
		if first, err = r.a.Store.Import(ctx, first.Request.Parent); err != nil {
			return nil, err
		}
	}
	plans, err := plansOf(r.parent)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		for _, c := range p.Mapping.Columns {
			// Another order says no more than that no cell needed one.
			if c.DateOrder == mapping.DMY || c.DateOrder == mapping.MDY {
				out.order[c.Name] = c.DateOrder
			}
		}
	}
	if plans, err = plansOf(first); err != nil {
		return nil, err
	}
	for i, f := range first.Files {
		rows, err := tabular.Samples(ctx, r.a.source(f.Parsed), plans[i].layout(), max(1, sampleRows/len(first.Files)))
		if lost(err) {
			continue // no longer in the stage, or not as it was: the names must do
		}
		if err != nil {
			return nil, err
		}
		for _, cells := range rows {
			out.samples = append(out.samples, laid(cells, plans[i].Layout.Header, r.header))
		}
	}
	return out, nil
}

// plansOf returns what was decided about the files of an import.
func plansOf(imp crm.ImportRow) ([]plan, error) {
	out := make([]plan, len(imp.Files))
	for i, f := range imp.Files {
		if err := json.Unmarshal(f.Plan, &out[i]); err != nil {
			return nil, fmt.Errorf("plan of import %s: %w", imp.ID, err)
		}
	}
	return out, nil
}

// orders gives the date columns of a mapping the order that was found before,
// where the mapping says none.
func (k *known) orders(m *mapping.Mapping) (decisions []crm.Decision) {
	for i := range m.Columns {
		c := &m.Columns[i]
		if order := k.order[c.Name]; order != "" && c.DateOrder == "" {
			c.DateOrder = order
			decisions = append(decisions, crm.Decision{About: fmt.Sprintf("date order of column %q", c.Name), Choice: string(order),
				Evidence: "as in the import that is retried", Score: 1})
		}
	}
	return decisions
}
