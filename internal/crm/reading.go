package crm

// A Reading is what an owner says about how a file is written. It is part of a
// mapping file, and each field is a flag of the commands that look at files.
// A zero field leaves the matter to the file itself, whose evidence is shown
// as a [Decision].
type Reading struct {
	// Encoding is a name of the WHATWG Encoding Standard, such as "utf-8",
	// "windows-1252" or "shift_jis"; or "utf-32le", "utf-32be", "ibm437",
	// "ibm850", "ibm852", which it has not. ISO-8859-1 means windows-1252, as
	// on the web. Workbooks have no use for it.
	Encoding string `json:"encoding,omitempty" yaml:"encoding,omitempty"`

	// Delimiter is 1 to 8 printable ASCII characters, or one of the words tab
	// and space. One of more than a character is never guessed.
	Delimiter string `json:"delimiter,omitempty" yaml:"delimiter,omitempty"`

	// Quote is the one ASCII character that may stand around cells, or the
	// word none. Without it, '"' is.
	Quote string `json:"quote,omitempty" yaml:"quote,omitempty"`

	// Escape is how a quote stands inside a quoted cell: "double" or
	// "backslash".
	Escape string `json:"escape,omitempty" yaml:"escape,omitempty"`

	// Header is the line, or in a workbook the row, that names the columns, in
	// decimal digits; or the word none, and then columns are called "column 1",
	// "column 2" and so on.
	Header string `json:"header,omitempty" yaml:"header,omitempty"`

	// Comment is what lines begin with that are no rows, such as "#". None are
	// taken for comments unless it is set.
	Comment string `json:"comment,omitempty" yaml:"comment,omitempty"`

	// Footer is how many rows at the end of the file are no rows, such as
	// totals. Blank rows do not count.
	Footer int `json:"footer,omitempty" yaml:"footer,omitempty"`

	// ShortRows is "reject" or "pad": what becomes of rows with fewer cells
	// than the header. Without it they are rejected. A workbook's rows are
	// never short.
	ShortRows string `json:"short_rows,omitempty" yaml:"short_rows,omitempty"`

	// Sheet is the name of a workbook's sheet, which may be a hidden one.
	Sheet string `json:"sheet,omitempty" yaml:"sheet,omitempty"`

	// Hidden is "import" or "skip": what becomes of a sheet's hidden rows.
	// Without it they are imported.
	Hidden string `json:"hidden,omitempty" yaml:"hidden,omitempty"`
}

// The words that settings of a [Reading] take.
const (
	NoneAtAll    = "none"      // of Quote and Header
	EscapeDouble = "double"    // of Escape
	EscapeSlash  = "backslash" // of Escape
	RejectShort  = "reject"    // of ShortRows
	PadShort     = "pad"       // of ShortRows
	ImportHidden = "import"    // of Hidden
	SkipHidden   = "skip"      // of Hidden
)

// Over returns r with the fields that are zero taken from under.
func (r Reading) Over(under Reading) Reading {
	pick := func(v *string, u string) {
		if *v == "" {
			*v = u
		}
	}
	pick(&r.Encoding, under.Encoding)
	pick(&r.Delimiter, under.Delimiter)
	pick(&r.Quote, under.Quote)
	pick(&r.Escape, under.Escape)
	pick(&r.Header, under.Header)
	pick(&r.Comment, under.Comment)
	pick(&r.ShortRows, under.ShortRows)
	pick(&r.Sheet, under.Sheet)
	pick(&r.Hidden, under.Hidden)
	if r.Footer == 0 {
		r.Footer = under.Footer
	}
	return r
}
