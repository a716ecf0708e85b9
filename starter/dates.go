package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

// dates is what a look at whole columns of dates found out.
type dates struct {
	decisions []crm.Decision // also of the columns that are undecided
	orders    map[string]mapping.DateOrder
	undecided []crm.Decision // those that only the file's owner can decide about
	fault     error          // what an import would say to them; nil if there are none
}

// survey looks at the date columns of m whole, as the step Inspect does, and
// fixes their order in m. Columns that can be read in two ways are no error
// here.
func (f *looked) survey(ctx context.Context, m *mapping.Mapping) (dates, error) {
	var d dates
	s := m.Survey()
	if s == nil {
		return d, nil
	}
	err := f.rows(ctx, func(row *crm.Row) {
		if row.Fault == "" {
			s.Observe(row.Cells)
		}
	})
	if err != nil {
		return d, err
	}
	d.decisions = s.Findings(m)
	for _, found := range d.decisions {
		if found.Score == 0 {
			d.undecided = append(d.undecided, found)
		}
	}
	_, d.fault = s.Decide(m)
	d.orders = map[string]mapping.DateOrder{}
	for _, c := range m.Columns {
		d.orders[c.Name] = c.DateOrder
	}
	return d, nil
}

// ordersOf finds the orders that an undecided column may have.
var ordersOf = regexp.MustCompile(`set date_order: (\w+)(.*) in the mapping$`)

// settle writes into a mapping what was found out, where something is left to
// be decided: a setting for all columns must not hold for those that are
// decided already. It returns what the file's owner is to decide.
func (d dates) settle(spec *mapping.Spec) []proposal {
	if len(d.undecided) == 0 {
		return nil
	}
	for i := range spec.Columns {
		if c := &spec.Columns[i]; c.DateOrder == "" {
			c.DateOrder = d.orders[c.Column]
		}
	}
	first := d.undecided[0]
	order, others := string(mapping.DMY), "or mdy"
	if m := ordersOf.FindStringSubmatch(first.Evidence); m != nil {
		order, others = m[1], strings.TrimLeft(m[2], ", ")
	}
	why := fmt.Sprintf("%s: the %s is undecided", others, first.About)
	if more := len(d.undecided) - 1; more > 0 {
		why += fmt.Sprintf(", and of %d more", more)
	}
	return []proposal{{"date_order: " + order, why}}
}
