package tabular

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// fewRows is how many rows must be seen before none of them fitting the header
// speaks against the header.
const fewRows = 10

// findHeader reads the first row that is not blank as the header of l, and
// looks whether a row follows. It reads on beyond the sample if it must.
func findHeader(ctx context.Context, src Source, s sample, l *Layout) ([]crm.Decision, error) {
	r, closer, err := open(ctx, src, *l, s.at)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	var row crm.Row
	if err := r.Read(&row); isEnd(err) {
		return nil, invalid("the file has no rows, not even a header")
	} else if err != nil {
		return nil, err
	}
	if row.Fault != "" {
		return nil, invalid("line %d: the header is damaged (%s); mend it in the file", row.Line, row.Fault)
	}
	l.HeaderLine, l.Start = row.Line, r.Position()
	names := make([]string, len(row.Cells))
	for i, name := range row.Cells {
		names[i] = strings.TrimSpace(strings.Clone(name))
	}
	if err := checkNames(names, row.Line); err != nil {
		return nil, err
	}
	if err := r.Read(&row); isEnd(err) {
		return nil, invalid("the file has a header and no rows")
	} else if err != nil {
		return nil, err
	}
	return l.settle(s, names)
}

// checkNames refuses a header with two columns of one name. It says where they
// are and not what they are called: what was taken for the header may be the
// first row of a file without one (invariant 4).
func checkNames(names []string, line int64) error {
	seen := make(map[string]int, len(names))
	for i, name := range names {
		if first, twice := seen[name]; twice && name != "" {
			return invalid("line %d: columns %d and %d have the same name; rename one", line, first+1, i+1)
		}
		seen[name] = i
	}
	return nil
}

// settle makes names the header, without the columns at the end that have
// neither a name nor, in the sample, a value.
func (l *Layout) settle(s sample, names []string) ([]crm.Decision, error) {
	named := lastNamed(names)
	used, rows, misfits := named, 0, 0
	widths := map[int]int{} // how many rows have so many cells
	s.at = l.Start
	if s.at.Offset <= int64(len(s.text)) {
		s.rows(*l, func(row *crm.Row) bool {
			last := lastNamed(row.Cells)
			rows++
			widths[len(row.Cells)]++
			switch {
			case row.Fault != "":
			case last > len(names), len(row.Cells) < named && !l.Numbered:
				misfits++
			default:
				used = max(used, last)
			}
			return true
		})
	}
	// A header of several lines may have swallowed the rows below it.
	few := fewRows
	if l.Start.Line > l.HeaderLine+1 && !l.Numbered {
		few = 1
	}
	if rows >= few && misfits == rows {
		return nil, invalid("line %d: the header has %s, and none of the first %d rows fits it; "+
			"remove the lines above the header, or mend it", l.HeaderLine, columns(named), rows)
	}
	l.Header = slices.Clip(names[:used])
	l.Spare = len(names) - used
	for width, n := range widths {
		if 2*n > rows {
			l.Spare = max(l.Spare, width-used)
		}
	}
	d := crm.Decision{
		About: "header", Choice: fmt.Sprintf("line %d", l.HeaderLine),
		Evidence: columns(used), Score: 1,
	}
	if cut := len(names) - used; cut > 0 {
		d.Evidence += fmt.Sprintf("; %d blank at the end left out", cut)
	}
	return []crm.Decision{d}, nil
}

func columns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}
