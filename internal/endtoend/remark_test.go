package endtoend

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

// sheet packs the rows of a sheet, as they are written in one, into a workbook.
func sheet(t *testing.T, rows string) string {
	t.Helper()
	const (
		main   = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
		office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
		links  = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + office
	)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>`,
		"_rels/.rels":                links + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook xmlns="` + main + `" xmlns:r="` + office + `"><sheets><sheet name="Rows" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": links + `/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet xmlns="` + main + `"><sheetData>` + rows + `</sheetData></worksheet>`,
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// row writes cells as a row of a sheet; those that begin with # are errors.
func row(cells ...string) string {
	text := "<row>"
	for _, c := range cells {
		kind := "str"
		if strings.HasPrefix(c, "#") {
			kind = "e"
		}
		text += `<c t="` + kind + `"><v>` + c + `</v></c>`
	}
	return text + "</row>"
}

func TestErrorsInCellsNameTheirColumnsInEveryList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(sheet(t, row("external_id", "name", "city")+row("1", "Ann", "Ulm")+row("2", "#N/A", "#REF!")+row("3", "Cid", "#N/A")+row("4", "#NEW!", "Ulm")),
		options{mapping: "version: 1\nheader: 1\n"})
	second := w.run(joined(w.rejectFile(first)), options{parent: first.ImportID})
	for name, r := range map[string]crm.Report{"import": first, "retry with nothing mended": second} {
		var got []string
		for _, row := range w.rejected(r) {
			for _, f := range row.Faults {
				got = append(got, lines([]crm.RejectedRow{row})[0]+" "+f.Column)
			}
		}
		want := []string{"0:3 cell_error name", "0:3 cell_error city", "0:4 cell_error city", "0:5 cell_error "}
		if diff := cmp.Diff(want, got); diff != "" || r.Rejected != 3 {
			t.Errorf("%s: %+v, rejected:\n%s", name, r.Counts, diff)
		}
		if g := r.Rejects; len(g) != 3 || g[0].Column != "city" || g[0].Count != 2 {
			t.Errorf("%s: groups %+v, want two rows in the first, of column city", name, g)
		}
	}
}

// TestARowIsMendedWhenNoErrorIsLeft mends one of two errors in a row, and both
// of them in a second retry.
func TestARowIsMendedWhenNoErrorIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	first := w.run(sheet(t, row("external_id", "name", "city")+row("1", "Ann", "Ulm")+row("2", "#N/A", "#REF!")), options{mapping: "version: 1\nheader: 1\n"})
	rows := w.rejectFile(first)
	mended := rows[1]
	mended[len(mended)-2] = "Bob"
	if r := w.run(joined(rows), options{parent: first.ImportID}); r.Rejected != 1 || r.Accepted != 0 {
		t.Errorf("half mended: %+v, want it rejected", r.Counts)
	}
	mended[len(mended)-1] = "Bonn"
	if r := w.run(joined(rows), options{parent: first.ImportID}); r.Rejected != 0 || r.Customers.Created != 1 {
		t.Errorf("mended: %+v, want it created", r.Counts)
	}
}

func TestReportSaysWhatALastLineLooksLike(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", "")
	const plain = "external_id,name,city\n1,Ann,Ulm\n2,Bob,Ulm\n"
	const totals = plain + "Total,,\n"
	hinted := func(hints []string, begin string) bool {
		return len(hints) == 1 && strings.HasPrefix(hints[0], begin) && strings.Contains(hints[0], "set footer to 1")
	}
	if r := w.run(plain, options{}); len(r.Hints) > 0 {
		t.Errorf("hints %q of a file with nothing to see", r.Hints)
	}
	first := w.run(totals, options{mapping: "version: 1\ncolumns: {external_id: customer.external_id, city: {to: customer.name, required: true}}\n"})
	if !hinted(first.Hints, "line 4 ") || first.Rejected != 1 {
		t.Errorf("hints %q (%+v), want one of line 4 and a rejected row", first.Hints, first.Counts)
	}
	if r := w.run(plain, options{source: "other", more: []string{totals}, named: []string{"a.csv", "b.csv"}}); !hinted(r.Hints, "b.csv: line 4 ") {
		t.Errorf("hints %q of several files, want one of b.csv", r.Hints)
	}
	rows := w.rejectFile(first)
	rows = append(rows, []string{"", "", "", "", "Total", "", ""})
	if r := w.run(joined(rows), options{parent: first.ImportID}); len(r.Hints) > 0 {
		t.Errorf("hints %q of a reject file, for which nothing can be set", r.Hints)
	}
}
