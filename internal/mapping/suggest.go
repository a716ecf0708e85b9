package mapping

import (
	"maps"
	"slices"

	"sluice/internal/crm"
)

// Suggest proposes a mapping file for a header, for a person to edit. It
// decides as [Resolve] does of the same header and samples, and [Resolve] of
// what it proposes comes to the same. There is a decision for each column, also
// for those that are ignored and why, and one more if rows would not say which
// customer they are about.
func Suggest(header []string, samples [][]string, o Options) (*Spec, []crm.Decision) {
	p := newPlan(header, samples, &Spec{}, o.Region)
	p.automap()
	s := &Spec{Version: 1}
	for i, c := range p.choices {
		if name := p.header[i]; name == "" || slices.Contains(p.header[:i], name) || p.composed(i) {
			continue
		}
		s.Columns = append(s.Columns, ColumnSpec{Column: p.header[i], To: c.to, Values: c.values, BadCells: c.badCells})
	}
	for _, field := range slices.Sorted(maps.Keys(p.firstOf)) {
		f := FieldSpec{Field: field}
		for _, i := range p.firstOf[field] {
			f.FirstOf = append(f.FirstOf, p.header[i])
		}
		s.Fields = append(s.Fields, f)
	}
	decisions := p.decisions()
	if missing := p.keyless(); missing != "" {
		decisions = append(decisions, crm.Decision{About: "customer", Choice: "none", Evidence: missing})
	}
	return s, decisions
}

// composed reports whether a column only fills a field together with others.
func (p *plan) composed(column int) bool {
	for _, columns := range p.firstOf {
		if slices.Contains(columns, column) {
			return true
		}
	}
	return false
}
