package tabular

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"sluice/internal/crm"
)

// parts are those of a workbook, by name.
type parts map[string]string

// pack makes a workbook of one sheet, whose rows are the XML given; other parts
// replace those of a plain workbook, and one that is "-" is left out.
func pack(t testing.TB, rows string, other parts) []byte {
	t.Helper()
	const (
		office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
		main   = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
		pack   = "http://schemas.openxmlformats.org/package/2006/"
		rels   = `<Relationships xmlns="` + pack + `relationships">`
	)
	rel := func(id, kind, target string) string {
		return fmt.Sprintf(`<Relationship Id="%s" Type="%s/%s" Target="%s"/>`, id, office, kind, target)
	}
	links := rels + rel("rId1", "worksheet", "worksheets/sheet1.xml")
	if other["xl/styles.xml"] != "" {
		links += rel("rId2", "styles", "styles.xml")
	}
	if other["xl/sharedStrings.xml"] != "" {
		links += rel("rId3", "sharedStrings", "sharedStrings.xml")
	}
	all := parts{
		"[Content_Types].xml": `<Types xmlns="` + pack + `content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Default Extension="xml" ContentType="application/xml"/></Types>`,
		"_rels/.rels": rels + rel("rId1", "officeDocument", "xl/workbook.xml") + `</Relationships>`,
		"xl/workbook.xml": `<workbook xmlns="` + main + `" xmlns:r="` + office + `">` +
			`<sheets><sheet name="Rows" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": links + `</Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet xmlns="` + main + `"><sheetData>` + rows + `</sheetData></worksheet>`,
	}
	for name, text := range other {
		all[name] = text
	}
	return zipped(t, all)
}

func zipped(t testing.TB, all parts) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range all {
		if text == "-" {
			continue
		}
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// written lets excelize write a workbook.
func written(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSheetCellsBecomeTheirText(t *testing.T) {
	t.Parallel()
	book := written(t, func(f *excelize.File) {
		must(t, f.SetSheetRow("Sheet1", "B3", &[]any{"id", "text", "day", "time", "ok", "zip"}))
		must(t, f.SetSheetRow("Sheet1", "B5", &[]any{
			1234567890123456, "a \"b\"\r\n,c", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
			time.Date(2024, 2, 29, 13, 45, 59, 0, time.UTC), true, 1234}))
		must(t, f.SetSheetRow("Sheet1", "B9", &[]any{0.1, "007", 45352.25, 0.5, false, 123456}))
		must(t, f.SetCellFormula("Sheet1", "B10", "1+1"))
		style := func(cell, code string) {
			id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
			must(t, err)
			must(t, f.SetCellStyle("Sheet1", cell, cell, id))
		}
		style("D5", `dd/mm/yyyy`)
		style("E5", `[$-409]d\-mmm\-yy h:mm AM/PM;@`)
		style("G5", "00000")
		style("D9", `yyyy"年"m"月"d"日"`)
		style("E9", `h:mm`)
		style("G9", "00000")
	})
	tab := mustRead(t, book, crm.Reading{})
	if want := []string{"", "id", "text", "day", "time", "ok", "zip"}; !cmp.Equal(tab.Layout.Header, want) {
		t.Errorf("header %q", tab.Layout.Header)
	}
	want := []got{
		{5, []string{"", "1234567890123456", "a \"b\"\r\n,c", "2024-02-29", "2024-02-29T13:45:59", "TRUE", "01234"}, ""},
		{9, []string{"", "0.1", "007", "2024-03-01T06:00:00", "12:00:00", "FALSE", "123456"}, ""},
		{10, []string{"", "", "", "", "", "", ""}, crm.ReasonNoValue},
	}
	if diff := cmp.Diff(want, tab.Rows); diff != "" {
		t.Errorf("rows (-want +got)\n%s\n%s", diff, tab.Text)
	}
	if tab.Blank != 4 {
		t.Errorf("blank %d, want 4", tab.Blank)
	}
}

func TestSheetMarkupIsRead(t *testing.T) {
	t.Parallel()
	const header = `<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row>`
	const items = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>x</t></si>` +
		`<si><r><t>ri</t></r><r><t xml:space="preserve">ch </t></r><rPh><t>no</t></rPh></si><si><t>_x000D_</t></si></sst>`
	for _, tt := range []struct {
		name, rows string
		want       []got
	}{
		{"rows and cells without references", `<row><c><v>1</v></c><c><v>2</v></c></row>`, []got{{2, []string{"1", "2"}, ""}}},
		{"shared strings", `<row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4" t="s"><v>0</v></c></row>`, []got{{4, []string{"rich ", "x"}, ""}}},
		{"a shared string that is not there", `<row><c t="s"><v>7</v></c><c t="s"><v>0</v></c></row>`, []got{{2, []string{"", "x"}, crm.ReasonNoValue}}},
		{"an escape", `<row><c t="s"><v>2</v></c><c><v>1</v></c></row>`, []got{{2, []string{"\r", "1"}, ""}}},
		{"U+0000 by an escape", `<row><c t="inlineStr"><is><t>_x0000_</t></is></c></row>`, []got{{2, []string{"\x00", ""}, crm.ReasonBadCharacter}}},
		{"an error", `<row><c t="e"><v>#N/A</v></c><c><v>1</v></c></row>`, []got{{2, []string{"#N/A", "1"}, crm.ReasonCellError}}},
		{"text that looks like an error", `<row><c t="str"><v>#N/A</v></c></row>`, []got{{2, []string{"#N/A", ""}, ""}}},
		{"a formula by its cached value", `<row><c><f>1+1</f><v>2</v></c><c t="str"><f>A1</f><v></v></c></row>`, []got{{2, []string{"2", ""}, ""}}},
		{"a formula never calculated", `<row><c><f>1+1</f></c><c><v>1</v></c></row>`, []got{{2, []string{"", "1"}, crm.ReasonNoValue}}},
		{"a number that is none", `<row><c><v>abc</v></c></row>`, []got{{2, []string{"abc", ""}, crm.ReasonNoValue}}},
		{"an ISO date", `<row><c t="d"><v>2024-05-06T07:08:09</v></c></row>`, []got{{2, []string{"2024-05-06T07:08:09", ""}, ""}}},
		{"markup characters", `<row><c t="str"><v>&lt;&amp;&#228;&#x41;<![CDATA[<b>]]></v></c><!-- <row> --></row>`, []got{{2, []string{"<&äA<b>", ""}, ""}}},
		{"a blank row and empty elements", `<row r="3"/><row r="5"><c r="A5"/><c r="B5"><v>1</v></c></row>`, []got{{5, []string{"", "1"}, ""}}},
		{"too many cells", `<row><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c></row>`, []got{{2, []string{"1", "2", "3"}, crm.ReasonTooManyCells}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, pack(t, header+tt.rows, parts{"xl/sharedStrings.xml": items}), crm.Reading{})
			if diff := cmp.Diff(tt.want, tab.Rows); diff != "" {
				t.Errorf("rows (-want +got)\n%s", diff)
			}
		})
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	t.Parallel()
	general := numberFormat{}
	day, clock := numberFormat{kind: asDate}, numberFormat{kind: asTime}
	for _, tt := range []struct {
		f        numberFormat
		v        string
		from1904 bool
		want     string
	}{
		{general, "4.15555E+09", false, "4155550000"},
		{general, "1.2345678901234568E+17", false, "123456789012345680"},
		{general, "12345678901234567890123", false, "12345678901234567890123"},
		{general, "0.30000000000000004", false, "0.30000000000000004"},
		{general, "1E-3", false, "0.001"},
		{general, "1.1000000000000001", false, "1.1"},
		{general, "19.989999999999998", false, "19.99"},
		{general, "-2.2999999999999998", false, "-2.3"},
		{general, "1234567890123.4567", false, "1234567890123.4567"},
		{general, "0.1234567890123456789", false, "0.1234567890123456789"},
		{general, "123.0", false, "123"},
		{general, "1.50", false, "1.5"},
		{general, "0.0", false, "0"},
		{general, ".5", false, "0.5"},
		{general, "-.5", false, "-0.5"},
		{general, "1.0E7", false, "10000000"},
		{general, "1.234567890123456E15", false, "1234567890123456"},
		{general, "007", false, "007"},
		{general, "-5", false, "-5"},
		{general, "1E+300", false, "1e+300"},
		{parseFormat("0000-00"), "12", false, "0000-12"},
		{parseFormat("000\\-00\\-0000"), "123456789", false, "123-45-6789"},
		{parseFormat("00000"), "12.5", false, "12.5"},
		{parseFormat("0"), "3", false, "3"},
		{parseFormat(`0.00" days"`), "3", false, "3"},
		{parseFormat("[h]:mm:ss"), "1.5", false, "36:00:00"},
		{parseFormat("[$-F800]dddd, mmmm dd, yyyy"), "45000", false, "2023-03-15"},
		{parseFormat("[mm]:ss.000"), "1.00001", false, "24:00:00.864"},
		{builtin(46), "0.0625", false, "1:30:00"},
		{builtin(46), "-1", false, "-1"},
		{parseFormat("0.0%"), "0.125", false, "0.125"},
		{parseFormat("0.00E+00"), "123456789012345", false, "123456789012345"},
		{parseFormat("[$-411]ge.m.d"), "45000", false, "2023-03-15"},
		{parseFormat("mm:ss"), "0.25", false, "06:00:00"},
		{parseFormat("[Red]#,##0"), "45000", false, "45000"},
		{builtin(14), "45000", false, "2023-03-15"},
		{builtin(22), "45000.5208333333", false, "2023-03-15T12:30:00"},
		{builtin(9), "0.25", false, "0.25"},
		{day, "45000.000005787", false, "2023-03-15T00:00:00.500"},
		{day, "1", false, "1900-01-01"},
		{day, "59", false, "1900-02-28"},
		{day, "60", false, "60"},
		{day, "61", false, "1900-03-01"},
		{day, "-1", false, "-1"},
		{day, "0", true, "1904-01-01"},
		{day, "43538", true, "2023-03-15"},
		{day, "2958465", false, "9999-12-31"},
		{day, "2958466", false, "2958466"},
		{clock, "1.5", true, "1904-01-02T12:00:00"},
	} {
		if got, ok := tt.f.append(nil, []byte(tt.v), tt.from1904); !ok || string(got) != tt.want {
			t.Errorf("%+v of %s = %q, %v; want %q", tt.f, tt.v, got, ok, tt.want)
		}
	}
}

func TestSheetIsChosen(t *testing.T) {
	t.Parallel()
	book := written(t, func(f *excelize.File) {
		for _, name := range []string{"Notes", "Leads"} {
			_, err := f.NewSheet(name)
			must(t, err)
			must(t, f.SetSheetCol(name, "A1", &[]any{name, "x"}))
		}
		must(t, f.SetSheetCol("Sheet1", "A1", &[]any{"secret", "x"}))
		f.SetActiveSheet(1)
		must(t, f.SetSheetVisible("Sheet1", false))
	})
	for _, tt := range []struct{ set, want, evidence string }{
		{"", "Notes", "the first of 2 visible sheets"},
		{"Leads", "Leads", "as set"},
		{"Sheet1", "Sheet1", "as set; it is hidden"},
	} {
		tab := mustRead(t, book, crm.Reading{Sheet: tt.set})
		if tab.Format.Sheet != tt.want || tab.Decisions[1].Evidence != tt.evidence {
			t.Errorf("sheet %q: %+v %+v", tt.set, tab.Format, tab.Decisions)
		}
	}
	_, err := readTable(t, book, crm.Reading{Sheet: "leads"})
	if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), `no sheet "leads" (found: "Notes", "Leads")`) {
		t.Errorf("missing sheet: %v", err)
	}
}

// TestRewriteLeavesNoFiles is not parallel: it sets where temporary files go.
func TestRewriteLeavesNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	book := written(t, func(f *excelize.File) { must(t, f.SetSheetCol("Sheet1", "A1", &[]any{"a", 1})) })
	f := Format{Kind: KindXLSX, Sheet: "Sheet1"}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, do := range map[string]func() error{
		"done":      func() error { return f.Rewrite(t.Context(), inMemory(book), io.Discard) },
		"cancelled": func() error { return f.Rewrite(cancelled, inMemory(book), io.Discard) },
		"damaged":   func() error { return f.Rewrite(t.Context(), inMemory(book[:len(book)-40]), io.Discard) },
		"refused":   func() error { return f.Rewrite(t.Context(), inMemory(pack(t, `<row r="9999999"/>`, nil)), io.Discard) },
		"full disk": func() error { return f.Rewrite(t.Context(), inMemory(book), fullDisk{}) },
	} {
		err := do()
		if (err == nil) != (name == "done") {
			t.Errorf("%s: %v", name, err)
		}
		if passing := name == "cancelled" || name == "full disk"; passing && errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s is taken for invalid: %v", name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			t.Errorf("%s leaves %v", name, left)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v %v", entries, err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
