package tabular

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"sluice/internal/crm"
)

// maxRows is Excel's limit.
const maxRows = 1_048_576

// maxSheetText is how many bytes of text the rows may come to, delimiters
// included. It matters where cells refer to few but long shared strings, or
// stand far to the right.
const maxSheetText = 4 << 30

// Depths of the elements of a sheet.
const (
	dataDepth = 2 + iota // sheetData
	rowDepth
	cellDepth
	valueDepth // v, f and is
)

// A sheetRow is one row of a sheet.
type sheetRow struct {
	number int // from 1
	hidden bool
	fault  crm.Reason // the first in the row; "" if it is sound

	// cells are those that are not empty, in the order of their columns.
	// Their text is valid until the next row is read.
	cells []sheetCell
}

type sheetCell struct {
	column int // from 1
	text   []byte
}

// Faults of a sheet.
const (
	errRowOrder  = partFault("has its rows out of order: open it and save it again")
	errRowNumber = partFault("has a row numbered beyond 1048576")
	errColumn    = partFault("has a column numbered beyond 16384")
	errCells     = partFault("has a row of more than 16384 cells")
	errSheetText = partFault("comes to more than 4 GiB of text: save it as CSV")
)

// A sheetReader reads the rows of a sheet's part, in their order. It holds one
// row, and allocates nothing for an ordinary one.
//
// A row of which a cell cannot be read has a fault. Rows out of order, and
// numbers of rows and columns beyond Excel's, make the whole sheet invalid: then
// nobody knows where anything stands.
type sheetReader struct {
	x        *xmlScanner
	part     io.ReadCloser  // that x reads
	strings  *sharedStrings // nil if there are none
	formats  []numberFormat // by the number that cells give
	from1904 bool
	outline  bool // texts do not matter: a shared string is taken for some text

	inside bool // the rows have begun
	hidden columnSpans
	row    int    // number of the row last begun
	digits []byte // of it
	count  int    // of its cells
	column int    // of the cell last begun
	mixed  bool   // the cells of the row are not in order

	total int64 // bytes of text of all rows
	plain plainCell
	cell  cellMarkup
	text  []byte // of the row's cells
	ends  []int  // where in text each of them ends
}

// next reads the next row that is written down, which may be one without cells;
// [io.EOF] behind the last. What it leaves in row is valid until the next call.
func (s *sheetReader) next(row *sheetRow) error {
	for {
		tok, err := s.x.next()
		switch {
		case errors.Is(err, io.EOF):
			return s.at(errMarkup) // it has ended before its rows have
		case err != nil:
			return s.at(err)
		case !s.inside && tok == tagOpen:
			s.hidden.look(s.x)
			s.inside = s.x.depth == dataDepth && string(s.x.name) == "sheetData"
		case !s.inside:
		case tok == tagClose && s.x.depth < dataDepth:
			return s.drain()
		case tok == tagOpen && s.x.depth == rowDepth && string(s.x.name) == "row":
			return s.at(s.readRow(row))
		}
	}
}

// drain reads what stands behind the rows, none of which matters, since only at
// its end is it known that the part is what was packed.
func (s *sheetReader) drain() error {
	for s.x.pos = s.x.end; s.x.fill(); s.x.pos = s.x.end {
	}
	if errors.Is(s.x.err, io.EOF) {
		return io.EOF
	}
	return s.x.err
}

// Close removes the temporary file and closes the part.
func (s *sheetReader) Close() error {
	return errors.Join(s.strings.Close(), s.part.Close())
}

// at says behind which row an error was met.
func (s *sheetReader) at(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the sheet, near row %d, %w", max(s.row, 1), err)
}

func (s *sheetReader) readRow(row *sheetRow) error {
	if err := s.startRow(row); err != nil {
		return err
	}
	for {
		if s.x.cell(&s.plain) {
			if err := s.plainCell(row); err != nil {
				return err
			}
			continue
		}
		tok, err := s.x.next()
		switch {
		case err != nil:
			return err
		case tok == tagClose && s.x.depth < rowDepth:
			return s.endRow(row)
		case tok == tagOpen && s.x.depth == cellDepth && string(s.x.name) == "c":
			if err := s.readCell(row); err != nil {
				return err
			}
		}
	}
}

func (s *sheetReader) startRow(row *sheetRow) error {
	number := s.row + 1
	*row = sheetRow{cells: row.cells[:0]}
	for {
		name, value, ok := s.x.attr()
		if !ok {
			break
		}
		switch string(name) {
		case "r":
			n, ok := decimal(value)
			if !ok {
				return errMarkup
			}
			if n <= s.row {
				return errRowOrder
			}
			number = n
		case "hidden":
			row.hidden = isTrue(value)
		}
	}
	if number > maxRows {
		return errRowNumber
	}
	s.row, s.count, s.column, s.mixed = number, 0, 0, false
	s.digits = strconv.AppendInt(s.digits[:0], int64(number), 10)
	s.text, s.ends = s.text[:0], s.ends[:0]
	row.number = number
	return nil
}

// endRow gives the cells their texts, now that these stay where they are.
func (s *sheetReader) endRow(row *sheetRow) error {
	if s.total += int64(len(s.text) + s.column); s.total > maxSheetText {
		return errSheetText
	}
	if row.fault == crm.ReasonRowTooLong {
		row.cells = row.cells[:0]
		return nil
	}
	from := 0
	for i, to := range s.ends {
		row.cells[i].text = s.text[from:to]
		from = to
	}
	if !s.mixed {
		return nil
	}
	slices.SortFunc(row.cells, func(a, b sheetCell) int { return cmp.Compare(a.column, b.column) })
	one := slices.CompactFunc(row.cells, func(a, b sheetCell) bool { return a.column == b.column })
	if len(one) < len(row.cells) {
		row.blame(crm.ReasonNoValue) // nobody knows which of the two is meant
	}
	row.cells = one
	return nil
}

// blame makes reason the row's fault, unless it has one.
func (row *sheetRow) blame(reason crm.Reason) {
	if row.fault == "" {
		row.fault = reason
	}
}

// plainCell takes what was found in s.plain.
func (s *sheetReader) plainCell(row *sheetRow) error {
	p, c := &s.plain, &s.cell
	c.reset()
	column := s.column + 1
	if p.ref != nil {
		column = s.columnOf(p.ref, row)
	}
	if p.style != nil {
		c.style = styleNumber(p.style, row)
	}
	c.kind, c.given = cellTypeOf(p.kind), true
	c.value = append(c.value, p.value...)
	if err := s.enter(column); err != nil {
		return err
	}
	return s.endCell(row)
}

// readCell reads the element c, whose start tag has just been read.
func (s *sheetReader) readCell(row *sheetRow) error {
	if err := s.startCell(row); err != nil {
		return err
	}
	if s.x.empty {
		_, err := s.x.next()
		return err
	}
	if err := s.cell.read(s.x); err != nil {
		return err
	}
	return s.endCell(row)
}

// endCell appends the text of s.cell to those of the row.
func (s *sheetReader) endCell(row *sheetRow) error {
	from := len(s.text)
	if row.fault == crm.ReasonRowTooLong {
		return nil
	}
	text, reason, err := s.appendValue(s.text, &s.cell)
	if err != nil {
		return err
	}
	if reason != "" {
		row.blame(reason)
	}
	if len(text) > maxRow {
		row.fault = crm.ReasonRowTooLong
		return nil
	}
	if s.text = text; len(text) > from {
		row.cells = append(row.cells, sheetCell{column: s.column})
		s.ends = append(s.ends, len(text))
	}
	return nil
}

// startCell reads the attributes of a cell. One without a place stands to the
// right of the one before.
func (s *sheetReader) startCell(row *sheetRow) error {
	c, column := &s.cell, s.column+1
	c.reset()
	for {
		name, value, ok := s.x.attr()
		if !ok {
			break
		}
		switch string(name) {
		case "r":
			column = s.columnOf(value, row)
		case "s":
			c.style = styleNumber(value, row)
		case "t":
			c.kind = cellTypeOf(value)
		}
	}
	return s.enter(column)
}

// columnOf returns the column that a cell of the row says it stands in.
func (s *sheetReader) columnOf(ref []byte, row *sheetRow) int {
	column, ok := s.place(ref)
	if !ok {
		row.blame(crm.ReasonNoValue)
		return s.column + 1
	}
	return column
}

// styleNumber returns the number of a cell's style.
func styleNumber(value []byte, row *sheetRow) int {
	style, ok := decimal(value)
	if !ok {
		row.blame(crm.ReasonNoValue)
	}
	return style
}

// enter notes in which column the cell stands that was just begun.
func (s *sheetReader) enter(column int) error {
	if s.count++; s.count > maxColumns {
		return errCells
	}
	if column > maxColumns {
		return errColumn
	}
	s.mixed = s.mixed || column <= s.column
	s.column = column
	return nil
}

// place returns the column of a reference such as "AB12", which must name the
// row it stands in.
func (s *sheetReader) place(ref []byte) (column int, ok bool) {
	i := 0
	for ; i < len(ref) && i < 5; i++ {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	return column, i > 0 && bytes.Equal(ref[i:], s.digits)
}

// decimal returns the number that digits say, or one beyond all limits where it
// is too large to matter.
func decimal(digits []byte) (n int, ok bool) {
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), 1<<40)
	}
	return n, len(digits) > 0
}

// isTrue reports whether an attribute says yes.
func isTrue(value []byte) bool { return string(value) == "1" || string(value) == "true" }
