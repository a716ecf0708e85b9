package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// sheetWriter writes the rows of a sheet as CSV.
type sheetWriter struct {
	rows       *sheetReader
	skipHidden bool
	w          *bufio.Writer

	written int // the row last written
	line    []byte
}

// writeError is an error of the writer that rows are written to.
type writeError struct{ error }

func (s *sheetWriter) write() error {
	var row sheetRow
	for {
		err := s.rows.next(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if blankRow(&row) {
			continue // written once a row follows that is not blank
		}
		if err := s.fill(row.number); err != nil {
			return err
		}
		s.written = row.number
		if row.hidden && s.skipHidden {
			continue
		}
		if err := s.writeRow(&row); err != nil {
			return err
		}
	}
	if err := s.w.Flush(); err != nil {
		return writeError{err}
	}
	return nil
}

// fill writes the blank rows up to the one with this number.
func (s *sheetWriter) fill(number int) error {
	for blank := (sheetRow{number: s.written + 1}); blank.number < number; blank.number++ {
		if err := s.writeRow(&blank); err != nil {
			return err
		}
	}
	return nil
}

// blankRow reports whether there is nothing in the row.
func blankRow(row *sheetRow) bool {
	for i := range row.cells {
		if len(bytes.TrimSpace(row.cells[i].text)) > 0 {
			return false
		}
	}
	return row.fault == ""
}

func (s *sheetWriter) writeRow(row *sheetRow) error {
	s.line = appendRow(s.line[:0], row)
	if len(s.line) > maxRow {
		s.line = appendRow(s.line[:0], &sheetRow{number: row.number, fault: crm.ReasonRowTooLong})
	}
	if _, err := s.w.Write(s.line); err != nil {
		return writeError{err}
	}
	return nil
}

// commas are as many as a row has.
var commas = strings.Repeat(",", maxColumns)

// appendRow appends a row as a line of CSV that begins with its number and its
// fault.
func appendRow(b []byte, row *sheetRow) []byte {
	b = strconv.AppendInt(b, int64(row.number), 10)
	b = append(append(b, ','), row.fault...)
	column := 0
	for i := range row.cells {
		c := &row.cells[i]
		b = append(b, commas[:c.column-column]...)
		b, column = appendCell(b, c.text), c.column
	}
	return append(b, '\n')
}

// quotedCharacters make a cell stand in quotes.
var quotedCharacters = [256]bool{'"': true, ',': true, '\r': true, '\n': true}

func appendCell(b, text []byte) []byte {
	for _, c := range text {
		if quotedCharacters[c] {
			return append(append(append(b, '"'), bytes.ReplaceAll(text, []byte{'"'}, []byte(`""`))...), '"')
		}
	}
	return append(b, text...)
}
