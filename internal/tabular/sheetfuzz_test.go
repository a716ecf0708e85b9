package tabular

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

const (
	fuzzStyles = `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts>` +
		`<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="46"/><xf numFmtId="18"/></cellXfs></styleSheet>`
	fuzzTime = 5 * time.Second
)

// FuzzSheet reads a sheet and a table of strings. What is refused must be
// refused as invalid; else every element row is a row or blank, reading again
// and in other portions gives the same, and the text that comes of it is read
// back cell by cell.
func FuzzSheet(f *testing.F) {
	const strs = `<sst><si><t>x</t></si><si><r><t>a</t></r><rPh><t>no</t></rPh></si></sst>`
	for _, rows := range []string{
		`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1"><v>1.5</v></c></row><row r="3" hidden="1"/>`,
		`<row><c t="inlineStr"><is><r><t>a</t></r><t>_x000D_</t></is></c><c s="1"><v>45000.5</v></c></row>`,
		`<row><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c><f>A1</f></c><c t="str"><v><![CDATA[<]]>&amp;</v></c></row>`,
		`<x:row xmlns:x="y"><x:c/></x:row>`, `<row r="5"><c r="B5"/><c r="A5"><v>1</v></c></row><row><c r="ZZ9"/></row>`,
		`<row a='>' b=">"><c s="2"><v>1E3</v></c></row><!-- > --><?a?>`, `<row r="1048576"/><row/>`,
		"<row><c t=\"str\"><v>a\r\nb\xFF</v></c></row>",
		`<row><c r="B1" s="x"><v>1</v></c><c r="A2"><v>2</v></c><c r="D1" s="1" t="q"><v>-1.5</v></c><c t="s"><v>9</v></c><c r="E1"><v></v></c></row>`,
	} {
		f.Add([]byte(`<worksheet><cols><col min="1" max="2" hidden="1"/></cols><sheetData>`+rows+`</sheetData></worksheet>`), []byte(strs))
	}
	f.Fuzz(func(t *testing.T, sheet, table []byte) {
		if len(sheet)+len(table) > 64<<10 {
			return
		}
		start := time.Now()
		rows, err := fuzzRows(sheet, bytes.NewReader(sheet), bytes.NewReader(table))
		again, errAgain := fuzzRows(sheet, &chunked{sheet, 7}, &chunked{table, 7})
		if errors.Is(err, errRowsLost) || (err == nil) != (errAgain == nil) || err == nil && !cmp.Equal(rows, again) {
			t.Fatalf("read twice: %v and %v\n%s", err, errAgain, cmp.Diff(rows, again))
		}
		book := pack(t, "", parts{"xl/worksheets/sheet1.xml": string(sheet), "xl/sharedStrings.xml": string(table), "xl/styles.xml": fuzzStyles})
		var out bytes.Buffer
		rewrite := Format{Kind: KindXLSX, Sheet: "Rows"}.Rewrite(t.Context(), inMemory(book), &out)
		if (rewrite == nil) != (err == nil) || rewrite != nil && !errors.Is(rewrite, crm.ErrInvalid) {
			t.Fatalf("rewrite: %v, reading: %v", rewrite, err)
		}
		if rewrite == nil {
			sameRows(t, rows, out.Bytes())
		}
		if took := time.Since(start); took > fuzzTime {
			t.Fatalf("took %v", took)
		}
	})
}

// chunked reads so many bytes at once.
type chunked struct {
	b []byte
	n int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.b)
	c.b = c.b[n:]
	return n, nil
}

// fuzzRows reads a sheet's rows and its strings, and checks that every element
// row is there.
func fuzzRows(sheet []byte, r, table io.Reader) ([]got, error) {
	strs, err := readStrings(table, textPiece)
	if err != nil {
		return nil, err
	}
	defer strs.Close()
	s := &sheetReader{x: newXMLScanner(r), strings: strs, formats: []numberFormat{{}, {kind: asDate}, {kind: asDuration}, {kind: asTime}}}
	var rows []got
	var row sheetRow
	for {
		err := s.next(&row)
		if errors.Is(err, io.EOF) {
			return rows, everyRow(sheet, len(rows))
		}
		if err != nil {
			return nil, err
		}
		g := got{Line: int64(row.number), Fault: row.fault}
		for _, c := range row.cells {
			for len(g.Cells) < c.column {
				g.Cells = append(g.Cells, "")
			}
			g.Cells[c.column-1] = string(c.text)
		}
		rows = append(rows, g)
	}
}

var errRowsLost = errors.New("rows are lost")

// everyRow has encoding/xml count the elements row of the first sheetData, and
// compares, unless the sheet is not well formed to its end.
func everyRow(sheet []byte, rows int) error {
	d := xml.NewDecoder(bytes.NewReader(sheet))
	want, depth, inside, passed := 0, 0, false, false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) && want != rows {
			return fmt.Errorf("%w: %d of %d", errRowsLost, rows, want)
		}
		if err != nil {
			return nil
		}
		switch e := tok.(type) {
		case xml.StartElement:
			depth++
			if depth == 2 && e.Name.Local == "sheetData" {
				inside = !passed
			}
			if depth == 3 && inside && e.Name.Local == "row" {
				want++
			}
		case xml.EndElement:
			depth--
			if depth < 2 && inside {
				inside, passed = false, true
			}
		}
	}
}

// sameRows checks that a text that Rewrite wrote holds the rows.
func sameRows(t *testing.T, rows []got, text []byte) {
	t.Helper()
	read, blank := readAll(t, text, Layout{Delimiter: ",", Numbered: true, Start: crm.Position{Line: 1}})
	i, last := 0, int64(0)
	for _, want := range rows {
		if want.Fault == "" && strings.TrimSpace(strings.Join(want.Cells, "")) == "" {
			continue
		}
		if last = want.Line; i == len(read) {
			t.Fatalf("row %d is lost", want.Line)
		}
		g := read[i]
		damaged := g.Fault == crm.ReasonBadEncoding || g.Fault == crm.ReasonBadCharacter
		if i++; g.Line != want.Line || g.Fault != want.Fault && !(want.Fault == "" && damaged) {
			t.Fatalf("row %d (%s) is read as %d (%s)", want.Line, want.Fault, g.Line, g.Fault)
		}
		for c, cell := range want.Cells {
			if c < len(g.Cells) && (g.Cells[c] == cell || g.Fault != "") || c >= len(g.Cells) && isBlank(cell) {
				continue
			}
			t.Fatalf("row %d: cells %q, want %q", want.Line, g.Cells, want.Cells)
		}
	}
	if i != len(read) || blank+int64(i) != last {
		t.Fatalf("%d rows and %d blank, want %d up to row %d", len(read), blank, i, last)
	}
}

// FuzzWorkbook reads whole archives.
func FuzzWorkbook(f *testing.F) {
	f.Add(pack(f, `<row><c t="str"><v>a</v></c></row><row><c><v>1</v></c></row>`, nil))
	f.Add(pack(f, `<row hidden="1"><c t="s" s="1"><v>0</v></c></row>`, parts{"xl/sharedStrings.xml": "<sst><si><t>x</t></si></sst>", "xl/styles.xml": fuzzStyles}))
	f.Add(zipped(f, parts{"[Content_Types].xml": "<a/>", "_rels/.rels": "<a/>", "xl/workbook.xml": "<a/>"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		start := time.Now()
		src := inMemory(b)
		format, _, err := Identify(t.Context(), src, crm.Reading{})
		if err == nil && format.Kind == KindXLSX {
			err = format.Rewrite(t.Context(), src, io.Discard)
		}
		if err != nil && !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("not marked: %v", err)
		}
		if took := time.Since(start); took > fuzzTime {
			t.Errorf("took %v", took)
		}
	})
}
