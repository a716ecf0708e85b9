package tabular

import (
	"fmt"
	"strings"

	"sluice/internal/crm"
)

// What evidence is drawn from at the most.
const (
	keptRows  = 250 // rows whose cells are looked at
	aboveRows = 50  // rows that may stand above the header
	manyRows  = 10  // rows of one width that a header of one column must give way to
)

// A grid is the sample as one layout reads it.
type grid struct {
	layout Layout
	rows   []gridRow
	width  int // how many cells most rows have; 0 without a sound row
	modal  int // how many rows have so many

	// The row taken for the header, and -1 in a file that has none.
	head    int
	columns int // of it, up to the last that has a name
	fit     int // how many of the rows below have as many
	below   int // how many rows there are below

	doubt string // why the header must be asked for; "" if it need not

	// strayed is how many rows have a quote out of place if '"' is one, in a
	// sample that is found to quote nothing.
	strayed int
}

// gridRow is one row of the sample that is not blank.
type gridRow struct {
	line   int64
	at     crm.Position // where it, or a blank row before it, begins
	cells  []string     // of the first keptRows only
	width  int          // how many cells it has
	named  int          // up to the last that is not blank
	filled int          // that are not blank
	fault  crm.Reason
}

// read reads the sample in one way and looks for the header.
func (s sample) read(l Layout, header int64) *grid {
	g := &grid{layout: l}
	widths := make(map[int]int)
	at := s.at
	s.rows(l, func(row *crm.Row, next crm.Position) {
		r := gridRow{line: row.Line, at: at, width: len(row.Cells), named: lastNamed(row.Cells), fault: row.Fault}
		for _, c := range row.Cells[:r.named] {
			if !isBlank(c) {
				r.filled++
			}
		}
		if len(g.rows) < keptRows && len(row.Cells) <= maxColumns {
			for _, c := range row.Cells {
				r.cells = append(r.cells, strings.Clone(c))
			}
		}
		if row.Fault == "" {
			widths[r.width]++
			if n := widths[r.width]; n > g.modal || n == g.modal && r.width > g.width {
				g.width, g.modal = r.width, n
			}
		}
		g.rows = append(g.rows, r)
		at = next
	})
	switch {
	case header == noHeader:
		g.headless()
	default:
		g.take(0)
		if header == 0 {
			g.findHead()
		}
	}
	return g
}

// take makes row h the header.
func (g *grid) take(h int) {
	g.head, g.columns, g.fit, g.below = h, 0, 0, 0
	if h >= len(g.rows) {
		return
	}
	head := g.rows[h]
	g.columns = head.named
	if head.fault != "" || head.width > maxColumns {
		return
	}
	for _, r := range g.rows[h+1:] {
		g.below++
		if r.fault == "" && (r.width >= head.named || g.layout.Pad || g.layout.Numbered) && r.named <= head.width {
			g.fit++
		}
	}
}

// headLine returns the line of the row taken for the header, 0 if there is none.
func (g *grid) headLine() int64 {
	if g.head < 0 || g.head >= len(g.rows) {
		return 0
	}
	return g.rows[g.head].line
}

// headless takes all rows for rows.
func (g *grid) headless() {
	g.head, g.columns, g.below, g.fit = noHeader, g.width, len(g.rows), g.modal
}

// findHead looks below the first row for the header, if the first row is much
// narrower than those below it: then it is a title, or one of several lines
// that a report begins with.
func (g *grid) findHead() {
	if len(g.rows) == 0 || !g.poor() {
		return
	}
	most := g.rows[0].filled
	for h := 1; h < min(len(g.rows)-1, aboveRows+1); h++ {
		r := g.rows[h]
		if r.fault != "" && !g.loose(r) {
			if 2*r.width > g.width && g.width > 1 {
				g.take(h)
				g.doubt = damagedHeader(r.line, r.fault)
			}
			return
		}
		if r.fault != "" || r.filled <= most || 2*r.filled <= g.width {
			most = max(most, r.filled)
			continue
		}
		g.take(h)
		pro, contra := g.evidence(h)
		switch {
		case g.soundShare() < 0.8:
			g.take(0)
			most = r.filled
			continue
		case pro > contra:
			return
		}
		g.doubt = fmt.Sprintf("line %d: the rows above are narrower, and nothing tells whether it names the columns; "+
			"set header to the line that does, or to %s", r.line, crm.NoneAtAll)
		if contra > pro { // it is a row like those below it
			g.doubt = fmt.Sprintf("line %d: the header has %s, but most rows have %d cells; "+
				"set header to the line that names the columns, or to %s, or mend it",
				g.rows[0].line, columns(g.rows[0].named), g.width, crm.NoneAtAll)
		}
		return
	}
}

func damagedHeader(line int64, fault crm.Reason) string {
	return fmt.Sprintf("line %d: the header is damaged (%s); mend it in the file", line, fault)
}

// poor reports whether the first row is hardly the header of the others.
func (g *grid) poor() bool {
	r := g.rows[0]
	if r.fault != "" {
		return g.loose(r)
	}
	return g.width > 1 && 2*r.filled <= g.width || g.soundShare() < 0.5
}

// soundShare is the part of the sound rows that fit the header; 1 if there are
// faulty rows alone, which say nothing against it.
func (g *grid) soundShare() float64 {
	if g.below == 0 {
		return 0
	}
	faulty := 0
	for _, r := range g.rows[g.head+1:] {
		if r.fault != "" {
			faulty++
		}
	}
	if faulty == g.below {
		return 1
	}
	return float64(g.fit) / float64(g.below-faulty)
}

// loose reports whether a faulty row is the kind of text that stands above a
// table, and not a damaged header: it has no delimiter, where rows have two.
func (g *grid) loose(r gridRow) bool { return r.width == 1 && g.width > 2 }

// share is the part of the rows that fit the header.
func (g *grid) share() float64 {
	if g.below == 0 {
		return 0
	}
	return float64(g.fit) / float64(g.below)
}

// wide reports whether nearly all rows have the same number of cells, whatever
// the header says.
func (g *grid) wide() bool {
	return g.width > 1 && len(g.rows) > manyRows && g.modal*10 >= (len(g.rows)-1)*9
}

// better reports whether g reads the sample better than o does.
func (g *grid) better(o *grid) bool {
	if (g.columns > 1) != (o.columns > 1) {
		return g.columns > 1
	}
	if (g.doubt == "") != (o.doubt == "") {
		return g.doubt == ""
	}
	if g.share() != o.share() {
		return g.share() > o.share()
	}
	return g.columns > o.columns
}

// strong reports whether a delimiter that occurs inside ordinary text divides
// columns here: there are three at least, all rows have them all, and one of
// them holds addresses, dates or the like below a name.
func (g *grid) strong() bool {
	if g.head != 0 || g.columns < 3 || g.below < 5 || g.fit != g.below || g.modal != len(g.rows) {
		return false
	}
	pro, contra := g.evidence(0)
	texts := 0
	for c, k := range g.kinds(0) {
		if k.kind == textCell || k.kind == addressCell || k.kind == codeCell {
			texts++
		}
		if isBlank(g.rows[0].cells[c]) {
			return false
		}
	}
	return pro > 0 && contra == 0 && texts > 0
}

// score says how sure the delimiter is: the share, lowered where there is
// little to go by. One column has no delimiter to be seen.
func (g *grid) score() float64 {
	if g.columns < 2 {
		return 0.3 * g.share()
	}
	return g.share() * (1 - 0.5/float64(1+g.below))
}

func (g *grid) why() string {
	cells := "cells"
	if g.columns == 1 {
		cells = "cell"
	}
	return fmt.Sprintf("%d of %d rows have %d %s", g.fit, g.below, g.columns, cells)
}
