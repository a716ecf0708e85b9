package tabular

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// A Book writes a workbook for people: sheets of text, each with a header row
// that stays in sight. Text stays text: nothing is taken for a number, a date
// or a formula, and what people type below the rows is not either. Characters
// that XML cannot hold, such as U+0000, and bytes that are not UTF-8 are
// written as U+FFFD. It is not safe for concurrent use.
//
// Rows are streamed to temporary files, so memory does not grow with them.
// After an error only Close may be called.
type Book struct {
	w      io.Writer
	file   *excelize.File // nil until the first sheet begins
	names  map[string]bool
	sheet  *excelize.StreamWriter
	rows   int // written of the sheet, the header included
	styles bookStyles
	line   []any
	err    error // the first there was
	closed bool
}

// bookStyles are the formats of cells. All of them are for text.
type bookStyles struct{ text, header, marked int }

// BookRows is how many rows a sheet of a [Book] holds below its header.
const BookRows = maxRows - 1

// maxCharacters is how many UTF-16 code units a cell of a sheet holds.
const maxCharacters = 32_767

// NewBook returns a workbook without a sheet that Close writes to w.
func NewBook(w io.Writer) *Book { return &Book{w: w, names: make(map[string]bool)} }

// Sheet begins a sheet. Names are cut and freed of what Excel does not take,
// and the second of two alike gets a number. A sheet holds [BookRows] rows at
// the most; Row answers an error that wraps crm.ErrInvalid beyond them, as it
// does for a row of more than 16,384 cells.
func (b *Book) Sheet(name string, header []string) error {
	if b.err != nil {
		return b.err
	}
	b.err = withoutPath(b.begin(b.unused(sheetName(name)), len(header)))
	if b.err == nil {
		b.err = withoutPath(b.write(header, b.styles.header, nil))
	}
	return b.err
}

// Row writes one row. Those of its cells whose places, from 0, are in marked
// are highlighted. A cell over Excel's 32,767 characters is cut and ends with
// "…".
func (b *Book) Row(cells []string, marked ...int) error {
	switch {
	case b.err != nil:
		return b.err
	case b.sheet == nil:
		b.err = errors.New("a row before the first sheet")
	case b.rows > BookRows:
		b.err = invalid("a sheet holds %d rows below its header", BookRows)
	default:
		b.err = withoutPath(b.write(cells, b.styles.text, marked))
	}
	return b.err
}

// Close writes the workbook and removes the temporary files; after an error it
// writes nothing, and returns that error. A workbook without a sheet gets an
// empty one, since no program opens it otherwise. A Book that was closed stays
// closed, and closing it again does nothing.
func (b *Book) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	if b.err == nil && b.file == nil {
		b.err = b.begin("Sheet1", 0)
	}
	if b.file == nil {
		return b.err
	}
	if b.err == nil {
		b.err = b.finish()
	}
	b.err = withoutPath(errors.Join(b.err, b.file.Close()))
	if b.err != nil {
		return b.err
	}
	b.err = errors.New("the workbook is closed")
	return nil
}

// begin ends the sheet before and starts one with this many columns.
func (b *Book) begin(name string, columns int) error {
	if columns > maxColumns {
		return invalid("a sheet has %d columns at the most", maxColumns)
	}
	if b.file == nil {
		if err := b.open(name); err != nil {
			return err
		}
	} else {
		if err := b.sheet.Flush(); err != nil {
			return err
		}
		if _, err := b.file.NewSheet(name); err != nil {
			return err
		}
	}
	sheet, err := b.file.NewStreamWriter(name)
	if err != nil {
		return err
	}
	b.sheet, b.rows = sheet, 0
	if columns == 0 {
		return nil
	}
	if err := sheet.SetColStyle(1, columns, b.styles.text); err != nil {
		return err
	}
	return sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}

// open makes the file, whose first sheet is there from the beginning.
func (b *Book) open(name string) error {
	b.file = excelize.NewFile()
	b.names[strings.ToLower(name)] = true
	if err := b.file.SetSheetName("Sheet1", name); err != nil {
		return err
	}
	if err := b.file.SetDocProps(&excelize.DocProperties{Creator: "Sluice"}); err != nil {
		return err
	}
	const asText = 49 // the format "@"
	var err error
	style := func(s excelize.Style) (id int) {
		if err == nil {
			s.NumFmt = asText
			id, err = b.file.NewStyle(&s)
		}
		return id
	}
	b.styles = bookStyles{
		text:   style(excelize.Style{}),
		header: style(excelize.Style{Font: &excelize.Font{Bold: true}}),
		marked: style(excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFE699"}}}),
	}
	return err
}

// finish writes the workbook straight to w. excelize itself would hold all of
// it in memory first.
func (b *Book) finish() error {
	if err := b.sheet.Flush(); err != nil {
		return err
	}
	b.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(b.w) })
	return b.file.Write(io.Discard)
}

// write writes one row.
func (b *Book) write(cells []string, style int, marked []int) error {
	if len(cells) > maxColumns {
		return invalid("a row has %d cells, and a sheet %d columns at the most", len(cells), maxColumns)
	}
	if b.rows == 0 {
		for i, name := range cells {
			width := min(max(utf8.RuneCountInString(name)+3, 12), 40)
			if err := b.sheet.SetColWidth(i+1, i+1, float64(width)); err != nil {
				return err
			}
		}
	}
	b.line = b.line[:0]
	for _, c := range cells {
		b.line = append(b.line, excelize.Cell{StyleID: style, Value: bookText(c)})
	}
	for _, i := range marked {
		if i >= 0 && i < len(b.line) {
			b.line[i] = excelize.Cell{StyleID: b.styles.marked, Value: bookText(cells[i])}
		}
	}
	b.rows++
	return b.sheet.SetRow(fmt.Sprintf("A%d", b.rows), b.line)
}

// hardEscapes are texts that excelize does not keep: two that look like escapes
// and share an underline, and what would be half a character.
var hardEscapes = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_|_x[dD][89a-fA-F][0-9A-Fa-f]{2}_`)

// bookText returns the value of a cell as excelize takes it. Text such as
// _x000D_ stands for a character in a workbook, and excelize writes it so that
// it does not. Where it fails to, the text is cut into runs that hold no such
// thing: an escape does not reach from one run into another.
func bookText(v string) any {
	v = cutCell(v)
	if !strings.Contains(v, "_x") || !hardEscapes.MatchString(v) {
		return v
	}
	var runs []excelize.RichTextRun
	for {
		n := strings.Index(v, "_x") + 1
		if n == 0 {
			return append(runs, excelize.RichTextRun{Text: v})
		}
		runs = append(runs, excelize.RichTextRun{Text: v[:n]})
		v = v[n:]
	}
}

// cutCell cuts what is longer than a cell can be.
func cutCell(v string) string {
	if len(v) <= maxCharacters {
		return v
	}
	units, cut := 0, 0 // cut is where the last that leaves room for "…" ends
	for i, r := range v {
		if units < maxCharacters {
			cut = i
		}
		if units += max(utf16.RuneLen(r), 1); units > maxCharacters {
			return v[:cut] + "…"
		}
	}
	return v
}

// sheetName returns name as Excel takes it: at most 31 UTF-16 code units, none
// of them forbidden.
func sheetName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`:\/?*[]`, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	name = cutUnits(strings.Trim(name, " '"), 31)
	if name = strings.TrimRight(name, " '"); name == "" {
		return "Sheet"
	}
	return name
}

// unused returns name with a number behind it if a sheet has that name. Excel
// does not tell capital letters from small ones.
func (b *Book) unused(name string) string {
	try := name
	for n := 2; b.names[strings.ToLower(try)]; n++ {
		number := fmt.Sprintf(" (%d)", n)
		try = cutUnits(name, 31-len(number)) + number
	}
	b.names[strings.ToLower(try)] = true
	return try
}

// cutUnits returns the beginning of s that has n UTF-16 code units at the most.
func cutUnits(s string, n int) string {
	for i, r := range s {
		if n -= utf16.RuneLen(r); n < 0 {
			return s[:i]
		}
	}
	return s
}
