package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"sluice/internal/crm"
	"sluice/internal/tabular"
)

// rowColumns says which columns a list of rows has: those of all files of an
// import, each name once.
type rowColumns struct {
	files  []string // as [origins.files]
	own    []string // names of the rows' own columns
	places [][]int  // by file: where in own its columns are
	raw    bool     // cells stand as they are, also those that a spreadsheet would run
}

func columnsOf(o origins, raw bool) *rowColumns {
	c := &rowColumns{files: o.files(), raw: raw}
	for _, p := range o.plans {
		c.add(p.Layout.Header)
	}
	return c
}

// add takes the header of the next file. Columns without a name are the same
// when they are the same in number.
func (c *rowColumns) add(header []string) {
	var places []int
	taken := make(map[int]bool, len(header))
	for _, name := range header {
		at := -1
		for i, other := range c.own {
			if other == name && !taken[i] {
				at = i
				break
			}
		}
		if at < 0 {
			at = len(c.own)
			c.own = append(c.own, name)
		}
		taken[at] = true
		places = append(places, at)
	}
	c.places = append(c.places, places)
}

// header returns the names of all columns, and how many are ours.
func (c *rowColumns) header() (names []string, ours int) {
	names = crm.RejectHeader(c.own, c.files != nil, c.raw)
	for i := range names {
		names[i] = c.safe(names[i])
	}
	return names, len(names) - len(c.own)
}

// safe keeps a spreadsheet from running a cell.
func (c *rowColumns) safe(cell string) string {
	if c.raw {
		return cell
	}
	return crm.Guard(cell)
}

// place returns where cell i of a row of a file is among the own columns. Cells
// beyond a file's header follow all columns.
func (c *rowColumns) place(file, i int) int {
	if file >= len(c.places) {
		return i
	}
	if n := len(c.places[file]); i >= n {
		return len(c.own) + i - n
	}
	return c.places[file][i]
}

// record lays a row out under the header. Marked are the places of the cells at
// fault; of a row that is at fault as a whole, that of the reason.
func (c *rowColumns) record(r crm.RejectedRow) (record []string, marked []int) {
	columns, reasons := faultTexts(r.Faults)
	if c.files != nil {
		record = append(record, c.safe(nameOf(c.files, r.File)))
	}
	record = append(record, strconv.FormatInt(r.Line, 10), c.safe(columns), reasons, howToFix(r.Faults))
	ours := len(record)
	record = append(record, make([]string, len(c.own))...)
	for i, cell := range r.Cells {
		at := ours + c.place(r.File, i)
		for at >= len(record) {
			record = append(record, "")
		}
		record[at] = c.safe(cell)
	}
	if len(record) > ours+len(c.own) {
		// A row wider than the header is not read across line ends again.
		for i := range record {
			record[i] = strings.NewReplacer("\r", " ", "\n", " ").Replace(record[i])
		}
	}
	for _, f := range r.Faults {
		at := ours - 2
		if i := slices.Index(c.own, f.Column); f.Column != "" && i >= 0 {
			at = ours + i
		}
		marked = append(marked, at)
	}
	return record, marked
}

// nameOf returns the name of a file by its number; "" if it has none here.
func nameOf(files []string, n int) string {
	if n < len(files) {
		return files[n]
	}
	return ""
}

// faultTexts joins the faults of a row, in their order.
func faultTexts(faults []crm.Rejection) (columns, reasons string) {
	var c, r []string
	for _, f := range faults {
		c, r = append(c, f.Column), append(r, string(f.Reason))
	}
	return strings.TrimSuffix(strings.Join(c, "; "), "; "), strings.Join(r, "; ")
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
func newRowWriter(w io.Writer, c *rowColumns, form string) rowWriter[crm.RejectedRow] {
	if form == asJSON {
		return rowsAsJSON(w, c)
	}
	header, _ := c.header()
	t := newCells(w, form, "rows", header)
	return rowWriter[crm.RejectedRow]{
		row: func(r crm.RejectedRow) error {
			record, marked := c.record(r)
			return t.row(record, marked...)
		},
		close: t.close,
	}
}

// rowsAsJSON writes one object a line, with the cells by the names of their
// columns. Cells without a name are called by their place, from 1.
func rowsAsJSON(w io.Writer, c *rowColumns) rowWriter[crm.RejectedRow] {
	out := bufio.NewWriter(w)
	e := json.NewEncoder(out)
	return rowWriter[crm.RejectedRow]{
		row: func(r crm.RejectedRow) error {
			cells := make(map[string]string, len(r.Cells))
			for i, cell := range r.Cells {
				name := fmt.Sprintf("column %d", i+1)
				if at := c.place(r.File, i); at < len(c.own) && c.own[at] != "" {
					name = c.own[at]
				}
				cells[name] = cell
			}
			return e.Encode(struct {
				File   string            `json:"file,omitempty"`
				Line   int64             `json:"line"`
				Faults []crm.Rejection   `json:"faults"`
				Fix    string            `json:"how_to_fix,omitempty"`
				Cells  map[string]string `json:"cells"`
			}{nameOf(c.files, r.File), r.Line, r.Faults, howToFix(r.Faults), cells})
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
