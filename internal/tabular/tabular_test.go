package tabular

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

// inMemory is a source that holds b.
func inMemory(b []byte) Source {
	return Source{Name: "leads.csv", Size: int64(len(b)), Open: func(_ context.Context, off int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b[off:])), nil
	}}
}

// table is a file as a Reader returned it.
type table struct {
	Format    Format
	Layout    Layout
	Decisions []crm.Decision
	Rows      []got
	Blank     int64
	Text      []byte // what was read: the file, or what Rewrite made of it
}

type got struct {
	Line  int64
	Cells []string
	Fault crm.Reason
}

// readTable goes the whole way from bytes to rows.
func readTable(t *testing.T, b []byte, s crm.Reading) (table, error) {
	t.Helper()
	src := inMemory(b)
	f, decisions, err := Identify(t.Context(), src, s)
	if err != nil {
		return table{}, err
	}
	if !f.Plain() {
		var out bytes.Buffer
		if err := f.Rewrite(t.Context(), src, &out); err != nil {
			return table{}, err
		}
		b = out.Bytes()
		src = inMemory(b)
	}
	l, more, err := Sniff(t.Context(), src, f, s)
	if err != nil {
		return table{}, err
	}
	tab := table{Format: f, Layout: l, Decisions: append(decisions, more...), Text: b}
	tab.Rows, tab.Blank = readAll(t, b, l)
	return tab, nil
}

func mustRead(t *testing.T, b []byte, s crm.Reading) table {
	t.Helper()
	tab, err := readTable(t, b, s)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// readAll reads the rows of text below the header with one Reader.
func readAll(t testing.TB, text []byte, l Layout) ([]got, int64) {
	t.Helper()
	r := NewReader(bytes.NewReader(text[l.Start.Offset:]), l, l.Start)
	var rows []got
	var row crm.Row
	for {
		err := r.Read(&row)
		if errors.Is(err, io.EOF) {
			return rows, r.Blank()
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, keep(row))
	}
}

// keep copies a row out of the Reader's memory.
func keep(row crm.Row) got {
	g := got{Line: row.Line, Fault: row.Fault, Cells: []string{}}
	for _, c := range row.Cells {
		g.Cells = append(g.Cells, strings.Clone(c))
	}
	return g
}

// layout is one for text with a comma and this many columns.
func layout(columns int) Layout {
	return Layout{Delimiter: ",", Header: make([]string, columns), Start: crm.Position{Line: 1}}
}

func TestRowsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		in     string
		layout Layout
		want   []got
		blank  int64
	}{
		{"LF", "a,b\nc,d\n", layout(2), []got{{1, []string{"a", "b"}, ""}, {2, []string{"c", "d"}, ""}}, 0},
		{"no line end at the end", "a,b", layout(2), []got{{1, []string{"a", "b"}, ""}}, 0},
		{"CRLF", "a,b\r\nc,d\r\n", layout(2), []got{{1, []string{"a", "b"}, ""}, {2, []string{"c", "d"}, ""}}, 0},
		{"half a CRLF at the end", "a,b\r", layout(2), []got{{1, []string{"a", "b"}, ""}}, 0},
		{"CR alone is text among LF", "a\rx,b\nc,d", layout(2), []got{{1, []string{"a\rx", "b"}, ""}, {2, []string{"c", "d"}, ""}}, 0},
		{"CR ends lines where it must", "a,b\rc,d\r\n\"e\r\n\rf\",g\n\rh,i", Layout{Delimiter: ",", CR: true, Header: make([]string, 2)},
			[]got{{1, []string{"a", "b"}, ""}, {2, []string{"c", "d"}, ""}, {3, []string{"e\r\n\rf", "g"}, ""}, {7, []string{"h", "i"}, ""}}, 1},
		{"CRLF inside quotes is kept", "\"a\r\nb\",c\r\nd,e", layout(2), []got{{1, []string{"a\r\nb", "c"}, ""}, {3, []string{"d", "e"}, ""}}, 0},
		{"quotes inside quotes", `"a""b","""",""` + "\n", layout(3), []got{{1, []string{`a"b`, `"`, ""}, ""}}, 0},
		{"nothing is trimmed or retyped", " a , 007,1e5\n", layout(3), []got{{1, []string{" a ", " 007", "1e5"}, ""}}, 0},
		{"blank rows are counted and keep the lines right", "\n ,\t\n\"\",\n\u00A0\na,b\n\n", layout(2), []got{{5, []string{"a", "b"}, ""}}, 5},
		{"blank cells beyond the header are cut where the file has them", "a,b,, \nc,d,,x\n", Layout{Delimiter: ",", Header: make([]string, 2), Spare: 2}, []got{{1, []string{"a", "b"}, ""}, {2, []string{"c", "d", "", "x"}, crm.ReasonTooManyCells}}, 0},
		{"a blank cell beyond the header is a fault where the file has none", "a,b,\nc,d\n", layout(2), []got{{1, []string{"a", "b", ""}, crm.ReasonTooManyCells}, {2, []string{"c", "d"}, ""}}, 0},
		{"missing cells are a fault", "a\nb,c\n", layout(2), []got{{1, []string{"a"}, crm.ReasonTooFewCells}, {2, []string{"b", "c"}, ""}}, 0},
		{"a bare quote", "a\"b,c\nd,e\n", layout(2), []got{{1, []string{"a\"b", "c"}, crm.ReasonStrayQuote}, {2, []string{"d", "e"}, ""}}, 0},
		{"text behind a closing quote", "\"a\"b,c\n\"d\" ,e\nf,g\n", layout(2), []got{{1, []string{`"a"b`, "c"}, crm.ReasonStrayQuote}, {2, []string{`"d" `, "e"}, crm.ReasonStrayQuote}, {3, []string{"f", "g"}, ""}}, 0},
		{"a quote that is never closed costs one line", "a,\"b\nc,d\ne,f", layout(2), []got{{1, []string{"a", `"b`}, crm.ReasonStrayQuote}, {2, []string{"c", "d"}, ""}, {3, []string{"e", "f"}, ""}}, 0},
		{"a quote that swallows a line costs one line", "a,\"b\nc,\"d\"\n", layout(2), []got{{1, []string{"a", `"b`}, crm.ReasonStrayQuote}, {2, []string{"c", "d"}, ""}}, 0},
		{"a swallowed line that makes the width wrong costs one line", "a,\"b\nc\",d\ne,f\n", layout(2),
			[]got{{1, []string{"a", `"b`}, crm.ReasonStrayQuote}, {2, []string{`c"`, "d"}, crm.ReasonStrayQuote}, {3, []string{"e", "f"}, ""}}, 0},
		{"invalid UTF-8", "a,\xff\nb,c\n", layout(2), []got{{1, []string{"a", "\uFFFD"}, crm.ReasonBadEncoding}, {2, []string{"b", "c"}, ""}}, 0},
		{"U+0000", "a,\x00\nb,c\n", layout(2), []got{{1, []string{"a", "\x00"}, crm.ReasonBadCharacter}, {2, []string{"b", "c"}, ""}}, 0},
		{"a mark at the very beginning", "\xEF\xBB\xBFa,b\n", layout(2), []got{{1, []string{"a", "b"}, ""}}, 0},
		{"a sheet's rows", "7,,a,b\n8,\n9,cell_error,#N/A\n12,,\"c\nd\"\n13,,e\n14,,f,g,h\n", Layout{Delimiter: ",", Numbered: true, Header: make([]string, 2)},
			[]got{{7, []string{"a", "b"}, ""}, {9, []string{"#N/A", ""}, crm.ReasonCellError}, {12, []string{"c\nd", ""}, ""}, {13, []string{"e", ""}, ""}, {14, []string{"f", "g", "h"}, crm.ReasonTooManyCells}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rows, blank := readAll(t, []byte(tt.in), tt.layout)
			if diff := cmp.Diff(tt.want, rows); diff != "" || blank != tt.blank {
				t.Errorf("Read(%q): blank %d, want %d; rows (-want +got)\n%s", tt.in, blank, tt.blank, diff)
			}
		})
	}
}

func TestLongRowsAreFaultsInBoundedMemory(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name string
		in   string
		want []got
	}{
		{"the longest cell", long(maxCell) + ",b\nc,d\n", []got{{1, nil, ""}, {2, nil, ""}}},
		{"a cell too long", long(maxCell+1) + ",b\nc,d\n", []got{{1, nil, crm.ReasonCellTooLong}, {2, nil, ""}}},
		{"a row too long", long(maxRow) + ",b\r\nc,d\n", []got{{1, nil, crm.ReasonRowTooLong}, {2, nil, ""}}},
		{"a row far too long", long(3*maxRow) + "\r\nc,d\n", []got{{1, nil, crm.ReasonRowTooLong}, {2, nil, ""}}},
		{"a row too long at the end", "c,d\n" + long(maxRow+3), []got{{1, nil, ""}, {2, nil, crm.ReasonRowTooLong}}},
		{"a quoted row too long on one line", `"` + long(maxRow) + "\",b\nc,d\n", []got{{1, nil, crm.ReasonRowTooLong}, {2, nil, ""}}},
		{"a quote that swallows more than a row", "a,\"b\n" + strings.Repeat(long(maxCell)+",b\n", 17),
			append([]got{{1, nil, crm.ReasonStrayQuote}}, make([]got, 17)...)},
		{"columns without end", strings.Repeat(",", maxColumns+5) + "\nc,d\n", []got{{1, nil, crm.ReasonTooManyCells}, {2, nil, ""}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := layout(2)
			r := NewReader(strings.NewReader(tt.in), l, l.Start)
			var row crm.Row
			for i, want := range tt.want {
				if want.Line == 0 {
					want.Line = int64(i + 1)
				}
				if err := r.Read(&row); err != nil || row.Line != want.Line || row.Fault != want.Fault {
					t.Fatalf("row %d: line %d fault %q err %v, want line %d fault %q", i, row.Line, row.Fault, err, want.Line, want.Fault)
				}
			}
			if err := r.Read(&row); err != io.EOF {
				t.Fatalf("behind the last row: line %d, %v", row.Line, err)
			}
			if len(r.buf) > window {
				t.Errorf("buffer of %d bytes", len(r.buf))
			}
			if got := r.Position().Offset; got != int64(len(tt.in)) {
				t.Errorf("ends at %d of %d", got, len(tt.in))
			}
		})
	}
}

// failing ends in an error of its own instead of the end of the file.
type failing struct{ r io.Reader }

var errDropped = errors.New("connection dropped")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = errDropped
	}
	return n, err
}

func TestAFileCutShortGivesNoHalfRow(t *testing.T) {
	t.Parallel()
	l := layout(2)
	r := NewReader(failing{strings.NewReader("a,b\nc,d")}, l, l.Start)
	var row crm.Row
	if err := r.Read(&row); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Read(&row); !errors.Is(err, errDropped) {
			t.Fatalf("Read = %v, want %v", err, errDropped)
		}
	}
	if want := (crm.Position{Offset: 4, Line: 2}); r.Position() != want {
		t.Errorf("Position = %v, want %v", r.Position(), want)
	}
}
