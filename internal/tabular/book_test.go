package tabular

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// bookOf writes a workbook of one sheet and opens it.
func bookOf(t testing.TB, header []string, rows ...[]string) *excelize.File {
	t.Helper()
	var out bytes.Buffer
	b := NewBook(&out)
	must(t, b.Sheet("Rows", header))
	for _, r := range rows {
		must(t, b.Row(r))
	}
	must(t, b.Close())
	f, err := excelize.OpenReader(&out)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestBookKeepsTextAsText(t *testing.T) {
	t.Parallel()
	cells := []string{"007", "1e5", "=1+1", "2024-02-29", "TRUE", " a\tb\r\nc ", "<&\"'>", "😀", "", "_x000D_", "-1",
		"_x000D_a_x000D_", "_x", "a_x_x0041_"}
	f := bookOf(t, []string{"a"}, cells)
	got, err := f.GetRows("Rows")
	must(t, err)
	if diff := cmp.Diff([][]string{{"a"}, cells}, got); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
	for _, cell := range []string{"A1", "A2", "C2", "J2"} {
		kind, err := f.GetCellType("Rows", cell)
		must(t, err)
		formula, err := f.GetCellFormula("Rows", cell)
		must(t, err)
		if kind != excelize.CellTypeInlineString || formula != "" || styleOf(t, f, cell).NumFmt != 49 {
			t.Errorf("%s: type %v, formula %q, style %+v", cell, kind, formula, styleOf(t, f, cell))
		}
	}
	if style, err := f.GetColStyle("Rows", "A"); err != nil || style == 0 {
		t.Errorf("the column is not for text: %d, %v", style, err)
	}
}

func styleOf(t testing.TB, f *excelize.File, cell string) *excelize.Style {
	t.Helper()
	id, err := f.GetCellStyle("Rows", cell)
	must(t, err)
	s, err := f.GetStyle(id)
	must(t, err)
	return s
}

func TestBookReplacesWhatXMLCannotHold(t *testing.T) {
	t.Parallel()
	f := bookOf(t, []string{"a\x00"}, []string{"b\x01c\xffd\uFFFE", "_x0001_\x02_x0003_"})
	got, err := f.GetRows("Rows")
	must(t, err)
	want := [][]string{{"a\uFFFD"}, {"b\uFFFDc\uFFFDd\uFFFD", "_x0001_\uFFFD_x0003_"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
}

func TestBookCutsCellsAtExcelsLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"fits", strings.Repeat("ä", 32767), strings.Repeat("ä", 32767)},
		{"one too many", strings.Repeat("ä", 32768), strings.Repeat("ä", 32766) + "…"},
		{"pairs that fit", "x" + strings.Repeat("😀", 16383), "x" + strings.Repeat("😀", 16383)},
		{"a pair at the end", "xx" + strings.Repeat("😀", 16383), "xx" + strings.Repeat("😀", 16382) + "…"},
		{"half a pair at the end", "x" + strings.Repeat("😀", 16384), "x" + strings.Repeat("😀", 16382) + "…"},
	} {
		if got := cutCell(tt.in); got != tt.want {
			t.Errorf("%s: %d bytes, want %d", tt.name, len(got), len(tt.want))
		}
	}
}

func TestBookMarksCells(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := NewBook(&out)
	must(t, b.Sheet("Rows", []string{"a", "b", "c"}))
	must(t, b.Row([]string{"1", "2", "3"}, 1, 7, -1))
	must(t, b.Close())
	f, err := excelize.OpenReader(&out)
	must(t, err)
	defer f.Close()
	for cell, want := range map[string]bool{"A1": false, "A2": false, "B2": true, "C2": false} {
		if got := len(styleOf(t, f, cell).Fill.Color) > 0; got != want {
			t.Errorf("%s marked: %v", cell, got)
		}
	}
	if font := styleOf(t, f, "B1").Font; font == nil || !font.Bold {
		t.Errorf("the header is not bold: %+v", font)
	}
	if p, err := f.GetPanes("Rows"); err != nil || !p.Freeze || p.YSplit != 1 {
		t.Errorf("panes %+v, %v", p, err)
	}
}

func TestBookNamesSheetsAsExcelTakes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := NewBook(&out)
	for _, name := range []string{"sheet1", "Sheet1", "a/b:c", "", "'x'", strings.Repeat("ä", 40), strings.Repeat("Ä", 40), "\xff\n"} {
		must(t, b.Sheet(name, []string{name}))
		must(t, b.Row([]string{"x"}))
	}
	must(t, b.Close())
	f, err := excelize.OpenReader(&out)
	must(t, err)
	defer f.Close()
	want := []string{"sheet1", "Sheet1 (2)", "a b c", "Sheet", "x", strings.Repeat("ä", 31), strings.Repeat("Ä", 27) + " (2)", "\uFFFD"}
	if diff := cmp.Diff(want, f.GetSheetList()); diff != "" {
		t.Errorf("names (-want +got)\n%s", diff)
	}
	for _, name := range want {
		if rows, err := f.GetRows(name); err != nil || len(rows) != 2 {
			t.Errorf("sheet %q: %d rows, %v", name, len(rows), err)
		}
	}
}

func TestBookRefusesWhatNoSheetHolds(t *testing.T) {
	t.Parallel()
	wide := make([]string, maxColumns+1)
	for name, do := range map[string]func(b *Book) error{
		"a header too wide": func(b *Book) error { return b.Sheet("a", wide) },
		"a row too wide":    func(b *Book) error { return errors.Join(b.Sheet("a", nil), b.Row(wide)) },
		"a row too many": func(b *Book) error {
			must(t, b.Sheet("a", nil))
			b.rows = BookRows
			must(t, b.Row([]string{"the last"}))
			return b.Row([]string{"one more"})
		},
	} {
		var out bytes.Buffer
		b := NewBook(&out)
		err := do(b)
		if !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if again := b.Close(); !errors.Is(again, crm.ErrInvalid) || out.Len() > 0 {
			t.Errorf("%s: Close = %v and %d bytes", name, again, out.Len())
		}
	}
}

func TestBookWithoutASheetIsAWorkbook(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := NewBook(&out)
	must(t, b.Close())
	must(t, b.Close())
	if err := b.Sheet("a", nil); err == nil {
		t.Error("a closed book takes a sheet")
	}
	if _, err := excelize.OpenReader(&out); err != nil {
		t.Error(err)
	}
}

// TestBookLeavesNoFiles is not parallel: it sets where temporary files go.
func TestBookLeavesNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	row := []string{strings.Repeat("x", 30_000)}
	for name, w := range map[string]io.Writer{"done": io.Discard, "full disk": fullDisk{}} {
		b := NewBook(w)
		must(t, b.Sheet("a", []string{"a"}))
		for range 700 {
			must(t, b.Row(row))
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) == 0 {
			t.Errorf("%s: %d rows are held in memory", name, b.rows)
		}
		if err := b.Close(); (err == nil) != (name == "done") {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v, %v", name, left, err)
		}
	}
}

func TestABookIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"_x000D_", "_x", "005F_", "_", "x0041_", "a", " ", "\n", "\r", "\t", "😀", "&lt;", "]]>", "<", "\"", "=", "_xD83D_"})
		cells := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
		}), 1, 4).Draw(t, "cells")
		cells = append(cells, "end")
		var out bytes.Buffer
		b := NewBook(&out)
		must(t2(t), b.Sheet("a", make([]string, len(cells))))
		must(t2(t), b.Row(cells))
		must(t2(t), b.Close())
		var text bytes.Buffer
		must(t2(t), Format{Kind: KindXLSX, Sheet: "a"}.Rewrite(t.Context(), inMemory(out.Bytes()), &text))
		l := Layout{Delimiter: ",", Numbered: true, Header: make([]string, len(cells)), Start: crm.Position{Line: 1}}
		rows, _ := readAll(t2(t), text.Bytes(), l)
		if diff := cmp.Diff([]got{{2, cells, ""}}, rows); diff != "" {
			t.Fatalf("rows (-want +got)\n%s", diff)
		}
	})
}
