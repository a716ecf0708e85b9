package tabular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// oracleBooks are workbooks that both readers can read, by name.
func oracleBooks(t *testing.T) map[string][]byte {
	const main = ` xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	const items = `<sst` + main + `><si><t>x</t></si><si><r><t>ri</t></r><r><rPr><b/></rPr><t xml:space="preserve">ch </t></r><rPh sb="0" eb="1"><t>no</t></rPh></si>` +
		`<si><t xml:space="preserve">_x000D_ &amp;</t></si><si><t/></si><si/></sst>`
	const styles = `<styleSheet` + main + `><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="[h]:mm:ss"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="9"/></cellXfs></styleSheet>`
	markup := func(rows string) []byte {
		return pack(t, rows, parts{"xl/sharedStrings.xml": items, "xl/styles.xml": styles})
	}
	return map[string][]byte{
		"values":   written(t, oracleValues),
		"formats":  written(t, oracleFormats),
		"stream":   written(t, oracleStream),
		"rich":     written(t, oracleRich),
		"epoch":    written(t, oracleEpoch),
		"strings":  markup(`<row r="1"><c r="A1" t="s"><v>1</v></c><c r="C1" t="s"><v> 0 </v></c></row><row r="3"><c r="B3" t="s"><v>2</v></c><c r="C3" t="s"><v>3</v></c><c r="D3" t="s"><v>4</v></c></row>`),
		"missing":  markup(`<row r="1"><c r="A1" t="s"><v>9</v></c><c r="B1" t="s"><v>x</v></c><c r="C1" t="s"/><c r="D1" t="s"><v>0</v></c></row>`),
		"no refs":  markup(`<row><c><v>1</v></c><c/><c><v>2</v></c></row><row><c t="s"><v>0</v></c></row><row/><row><c><v>4</v></c></row>`),
		"gaps":     markup(`<row r="2"><c r="B2"><v>1</v></c><c r="E2"><v>2</v></c></row><row r="7"><c r="A7"><v>3</v></c></row>`),
		"inline":   markup(`<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve"> a </t></is></c><c r="B1" t="inlineStr"><is><r><t>b</t></r><r><t>c</t></r></is></c><c r="C1" t="inlineStr"><is><t> d </t></is></c></row>`),
		"escapes":  markup(`<row r="1"><c r="A1" t="inlineStr"><is><t>&lt;&#228;&#x41;&gt;_x000D__x005F_x000D__xZ_</t></is></c><c r="B1" t="str"><f>A1</f><v>_x0041_</v></c><c r="C1" t="inlineStr"><is><t><![CDATA[<b>&amp;]]></t></is></c></row>`),
		"types":    markup(`<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="b"><v>0</v></c><c r="C1" t="e"><v>#N/A</v></c><c r="D1" t="d"><v>2024-05-06T07:08:09</v></c><c r="E1" t="n"><v>12</v></c><c r="F1" t="str"><v>a</v></c></row>`),
		"formulas": markup(`<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>"a"</f><v>a</v></c><c r="C1"><f>1</f></c><c r="D1" t="str"><f>""</f><v></v></c></row>`),
		"numbers":  markup(`<row r="1"><c r="A1"><v>1.1000000000000001</v></c><c r="B1"><v>123.0</v></c><c r="C1"><v>1E3</v></c><c r="D1"><v>1234567890123456</v></c><c r="E1"><v>-0.5</v></c><c r="F1"><v> 7 </v></c></row>`),
		"dates":    markup(`<row r="1"><c r="A1" s="1"><v>45000</v></c><c r="B1" s="2"><v>1.5</v></c><c r="C1" s="3"><v>0.25</v></c><c r="D1" s="1"><v>-1</v></c></row>`),
		"prefixed": pack(t, "", parts{"xl/worksheets/sheet1.xml": `<?xml version="1.0"?><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
			`<x:sheetData><x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="B1" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>`}),
		"spaced": pack(t, "", parts{"xl/worksheets/sheet1.xml": "\xEF\xBB\xBF<?xml version='1.0'?>\n<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' >\n <sheetData\n>\r\n <row r='1' >\n  <c r = \"A1\"\tt='str' >\n <v>1</v >\n </c >\n </row>\n <!-- > --> </sheetData>\n</worksheet>\n"}),
		"merged": written(t, func(f *excelize.File) {
			must(t, f.SetSheetRow("Sheet1", "A1", &[]any{"a", nil, "c"}))
			must(t, f.MergeCell("Sheet1", "A1", "B2"))
			must(t, f.SetCellStr("Sheet1", "C2", "d"))
		}),
	}
}

func oracleValues(f *excelize.File) {
	f.SetSheetRow("Sheet1", "A1", &[]any{"text", " spaced ", "line\nbreak", "a\r\nb", "tab\t", "_x000D_", "<&>\"'", "😀", "", "007", "=1"})
	f.SetSheetRow("Sheet1", "A2", &[]any{0, -1, 1234567890123456, 1.5, 0.1, 1e21, 1e-7, 123456789.123456789, float32(1.1), uint8(7)})
	f.SetSheetRow("Sheet1", "A3", &[]any{true, false, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 13, 45, 59, 0, time.UTC), 90 * time.Minute, 36 * time.Hour})
	f.SetCellValue("Sheet1", "XFD5", "the last column")
	f.SetCellHyperLink("Sheet1", "A6", "https://example.com", "External")
	f.SetCellStr("Sheet1", "A6", "link")
	f.SetRowVisible("Sheet1", 6, false)
}

func oracleFormats(f *excelize.File) {
	for i, code := range []string{"yyyy-mm-dd", "dd/mm/yyyy", "m/d/yy h:mm", "h:mm", "[h]:mm", "00000", "000-00-0000", "0.00", "#,##0.00 [$€-407]",
		"0%", "0.00E+00", "@", `yyyy"年"m"月"d"日"`, "[Red]0", "General", `"day "0`, "mmm yyyy"} {
		cell := fmt.Sprintf("A%d", i+1)
		f.SetCellValue("Sheet1", cell, 45352)
		style, _ := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
		f.SetCellStyle("Sheet1", cell, cell, style)
	}
	for id := range 60 {
		cell := fmt.Sprintf("B%d", id+1)
		f.SetCellValue("Sheet1", cell, 45352.75)
		style, _ := f.NewStyle(&excelize.Style{NumFmt: id})
		f.SetCellStyle("Sheet1", cell, cell, style)
	}
}

func oracleStream(f *excelize.File) {
	w, _ := f.NewStreamWriter("Sheet1")
	for i := range 300 {
		w.SetRow(fmt.Sprintf("A%d", 2*i+1), []any{i, fmt.Sprint("text ", i), nil, i%2 == 0, float64(i) / 8, strings.Repeat("ä", i)})
	}
	w.Flush()
}

func oracleRich(f *excelize.File) {
	f.SetCellRichText("Sheet1", "A1", []excelize.RichTextRun{{Text: "bold ", Font: &excelize.Font{Bold: true}}, {Text: "and\nnot"}, {Text: " _x0041_"}})
	f.SetCellFormula("Sheet1", "B1", "A1")
	f.SetSheetRow("Sheet1", "C1", &[]any{[]byte("bytes"), nil, "z"})
}

func oracleEpoch(f *excelize.File) {
	yes := true
	f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes})
	f.SetCellValue("Sheet1", "A1", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC))
	code := "yyyy-mm-dd"
	style, _ := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
	f.SetCellStyle("Sheet1", "A1", "A1", style)
}

// oracleRows reads the first sheet with excelize. raw leaves numbers as the
// sheet has them.
func oracleRows(t *testing.T, book []byte, raw bool) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(book), excelize.Options{RawCellValue: raw})
	must(t, err)
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	must(t, err)
	return rows
}

// ourRows reads the first sheet with the reader of our own.
func ourRows(t *testing.T, book []byte) [][]string {
	t.Helper()
	a, err := openArchive(bytes.NewReader(book), int64(len(book)))
	must(t, err)
	b, err := openWorkbook(t.Context(), a)
	must(t, err)
	sheet, _, err := b.sheet("")
	must(t, err)
	r, err := b.open(t.Context(), sheet)
	must(t, err)
	defer r.Close()
	var out [][]string
	var row sheetRow
	for {
		err := r.next(&row)
		if errors.Is(err, io.EOF) {
			return out
		}
		must(t, err)
		for len(out) < row.number {
			out = append(out, nil)
		}
		for _, c := range row.cells {
			for len(out[row.number-1]) < c.column {
				out[row.number-1] = append(out[row.number-1], "")
			}
			out[row.number-1][c.column-1] = string(c.text)
		}
	}
}

func cellsAt(rows [][]string, row int) []string {
	if row < len(rows) {
		return rows[row]
	}
	return nil
}

// at returns a cell of rows that may be short.
func at(rows [][]string, row, column int) string {
	if cells := cellsAt(rows, row); column < len(cells) {
		return cells[column]
	}
	return ""
}

// A difference is a cell that the two readers see in different ways.
type difference struct{ Ours, Raw, Shown string }

// differences are the cells that excelize sees in another way, by the reason.
var differences = map[string]map[string]difference{
	"dates and times are told by ISO 8601 and whole, however much of them is shown": {
		"formats A2":  {"2024-03-01", "45352", "01/03/2024"},
		"formats A3":  {"2024-03-01", "45352", "3/1/24 0:00"},
		"formats A4":  {"2024-03-01", "45352", "0:00"},
		"formats A13": {"2024-03-01", "45352", "2024年3月1日"},
		"formats A17": {"2024-03-01", "45352", "Mar 2024"},
		"formats B15": {"2024-03-01T18:00:00", "45352.75", "03-01-24"},
		"formats B16": {"2024-03-01T18:00:00", "45352.75", "1-Mar-24"},
		"formats B17": {"2024-03-01T18:00:00", "45352.75", "1-Mar"},
		"formats B18": {"2024-03-01T18:00:00", "45352.75", "Mar-24"},
		"formats B19": {"2024-03-01T18:00:00", "45352.75", "6:00 PM"},
		"formats B20": {"2024-03-01T18:00:00", "45352.75", "6:00:00 PM"},
		"formats B21": {"2024-03-01T18:00:00", "45352.75", "18:00"},
		"formats B22": {"2024-03-01T18:00:00", "45352.75", "18:00:00"},
		"formats B23": {"2024-03-01T18:00:00", "45352.75", "3/1/24 18:00"},
		"formats B46": {"2024-03-01T18:00:00", "45352.75", "00:00"},
		"formats B48": {"2024-03-01T18:00:00", "45352.75", "00:00.0"},
		"values C3":   {"2024-02-29", "45351", "02-29-24"},
		"values D3":   {"2024-02-29T13:45:59", "45351.573599537034", "2/29/24 13:45"},
		"values E3":   {"01:30:00", "0.0625", "01:30"},
	},
	"durations have their seconds":                        {"formats A5": {"1088448:00:00", "45352", "1088448:00"}},
	"escapes count in the text that a formula came to":    {"escapes B1": {"A", "_x0041_", "_x0041_"}},
	"what is no number of a string is not taken for text": {"missing B1": {"", "x", "x"}},
	"white space around a number is markup":               {"numbers F1": {"7", " 7 ", " 7 "}},
}

// TestSheetsReadAsExcelizeReadsThem compares every cell with what excelize says
// is in the sheet, or is shown.
func TestSheetsReadAsExcelizeReadsThem(t *testing.T) {
	t.Parallel()
	want, got := map[string]difference{}, map[string]difference{}
	for _, cells := range differences {
		maps.Copy(want, cells)
	}
	// These formats are dates wherever they are anything, but excelize asks for
	// the country first.
	for _, id := range []int{27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58} {
		want[fmt.Sprintf("formats B%d", id+1)] = difference{"2024-03-01T18:00:00", "45352.75", "45352.75"}
	}
	for name, book := range oracleBooks(t) {
		ours, raw, shown := ourRows(t, book), oracleRows(t, book, true), oracleRows(t, book, false)
		for row := range max(len(ours), len(raw), len(shown)) {
			for column := range max(len(cellsAt(ours, row)), len(cellsAt(raw, row)), len(cellsAt(shown, row))) {
				d := difference{at(ours, row, column), at(raw, row, column), at(shown, row, column)}
				if d.Ours != d.Raw && d.Ours != d.Shown {
					cell, _ := excelize.CoordinatesToCellName(column+1, row+1)
					got[name+" "+cell] = d
				}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got)\n%s", diff)
	}
}
