package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf16"

	"sluice/internal/crm"
	"sluice/internal/tabular"
)

// layoutOf returns how rows of an import stand in lists for people.
func layoutOf(o origins, raw bool) *crm.RejectLayout {
	headers := make([][]string, len(o.plans))
	for i, p := range o.plans {
		headers[i] = p.Layout.Header
	}
	return crm.NewRejectLayout(o.names, headers, raw)
}

// marked returns the places, in a record that begins with ours columns of ours,
// of the cells at fault; of a row that is at fault as a whole, that of the reason.
func marked(own []string, ours int, faults []crm.Rejection) []int {
	var list []int
	for _, f := range faults {
		at := ours - 2
		if i := slices.Index(own, f.Column); f.Column != "" && i >= 0 {
			at = ours + i
		}
		list = append(list, at)
	}
	return list
}

// eachRow calls see for every row of a staged list, one JSON object a line.
func eachRow[T any](r io.Reader, see func(T) error) error {
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for {
		var row T
		err := d.Decode(&row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = see(row)
		}
		if err != nil {
			return err
		}
	}
}

// rowWriter takes the rows of a list and is closed at the end.
type rowWriter[T any] struct {
	row   func(T) error
	close func() error
}

// newRowWriter writes rows with what is wrong in front of their own cells.
func newRowWriter(w io.Writer, l *crm.RejectLayout, form string) rowWriter[crm.RejectedRow] {
	if form == asJSON {
		return rowsAsJSON(w, l)
	}
	header, ours := l.Header()
	t := newCells(w, form, "rows", header)
	return rowWriter[crm.RejectedRow]{
		row: func(r crm.RejectedRow) error {
			return t.row(l.Record(r, howToFix(r.Faults)), marked(l.Own(), ours, r.Faults)...)
		},
		close: t.close,
	}
}

// rowsAsJSON writes one object a line, with the cells by the names of their
// columns. Cells without a name are called by their place, from 1.
func rowsAsJSON(w io.Writer, l *crm.RejectLayout) rowWriter[crm.RejectedRow] {
	out := bufio.NewWriter(w)
	e := json.NewEncoder(out)
	return rowWriter[crm.RejectedRow]{
		row: func(r crm.RejectedRow) error {
			cells := make(map[string]string, len(r.Cells))
			for i, cell := range r.Cells {
				name := fmt.Sprintf("column %d", i+1)
				if at := l.Place(r.File, i); at < len(l.Own()) && l.Own()[at] != "" {
					name = l.Own()[at]
				}
				cells[name] = cell
			}
			return e.Encode(struct {
				File   string            `json:"file,omitempty"`
				Line   int64             `json:"line"`
				Faults []crm.Rejection   `json:"faults"`
				Fix    string            `json:"how_to_fix,omitempty"`
				Cells  map[string]string `json:"cells"`
			}{l.FileName(r.File), r.Line, r.Faults, howToFix(r.Faults), cells})
		},
		close: out.Flush,
	}
}

// A cellWriter takes rows of cells and is closed at the end.
type cellWriter struct {
	row   func(cells []string, marked ...int) error
	close func() error
}

// sheetCharacters is how many UTF-16 code units a cell of a sheet holds.
const sheetCharacters = 32_767

// tooLong reports whether a workbook would hold a cell cut short. Such a row
// must not be imported again from there.
func tooLong(cells []string) bool {
	return slices.ContainsFunc(cells, func(c string) bool {
		return len(c) > sheetCharacters && len(utf16.Encode([]rune(c))) > sheetCharacters
	})
}

// newCells writes rows as CSV, or as a workbook that goes on in another sheet
// when one is full.
func newCells(w io.Writer, form, name string, header []string) cellWriter {
	if form == asXLSX {
		return workbook(w, name, header)
	}
	out := csv.NewWriter(w)
	err := out.Write(header) // a csv.Writer keeps its first error
	return cellWriter{
		row: func(cells []string, _ ...int) error { return out.Write(cells) },
		close: func() error {
			out.Flush()
			return errors.Join(err, out.Error())
		},
	}
}

func workbook(w io.Writer, name string, header []string) cellWriter {
	book := tabular.NewBook(w)
	rows := 0
	err := book.Sheet(name, header)
	return cellWriter{
		row: func(cells []string, marked ...int) error {
			if err == nil && rows == tabular.BookRows {
				rows, err = 0, book.Sheet(name, header)
			}
			rows++
			if err != nil {
				return err
			}
			return book.Row(cells, marked...)
		},
		close: func() error { return errors.Join(err, book.Close()) },
	}
}
