package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/tabular"
	"sluice/internal/wiring"
)

type importsRejectsCmd struct {
	Import string `arg:"" name:"id|source" help:"An import's id or number, or a source, which means its latest."`
	Output string `short:"o" enum:"csv,json" default:"csv" env:"SLUICE_LIST_OUTPUT" help:"csv, or json: one object a line."`
	Raw    bool   `env:"SLUICE_RAW" help:"Leave cells as they are; by default a cell that a spreadsheet would run as a formula gets a ' in front."`
}

// Run prints the rejected rows of an import that has ended, with the database
// and the stage alone.
func (c *importsRejectsCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	row, err := s.find(ctx, c.Import)
	if err != nil {
		return err
	}
	if row.Report == nil {
		return failed(fmt.Errorf("import %d of %s is %s: its rejected rows are listed when it has ended", row.Number, row.Source, stateText(row.State)))
	}
	if row.Report.RejectObject.IsZero() {
		s.say("import %d of %s has no rejected rows", row.Number, row.Source)
		return nil
	}
	stage, err := wiring.OpenStage(ctx, s.config)
	if err != nil {
		return err
	}
	defer stage.Close()
	r, err := stage.ReadCompressed(ctx, row.Report.RejectObject)
	if err != nil {
		return err
	}
	defer r.Close()
	w := rejectWriter(s.out, header(row), files(row), c.Output, c.Raw)
	return writeRejects(r, w)
}

// header returns the column names of an import's file. An import of several
// files has those of the first.
func header(r crm.ImportRow) []string {
	if len(r.Files) == 0 {
		return nil
	}
	var plan struct {
		Layout tabular.Layout `json:"layout"`
	}
	if json.Unmarshal(r.Files[0].Plan, &plan) != nil {
		return nil
	}
	return plan.Layout.Header
}

// files returns the names of an import's files; nil when there is only one, so
// that a line needs no file to be found.
func files(r crm.ImportRow) []string {
	var names []string
	for _, f := range r.Request.Files {
		names = append(names, f.Name)
	}
	if len(names) < 2 {
		return nil
	}
	return names
}

// rejectLines takes rejected rows one by one and is flushed at the end.
type rejectLines struct {
	row   func(crm.RejectedRow) error
	flush func() error
}

// writeRejects copies a list of rejected rows, one JSON object a line.
func writeRejects(r io.Reader, to rejectLines) error {
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for {
		var row crm.RejectedRow
		err := d.Decode(&row)
		if errors.Is(err, io.EOF) {
			return to.flush()
		}
		if err == nil {
			err = to.row(row)
		}
		if err != nil {
			return err
		}
	}
}

func rejectWriter(w io.Writer, header, files []string, format string, raw bool) rejectLines {
	if format == "json" {
		return rejectJSON(w, header, files)
	}
	return rejectCSV(w, header, files, raw)
}

// rejectCSV writes the file if there are several, the line, the columns at
// fault and the reasons in front of the row's own cells, so that a row with too
// many cells disturbs nothing.
func rejectCSV(w io.Writer, header, files []string, raw bool) rejectLines {
	out := csv.NewWriter(w)
	safe := neutral
	if raw {
		safe = func(s string) string { return s }
	}
	write := func(first []string, cells []string) error {
		if files == nil {
			first = first[1:]
		}
		record := append(make([]string, 0, len(first)+len(header)), first...)
		for _, c := range cells {
			record = append(record, safe(c))
		}
		for len(record) < len(first)+len(header) {
			record = append(record, "")
		}
		return out.Write(record)
	}
	begun := false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		return write([]string{"file", "line", "column", "reason"}, header)
	}
	return rejectLines{
		row: func(r crm.RejectedRow) error {
			if err := begin(); err != nil {
				return err
			}
			columns, reasons := faultTexts(r.Faults)
			return write([]string{safe(nameOf(files, r.File)), strconv.FormatInt(r.Line, 10), safe(columns), reasons}, r.Cells)
		},
		flush: func() error {
			err := begin()
			out.Flush()
			return errors.Join(err, out.Error())
		},
	}
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

// neutral keeps a spreadsheet from running a cell as a formula, by the
// character that makes it text there (OWASP, "CSV Injection").
//
// A sign before nothing but digits and what stands between them, as in a
// telephone number, makes no formula, and is left as it is: who mends the row
// and imports it again would import the ' too.
func neutral(cell string) string {
	if strings.Trim(cell, "+-0123456789 ().,/") == "" && strings.LastIndexAny(cell, "+-") <= 0 {
		return cell
	}
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// rejectJSON writes one object a line, with the cells by the names of their
// columns. Cells without a name are called by their place, from 1.
func rejectJSON(w io.Writer, header, files []string) rejectLines {
	out := bufio.NewWriter(w)
	e := json.NewEncoder(out)
	return rejectLines{
		row: func(r crm.RejectedRow) error {
			cells := make(map[string]string, len(r.Cells))
			for i, c := range r.Cells {
				name := fmt.Sprintf("column %d", i+1)
				if i < len(header) && header[i] != "" {
					name = header[i]
				}
				cells[name] = c
			}
			return e.Encode(struct {
				File   string            `json:"file,omitempty"`
				Line   int64             `json:"line"`
				Faults []crm.Rejection   `json:"faults"`
				Cells  map[string]string `json:"cells"`
			}{nameOf(files, r.File), r.Line, r.Faults, cells})
		},
		flush: out.Flush,
	}
}
