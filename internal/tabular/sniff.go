package tabular

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// Sniff finds the delimiter, the quotes, the line ends, the header and the end
// of text that is UTF-8 now: src itself if f is plain, else what
// [Format.Rewrite] wrote. f must be what [Identify] said of the file that came.
// Evidence is taken from the first 256 KiB, or as much from a header that is set
// onwards; the footer's from the last 64 KiB. Only a footer that is set, or one
// that is seen, makes Sniff read the whole file.
//
// A setting that makes no sense, a delimiter that is set and does not divide
// what another one does, a file without rows, and a header that is damaged,
// blank, in doubt, or has two columns of one name wrap [crm.ErrInvalid]; the
// error names the line and says what to set.
func Sniff(ctx context.Context, src Source, f Format, s crm.Reading) (Layout, []crm.Decision, error) {
	l, decisions, err := sniff(ctx, src, f, s)
	if err != nil {
		return Layout{}, nil, fmt.Errorf("sniff %q: %w", src.Name, err)
	}
	return l, decisions, nil
}

func sniff(ctx context.Context, src Source, f Format, s crm.Reading) (Layout, []crm.Decision, error) {
	a, err := ask(s)
	if err != nil {
		return Layout{}, nil, err
	}
	if f.Kind == KindNDJSON || f.Kind == KindJSON {
		l, err := recordLayout(ctx, src)
		return l, nil, err
	}
	smp, err := takeSample(ctx, src, f, a)
	if err != nil {
		return Layout{}, nil, err
	}
	var g *grid
	var decisions []crm.Decision
	if f.Kind == KindXLSX {
		g = smp.read(sheetLayout(a), a.header)
	} else if g, decisions, err = dialect(smp, a); err != nil {
		return Layout{}, nil, err
	}
	l, more, err := findHeader(ctx, src, smp, g, a)
	if err != nil {
		return Layout{}, nil, err
	}
	decisions = append(decisions, more...)
	if f.Kind != KindXLSX || a.Comment != "" {
		decisions = append(decisions, comments(smp, a)...)
	}
	more, err = findFooter(ctx, src, &l, a.Footer)
	return l, append(decisions, more...), err
}

// sheetLayout is how the text that Rewrite makes of a sheet is read.
func sheetLayout(a asked) Layout {
	return Layout{Delimiter: ",", Numbered: true, Comment: a.Comment}
}

// recordLayout is how the text that Rewrite makes of records in JSON is read.
// Its first row has the names of all fields, so nothing is guessed.
func recordLayout(ctx context.Context, src Source) (Layout, error) {
	l := Layout{Delimiter: ",", Numbered: true}
	r, closer, err := open(ctx, src, l, crm.Position{Line: 1})
	if err != nil {
		return l, err
	}
	defer closer.Close()
	var row crm.Row
	switch err := r.Read(&row); {
	case err != nil:
		return l, err
	case row.Fault != "":
		return l, invalid("the names of its fields cannot be read (%s)", row.Fault)
	}
	l.Start = r.Position()
	for _, name := range row.Cells {
		l.Header = append(l.Header, strings.TrimSpace(strings.Clone(name)))
	}
	if checkNames(l.Header, 0) != nil {
		return l, invalid("two fields have names that differ in white space alone; rename one")
	}
	return l, nil
}

// sample is a part of a text near its beginning, from which evidence is taken.
type sample struct {
	text []byte
	from int64        // where it begins in the file
	cut  bool         // the file goes on behind it
	at   crm.Position // where the first row begins
	sep  string       // the delimiter that a line sep= names; "" if there is none
	ends lineEnds
}

// takeSample reads the beginning of src, or, where the header's line is set, the
// text from that line on.
func takeSample(ctx context.Context, src Source, f Format, a asked) (sample, error) {
	head, err := src.bytes(ctx, 0, sampleSize)
	if err != nil {
		return sample{}, err
	}
	s := sample{text: head, cut: int64(len(head)) < src.Size, at: crm.Position{Line: 1}, ends: countEnds(head)}
	if f.Kind != KindXLSX {
		if sep, length := namedInFile(head); sep != "" {
			s.sep, s.at = sep, crm.Position{Offset: int64(length), Line: 2}
		}
	}
	if a.header <= 0 {
		return s, nil
	}
	if a.header < s.at.Line {
		return s, invalid("line %d names the delimiter, and no columns; set header to the line that does", a.header)
	}
	l := Layout{Delimiter: ",", CR: s.ends.cr > s.ends.lf+s.ends.crlf}
	if f.Kind == KindXLSX {
		l = sheetLayout(a)
	}
	if s.at, err = toLine(ctx, src, l, a.header); err != nil {
		return s, err
	}
	s.text, s.from = nil, s.at.Offset
	if s.text, err = src.bytes(ctx, s.from, sampleSize); err != nil {
		return s, err
	}
	s.cut = s.from+int64(len(s.text)) < src.Size
	return s, nil
}

// toLine returns where a line of a text begins, or a row of a sheet.
func toLine(ctx context.Context, src Source, l Layout, line int64) (crm.Position, error) {
	r, closer, err := open(ctx, src, l, crm.Position{Line: 1})
	if err != nil {
		return crm.Position{}, err
	}
	defer closer.Close()
	var row crm.Row
	for at := r.Position(); ; at = r.Position() {
		if !l.Numbered && at.Line == line {
			return at, nil
		}
		if l.Numbered {
			err = r.Read(&row)
		} else {
			err = r.skipLine()
		}
		switch {
		case isEnd(err):
			return at, invalid("the file has no line %d for a header; correct the header setting", line)
		case err != nil:
			return at, err
		case l.Numbered && row.Line == line:
			return at, nil
		case l.Numbered && row.Line > line:
			return at, blankHeader(line)
		}
	}
}

func blankHeader(line int64) error {
	return invalid("line %d is blank; set header to the line that names the columns", line)
}

// rows calls see for every row of the sample and says where the next one
// begins. The row at the place where the sample was cut is left out.
func (s sample) rows(l Layout, see func(row *crm.Row, next crm.Position)) {
	r := NewReader(bytes.NewReader(s.text[s.at.Offset-s.from:]), l, s.at)
	var row crm.Row
	for r.Read(&row) == nil {
		if s.cut && r.Position().Offset == s.from+int64(len(s.text)) {
			return
		}
		see(&row, r.Position())
	}
}

// dialect finds out how cells are divided and quoted and what lines end in.
func dialect(s sample, a asked) (*grid, []crm.Decision, error) {
	d := crm.Decision{About: "delimiter", Score: 1}
	delims := guessed
	switch {
	case a.layout.Delimiter != "":
		delims, d.Evidence = []string{a.layout.Delimiter}, "as set"
	case s.sep != "":
		delims, d.Evidence = []string{s.sep}, "named by the line sep="
	}
	best, wide := choose(s, a, delims)
	if g := unquoted(s, a, delims, best); g != nil {
		best, wide = g, nil
	}
	if (best.columns < 2 || best.fit == 0) && d.Evidence == "" {
		if other, _ := choose(s, a, rare); other != nil && other.strong() {
			best, wide = other, nil
		}
	}
	if err := wrongDelimiter(s, a, best); err != nil {
		return nil, nil, err
	}
	if best.columns < 2 && wide != nil && d.Evidence == "" && a.header == 0 {
		return nil, nil, invalid("line %d: the header has %s, but %d of the first %d rows have %d cells; "+
			"set header to the line that names the columns, or to %s",
			best.headLine(), columns(best.columns), wide.modal, len(wide.rows), wide.width, crm.NoneAtAll)
	}
	d.Choice = best.layout.Delimiter
	if d.Evidence == "" {
		d.Evidence, d.Score = best.why(), best.score()
	}
	decisions := append([]crm.Decision{d}, best.quotes(s, a)...)
	return best, append(decisions, s.ends.decision(best.layout.CR)), nil
}

// wrongDelimiter refuses a delimiter that was set and leaves the header one
// cell, where another one divides it and nearly all rows. Who sets the header's
// line too may have a file of one column, unless hardly a row fits that.
func wrongDelimiter(s sample, a asked, set *grid) error {
	if a.Delimiter == "" || a.header == noHeader || a.header > 0 && set.share() > 0.1 {
		return nil
	}
	a.layout.Delimiter = ""
	other, _ := choose(s, a, guessed)
	if g := unquoted(s, a, guessed, other); g != nil {
		other = g
	}
	if other.columns < 2 || other.doubt != "" || other.share() < 0.9 {
		return nil
	}
	line := other.headLine()
	whole := func(r gridRow) bool { return r.line == line && r.width == 1 }
	if !slices.ContainsFunc(set.rows, whole) {
		return nil
	}
	how := "does not divide the header"
	if !bytes.Contains(s.text, []byte(set.layout.Delimiter)) {
		how = "does not occur"
	}
	hint := ""
	if a.header == 0 {
		hint = fmt.Sprintf(", or header to %d as well if the file has one column", line)
	}
	found := nameOf(other.layout.Delimiter)
	return invalid("line %d: the delimiter that was set, %s, %s, and by %s %s; set delimiter to %s%s",
		line, nameOf(set.layout.Delimiter), how, found, other.why(), found, hint)
}

// choose returns the way that reads the most rows well; among equals the one
// with the most columns, then the first. wide is one by which nearly all rows
// have the same number of cells, whatever the header says; nil if there is none.
func choose(s sample, a asked, delims []string) (best, wide *grid) {
	for _, l := range ways(s, a, delims) {
		g := s.read(l, a.header)
		if best == nil || g.better(best) {
			best = g
		}
		if g.wide() && (wide == nil || g.modal > wide.modal) {
			wide = g
		}
	}
	return best, wide
}

// ways lists the layouts in which the sample may be written.
func ways(s sample, a asked, delims []string) []Layout {
	ends := []bool{false}
	switch {
	case s.ends.cr > 0 && s.ends.lf+s.ends.crlf == 0:
		ends = []bool{true}
	case s.ends.cr > 0:
		ends = []bool{false, true}
	}
	slashes := []bool{a.layout.Backslash}
	if q := a.layout.quote(); a.Escape == "" && q >= 0 && bytes.Contains(s.text, []byte{'\\', byte(q)}) {
		slashes = []bool{false, true}
	}
	var list []Layout
	for _, delim := range delims {
		if len(delims) > 1 && (int(delim[0]) == a.layout.quote() || strings.HasPrefix(a.Comment, delim)) {
			continue
		}
		for _, cr := range ends {
			for _, slash := range slashes {
				l := a.layout
				l.Delimiter, l.CR, l.Backslash = delim, cr, slash
				list = append(list, l)
			}
		}
	}
	return list
}

// comments is the decision about lines that are no rows.
func comments(s sample, a asked) []crm.Decision {
	if a.Comment != "" {
		return []crm.Decision{{About: "comments", Choice: a.Comment, Evidence: "as set", Score: 1}}
	}
	n := bytes.Count(s.text, []byte("\n#"))
	if s.ends.lf+s.ends.crlf == 0 {
		n = bytes.Count(s.text, []byte("\r#"))
	}
	if bytes.HasPrefix(bytes.TrimPrefix(s.text, []byte(bom8)), []byte{'#'}) {
		n++
	}
	if n < manyComments {
		return nil
	}
	return []crm.Decision{{
		About: "comments", Choice: crm.NoneAtAll, Score: 0.5,
		Evidence: fmt.Sprintf("%d lines of the sample begin with #; set comment to # if they are no rows", n),
	}}
}

// manyComments is how many lines that look like comments are worth a word.
const manyComments = 3

// lastNamed returns how many cells there are up to the last that is not blank.
func lastNamed(cells []string) int {
	n := len(cells)
	for n > 0 && isBlank(cells[n-1]) {
		n--
	}
	return n
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
