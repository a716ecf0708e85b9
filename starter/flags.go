package main

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/alecthomas/kong"

	"sluice/internal/crm"
	"sluice/internal/mapping"
)

// readingFlags say how a file is written, to every command that looks at one.
// A flag wins over the mapping file, which wins over what the file shows. The
// names are those of the keys of a mapping file; see [crm.Reading].
type readingFlags struct {
	Encoding  string `group:"reading" placeholder:"NAME" env:"SLUICE_ENCODING" help:"The text's encoding, such as windows-1252 or shift_jis."`
	Delimiter string `group:"reading" placeholder:"TEXT" env:"SLUICE_DELIMITER" help:"What stands between cells: 1 to 8 characters, tab or space."`
	Quote     string `group:"reading" placeholder:"CHAR" env:"SLUICE_QUOTE" help:"The character that may stand around cells, or none."`
	Escape    string `group:"reading" enum:"double,backslash," default:"" placeholder:"HOW" env:"SLUICE_ESCAPE" help:"How a quote stands inside a quoted cell: double or backslash."`
	Header    string `group:"reading" placeholder:"LINE" env:"SLUICE_HEADER" help:"The line, or the row of a sheet, that names the columns, or none."`
	Comment   string `group:"reading" placeholder:"TEXT" env:"SLUICE_COMMENT" help:"What lines begin with that are no rows, such as #."`
	Footer    *int   `group:"reading" type:"rows" placeholder:"N" env:"SLUICE_FOOTER" help:"How many rows at the end are no rows, such as totals."`
	ShortRows string `group:"reading" enum:"reject,pad," default:"" placeholder:"HOW" env:"SLUICE_SHORT_ROWS" help:"Rows with fewer cells than the header: reject or pad."`
	Sheet     string `group:"reading" placeholder:"NAME" env:"SLUICE_SHEET" help:"The sheet of a workbook, also a hidden one."`
	Hidden    string `group:"reading" enum:"import,skip," default:"" placeholder:"HOW" env:"SLUICE_HIDDEN" help:"Hidden rows of a sheet: import or skip."`
}

// meaningFlags say what cells mean, to commands that import. They win over the
// mapping file as the readingFlags do.
type meaningFlags struct {
	DateOrder string `group:"reading" enum:"dmy,mdy,ymd," default:"" placeholder:"ORDER" env:"SLUICE_DATE_ORDER" help:"Dates in digits: dmy, mdy or ymd. Holds for columns whose mapping says no other."`
	Match     string `group:"reading" enum:"external_id,email,domain," default:"" placeholder:"HOW" env:"SLUICE_MATCH" help:"How customers are found again: external_id, email or domain."`
	BadCells  string `group:"reading" enum:"reject,blank," default:"" placeholder:"HOW" env:"SLUICE_BAD_CELLS" help:"A cell that does not fit its field: reject its row, or take it as blank."`
}

// Validate is called by kong. Words are checked there already; whether a text
// has such an encoding or a workbook such a sheet, the file must be looked at
// for.
func (f readingFlags) Validate() error {
	switch {
	case !aDelimiter(f.Delimiter):
		return errors.New("--delimiter: use 1 to 8 printable ASCII characters, tab or space")
	case !aQuote(f.Quote):
		return errors.New("--quote: use one ASCII character, or none")
	case !aLine(f.Header):
		return errors.New("--header: use a line's number, from 1, or none")
	}
	return nil
}

func aDelimiter(text string) bool {
	return len(text) <= 8 && (text == " " || text == "\t" || printable(text))
}

func aQuote(text string) bool { return text == crm.NoneAtAll || len(text) <= 1 && printable(text) }

func aLine(text string) bool {
	n, err := strconv.ParseUint(text, 10, 32)
	return text == "" || text == crm.NoneAtAll || err == nil && n > 0
}

func printable(text string) bool {
	for _, b := range []byte(text) {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return true
}

// reading returns what the flags say.
func (f readingFlags) reading() crm.Reading {
	r := crm.Reading{Encoding: f.Encoding, Delimiter: f.Delimiter, Quote: f.Quote, Escape: f.Escape, Header: f.Header,
		Comment: f.Comment, ShortRows: f.ShortRows, Sheet: f.Sheet, Hidden: f.Hidden}
	if f.Footer != nil {
		r.Footer = *f.Footer
	}
	return r
}

// over lays the flags over a mapping file, nil if there is none. The result is
// nil when neither says anything. The sheet is no part of it: a request has a
// place of its own for it, and a mapping may serve several sheets.
func (f readingFlags) over(spec *mapping.Spec, m meaningFlags) *mapping.Spec {
	said := f.reading()
	said.Sheet = ""
	if said == (crm.Reading{}) && f.Footer == nil && m == (meaningFlags{}) {
		return spec
	}
	var merged mapping.Spec
	if spec != nil {
		merged = *spec
	}
	merged.Reading = said.Over(merged.Reading)
	if f.Footer != nil {
		merged.Reading.Footer = *f.Footer // 0 takes back what the mapping says
	}
	if m.DateOrder != "" {
		merged.DateOrder = mapping.DateOrder(m.DateOrder)
	}
	if m.Match != "" {
		merged.Match = crm.Match(m.Match)
	}
	if m.BadCells != "" {
		merged.BadCells = mapping.BadCells(m.BadCells)
	}
	return &merged
}

// rowCount is called by kong for flags of the type rows, pointers to how many
// rows; nil says that the flag was not given. Kong would take -1 for a flag.
func rowCount(ctx *kong.DecodeContext, target reflect.Value) error {
	n, err := strconv.ParseUint(fmt.Sprint(ctx.Scan.Pop().Value), 10, 31)
	if err != nil {
		return errors.New("use a number of rows, from 0")
	}
	count := int(n)
	target.Set(reflect.ValueOf(&count))
	return nil
}

// A positive is a whole number from 1. Zero, the value of a flag that was not
// given, cannot be said.
type positive int64

// Decode is called by kong, which would take -1 for a flag.
func (p *positive) Decode(ctx *kong.DecodeContext) error {
	n, err := strconv.ParseInt(fmt.Sprint(ctx.Scan.Pop().Value), 10, 64)
	if err != nil || n < 1 {
		return errors.New("use a whole number from 1")
	}
	*p = positive(n)
	return nil
}

// A percent is a whole number from 1 to 100. Zero says that the flag was not
// given.
type percent int64

// Decode is called by kong.
func (p *percent) Decode(ctx *kong.DecodeContext) error {
	var n positive
	if err := n.Decode(ctx); err != nil || n > 100 {
		return errors.New("use a whole number from 1 to 100")
	}
	*p = percent(n)
	return nil
}
