package endtoend

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"sluice/internal/crm"
	"sluice/internal/honesty"
	"sluice/internal/mapping"
	"sluice/internal/store"
)

// TestEveryDamagedFileIsImportedHonestly imports the corpus whole: what is in
// the tables and what is in the list of rejects is what the judge sees.
func TestEveryDamagedFileIsImportedHonestly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	honest := 0
	cases := append(honesty.Corpus(0), honesty.Workbooks(0)...)
	for i, c := range cases {
		source := fmt.Sprintf("case-%d", i)
		if err := honesty.Judge(asStored(&c), w.imported(source, &c)); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		honest++
	}
	t.Logf("honesty: %d of %d", honest, len(cases))
}

// imported imports a case and gathers what became of it.
func (w *world) imported(source string, c *honesty.Case) honesty.Result {
	report, err := w.try(string(c.File), options{source: source, mapping: mappingOf(c)})
	if err != nil {
		return honesty.Result{Refused: err}
	}
	if !report.Balanced() {
		return honesty.Result{Refused: fmt.Errorf("the counts do not add up: %+v", report.Counts)}
	}
	out := honesty.Result{Header: c.Header}
	var names []string
	for _, r := range w.rejected(report) {
		out.Rows = append(out.Rows, crm.Row{Line: r.Line, Cells: r.Cells, Fault: r.Faults[0].Reason})
	}
	err = w.store.Export(w.t.Context(), store.ExportQuery{Source: source, Entity: crm.Customer},
		func(columns []string) error { names = slices.Clone(columns); return nil },
		func(values []string) error {
			row, err := accepted(c, report, names, values)
			out.Rows = append(out.Rows, row)
			return err
		})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// accepted makes a row of a customer in the tables: its line is in its id.
func accepted(c *honesty.Case, r crm.Report, names, values []string) (crm.Row, error) {
	value := func(name string) string { return values[slices.Index(names, name)] }
	custom := map[string]string{}
	if text := value("custom"); text != "" {
		if err := json.Unmarshal([]byte(text), &custom); err != nil {
			return crm.Row{}, err
		}
	}
	row := crm.Row{Cells: make([]string, len(c.Header))}
	for i := range c.Header {
		row.Cells[i] = custom[attribute(i)]
	}
	row.Cells[0] = value("external_id")
	for line := int64(1); line < 100; line++ {
		if crm.RecordID(r.StartedAt, crm.Customer, crm.At(0, line)) == value("id") {
			row.Line = line
		}
	}
	return row, nil
}

func attribute(column int) string { return fmt.Sprintf("c%d", column) }

// mappingOf makes the first column the customer's id and attributes of the
// others, so that every cell can be looked at afterwards.
func mappingOf(c *honesty.Case) string {
	spec := mapping.Spec{Reading: c.Reading}
	for i, name := range c.Header {
		to := "customer.custom." + attribute(i)
		if i == 0 {
			to = "customer.external_id"
		}
		if name != "" {
			spec.Columns = append(spec.Columns, mapping.ColumnSpec{Column: name, To: []string{to}})
		}
	}
	text, err := spec.YAML()
	if err != nil {
		panic(err)
	}
	return string(text)
}

// asStored is what the owner meant as the tables hold it: text is trimmed, a
// column without a name goes nowhere, and a customer without an id is rejected.
func asStored(c *honesty.Case) *honesty.Case {
	out := *c
	out.Rows = slices.Clone(c.Rows)
	for i := range out.Rows {
		r := &out.Rows[i]
		r.Cells = stored(c, r.Cells)
		r.Touched = r.Touched || len(r.Cells) == 0 || r.Cells[0] == ""
		r.Parts = nil
		for _, p := range c.Rows[i].Parts {
			r.Parts = append(r.Parts, stored(c, p))
		}
	}
	return &out
}

func stored(c *honesty.Case, cells []string) []string {
	out := make([]string, len(c.Header))
	for i := range out {
		if i < len(cells) && c.Header[i] != "" {
			out[i] = norm.NFC.String(strings.TrimSpace(cells[i]))
		}
	}
	return out
}
