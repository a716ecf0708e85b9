package tabular

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// dialectOf draws a layout: delimiter, quote, escape, comments, line ends and a
// width, and whether short rows are padded.
func dialectOf(t *rapid.T) Layout {
	l := Layout{
		Delimiter: rapid.SampledFrom([]string{",", ";", "\t", "|", ":", " ", "||", "::", "~|~", ",,"}).Draw(t, "delimiter"),
		Quote:     rapid.SampledFrom([]string{"", "", "", "'", "*", crm.NoneAtAll}).Draw(t, "quote"),
		Comment:   rapid.SampledFrom([]string{"", "", "#", "//", "b"}).Draw(t, "comment"),
		CR:        rapid.Bool().Draw(t, "cr"),
		Pad:       rapid.Bool().Draw(t, "pad"),
		Header:    make([]string, rapid.IntRange(1, 5).Draw(t, "columns")),
		Start:     crm.Position{Line: 1},
	}
	l.Backslash = l.quote() >= 0 && rapid.Bool().Draw(t, "backslash")
	return l
}

// cellText draws a cell that can be written in the dialect.
func cellText(t *rapid.T, l Layout) string {
	c := rapid.StringOfN(rapid.SampledFrom([]rune("ab \"';\\,~|:*#/\t\r\nä😀")), 0, 8, -1).Draw(t, "cell")
	if l.quote() < 0 {
		c = strings.Map(func(r rune) rune {
			if strings.ContainsRune(l.Delimiter+"\r\n", r) {
				return '-'
			}
			return r
		}, c)
	}
	return c
}

// writeRow writes cells as they must be quoted, and some that need not be.
func writeRow(t *rapid.T, b *strings.Builder, l Layout, cells []string, end string) {
	for i, c := range cells {
		if i > 0 {
			b.WriteString(l.Delimiter)
		}
		if l.quote() < 0 {
			b.WriteString(c)
			continue
		}
		q := string(rune(l.quote()))
		comment := i == 0 && l.Comment != "" && strings.HasPrefix(c+l.Delimiter+end, l.Comment)
		if comment || strings.ContainsAny(c, q+l.Delimiter+"\r\n") || rapid.Bool().Draw(t, "quoted") {
			c = q + escape(t, l, c) + q
		}
		b.WriteString(c)
	}
	b.WriteString(end)
}

// escape writes what is special in a quoted cell as it must be.
func escape(t *rapid.T, l Layout, c string) string {
	q := string(rune(l.quote()))
	if !l.Backslash {
		return strings.ReplaceAll(c, q, q+q)
	}
	c = strings.ReplaceAll(c, `\`, `\\`)
	if rapid.Bool().Draw(t, "doubled") {
		return strings.ReplaceAll(c, q, q+q)
	}
	return strings.ReplaceAll(c, q, `\`+q)
}

func lineEnd(t *rapid.T, l Layout) string {
	ends := []string{"\n", "\r\n"}
	if l.CR {
		ends = append(ends, "\r")
	}
	return rapid.SampledFrom(ends).Draw(t, "line end")
}

// countEnds counts line ends as the Reader must.
func endsIn(s string, l Layout) int64 {
	n := strings.Count(s, "\n")
	if l.CR {
		n += strings.Count(s, "\r") - strings.Count(s, "\r\n")
	}
	return int64(n)
}

// generate draws a text of well-formed rows and comments, and says what they
// are.
func generate(t *rapid.T, l Layout) (text string, want []got, blank int64) {
	var b strings.Builder
	for range rapid.IntRange(0, 12).Draw(t, "rows") {
		line := endsIn(b.String(), l) + 1
		end := lineEnd(t, l)
		if l.Comment != "" && rapid.IntRange(0, 4).Draw(t, "comment") == 0 {
			b.WriteString(l.Comment + rapid.SampledFrom([]string{"", "x", `"`, "a,b;c", `'\`}).Draw(t, "remark") + end)
			blank++
			continue
		}
		cells := make([]string, len(l.Header))
		for i := range cells {
			cells[i] = cellText(t, l)
		}
		if l.quote() < 0 && l.Comment != "" && strings.HasPrefix(cells[0]+l.Delimiter, l.Comment[:1]) {
			cells[0] = "x" + cells[0] // else it would be a comment
		}
		if strings.HasSuffix(b.String(), "\r") && l.CR && b.Len() > 0 {
			// A lone CR and an LF at the start of a row would be a CRLF.
			end = "\r\n"
			if cells[0] == "" && len(cells) == 1 {
				cells[0] = "x"
			}
		}
		written := cells
		if l.Pad {
			written = cells[:rapid.IntRange(1, len(cells)).Draw(t, "short")]
			clear(cells[len(written):])
		}
		writeRow(t, &b, l, written, end)
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			blank++
			continue
		}
		want = append(want, got{Line: line, Cells: cells})
	}
	return b.String(), want, blank
}

func TestWhatIsQuotedIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := dialectOf(t)
		text, want, blank := generate(t, l)
		rows, gotBlank := readAll(t2(t), []byte(text), l)
		if diff := cmp.Diff(want, rows); diff != "" || blank != gotBlank {
			t.Fatalf("text %q: blank %d, want %d; rows (-want +got)\n%s", text, gotBlank, blank, diff)
		}
	})
}

// t2 lets helpers of tests take a rapid.T.
func t2(t *rapid.T) testing.TB { return tb{TB: nil, t: t} }

type tb struct {
	testing.TB
	t *rapid.T
}

func (b tb) Helper()           {}
func (b tb) Fatal(args ...any) { b.t.Fatal(args...) }

// anyText draws bytes that make trouble.
func anyText(t *rapid.T) string {
	piece := rapid.SampledFrom([]string{`"`, `""`, ",", ";", "\n", "\r\n", "\r", "a", "b,c", ` "`, "x,\"y\"", "'", `\`, `\"`, "||", ":", " ", "#", "//", "\x00", "\xff", "ä", "\n,\n"})
	return strings.Join(rapid.SliceOfN(piece, 0, 40).Draw(t, "pieces"), "")
}

// resumed reads text with a new Reader for every row.
func resumed(t testing.TB, text string, l Layout) (rows []got, blank int64) {
	at := l.Start
	for {
		r := NewReader(iotest.OneByteReader(strings.NewReader(text[at.Offset:])), l, at)
		var row crm.Row
		err := r.Read(&row)
		blank += r.Blank()
		if errors.Is(err, io.EOF) {
			return rows, blank
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, keep(row))
		at = r.Position()
	}
}

func TestInvariant6AnyReaderGoesOnFromAnyRow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := dialectOf(t)
		text := anyText(t)
		if rapid.Bool().Draw(t, "well formed") {
			text, _, _ = generate(t, l)
		}
		want, wantBlank := readAll(t2(t), []byte(text), l)
		rows, blank := resumed(t2(t), text, l)
		if diff := cmp.Diff(want, rows); diff != "" || blank != wantBlank {
			t.Fatalf("text %q: blank %d, want %d; rows (-one reader +many)\n%s", text, blank, wantBlank, diff)
		}
	})
}

// TestInvariant1EveryLineAccountedFor follows the Position: every byte belongs
// to one row, faulty row or blank row, and lines are counted as they stand.
func TestInvariant1EveryLineAccountedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := dialectOf(t)
		account(t2(t), anyText(t), l)
	})
}

// account reads text and checks that nothing of it is lost or read twice.
func account(t testing.TB, text string, l Layout) {
	r := NewReader(strings.NewReader(text), l, l.Start)
	if l.End > 0 {
		text = text[:min(int64(len(text)), l.End)]
	}
	var row crm.Row
	at, blank := r.Position(), r.Blank()
	if strings.HasPrefix(text, bom8) {
		at.Offset = int64(len(bom8))
	}
	for {
		err := r.Read(&row)
		passed := text[at.Offset:r.Position().Offset]
		n := endsIn(passed, l)
		if !l.CR && r.Position().Offset == int64(len(text)) && strings.HasSuffix(passed, "\r") {
			n = r.Position().Line - at.Line // half a CRLF may end the last line
		}
		if r.Position().Line-at.Line != n {
			t.Fatal(fmt.Sprintf("passed %q: line %d to %d", passed, at.Line, r.Position().Line))
		}
		if errors.Is(err, io.EOF) {
			if r.Position().Offset != int64(len(text)) {
				t.Fatal(fmt.Sprintf("text %q ends at %d", text, r.Position().Offset))
			}
			if strings.TrimLeft(passed, "\" \t\v\f\r\n\u0085\u00A0"+l.Delimiter) != "" && r.Blank() == blank {
				t.Fatal(fmt.Sprintf("%q passed without a row", passed))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Line < at.Line || row.Line > r.Position().Line {
			t.Fatal(fmt.Sprintf("row of line %d in lines %d to %d", row.Line, at.Line, r.Position().Line))
		}
		if row.Line > at.Line && r.Blank() == blank {
			t.Fatal(fmt.Sprintf("lines %d to %d are lost", at.Line, row.Line))
		}
		if row.Fault == "" && len(row.Cells) != len(l.Header) {
			t.Fatal(fmt.Sprintf("line %d: %d cells without a fault", row.Line, len(row.Cells)))
		}
		at, blank = r.Position(), r.Blank()
	}
}

// TestOneDamagedLineHarmsNoNeighbour damages one line in one way and looks at
// all the others.
func TestOneDamagedLineHarmsNoNeighbour(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := layout(4)
		l.Delimiter = rapid.SampledFrom([]string{",", ";", "|", "||", "::"}).Draw(t, "delimiter")
		l.Quote = rapid.SampledFrom([]string{"", "'"}).Draw(t, "quote")
		l.Backslash = rapid.Bool().Draw(t, "backslash")
		quote := string(rune(l.quote()))
		in := strings.NewReplacer(",", l.Delimiter, `"`, quote).Replace
		n := rapid.IntRange(3, 12).Draw(t, "rows")
		broken := rapid.IntRange(0, n-1).Draw(t, "broken")
		lines := make([]string, n)
		for i := range lines {
			lines[i] = in(fmt.Sprintf(`%d,plain,"quoted, %d","say ""%d"""`, i, i, i))
			if l.Backslash {
				lines[i] = strings.ReplaceAll(lines[i], quote+quote, `\`+quote)
			}
		}
		// The first of these opens a quoted cell that swallows the next line up
		// to its first quote; the second closes one too early; and so on.
		damaged := []string{
			`7,"plain,"quoted, 7","say ""7"""`, `7,plain,"quoted, 7,"say ""7"""`, `7,plain,quoted, 7","say ""7"""`,
			`7,plain,"quoted, 7","say ""7""`, `7,plain,"quoted, 7","say "7"""`, `7,plain,"quoted, 7","`, `"7,plain,"quoted, 7","x"`,
			`7plain"quoted, 7","say ""7"""`, `7,plain,"quoted, 7"`, `7,plain,"quoted, 7"x,y`, `7,pl"ain,x,y`,
			"7,plain,\xC3,y", "7,pl\x00ain,x,y", `7,plain,x,y,z`, `7`, `7,plain,x,"`, `7,plain,x,"y`,
		}
		if l.Backslash {
			damaged = append(damaged, `7,plain,"quoted, 7\","x"`, `7,plain,x,"y\"`, `7,"plain\",x,"y"`, `7,plain,\"x,"y"`)
		}
		lines[broken] = in(rapid.SampledFrom(damaged).Draw(t, "damage"))
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		rows, _ := readAll(t2(t), []byte(strings.Join(lines, end)+end), l)
		if len(rows) != n {
			t.Fatalf("%d rows, want %d: %+v", len(rows), n, rows)
		}
		for i, row := range rows {
			want := []string{fmt.Sprint(i), "plain", in(fmt.Sprintf("quoted, %d", i)), in(fmt.Sprintf(`say "%d"`, i))}
			switch {
			case row.Line != int64(i+1):
				t.Fatalf("row %d is of line %d", i, row.Line)
			case i == broken && row.Fault == "":
				t.Fatalf("damaged line %d is read as %q", i+1, row.Cells)
			case i != broken && (row.Fault != "" || !slices.Equal(row.Cells, want)):
				t.Fatalf("line %d: %s %q, want %q", i+1, row.Fault, row.Cells, want)
			}
		}
	})
}

func TestReadingAllocatesNothingForARow(t *testing.T) {
	common := layout(4)
	rare := Layout{Delimiter: "||", Quote: "'", Backslash: true, Comment: "#", Pad: true, Header: make([]string, 4)}
	for _, tt := range []struct {
		text string
		l    Layout
	}{
		{"1,plain,\"quoted, cell\",\"say \"\"x\"\"\"\r\n", common},
		{"1||plain||'quoted|| \\'cell\\''\r\n# x\r\n", rare},
	} {
		r := NewReader(strings.NewReader(strings.Repeat(tt.text, 20_000)), tt.l, tt.l.Start)
		var row crm.Row
		must(t, r.Read(&row))
		if n := testing.AllocsPerRun(10_000, func() { must(t, r.Read(&row)) }); n > 0 {
			t.Errorf("%v allocations for a row such as %q", n, tt.text)
		}
	}
}
