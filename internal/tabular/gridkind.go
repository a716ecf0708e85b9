package tabular

import "strings"

// How large a part of a column's values must be of one kind to say something
// about the row above them.
const (
	mostlyForName  = 0.8 // a text above is a name then
	mostlyForValue = 0.6 // a cell of that kind above is a value then
)

// columnKind is what most of a column's values look like.
type columnKind struct {
	kind  cellKind // the commonest that is not blank
	share float64  // of the values that are not blank
	years float64  // part of them that are years
}

// kinds looks at the columns below row h, as far as it has cells.
func (g *grid) kinds(h int) []columnKind {
	out := make([]columnKind, len(g.rows[h].cells))
	for c := range out {
		var counts [truthCell + 1]int
		n, years := 0, 0
		for _, r := range g.rows[h+1:] {
			if r.fault != "" || c >= len(r.cells) || isBlank(r.cells[c]) {
				continue
			}
			counts[kindOf(r.cells[c])]++
			n++
			if isYear(r.cells[c]) {
				years++
			}
		}
		for k, count := range counts {
			if count > counts[out[c].kind] {
				out[c].kind = cellKind(k)
			}
		}
		if n > 0 {
			out[c].share = float64(counts[out[c].kind]) / float64(n)
			out[c].years = float64(years) / float64(n)
		}
	}
	return out
}

// evidence counts the columns in which row h is a text above values of another
// kind, as a name is, and those in which it looks like the values below it.
func (g *grid) evidence(h int) (pro, contra int) {
	for c, k := range g.kinds(h) {
		v := g.rows[h].cells[c]
		kind := kindOf(v)
		switch {
		case kind == blankCell || k.kind == blankCell || k.kind == textCell:
		case kind == textCell:
			if k.share >= mostlyForName {
				pro++
			}
		case kind == k.kind && k.share >= mostlyForValue && !(isYear(v) && k.years < 0.5):
			contra++
		}
	}
	if contra == 0 && pro == 0 && g.repeats(h) {
		contra = 1
	}
	return pro, contra
}

// repeats reports whether the values of row h come again below it, in columns
// that have others too, as values do and names do not.
func (g *grid) repeats(h int) bool {
	columns := 0
	for c, v := range g.rows[h].cells {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		again, others := 0, make(map[string]bool)
		for _, r := range g.rows[h+1:] {
			if c >= len(r.cells) || r.fault != "" || isBlank(r.cells[c]) {
				continue
			}
			if w := strings.TrimSpace(r.cells[c]); w == v {
				again++
			} else {
				others[w] = true
			}
		}
		if again >= 2 && len(others) >= 2 {
			columns++
		}
	}
	return columns >= 2 || columns == 1 && len(g.rows[h].cells) <= 3
}
