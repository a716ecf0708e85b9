package tabular

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"sluice/internal/crm"
)

// Sniff finds the delimiter, the line ends and the header of text that is UTF-8
// now: src itself if f is plain, else what [Format.Rewrite] wrote. f must be
// what [Identify] said of the file that came. Evidence is taken from the first
// 256 KiB.
//
// A file without rows and a header that is damaged, blank, or has two columns
// of one name wrap [crm.ErrInvalid] and name the line.
func Sniff(ctx context.Context, src Source, f Format, s crm.Reading) (Layout, []crm.Decision, error) {
	l, decisions, err := sniff(ctx, src, f, s)
	if err != nil {
		return Layout{}, nil, fmt.Errorf("sniff %q: %w", src.Name, err)
	}
	return l, decisions, nil
}

func sniff(ctx context.Context, src Source, f Format, s crm.Reading) (Layout, []crm.Decision, error) {
	head, err := src.head(ctx)
	if err != nil {
		return Layout{}, nil, err
	}
	smp := sample{text: head, cut: int64(len(head)) < src.Size, at: crm.Position{Line: 1}}
	var l Layout
	var decisions []crm.Decision
	if f.Kind == KindXLSX {
		l = Layout{Delimiter: ",", Numbered: true}
	} else if l, decisions, err = dialect(&smp, s.Delimiter); err != nil {
		return Layout{}, nil, err
	}
	more, err := findHeader(ctx, src, smp, &l)
	if err != nil {
		return Layout{}, nil, err
	}
	return l, append(decisions, more...), nil
}

// sample is the beginning of a text.
type sample struct {
	text []byte
	cut  bool         // the text goes on behind it
	at   crm.Position // where the first row begins
}

// rows calls see for every row of the sample until it returns false. The row
// at the place where the sample was cut is left out.
func (s sample) rows(l Layout, see func(*crm.Row) bool) {
	r := NewReader(bytes.NewReader(s.text[s.at.Offset:]), l, s.at)
	var row crm.Row
	for r.Read(&row) == nil {
		if s.cut && r.Position().Offset == int64(len(s.text)) {
			return
		}
		if !see(&row) {
			return
		}
	}
}

// sepLine is the first line by which Excel names the delimiter.
var sepLine = regexp.MustCompile(`^(?i:"sep=(.)"|sep=(.))[;,\t |]*(\r\n|\n|\r)`)

// dialect finds the delimiter and the line ends, and passes the line sep=.
func dialect(s *sample, named string) (Layout, []crm.Decision, error) {
	d := crm.Decision{About: "delimiter", Score: 1}
	delims := []string{",", ";", "\t", "|"}
	if sep, length := namedInFile(s.text); sep != "" {
		delims, d.Evidence = []string{sep}, "named by the line sep="
		s.at = crm.Position{Offset: int64(length), Line: 2}
	}
	if named != "" {
		delims, d.Evidence = []string{delimiterNamed(named)}, "as set"
		if delims[0] == "" {
			return Layout{}, nil, invalid("the delimiter setting must be one ASCII character, or tab")
		}
	}
	best, wide := choose(*s, delims)
	if best.columns < 2 && wide.rows > 0 && d.Evidence == "" {
		return Layout{}, nil, invalid("line %d: the header has %s, but %d of the first %d rows have %d cells; "+
			"remove the lines above the header, or mend it", best.line, columns(best.columns), wide.modal(), wide.rows, wide.mode)
	}
	l := Layout{Delimiter: best.layout.Delimiter, CR: best.layout.CR}
	d.Choice = l.Delimiter
	if d.Evidence == "" {
		d.Evidence, d.Score = best.evidence(), best.score()
	}
	decisions := []crm.Decision{d}
	if l.CR {
		decisions = append(decisions, crm.Decision{
			About: "line ends", Choice: "CR", Evidence: best.evidence(), Score: best.share(),
		})
	}
	return l, decisions, nil
}

// namedInFile returns the delimiter that a line sep= names and where the line
// behind it begins.
func namedInFile(text []byte) (sep string, length int) {
	rest := bytes.TrimPrefix(text, []byte(bom8))
	m := sepLine.FindSubmatch(rest)
	if m == nil {
		return "", 0
	}
	sep = delimiterNamed(string(m[1]) + string(m[2]))
	return sep, len(text) - len(rest) + len(m[0])
}

// delimiterNamed returns the delimiter that a setting means, "" for none.
func delimiterNamed(name string) string {
	switch {
	case name == "tab" || name == `\t`:
		return "\t"
	case len(name) != 1 || name[0] >= 0x7F || name[0] < ' ' && name[0] != '\t' || name[0] == '"':
		return ""
	}
	return name
}

// candidate is a way to read the sample and how well it does.
type candidate struct {
	layout  Layout
	columns int // of the header
	rows    int // below the header, blank ones not counted
	fit     int // rows that have as many cells as the header

	line   int64       // of the header
	widths map[int]int // how many rows have so many cells
	mode   int         // the width most rows have
}

// modal returns how many rows have the width that most of them have.
func (c candidate) modal() int { return c.widths[c.mode] }

// choose returns the candidate that reads the most rows well; among equals the
// one with the most columns, then the first. wide is a candidate by which nearly
// all rows have the same number of cells, whatever the header says; it has no
// rows if there is none.
func choose(s sample, delims []string) (best, wide candidate) {
	var ends []bool
	lone, lf := loneCR(s.text), bytes.IndexByte(s.text, '\n') >= 0
	if lf || !lone {
		ends = append(ends, false)
	}
	if lone {
		ends = append(ends, true)
	}
	for i, delim := range delims {
		for j, cr := range ends {
			c := try(s, Layout{Delimiter: delim, CR: cr})
			if i+j == 0 || c.better(best) {
				best = c
			}
			if c.mode > 1 && c.rows >= fewRows && c.modal()*10 >= c.rows*9 && c.modal() > wide.modal() {
				wide = c
			}
		}
	}
	return best, wide
}

// try reads the sample in one way. The first row says how many columns there
// are, as in findHeader.
func try(s sample, l Layout) candidate {
	c := candidate{layout: l, widths: make(map[int]int)}
	named := 0
	s.rows(l, func(row *crm.Row) bool {
		if c.columns == 0 {
			c.columns, named, c.line = len(row.Cells), lastNamed(row.Cells), row.Line
			return row.Fault == "" && len(row.Cells) <= maxColumns
		}
		c.rows++
		if row.Fault == "" {
			c.widths[len(row.Cells)]++
			if c.widths[len(row.Cells)] > c.modal() {
				c.mode = len(row.Cells)
			}
		}
		if row.Fault == "" && len(row.Cells) >= named && lastNamed(row.Cells) <= c.columns {
			c.fit++
		}
		return true
	})
	c.columns = named
	return c
}

// lastNamed returns how many cells there are up to the last that is not blank.
func lastNamed(cells []string) int {
	n := len(cells)
	for n > 0 && isBlank(cells[n-1]) {
		n--
	}
	return n
}

func (c candidate) better(o candidate) bool {
	if (c.columns > 1) != (o.columns > 1) {
		return c.columns > 1
	}
	if c.share() != o.share() {
		return c.share() > o.share()
	}
	return c.columns > o.columns
}

// share is the part of the rows that fit the header.
func (c candidate) share() float64 {
	if c.rows == 0 {
		return 0
	}
	return float64(c.fit) / float64(c.rows)
}

// score is the share, lowered where there is little to go by: one column has
// no delimiter to be seen.
func (c candidate) score() float64 {
	if c.columns < 2 {
		return 0.3 * c.share()
	}
	return c.share() * (1 - 0.5/float64(1+c.rows))
}

func (c candidate) evidence() string {
	cells := "cells"
	if c.columns == 1 {
		cells = "cell"
	}
	return fmt.Sprintf("%d of %d rows have %d %s", c.fit, c.rows, c.columns, cells)
}

// loneCR reports whether some CR of the text is not part of a CRLF.
func loneCR(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 || i+1 == len(b) {
			return i >= 0
		}
		if b[i+1] != '\n' {
			return true
		}
		b = b[i+1:]
	}
}

// open reads the rows of src from at on.
func open(ctx context.Context, src Source, l Layout, at crm.Position) (*Reader, io.Closer, error) {
	f, err := src.Open(ctx, at.Offset)
	if err != nil {
		return nil, nil, err
	}
	return NewReader(withContext{ctx, f}, l, at), f, nil
}

// isEnd reports whether err says that there is no row left.
func isEnd(err error) bool { return errors.Is(err, io.EOF) }
