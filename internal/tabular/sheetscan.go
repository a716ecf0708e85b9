package tabular

import (
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxRows is Excel's limit. excelize runs out of memory on numbers far beyond.
const maxRows = 1_048_576

// sheetCell is what a sheet says of a cell beside its text.
type sheetCell struct {
	column  int    // from 1
	style   int    // index of its format
	kind    string // attribute t: "" and "n" number, "s" shared string, and so on
	value   string // of the element v, as it stands
	text    int    // bytes of text, of v or inline
	formula bool
	given   bool // there is an element v, if only an empty one
}

// sheetScanner reads the rows of a sheet's part in order, and refuses what no
// sheet may hold.
type sheetScanner struct {
	x     *xmlScanner
	row   int // number of the row in cells, from 1
	cells []sheetCell
	bytes int   // of text in the row, shared strings included
	items []int // length of each shared string
}

// next reads the next row that is written down, which may be one without cells;
// [io.EOF] when there is none.
func (s *sheetScanner) next() error {
	for {
		tok, err := s.x.next()
		switch {
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return s.at(err)
		case tok == tagClose && string(s.x.name) == "sheetData":
			return io.EOF // the parts behind it have rows of another kind
		case tok != tagOpen || string(s.x.name) != "row":
			continue
		}
		if err := s.startRow(); err != nil {
			return s.at(err)
		}
		return s.at(s.readRow())
	}
}

// at says behind which row an error was met.
func (s *sheetScanner) at(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the sheet, near row %d, %w", max(s.row, 1), err)
}

func (s *sheetScanner) startRow() error {
	number := s.row + 1
	if r, ok := s.x.attr("r"); ok {
		n, err := strconv.Atoi(r)
		if err != nil || n <= s.row {
			return errors.New("has its rows out of order: open it and save it again")
		}
		number = n
	}
	if number > maxRows {
		return fmt.Errorf("has a row numbered beyond %d", maxRows)
	}
	s.row, s.cells, s.bytes = number, s.cells[:0], 0
	return nil
}

func (s *sheetScanner) readRow() error {
	depth := s.x.depth
	for {
		tok, err := s.x.next()
		switch {
		case err != nil:
			return cutShort(err)
		case tok == tagClose && s.x.depth < depth:
			return nil
		case tok == tagOpen && string(s.x.name) == "c":
			if err := s.readCell(); err != nil {
				return err
			}
		}
		if s.bytes > maxRow {
			return fmt.Errorf("has a row of over %d MiB", maxRow>>20)
		}
	}
}

// readCell reads the element c, whose start tag has just been read.
func (s *sheetScanner) readCell() error {
	c, err := s.startCell()
	if err != nil {
		return err
	}
	depth, in := s.x.depth, ""
	for s.x.depth >= depth {
		tok, err := s.x.next()
		if err != nil {
			return cutShort(err)
		}
		switch tok {
		case tagOpen:
			in = string(s.x.name)
			c.formula = c.formula || in == "f"
			c.given = c.given || in == "v"
		case tagClose:
			in = ""
		case tagText:
			if in == "v" {
				c.value += string(s.x.text)
			}
			if in == "v" || in == "t" {
				c.text += len(s.x.text)
			}
			s.bytes += len(s.x.text)
		}
		if c.text > maxText*4 {
			return errLongText
		}
	}
	if i, ok := s.item(c); ok {
		s.bytes += s.items[i]
		c.text = s.items[i]
	}
	s.cells = append(s.cells, c)
	return nil
}

func (s *sheetScanner) startCell() (sheetCell, error) {
	c := sheetCell{column: 1}
	if n := len(s.cells); n > 0 {
		c.column = s.cells[n-1].column + 1
	}
	if ref, ok := s.x.attr("r"); ok {
		column, row := parseRef(ref)
		switch {
		case column > maxColumns:
			return c, fmt.Errorf("has a column numbered beyond %d", maxColumns)
		case column < c.column, row != s.row:
			return c, errors.New("has its cells out of order: open it and save it again")
		}
		c.column = column
	}
	if c.column > maxColumns {
		return c, fmt.Errorf("has a row of more than %d cells", maxColumns)
	}
	c.kind, _ = s.x.attr("t")
	if style, ok := s.x.attr("s"); ok {
		n, err := strconv.Atoi(style)
		if err != nil || n < 0 {
			return c, errMarkup
		}
		c.style = n
	}
	return c, nil
}

// item returns which shared string the cell holds, if it is there.
func (s *sheetScanner) item(c sheetCell) (int, bool) {
	if c.kind != "s" {
		return 0, false
	}
	i, err := strconv.Atoi(c.value)
	return i, err == nil && i >= 0 && i < len(s.items)
}

// parseRef returns the column and the row of a reference such as "AB12"; zero
// for what is none.
func parseRef(ref string) (column, row int) {
	i := 0
	for ; i < len(ref) && i < 4; i++ {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	row, err := strconv.Atoi(ref[i:])
	if err != nil {
		return 0, 0
	}
	return column, row
}

// maxItems is how many shared strings a workbook may have. excelize keeps some
// 40 bytes of each.
const maxItems = 5_000_000

// scanItems returns the length of every shared string of a part.
func scanItems(r io.Reader) ([]int, error) {
	x, items := newXMLScanner(r), []int(nil)
	text, phonetic, runs := false, false, 0
	for {
		tok, err := x.next()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the table of strings %w", err)
		}
		name := string(x.name)
		switch {
		case tok == tagOpen && name == "si":
			items, runs = append(items, 0), 0
		case tok == tagText && text && !phonetic && len(items) > 0:
			items[len(items)-1] += len(x.text)
		case tok == tagOpen:
			runs++
			text, phonetic = name == "t", phonetic || name == "rPh"
		case tok == tagClose:
			text, phonetic = false, phonetic && name != "rPh"
		}
		if len(items) > maxItems {
			return nil, fmt.Errorf("the table of strings holds more than %d", maxItems)
		}
		if n := len(items); n > 0 && items[n-1] > maxText*4 || runs > maxText {
			return nil, fmt.Errorf("the table of strings %w", errLongText)
		}
	}
}
