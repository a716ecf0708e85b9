package tabular

import "sluice/internal/crm"

// A Layout is how a UTF-8 text file is to be read: everything a [Reader] needs
// beside the bytes. It is kept with the import, so that every attempt and every
// worker reads the file in the same way.
type Layout struct {
	Delimiter string `json:"delimiter"` // one ASCII character

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
