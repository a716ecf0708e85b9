package tabular

import "sluice/internal/crm"

// A Layout is how a UTF-8 text file is to be read: everything a [Reader] needs
// beside the bytes. It is kept with the import, so that every attempt and every
// worker reads the file in the same way.
type Layout struct {
	Delimiter string `json:"delimiter"` // 1 to 8 ASCII characters

	// Quote is the character that may stand around cells; "" means '"', and
	// [crm.NoneAtAll] that there is none.
	Quote string `json:"quote,omitempty"`

	// Backslash is true when \" stands for a quote inside a quoted cell, and
	// \\ for a backslash. A doubled quote stands for one in any case.
	Backslash bool `json:"backslash,omitempty"`

	// Comment is what lines begin with that are no rows; "" if there are none.
	// They are counted with the blank rows.
	Comment string `json:"comment,omitempty"`

	// Pad is true when cells missing at the end of a row are blank cells, and
	// not a fault.
	Pad bool `json:"pad,omitempty"`

	// End is where the rows end and the footer begins, in bytes from the
	// file's first; 0 means the end of the file.
	End int64 `json:"end,omitempty"`

	// Header has the name of every column, without white space around it; ""
	// where the header is blank. No two names that are not blank are equal.
	Header []string `json:"header"`

	// Spare is how many blank cells rows may have beyond the header's last
	// column: as many as the header itself has, or most rows of the sample. A
	// blank cell more is a delimiter too many somewhere in the row, and then
	// nobody knows which cell is which.
	Spare int `json:"spare,omitempty"`

	// HeaderLine is the line the header is on, as [crm.Row] counts lines.
	HeaderLine int64 `json:"header_line"`

	// CR is true when a lone CR ends a line, as LF and CRLF always do.
	CR bool `json:"cr,omitempty"`

	// Numbered is true for what [Format.Rewrite] made of a sheet: the first
	// two cells of a row are its number in the sheet and its fault, and cells
	// missing at the end are blank.
	Numbered bool `json:"numbered,omitempty"`

	// Start is where the first row below the header begins.
	Start crm.Position `json:"start"`
}

// quote returns the character that may stand around cells, -1 for none.
func (l Layout) quote() int {
	switch l.Quote {
	case "":
		return '"'
	case crm.NoneAtAll:
		return -1
	}
	return int(l.Quote[0])
}
