package tabular

import (
	"bytes"
	"fmt"

	"sluice/internal/crm"
)

// strayRows is how many rows at least must have a quote out of place before a
// file is held to quote nothing.
const strayRows = 3

// strays returns how many rows have a quote out of place.
func (g *grid) strays() int {
	n := 0
	for _, r := range g.rows {
		if r.fault == crm.ReasonStrayQuote {
			n++
		}
	}
	return n
}

// unquoted returns the sample read without any quote, if its quotes are text:
// best leaves many rows faulty, without quotes every row fits the header, the
// rows are the same ones with as many cells, and no cell stands in quotes. It
// returns nil if one of that does not hold: a file that quotes some cells would
// get the quotes around them as text.
func unquoted(s sample, a asked, delims []string, best *grid) *grid {
	if a.Quote != "" || a.Escape != "" || best.layout.Backslash || !best.manyStrays() {
		return nil
	}
	a.layout.Quote = crm.NoneAtAll
	g, _ := choose(s, a, delims)
	if g == nil || g.columns < 2 || g.below == 0 || g.fit < g.below || g.doubt != "" {
		return nil
	}
	with := g.layout
	with.Quote = ""
	o := s.read(with, a.header)
	if !o.manyStrays() || !g.sameShape(o) || s.enclosed(g.layout) {
		return nil
	}
	g.strayed = o.strays()
	return g
}

// manyStrays reports whether a tenth of the rows below the header, and not only
// one or two, have a quote out of place.
func (g *grid) manyStrays() bool {
	n := g.strays()
	return n >= strayRows && n*10 >= len(g.rows)-1-g.head
}

// sameShape reports whether g and o find rows on the same lines and of the same
// widths.
func (g *grid) sameShape(o *grid) bool {
	if len(g.rows) != len(o.rows) {
		return false
	}
	for i, r := range g.rows {
		if r.line != o.rows[i].line || r.width != o.rows[i].width {
			return false
		}
	}
	return true
}

// enclosed reports whether a cell of the sample begins and ends with a quote.
func (s sample) enclosed(l Layout) bool {
	found := false
	s.rows(l, func(row *crm.Row, _ crm.Position) {
		for _, c := range row.Cells {
			found = found || len(c) > 1 && c[0] == '"' && c[len(c)-1] == '"'
		}
	})
	return found
}

// quotes are the decisions about what stands around cells and inside them.
func (g *grid) quotes(s sample, a asked) []crm.Decision {
	q := g.layout.quote()
	if q < 0 {
		return []crm.Decision{g.noQuote(a)}
	}
	stray := g.strays()
	sound := 1 - float64(stray)/float64(max(len(g.rows), 1))
	quote := crm.Decision{About: "quote", Choice: string(rune(q)), Evidence: "as set", Score: 1}
	if a.Quote == "" {
		n := bytes.Count(s.text, []byte{byte(q)})
		quote.Evidence, quote.Score = fmt.Sprintf("%d in the first %d rows, out of place in %d", n, len(g.rows), stray), sound
		if g.manyStrays() {
			quote.Evidence += fmt.Sprintf("; set quote to %s if they are text", crm.NoneAtAll)
		}
	}
	if !g.layout.Backslash {
		return []crm.Decision{quote}
	}
	escape := crm.Decision{About: "escape", Choice: crm.EscapeSlash, Evidence: "as set", Score: 1}
	if a.Escape == "" {
		n := bytes.Count(s.text, []byte{'\\', byte(q)})
		escape.Evidence, escape.Score = fmt.Sprintf("%d quotes behind a backslash; more rows are sound if it escapes them", n), 0.95*sound
	}
	return []crm.Decision{quote, escape}
}

// noQuote is the decision that nothing is quoted: the surer, the more rows have
// quotes in their text.
func (g *grid) noQuote(a asked) crm.Decision {
	d := crm.Decision{About: "quote", Choice: crm.NoneAtAll, Evidence: "as set", Score: 1}
	if a.Quote == "" {
		d.Score = 1 - 1/float64(1+g.strayed)
		d.Evidence = fmt.Sprintf("%s would be out of place in %d of the first %d rows and stands around no cell; without it, %d of %d rows fit %s",
			`"`, g.strayed, len(g.rows), g.fit, g.below, columns(g.columns))
	}
	return d
}
