package tabular

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// fewRows is how many sound rows must be seen before none of them fitting the
// header speaks against the header.
const fewRows = 3

// findHeader completes the layout of g by the names of the columns: those of
// the row that was taken for the header, or numbers in a file that has none. It
// looks whether a row follows, and reads on beyond the sample if it must.
func findHeader(ctx context.Context, src Source, s sample, g *grid, a asked) (Layout, []crm.Decision, error) {
	l := g.layout
	if a.header == noHeader {
		l.Start = s.at
		d, err := l.number(ctx, src, g)
		return l, d, err
	}
	if g.doubt != "" {
		return l, nil, invalid("%s", g.doubt)
	}
	at := s.at
	if g.head > 0 {
		at = g.rows[g.head].at
	}
	r, closer, err := open(ctx, src, l, at)
	if err != nil {
		return l, nil, err
	}
	defer closer.Close()
	names, err := l.readHeader(r, a.header)
	if err != nil {
		return l, nil, err
	}
	if a.header == 0 {
		if err := g.refuseHeader(); err != nil {
			return l, nil, err
		}
	}
	if err := checkNames(names, l.HeaderLine); err != nil {
		return l, nil, err
	}
	var row crm.Row
	if err := r.Read(&row); isEnd(err) {
		return l, nil, invalid("the file has a header and no rows")
	} else if err != nil {
		return l, nil, err
	}
	d, err := l.settle(s, g, names, a)
	return l, d, err
}

// readHeader reads the names of the columns, which must be on the line that was
// set, if one was.
func (l *Layout) readHeader(r *Reader, line int64) ([]string, error) {
	var row crm.Row
	if err := r.Read(&row); isEnd(err) {
		return nil, invalid("the file has no rows, not even a header")
	} else if err != nil {
		return nil, err
	}
	if line > 0 && row.Line != line {
		return nil, blankHeader(line)
	}
	if row.Fault != "" {
		return nil, invalid("%s", damagedHeader(row.Line, row.Fault))
	}
	l.HeaderLine, l.Start = row.Line, r.Position()
	names := make([]string, len(row.Cells))
	for i, name := range row.Cells {
		names[i] = strings.TrimSpace(strings.Clone(name))
	}
	return names, nil
}

// number names the columns of a file without a header: "column 1" and so on,
// as many as most rows have.
func (l *Layout) number(ctx context.Context, src Source, g *grid) ([]crm.Decision, error) {
	used, width := 0, g.width
	for _, r := range g.rows {
		if r.fault == "" && r.width == width {
			used = max(used, r.named)
		}
	}
	if len(g.rows) == 0 { // beyond the sample there may be some
		r, closer, err := open(ctx, src, *l, l.Start)
		if err != nil {
			return nil, err
		}
		defer closer.Close()
		var row crm.Row
		if err := r.Read(&row); isEnd(err) {
			return nil, invalid("the file has no rows")
		} else if err != nil {
			return nil, err
		}
		used, width = lastNamed(row.Cells), len(row.Cells)
	}
	if used == 0 {
		return nil, invalid("line %d: none of the first %d rows can be read; look at the delimiter and quote settings", g.rows[0].line, len(g.rows))
	}
	l.Spare = width - used
	for i := range used {
		l.Header = append(l.Header, fmt.Sprintf("column %d", i+1))
	}
	return []crm.Decision{{About: "header", Choice: crm.NoneAtAll, Evidence: "as set; " + columns(used), Score: 1}}, nil
}

// refuseHeader refuses a row that was found to be the header when it looks like
// values, or when the row above or below names columns too.
func (g *grid) refuseHeader() error {
	h := g.head
	if h+1 >= len(g.rows) {
		return nil
	}
	line := g.rows[h].line
	if above := h - 1; above >= 0 && g.rows[above].groups() && g.rows[above].line+1 == line {
		return severalHeaders(g.rows[above].line, line)
	}
	pro, contra := g.evidence(h)
	if contra > pro {
		return invalid("line %d: the first row looks like values and not like the names of columns; "+
			"set header to %s if it is a row, or to %d if it is the header", line, crm.NoneAtAll, line)
	}
	if g.namesBelow(h) {
		return severalHeaders(line, g.rows[h+1].line)
	}
	return nil
}

func severalHeaders(first, second int64) error {
	return invalid("lines %d and %d both look like names of columns; set header to the one that names every column, such as %d",
		first, second, second)
}

// groups reports whether the row looks like names that each stand over several
// columns: with gaps between them.
func (r gridRow) groups() bool {
	return r.fault == "" && r.filled >= 2 && r.filled < r.named
}

// namesBelow reports whether the row below the header h names columns too: all
// its cells differ, none looks like the values below, and two at least are texts
// above values of another kind; or one, if row h has gaps or the names of row
// h+1 with other signs.
func (g *grid) namesBelow(h int) bool {
	if h+4 >= len(g.rows) {
		return false
	}
	r := g.rows[h+1]
	seen := make(map[string]bool)
	for _, c := range r.cells {
		c = strings.ToLower(strings.TrimSpace(c))
		if c == "" || seen[c] || kindOf(c) != textCell {
			return false
		}
		seen[c] = true
	}
	pro, contra := g.evidence(h + 1)
	if contra > 0 || r.fault != "" || len(r.cells) == 0 {
		return false
	}
	alike := 0
	for c, v := range g.rows[h].cells {
		if c < len(r.cells) && plainName(v) != "" && plainName(v) == plainName(r.cells[c]) {
			alike++
		}
	}
	return pro >= 2 || pro == 1 && (g.rows[h].groups() || alike > 0) || 2*alike > len(r.cells)
}

// plainName is a name without case, spaces and signs.
func plainName(v string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && !('a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			return -1
		}
		return r
	}, strings.ToLower(v))
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
func (l *Layout) settle(s sample, g *grid, names []string, a asked) ([]crm.Decision, error) {
	s.at = l.Start
	below := s.below(*l, names)
	// A header of several lines may have swallowed the rows below it.
	few := fewRows
	if l.Start.Line > l.HeaderLine+1 && !l.Numbered {
		few = 1
	}
	if below.sound >= few && below.misfits*10 >= below.sound*9 {
		how := fmt.Sprintf("none of the first %d rows fits it", below.sound)
		if below.misfits < below.sound {
			how = fmt.Sprintf("%d of the first %d rows do not fit it", below.misfits, below.sound)
		}
		return nil, invalid("line %d: the header has %s, and %s; set header to the line that names the columns, or mend it",
			l.HeaderLine, columns(lastNamed(names)), how)
	}
	l.Header = slices.Clip(names[:below.used])
	l.Spare = max(len(names), below.width) - below.used
	d := g.headerDecision(l.HeaderLine, a)
	d.Evidence += columns(below.used)
	if cut := len(names) - below.used; cut > 0 {
		d.Evidence += fmt.Sprintf("; %d blank at the end left out", cut)
	}
	return []crm.Decision{d}, nil
}

// rowsBelow is what the rows of the sample below a header are like.
type rowsBelow struct {
	sound   int // rows without a fault
	misfits int // those of them that have more cells than the header, or fewer
	used    int // columns that have a name, or a value in a row that fits
	width   int // how many cells more than half of all rows have; 0 if they differ
}

func (s sample) below(l Layout, names []string) rowsBelow {
	named := lastNamed(names)
	b := rowsBelow{used: named}
	rows, widths := 0, map[int]int{}
	if s.at.Offset > s.from+int64(len(s.text)) {
		return b
	}
	s.rows(l, func(row *crm.Row, _ crm.Position) {
		rows++
		widths[len(row.Cells)]++
		if row.Fault != "" {
			return
		}
		b.sound++
		last := lastNamed(row.Cells)
		if last > len(names) || len(row.Cells) < named && !l.Numbered && !l.Pad {
			b.misfits++
			return
		}
		b.used = max(b.used, last)
	})
	for width, n := range widths {
		if 2*n > rows {
			b.width = width
		}
	}
	return b
}

// headerDecision says why the row on the line is the header.
func (g *grid) headerDecision(line int64, a asked) crm.Decision {
	d := crm.Decision{About: "header", Choice: fmt.Sprintf("line %d", line), Score: 1}
	if a.header > 0 {
		d.Evidence = "as set; "
		return d
	}
	if g.head >= len(g.rows) {
		return d
	}
	pro, contra := g.evidence(g.head)
	switch {
	case pro > contra:
		d.Evidence = fmt.Sprintf("text above other values in %d of ", pro)
	case pro > 0:
		d.Score = 0.7
	default:
		d.Score = 0.8
	}
	if g.head > 0 {
		d.Score *= 0.95
		d.Evidence = fmt.Sprintf("%d narrower rows above; ", g.head) + d.Evidence
	}
	return d
}

func columns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}
