package tabular

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"sluice/internal/crm"
)

// numberCells is how many cells stand before those of a sheet's row: its
// number and its fault.
const numberCells = 2

// fits reports whether a record may keep the lines it runs over: it must then
// be as wide as the header. What Rewrite wrote is always taken as it is.
func (r *Reader) fits(b []byte) bool {
	if r.scan.lines == 0 || r.numbered || r.width == 0 {
		return true
	}
	return r.columns(b, r.scan.cells) == r.width
}

// columns returns how many of the cells count: not the blank ones beyond the
// header's last column.
func (r *Reader) columns(b []byte, cells []span) int {
	n := len(cells)
	for r.width > 0 && n > r.width && n <= maxColumns && isBlank(cells[n-1].of(b)) {
		n--
	}
	return n
}

// record passes the record just scanned and reports whether it is a row.
func (r *Reader) record(row *crm.Row, b []byte) bool {
	cells, line, lines := r.scan.cells, r.at.Line, r.scan.lines
	if r.scan.next > r.scan.end {
		lines++
	}
	fault := r.damage(b)
	if r.numbered {
		n, given := prefix(b, cells)
		if n > 0 {
			line, cells = n, cells[numberCells:]
		}
		if n == 0 || given != "" {
			fault = given
		}
	}
	if fault == "" && allBlank(b, cells) {
		r.blank++
		r.advance(r.scan.next, lines)
		return false
	}
	n := r.columns(b, cells)
	if fault == "" {
		fault = r.misfit(n)
	}
	row.Line, row.Fault = line, fault
	r.fillCells(b, cells[:n])
	if fault == crm.ReasonBadEncoding || fault == crm.ReasonCellTooLong {
		r.mend()
	}
	row.Cells = r.cells
	r.advance(r.scan.next, lines)
	return true
}

// damage returns what is wrong with the bytes of a record.
func (r *Reader) damage(b []byte) crm.Reason {
	text := b[:r.scan.end]
	switch {
	case !utf8.Valid(text):
		return crm.ReasonBadEncoding
	case bytes.IndexByte(text, 0) >= 0:
		return crm.ReasonBadCharacter
	case len(text) <= maxCell:
		return ""
	}
	for _, c := range r.scan.cells {
		if len(c.of(text)) > maxCell {
			return crm.ReasonCellTooLong
		}
	}
	return ""
}

// misfit returns what is wrong with a row of n cells.
func (r *Reader) misfit(n int) crm.Reason {
	switch {
	case n > maxColumns, r.width > 0 && n > r.width:
		return crm.ReasonTooManyCells
	case n < r.width && !r.numbered:
		return crm.ReasonTooFewCells
	}
	return ""
}

// fillCells makes r.cells of the spans. The strings share memory with the
// buffer, which does not change before the next Read.
func (r *Reader) fillCells(b []byte, spans []span) {
	r.text = r.text[:0]
	r.cells = slices.Grow(r.cells[:0], len(spans))[:len(spans)]
	for i, c := range spans {
		v := c.of(b)
		if c.size < 0 {
			from := len(r.text)
			r.text = appendUnescaped(r.text, v)
			v = r.text[from:]
		}
		r.cells[i] = unsafe.String(unsafe.SliceData(v), len(v))
	}
	for r.numbered && len(r.cells) < r.width {
		r.cells = append(r.cells, "")
	}
}

// mend replaces what is not text in the cells of a faulty row and cuts what is
// too long.
func (r *Reader) mend() {
	for i, c := range r.cells {
		if len(c) > maxCell {
			c = c[:maxCell]
		}
		r.cells[i] = strings.ToValidUTF8(c, "\uFFFD")
	}
}

func appendUnescaped(dst, v []byte) []byte {
	for {
		i := bytes.IndexByte(v, '"')
		if i < 0 {
			return append(dst, v...)
		}
		dst = append(dst, v[:i+1]...)
		v = v[i+2:]
	}
}

// split divides a line that is no record at every delimiter, quotes and all.
func split(cells []string, line []byte, delim byte) []string {
	rest := strings.ToValidUTF8(string(line), "\uFFFD")
	for len(cells) < maxColumns {
		cell, after, found := strings.Cut(rest, string(rune(delim)))
		cells = append(cells, cell)
		if !found {
			break
		}
		rest = after
	}
	return cells
}

// prefix returns the sheet's row number and the fault that begin a row written
// by Rewrite; 0 and a fault if they do not.
func prefix(b []byte, cells []span) (int64, crm.Reason) {
	if len(cells) < numberCells {
		return 0, crm.ReasonTooFewCells
	}
	n, err := strconv.ParseInt(string(cells[0].of(b)), 10, 64)
	if err != nil || n <= 0 {
		return 0, crm.ReasonBadCharacter
	}
	switch f := crm.Reason(cells[1].of(b)); f {
	case "":
		return n, ""
	case crm.ReasonCellTooLong:
		return n, crm.ReasonCellTooLong
	case crm.ReasonBadCharacter:
		return n, crm.ReasonBadCharacter
	default:
		return n, crm.ReasonCellError
	}
}

// isBlank reports whether v is empty or white space.
func isBlank(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	if c := v[0]; c > ' ' && c < utf8.RuneSelf {
		return false
	}
	return len(bytes.TrimSpace(v)) == 0
}

func allBlank(b []byte, cells []span) bool {
	for _, c := range cells {
		if !isBlank(c.of(b)) {
			return false
		}
	}
	return len(cells) <= maxColumns
}
