package crm

import (
	"slices"
	"strings"
)

// RejectColumns says where a reject file has what we put in front of the row's
// own cells: where the row stood, what was wrong and how to mend it. Columns
// are counted from 0; -1 stands for one that is not there.
//
// In the file they are called file (only when the import had several), line,
// column, reason and "how to fix". Where the row's own header has a column of
// that name, ours has as many underscores behind it as it takes.
type RejectColumns struct {
	File, Line, Column, Reason, Fix int

	// Raw is true when cells stand as they are. Else those that a spreadsheet
	// would run as a formula are guarded: see [Guard]. The line's column is
	// called "line (raw)" then.
	Raw bool
}

const (
	rejectFile   = "file"
	rejectLine   = "line"
	rejectRaw    = "line (raw)"
	rejectColumn = "column"
	rejectReason = "reason"
	rejectFix    = "how to fix"
)

// Width is how many columns come before the row's own.
func (c RejectColumns) Width() int { return c.Fix + 1 }

// RejectHeader returns the header of a reject file for rows that have the
// columns own.
func RejectHeader(own []string, several, raw bool) []string {
	line := rejectLine
	if raw {
		line = rejectRaw
	}
	ours := []string{rejectFile, line, rejectColumn, rejectReason, rejectFix}
	if !several {
		ours = ours[1:]
	}
	for i := range ours {
		for slices.Contains(own, ours[i]) {
			ours[i] += "_"
		}
	}
	return append(ours, own...)
}

// ParseRejectHeader finds our columns in the header of a reject file, which may
// have gone through a spreadsheet. It is false for any other file.
func ParseRejectHeader(header []string) (RejectColumns, bool) {
	is := func(i int, name string) bool {
		return i < len(header) && strings.TrimRight(header[i], "_") == name
	}
	at := 0
	c := RejectColumns{File: -1}
	if is(0, rejectFile) {
		c.File, at = 0, 1
	}
	c.Raw = is(at, rejectRaw)
	if !c.Raw && !is(at, rejectLine) || !is(at+1, rejectColumn) || !is(at+2, rejectReason) || !is(at+3, rejectFix) {
		return RejectColumns{}, false
	}
	c.Line, c.Column, c.Reason, c.Fix = at, at+1, at+2, at+3
	return c, true
}

// Guard keeps a spreadsheet from running a cell as a formula, by a ' in front,
// which makes it text there (OWASP, "CSV Injection"). A sign before nothing but
// digits and what stands between them, as in a telephone number, makes no
// formula, and is left as it is.
func Guard(cell string) string {
	if runs(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// Unguard takes away what [Guard] put there: Unguard(Guard(s)) is s.
func Unguard(cell string) string {
	if strings.HasPrefix(cell, "'") && runs(strings.TrimLeft(cell, "'")) {
		return cell[1:]
	}
	return cell
}

func runs(cell string) bool {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return false
	}
	return strings.Trim(cell, "+-0123456789 ().,/") != "" || strings.LastIndexAny(cell, "+-") > 0
}
