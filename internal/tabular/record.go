package tabular

import (
	"bytes"
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
// be as wide as the header, or narrower where short rows are padded. What
// Rewrite wrote is always taken as it is.
func (r *Reader) fits() bool {
	if r.scan.lines == 0 || r.numbered || r.width == 0 {
		return true
	}
	n := r.columns(r.scan.cells)
	return n == r.width || n < r.width && r.pad
}

// columns returns how many of the cells count: not the blank ones beyond the
// header's last column, if the file is one whose rows have such.
func (r *Reader) columns(cells []string) int {
	n := len(cells)
	if n > r.width+r.spare && !r.numbered {
		return n
	}
	for r.width > 0 && n > r.width && n <= maxColumns && isBlank(cells[n-1]) {
		n--
	}
	return n
}

// record passes the record just scanned in b and reports whether it is a row.
func (r *Reader) record(row *crm.Row, b []byte) bool {
	line, lines := r.at.Line, r.scan.lines
	if r.scan.next > r.scan.end {
		lines++
	}
	fault := r.damage(b[:r.scan.end])
	r.unescape()
	cells := r.scan.cells
	if r.numbered {
		n, given := prefix(cells)
		if n > 0 {
			line, cells = n, cells[numberCells:]
		}
		if n == 0 || given != "" {
			fault = given
		}
	}
	r.advance(r.scan.next, lines)
	if fault == "" && (allBlank(cells) || r.numbered && r.isComment(cells[0])) {
		r.blank++
		return false
	}
	n := r.columns(cells)
	if fault == "" {
		fault = r.misfit(n)
	}
	cells = cells[:n]
	for r.pad && len(cells) < r.width {
		cells = append(cells, "")
	}
	if fault == crm.ReasonBadEncoding || fault == crm.ReasonCellTooLong {
		mend(cells)
	}
	row.Line, row.Cells, row.Fault = line, cells, fault
	return true
}

// damage returns what is wrong with the bytes of a record.
func (r *Reader) damage(text []byte) crm.Reason {
	switch {
	case !utf8.Valid(text):
		return crm.ReasonBadEncoding
	case bytes.IndexByte(text, 0) >= 0:
		return crm.ReasonBadCharacter
	case len(text) <= maxCell:
		return ""
	}
	for _, c := range r.scan.cells {
		if len(c) > maxCell {
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
	case n < r.width && !r.pad:
		return crm.ReasonTooFewCells
	}
	return ""
}

// unescape replaces the cells in which something stands for a quote by ones in
// memory of the Reader's own.
func (r *Reader) unescape() {
	r.text = r.text[:0]
	for _, i := range r.scan.doubled {
		from := len(r.text)
		r.text = r.scan.appendUnescaped(r.text, r.scan.cells[i])
		v := r.text[from:]
		r.scan.cells[i] = unsafe.String(unsafe.SliceData(v), len(v))
	}
}

// mend replaces what is not text in the cells of a faulty row and cuts what is
// too long.
func mend(cells []string) {
	for i, c := range cells {
		if len(c) > maxCell {
			c = c[:maxCell]
		}
		cells[i] = strings.ToValidUTF8(c, "\uFFFD")
	}
}

// appendUndoubled appends v with " for every "".
func appendUndoubled(dst []byte, v string) []byte {
	for {
		i := strings.IndexByte(v, '"')
		if i < 0 {
			return append(dst, v...)
		}
		dst = append(dst, v[:i+1]...)
		v = v[i+2:]
	}
}

// split divides a line that is no record at every delimiter, quotes and all.
func split(cells []string, line []byte, delim string) []string {
	rest := strings.ToValidUTF8(string(line), "\uFFFD")
	for len(cells) < maxColumns {
		cell, after, found := strings.Cut(rest, delim)
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
func prefix(cells []string) (int64, crm.Reason) {
	if len(cells) < numberCells {
		return 0, crm.ReasonTooFewCells
	}
	n, err := strconv.ParseInt(cells[0], 10, 64)
	if err != nil || n <= 0 {
		return 0, crm.ReasonBadCharacter
	}
	switch cells[1] {
	case "":
		return n, ""
	case string(crm.ReasonCellTooLong):
		return n, crm.ReasonCellTooLong
	case string(crm.ReasonBadCharacter):
		return n, crm.ReasonBadCharacter
	case string(crm.ReasonNoValue):
		return n, crm.ReasonNoValue
	case string(crm.ReasonRowTooLong):
		return n, crm.ReasonRowTooLong
	case string(crm.ReasonBadJSON):
		return n, crm.ReasonBadJSON
	case string(crm.ReasonBadEncoding):
		return n, crm.ReasonBadEncoding
	default:
		return n, crm.ReasonCellError
	}
}

// isBlank reports whether v is empty or white space.
func isBlank(v string) bool {
	if v == "" {
		return true
	}
	if c := v[0]; c > ' ' && c < utf8.RuneSelf {
		return false
	}
	return strings.TrimSpace(v) == ""
}

func allBlank(cells []string) bool {
	for _, c := range cells {
		if !isBlank(c) {
			return false
		}
	}
	return len(cells) <= maxColumns
}
