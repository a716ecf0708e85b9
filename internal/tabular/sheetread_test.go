package tabular

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"sluice/internal/crm"
)

func TestCellsThatCannotBeReadFaultTheirRow(t *testing.T) {
	t.Parallel()
	const header = `<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>`
	long := strings.Repeat("x", maxCharacters)
	pairs := strings.Repeat("😀", maxCharacters/2)
	items := `<sst><si><t>x</t></si><si><t>` + long + `y</t></si><si><r><t>` + long + `</t></r><r><t>y</t></r></si></sst>`
	const styles = `<styleSheet><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>`
	for _, tt := range []struct {
		name, row string
		want      got
	}{
		{"cells in a wrong order", `<row><c r="B2"><v>2</v></c><c r="A2"><v>1</v></c></row>`, got{2, []string{"1", "2"}, ""}},
		{"two cells in one place", `<row><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>`, got{2, []string{"1", ""}, crm.ReasonNoValue}},
		{"a cell of another row", `<row><c r="A3"><v>1</v></c></row>`, got{2, []string{"1", ""}, crm.ReasonNoValue}},
		{"a cell whose place is none", `<row><c r="?"><v>1</v></c><c r=""><v>2</v></c></row>`, got{2, []string{"1", "2"}, crm.ReasonNoValue}},
		{"a format that is not there", `<row><c s="1"><v>45000</v></c></row>`, got{2, []string{"45000", ""}, crm.ReasonNoValue}},
		{"a format of a text", `<row><c s="1" t="str"><v>x</v></c></row>`, got{2, []string{"x", ""}, ""}},
		{"a format that is no number", `<row><c s="x"><v>1</v></c></row>`, got{2, []string{"1", ""}, crm.ReasonNoValue}},
		{"a type that is none", `<row><c t="z"><v>1</v></c></row>`, got{2, []string{"1", ""}, crm.ReasonNoValue}},
		{"neither true nor false", `<row><c t="b"><v>2</v></c></row>`, got{2, []string{"2", ""}, crm.ReasonNoValue}},
		{"true and false in words", `<row><c t="b"><v>true</v></c><c t="b"><v>false</v></c></row>`, got{2, []string{"TRUE", "FALSE"}, ""}},
		{"a number of a string that is none", `<row><c t="s"><v>-1</v></c></row>`, got{2, nil, crm.ReasonNoValue}},
		{"a string without its number", `<row><c t="s"><v/></c></row>`, got{2, nil, crm.ReasonNoValue}},
		{"no string", `<row><c t="s"/><c t="s"><v>0</v></c></row>`, got{2, []string{"", "x"}, ""}},
		{"infinity", `<row><c><v>1E999</v></c></row>`, got{2, []string{"1E999", ""}, crm.ReasonNoValue}},
		{"a number in base 16", `<row><c><v>0x10</v></c></row>`, got{2, []string{"0x10", ""}, crm.ReasonNoValue}},
		{"text in a cell that says it is a number", `<row><c><is><t>x</t></is></c></row>`, got{2, []string{"x", ""}, ""}},
		{"the longest text", `<row><c t="inlineStr"><is><t>` + long + `</t></is></c></row>`, got{2, []string{long, ""}, ""}},
		{"the longest text of pairs", `<row><c t="str"><v>` + pairs + `x</v></c></row>`, got{2, []string{pairs + "x", ""}, ""}},
		{"the longest text of escapes", `<row><c t="str"><v>` + strings.Repeat("_x0041_", maxCharacters) + `</v></c></row>`, got{2, []string{strings.Repeat("A", maxCharacters), ""}, ""}},
		{"a text too long", `<row><c t="inlineStr"><is><t>` + long + `y</t></is></c></row>`, got{2, []string{long, ""}, crm.ReasonCellTooLong}},
		{"half a pair too long", `<row><c t="str"><v>` + pairs + `😀</v></c></row>`, got{2, []string{pairs, ""}, crm.ReasonCellTooLong}},
		{"runs too long", `<row><c t="inlineStr"><is><r><t>` + long + `</t></r><r><t>y</t></r></is></c></row>`, got{2, []string{long, ""}, crm.ReasonCellTooLong}},
		{"a text longer than the window", `<row><c t="str"><v>` + strings.Repeat(long, 40) + `</v></c><c><v>1</v></c></row>`, got{2, []string{"", "1"}, crm.ReasonCellTooLong}},
		{"a section longer than the window", `<row><c t="str"><v><![CDATA[` + strings.Repeat(long, 40) + `]]></v></c><c><v>1</v></c></row>`, got{2, []string{"", "1"}, crm.ReasonCellTooLong}},
		{"digits without end", `<row><c><v>` + strings.Repeat("1", maxRich+1) + `</v></c></row>`, got{2, nil, crm.ReasonCellTooLong}},
		{"a shared text too long", `<row><c t="s"><v>1</v></c></row>`, got{2, []string{long, ""}, crm.ReasonCellTooLong}},
		{"shared runs too long", `<row><c t="s"><v>2</v></c></row>`, got{2, []string{long, ""}, crm.ReasonCellTooLong}},
		{"bytes that are no text", "<row><c t=\"str\"><v>a\xFFb</v></c></row>", got{2, []string{"a\uFFFDb", ""}, crm.ReasonBadEncoding}},
		{"U+0000", `<row><c t="str"><v>a&#0;</v></c></row>`, got{2, []string{"a\x00", ""}, crm.ReasonBadCharacter}},
		{"a row too long", "<row>" + strings.Repeat(`<c t="s"><v>2</v></c>`, 1+maxRow/maxCharacters) + "</row>", got{2, nil, crm.ReasonRowTooLong}},
		{"a row too long in quotes", "<row>" + strings.Repeat(`<c t="inlineStr"><is><t>`+strings.Repeat(`"`, maxCharacters)+`</t></is></c>`, 300) + "</row>", got{2, nil, crm.ReasonRowTooLong}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const neighbour = `<row><c><v>8</v></c><c><v>9</v></c></row>`
			tab := mustRead(t, pack(t, header+tt.row+neighbour, parts{"xl/sharedStrings.xml": items, "xl/styles.xml": styles}), crm.Reading{})
			if tt.want.Cells == nil {
				tt.want.Cells = []string{"", ""}
			}
			if diff := cmp.Diff([]got{tt.want, {3, []string{"8", "9"}, ""}}, tab.Rows); diff != "" {
				t.Errorf("rows (-want +got)\n%.2000s", diff)
			}
		})
	}
}

// TestWorkbooksAreReadHoweverTheyAreBuilt names parts in ways that programs do.
func TestWorkbooksAreReadHoweverTheyAreBuilt(t *testing.T) {
	t.Parallel()
	const rows = `<row><c t="str"><v>a</v></c></row><row><c><v>1</v></c></row>`
	const sheet = `<worksheet xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"><sheetData>` + rows + `</sheetData></worksheet>`
	rel := func(id, kind, target string) string {
		return fmt.Sprintf(`<Relationship Id="%s" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/%s" Target="%s"/>`, id, kind, target)
	}
	rels := func(list ...string) string { return "<Relationships>" + strings.Join(list, "") + "</Relationships>" }
	list := func(sheets string) string {
		return `<workbook xmlns:r="x"><workbookPr date1904="true"/><sheets>` + sheets + `</sheets></workbook>`
	}
	one := list(`<sheet name="Rows" sheetId="1" r:id="rId1"/>`)
	for _, tt := range []struct {
		name string
		all  parts
	}{
		{"strict", parts{"xl/_rels/workbook.xml.rels": rels(rel("rId1", "worksheet", "worksheets/sheet1.xml")), "xl/worksheets/sheet1.xml": sheet}},
		{"an absolute target", parts{"xl/_rels/workbook.xml.rels": rels(rel("rId1", "worksheet", "/xl/worksheets/sheet1.xml"))}},
		{"a target with dots", parts{"xl/_rels/workbook.xml.rels": rels(rel("rId1", "worksheet", "./../xl/worksheets/sheet1.xml"))}},
		{"a target with backslashes", parts{"xl/_rels/workbook.xml.rels": rels(rel("rId1", "worksheet", `worksheets\sheet1.xml`))}},
		{"another case", parts{"xl/_rels/workbook.xml.rels": rels(rel("rId1", "worksheet", "Worksheets/SHEET1.xml"))}},
		{"another folder", parts{"_rels/.rels": rels(rel("rId1", "officeDocument", "/book/main.xml")), "book/main.xml": one,
			"book/_rels/main.xml.rels": rels(rel("rId1", "worksheet", "s.xml")), "book/s.xml": sheet}},
		{"the root folder", parts{"_rels/.rels": rels(rel("rId1", "officeDocument", "main.xml")), "main.xml": one,
			"_rels/main.xml.rels": rels(rel("rId1", "worksheet", "s.xml")), "s.xml": sheet}},
		{"names with references", parts{"xl/workbook.xml": list(`<sheet name="Ro&#119;s" r:id="rId1"/>`)}},
		{"sheets of charts before it", parts{
			"xl/workbook.xml":            list(`<sheet name="Chart" r:id="rId7"/><sheet name="Macro" r:id="rId8"/><sheet name="Rows" r:id="rId1"/>`),
			"xl/_rels/workbook.xml.rels": rels(rel("rId7", "chartsheet", "worksheets/sheet1.xml"), rel("rId8", "xlMacrosheet", "macros/sheet1.xml"), rel("rId1", "worksheet", "worksheets/sheet9.xml")),
			"xl/worksheets/sheet9.xml":   sheet, "xl/worksheets/sheet1.xml": "<chartsheet/>"}},
		{"hidden sheets before it", parts{
			"xl/workbook.xml":            list(`<sheet name="A" state="hidden" r:id="rId7"/><sheet name="B" state="veryHidden" r:id="rId8"/><sheet name="Rows" r:id="rId1"/>`),
			"xl/_rels/workbook.xml.rels": rels(rel("rId7", "worksheet", "a.xml"), rel("rId8", "worksheet", "b.xml"), rel("rId1", "worksheet", "worksheets/sheet1.xml"))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, pack(t, rows, tt.all), crm.Reading{})
			if tab.Format.Sheet != "Rows" || !cmp.Equal(tab.Rows, []got{{2, []string{"1"}, ""}}) {
				t.Errorf("sheet %q, rows %v", tab.Format.Sheet, tab.Rows)
			}
		})
	}
}

func TestSheetNamesMayBeInAnyScript(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Kunden & Co", "顧客", "Żółć 😀", "a_x0041_b", "<x>", "'"} {
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", "_x0041_", "_x005F_x0041_").Replace(name)
		book := pack(t, `<row><c t="str"><v>a</v></c></row><row><c><v>1</v></c></row>`, parts{
			"xl/workbook.xml": `<workbook xmlns:r="x"><sheets><sheet name="` + escaped + `" r:id="rId1"/></sheets></workbook>`})
		if tab := mustRead(t, book, crm.Reading{Sheet: name}); tab.Format.Sheet != name {
			t.Errorf("sheet %q is called %q", name, tab.Format.Sheet)
		}
	}
}

func TestWhatASheetHidesIsSaid(t *testing.T) {
	t.Parallel()
	book := written(t, func(f *excelize.File) {
		for row, cells := range [][]any{{"id", "name", "note", "more"}, {1, "a"}, {2, "b"}, {3, "c"}, {4, "hidden", "", "x"}} {
			must(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", row+1), &cells))
		}
		for _, row := range []int{3, 4, 9} { // row 9 is blank
			must(t, f.SetRowVisible("Sheet1", row, false))
		}
		must(t, f.SetColVisible("Sheet1", "C:XFD", false))
	})
	all := []got{
		{2, []string{"1", "a", "", ""}, ""}, {3, []string{"2", "b", "", ""}, ""},
		{4, []string{"3", "c", "", ""}, ""}, {5, []string{"4", "hidden", "", "x"}, ""},
	}
	columns := crm.Decision{About: "hidden columns", Choice: "import", Evidence: "the sheet hides 2 columns", Score: 0.5}
	for _, tt := range []struct {
		set  string
		rows []got
		said crm.Decision
	}{
		{"", all, crm.Decision{About: "hidden rows", Choice: "import", Evidence: "the sheet hides 2 rows", Score: 0.5}},
		{crm.ImportHidden, all, crm.Decision{About: "hidden rows", Choice: "import", Evidence: "as set; the sheet hides 2 rows", Score: 1}},
		{crm.SkipHidden, []got{all[0], all[3]}, crm.Decision{About: "hidden rows", Choice: "skip", Evidence: "as set; the sheet hides 2 rows", Score: 1}},
	} {
		tab := mustRead(t, book, crm.Reading{Hidden: tt.set})
		if diff := cmp.Diff(tt.rows, tab.Rows); diff != "" || tab.Blank != 0 {
			t.Errorf("%q: blank %d, rows (-want +got)\n%s", tt.set, tab.Blank, diff)
		}
		if diff := cmp.Diff([]crm.Decision{tt.said, columns}, tab.Decisions[2:4]); diff != "" {
			t.Errorf("%q: decisions (-want +got)\n%s", tt.set, diff)
		}
	}
	if _, err := readTable(t, book, crm.Reading{Hidden: "maybe"}); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("a setting that is none: %v", err)
	}
}

// TestNothingIsSaidOfASheetThatHidesNothing, though the word stands in it.
func TestNothingIsSaidOfASheetThatHidesNothing(t *testing.T) {
	t.Parallel()
	book := pack(t, `<row hidden="0"><c t="str"><v>hidden</v></c></row><row><c><v>1</v></c></row>`, nil)
	for _, d := range mustRead(t, book, crm.Reading{Hidden: crm.SkipHidden}).Decisions {
		if strings.Contains(d.About, "hidden") {
			t.Errorf("%+v", d)
		}
	}
}

func TestAWordIsFoundWhereverReadsDivideIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": false, "hidde": false, "xhidden": true, "hiddhidden": true, strings.Repeat("hidde", 50_000): false,
		strings.Repeat("x", 64<<10-3) + "hidden": true} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			if got, err := contains(r, "hidden"); err != nil || got != want {
				t.Errorf("%d bytes: %v, %v; want %v", len(text), got, err, want)
			}
		}
	}
}

func TestSharedStringsAreTheSameInMemoryAndOnDisk(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var table strings.Builder
	table.WriteString("<sst>")
	var want []string
	for i := range 3_000 {
		want = append(want, fmt.Sprintf("%d %s", i, strings.Repeat("ä", i%100)))
		if i%500 == 0 {
			want[i] = strings.Repeat("y", maxCharacters-i) // over several pages
		}
		fmt.Fprintf(&table, "<si><t>%s</t></si>", want[i])
	}
	table.WriteString("</sst>")
	for _, keep := range []int64{heldText, textPiece, 0} {
		s, err := readStrings(strings.NewReader(table.String()), keep)
		must(t, err)
		if onDisk := s.file != nil; onDisk != (keep < heldText) || s.count != len(want) {
			t.Fatalf("keep %d: %d strings, on disk %v", keep, s.count, onDisk)
		}
		for i := range want {
			for _, at := range []int{i, len(want) - 1 - i, i * 1_237 % len(want)} {
				if got, long, err := s.appendItem(nil, at); err != nil || long || string(got) != want[at] {
					t.Fatalf("keep %d: string %d is %.20q, %v, %v", keep, at, got, long, err)
				}
			}
		}
		must(t, s.Close())
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("keep %d leaves %v, %v", keep, left, err)
		}
	}
}

func TestStringsThatAreTooScatteredAreRefused(t *testing.T) {
	t.Parallel()
	s, err := readStrings(strings.NewReader("<sst><si><t>a</t></si></sst>"), 0)
	must(t, err)
	defer s.Close()
	s.farReads = maxFarReads
	if _, _, err := s.appendItem(nil, 0); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

func TestElementsWithoutEndAreRefused(t *testing.T) {
	t.Parallel()
	x := newXMLScanner(strings.NewReader("<a><b/><b/><b/></a>"))
	x.count = maxElements - 3
	var err error
	for err == nil {
		_, err = x.next()
	}
	if !errors.Is(err, errCrowd) {
		t.Errorf("got %v, want %v", err, errCrowd)
	}
}

// TestASourceThatEndsEarlyMayBeTriedAgain: what is missing is not the
// workbook's fault.
func TestASourceThatEndsEarlyMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	book := pack(t, `<row><c t="str"><v>a</v></c></row>`+strings.Repeat(`<row><c><v>1</v></c></row>`, 1000), nil)
	for name, damaged := range map[string]func(io.Reader) io.Reader{
		"cut short": func(r io.Reader) io.Reader { return io.LimitReader(r, 20) },
		"dropped":   func(r io.Reader) io.Reader { return failing{io.LimitReader(r, 20)} },
	} {
		src := inMemory(book)
		open, n := src.Open, 0
		src.Open = func(ctx context.Context, at int64) (io.ReadCloser, error) {
			r, err := open(ctx, at)
			if n++; n < 12 {
				return r, err
			}
			return io.NopCloser(damaged(r)), err
		}
		err := Format{Kind: KindXLSX, Sheet: "Rows"}.Rewrite(t.Context(), src, io.Discard)
		if err == nil || errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s: %v after %d opens", name, err, n)
		}
	}
}

// TestADamagedByteIsFound wherever it is: behind the rows too.
func TestADamagedByteIsFound(t *testing.T) {
	t.Parallel()
	rows := `<row><c t="str"><v>a</v></c></row>` + strings.Repeat(`<row><c><v>1</v></c></row>`, 50)
	book := pack(t, "", parts{"xl/worksheets/sheet1.xml": "<worksheet><sheetData>" + rows + "</sheetData><pageMargins left=\"0.7\"/></worksheet>"})
	at := bytes.Index(book, []byte("xl/worksheets/sheet1.xml")) + len("xl/worksheets/sheet1.xml")
	end := at + bytes.Index(book[at:], []byte("PK"))
	for i := at; i < end-16; i++ {
		b := bytes.Clone(book)
		b[i] ^= 0x10
		if _, err := readTable(t, b, crm.Reading{}); !errors.Is(err, crm.ErrInvalid) {
			t.Fatalf("byte %d of %d: %v", i-at, end-at, err)
		}
	}
}

func TestReadingASheetAllocatesNothingForARow(t *testing.T) {
	rows := strings.Repeat(`<row><c t="s"><v>0</v></c><c><v>12</v></c><c t="inlineStr"><is><t>a &amp; b</t></is></c><c><v>1.50</v></c></row>`, 20_000)
	items, err := readStrings(strings.NewReader("<sst><si><t>x</t></si></sst>"), heldText)
	must(t, err)
	s := &sheetReader{x: newXMLScanner(strings.NewReader("<worksheet><sheetData>" + rows)), strings: items}
	var row sheetRow
	must(t, s.next(&row))
	if n := testing.AllocsPerRun(10_000, func() { must(t, s.next(&row)) }); n > 0 {
		t.Errorf("%v allocations a row", n)
	}
}
