package tabular

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"sluice/internal/crm"
)

// sheetWriter writes the rows of a sheet. It reads the sheet twice in step:
// the scanner says what kind of value stands where, excelize what texts say.
type sheetWriter struct {
	scan    *sheetScanner
	rows    *excelize.Rows
	formats []numberFormat
	epoch   bool // dates count from 1904
	w       *bufio.Writer

	at      int // the row that rows has reached
	written int // the row last written
	line    []byte
}

// writeError is an error of the writer that rows are written to.
type writeError struct{ error }

func (s *sheetWriter) write() error {
	for {
		if err := s.scan.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		texts, err := s.advance()
		if err != nil {
			return err
		}
		cells, fault, err := s.values(texts)
		if err != nil {
			return err
		}
		if lastNamed(cells) == 0 && fault == "" {
			continue // written once a row that is not blank follows
		}
		for s.written++; s.written < s.scan.row; s.written++ {
			if err := s.writeRow(s.written, "", nil); err != nil {
				return err
			}
		}
		if err := s.writeRow(s.written, fault, cells); err != nil {
			return err
		}
	}
	if err := s.w.Flush(); err != nil {
		return writeError{err}
	}
	return nil
}

// advance brings excelize to the row of the scanner and returns its cells.
func (s *sheetWriter) advance() ([]string, error) {
	for {
		if !s.rows.Next() {
			return nil, s.torn()
		}
		texts, err := s.rows.Columns()
		if err != nil {
			return nil, s.torn()
		}
		if s.at++; s.at == s.scan.row {
			return texts, nil
		}
	}
}

// torn is the error for a sheet that excelize cannot read to the end. What it
// says itself may quote a cell (invariant 4).
func (s *sheetWriter) torn() error {
	return fmt.Errorf("the sheet, near row %d, %w; open it and save it again", s.scan.row, errMarkup)
}

// values returns the texts of the row's cells and the first fault among them.
func (s *sheetWriter) values(texts []string) ([]string, crm.Reason, error) {
	var fault crm.Reason
	n := 0
	if len(s.scan.cells) > 0 {
		n = s.scan.cells[len(s.scan.cells)-1].column
	}
	out := make([]string, n)
	for _, c := range s.scan.cells {
		text := ""
		if c.column <= len(texts) {
			text = texts[c.column-1]
		}
		v, reason := s.value(c, text)
		if text == "" && c.text > 0 && reason == "" && isText(c.kind) {
			return nil, "", s.torn()
		}
		if fault == "" {
			fault = reason
		}
		out[c.column-1] = v
	}
	return out, fault, nil
}

func isText(kind string) bool { return kind == "s" || kind == "str" || kind == "inlineStr" }

// value returns the text of one cell. A formula counts by the value it had when
// the workbook was saved.
func (s *sheetWriter) value(c sheetCell, text string) (string, crm.Reason) {
	v := strings.TrimSpace(c.value)
	if c.formula && !c.given {
		return "", crm.ReasonCellError // it was never calculated
	}
	switch c.kind {
	case "s":
		if _, ok := s.scan.item(c); !ok && v != "" {
			return "", crm.ReasonCellError
		}
		return text, ""
	case "str", "inlineStr":
		return text, ""
	case "d":
		return v, ""
	case "b":
		switch v {
		case "1":
			return "TRUE", ""
		case "0":
			return "FALSE", ""
		}
		return v, crm.ReasonCellError
	case "", "n":
		return s.number(c, v)
	}
	return v, crm.ReasonCellError
}

func (s *sheetWriter) number(c sheetCell, v string) (string, crm.Reason) {
	if v == "" && c.formula {
		return "", crm.ReasonCellError // never calculated either
	}
	if v == "" {
		return "", ""
	}
	var f numberFormat
	if c.style < len(s.formats) {
		f = s.formats[c.style]
	}
	text, ok := f.format(v, s.epoch)
	if !ok {
		return v, crm.ReasonCellError
	}
	return text, ""
}

func (s *sheetWriter) writeRow(number int, fault crm.Reason, cells []string) error {
	b := strconv.AppendInt(s.line[:0], int64(number), 10)
	b = append(append(b, ','), fault...)
	for _, c := range cells {
		b = append(b, ',')
		if !strings.ContainsAny(c, "\",\r\n") {
			b = append(b, c...)
			continue
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(c, `"`, `""`)...)
		b = append(b, '"')
	}
	b = append(b, '\n')
	s.line = b
	if _, err := s.w.Write(b); err != nil {
		return writeError{err}
	}
	return nil
}
