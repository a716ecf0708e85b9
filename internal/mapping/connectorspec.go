package mapping

import "slices"

// connectorSpec returns a spec for the rows of a connector: what the owner's spec says,
// and for the columns of which it says nothing the field whose name they bear.
// Columns of the spec that these rows have not are left out: a page has the
// columns that its rows have.
func connectorSpec(header []string, spec *Spec) *Spec {
	out := *spec
	out.Unknown, out.DateOrder = IgnoreUnknown, YMD
	if out.BadCells == "" {
		out.BadCells = BlankCell
	}
	out.Columns = slices.DeleteFunc(slices.Clone(spec.Columns), func(c ColumnSpec) bool {
		return !slices.Contains(header, headerText(c.Column))
	})
	for _, name := range header {
		said := slices.ContainsFunc(out.Columns, func(c ColumnSpec) bool {
			return headerText(c.Column) == name || slices.Contains(c.To, name)
		})
		if said {
			continue
		}
		c := ColumnSpec{Column: name}
		if _, ok := parseTarget(name); ok {
			c.To = []string{name}
		}
		out.Columns = append(out.Columns, c)
	}
	return &out
}
