package internal_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/tabular"
)

var update = flag.Bool("update", false, "write examples/leads.xlsx again from examples/leads.csv")

// An answer says what the import of an example must report. Answers are
// written by hand, from the rules and not from the code.
type answer struct {
	About    string    `json:"about"`
	State    crm.State `json:"state"`
	ExitCode int       `json:"exit_code"`
	crm.Counts
	Rejects []reject `json:"rejects"`
	Kept    []kept   `json:"kept,omitempty"` // values to look at more closely

	// Columns says of a vendor's export where each column goes.
	Columns map[string]string `json:"columns,omitempty"`
}

type reject struct {
	Line   int64      `json:"line"`
	Column string     `json:"column"`
	Reason crm.Reason `json:"reason"`
}

type kept struct {
	Line   int64  `json:"line"`
	Entity string `json:"entity"`
	Field  string `json:"field"`
	Value  string `json:"value"`
}

func readAnswer(t *testing.T, name string) answer {
	t.Helper()
	var a answer
	d := json.NewDecoder(strings.NewReader(read(t, "../examples/"+name)))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if !a.Balanced() {
		t.Fatalf("%s does not add up", name)
	}
	return a
}

// TestExamplesGiveTheirAnswers takes each example through reading and mapping,
// finds duplicates with a plain map, and compares with the answer beside it.
func TestExamplesGiveTheirAnswers(t *testing.T) {
	t.Parallel()
	for file, name := range map[string]string{
		"leads.csv":  "leads.answer.json",
		"leads.xlsx": "leads.answer.json",
		"messy.csv":  "messy.answer.json",

		"hubspot-contacts.csv": "hubspot-contacts.answer.json",
		"salesforce-leads.csv": "salesforce-leads.answer.json",
		"stripe-customers.csv": "stripe-customers.answer.json",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			want := readAnswer(t, name)
			got := examine(t, file, want.Kept)
			got.About, got.State, got.ExitCode = want.About, crm.Done, 0
			if want.Columns == nil {
				got.Columns = nil
			}
			if got.Rejected > 0 {
				got.ExitCode = 3
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s and its answer differ (-answer +import):\n%s", file, diff)
			}
		})
	}
}

// TestExamplesMapThemselves shows that nobody needs a mapping file for them.
func TestExamplesMapThemselves(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"leads.csv", "leads.xlsx", "messy.csv"} {
		layout, m, _, _ := planned(t, file)
		if len(m.Columns) != len(layout.Header) {
			t.Errorf("%s: %d of %d columns map themselves: %v", file, len(m.Columns), len(layout.Header), m.Columns)
		}
	}
}

// planned does to an example what Inspect does to a file: it returns how to
// read it, what the columns mean, where each goes, and the text.
func planned(t *testing.T, file string) (tabular.Layout, *mapping.Mapping, map[string]string, []byte) {
	t.Helper()
	ctx, text := t.Context(), []byte(read(t, "../examples/"+file))
	format, _, err := tabular.Identify(ctx, sourceOf(file, text), crm.Reading{})
	if err != nil {
		t.Fatal(err)
	}
	if !format.Plain() {
		var b bytes.Buffer
		if err := format.Rewrite(ctx, sourceOf(file, text), &b); err != nil {
			t.Fatal(err)
		}
		text = b.Bytes()
	}
	layout, _, err := tabular.Sniff(ctx, sourceOf(file, text), format, crm.Reading{})
	if err != nil {
		t.Fatal(err)
	}
	m, decisions, err := mapping.Resolve(layout.Header, samples(t, layout, text), nil, mapping.Options{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if survey := m.Survey(); survey != nil {
		eachRow(t, layout, text, func(row *crm.Row) {
			if row.Fault == "" {
				survey.Observe(row.Cells)
			}
		})
		if _, err := survey.Decide(m); err != nil {
			t.Fatal(err)
		}
	}
	columns := make(map[string]string)
	for i, name := range layout.Header {
		columns[name] = decisions[i].Choice
	}
	return layout, m, columns, text
}

// samples returns an example's first rows.
func samples(t *testing.T, l tabular.Layout, text []byte) (rows [][]string) {
	t.Helper()
	eachRow(t, l, text, func(row *crm.Row) {
		if row.Fault != "" || len(rows) == 200 {
			return
		}
		cells := make([]string, len(row.Cells))
		for i, cell := range row.Cells {
			cells[i] = strings.Clone(cell)
		}
		rows = append(rows, cells)
	})
	return rows
}

func sourceOf(name string, text []byte) tabular.Source {
	return tabular.Source{Name: name, Size: int64(len(text)), Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text[offset:])), nil
	}}
}

func eachRow(t *testing.T, l tabular.Layout, text []byte, see func(*crm.Row)) (blank int64) {
	t.Helper()
	r := tabular.NewReader(bytes.NewReader(text[l.Start.Offset:]), l, l.Start)
	var row crm.Row
	for {
		err := r.Read(&row)
		if errors.Is(err, io.EOF) {
			return r.Blank()
		}
		if err != nil {
			t.Fatal(err)
		}
		see(&row)
	}
}

// examine counts an example as an import into an empty database would, and
// looks up the values at the given places.
func examine(t *testing.T, file string, look []kept) answer {
	t.Helper()
	layout, m, columns, text := planned(t, file)
	mapper, err := m.Mapper()
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Rejects: []reject{}, Columns: columns}
	seen := map[string]bool{}
	var mapped mapping.Mapped
	a.Blank = eachRow(t, layout, text, func(row *crm.Row) {
		a.Read++
		mapper.Map(row, &mapped)
		a.Warnings += int64(len(mapped.Warnings))
		for _, f := range mapped.Faults {
			a.Rejects = append(a.Rejects, reject{row.Line, f.Column, f.Reason})
		}
		switch {
		case len(mapped.Faults) > 0:
			a.Rejected++
		case a.tally(&mapped, seen):
			a.Duplicate++
		default:
			a.Accepted++
		}
		for _, k := range look {
			if k.Line == row.Line {
				a.Kept = append(a.Kept, kept{k.Line, k.Entity, k.Field, valueOf(t, &mapped, k)})
			}
		}
	})
	return a
}

// tally counts the records of a row and reports whether all are duplicates.
func (a *answer) tally(mapped *mapping.Mapped, seen map[string]bool) bool {
	all := true
	for _, e := range crm.Entities {
		values := mapped.Records[e]
		if values == nil {
			continue
		}
		key := strings.Join(append([]string{e.String(), mapped.CustomerKey}, crm.Identity(e, values)...), "\x00")
		tally := a.Of(e)
		tally.Records++
		if seen[key] {
			tally.Duplicate++
			continue
		}
		seen[strings.Clone(key)], all = true, false
		tally.Created++
	}
	return all
}

func valueOf(t *testing.T, mapped *mapping.Mapped, k kept) string {
	t.Helper()
	e := slices.IndexFunc(crm.Entities, func(e crm.Entity) bool { return e.String() == k.Entity })
	if e < 0 || crm.FieldIndex(crm.Entity(e), k.Field) < 0 || mapped.Records[e] == nil {
		t.Fatalf("line %d has no %s.%s", k.Line, k.Entity, k.Field)
	}
	return strings.Clone(mapped.Records[e][crm.FieldIndex(crm.Entity(e), k.Field)])
}

// TestWorkbookHoldsTheSameRows compares leads.xlsx with leads.csv, cell by
// cell: every row maps to the same records. With -update it writes the
// workbook first: dates as dates, long numbers as text.
func TestWorkbookHoldsTheSameRows(t *testing.T) {
	if *update {
		if err := writeWorkbook(); err != nil {
			t.Fatal(err)
		}
	}
	records := func(file string) (all [][3][]string) {
		layout, m, _, text := planned(t, file)
		mapper, err := m.Mapper()
		if err != nil {
			t.Fatal(err)
		}
		var mapped mapping.Mapped
		eachRow(t, layout, text, func(row *crm.Row) {
			mapper.Map(row, &mapped)
			var r [3][]string
			for e, values := range mapped.Records {
				for _, v := range values {
					r[e] = append(r[e], strings.Clone(v))
				}
			}
			all = append(all, r)
		})
		return all
	}
	if diff := cmp.Diff(records("leads.csv"), records("leads.xlsx")); diff != "" {
		t.Errorf("leads.xlsx is not leads.csv; write it again with: go test ./internal -run Workbook -update\n%s", diff)
	}
}

func writeWorkbook() error {
	text, err := os.ReadFile(filepath.Join("..", "examples", "leads.csv"))
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return err
	}
	book := excelize.NewFile()
	defer book.Close()
	const sheet = "Leads"
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	style := func(format string) int {
		id, styleErr := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
		err = errors.Join(err, styleErr)
		return id
	}
	day, minute := style("yyyy-mm-dd"), style("yyyy-mm-dd hh:mm")
	for y, row := range rows {
		for x, cell := range row {
			at, cellErr := excelize.CoordinatesToCellName(x+1, y+1)
			err = errors.Join(err, cellErr)
			if d, parseErr := time.Parse("2006-01-02 15:04", cell); parseErr == nil {
				err = errors.Join(err, book.SetCellValue(sheet, at, d), book.SetCellStyle(sheet, at, at, minute))
			} else if d, parseErr := time.Parse(time.DateOnly, cell); parseErr == nil {
				err = errors.Join(err, book.SetCellValue(sheet, at, d), book.SetCellStyle(sheet, at, at, day))
			} else if cell != "" {
				err = errors.Join(err, book.SetCellStr(sheet, at, cell)) // a number would lose digits
			}
		}
	}
	widths := book.SetColWidth(sheet, "A", "P", 20)
	return errors.Join(err, widths, book.SaveAs(filepath.Join("..", "examples", "leads.xlsx")))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
