package tabular

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

// The dialects that a fuzzed number means, a few bits for each part.
var (
	fuzzDelimiters = []string{",", ";", "\t", "|", " ", "||", "::", "a,"}
	fuzzQuotes     = []string{"", "'", crm.NoneAtAll, "|"}
	fuzzComments   = []string{"", "#", "//", ","}
)

func fuzzLayout(columns uint8, dialect uint16) Layout {
	pick := func(bits uint16) int {
		n := int(dialect) & (1<<bits - 1)
		dialect >>= bits
		return n
	}
	l := layout(int(columns%8) + 1)
	l.Delimiter = fuzzDelimiters[pick(3)]
	l.Quote = fuzzQuotes[pick(2)]
	l.Comment = fuzzComments[pick(2)]
	l.Backslash, l.Pad, l.CR = pick(1) > 0, pick(1) > 0, pick(1) > 0
	l.Spare = pick(1)
	l.End = int64(pick(4))
	return l
}

func FuzzReader(f *testing.F) {
	for i, s := range []string{
		"a,b\nc,d\n", "a,\"b\nc,d\n", "\"a\r\nb\",c\r\n\r\n", "a\"b,c\rd,\"e\"\"\"\n", bom8 + "a,b", "\"\",\n,\"\n",
		"a,\xff\n\x00,b\n", "a,b\r\n\"c\",\"d\"x\r", ",,,\n\"\n\"\n", "\"a\",\"b\nc\",d\n\"",
		"a||b\n'c||\\'d'||e|\n#\n", "#x\r#\r\n'a''\\\\',", "//\n/,b\n\\\"a,\"\\\"\"\n", "a::b:\n:::\n",
	} {
		f.Add([]byte(s), uint8(2), uint16(0))
		f.Add([]byte(s), uint8(3), uint16(i*2503))
	}
	f.Fuzz(func(t *testing.T, text []byte, columns uint8, dialect uint16) {
		if len(text) > 2048 {
			return // a Reader for every row takes its time
		}
		l := fuzzLayout(columns, dialect)
		want, wantBlank := readAll(t, text, l)
		rows, blank := resumed(t, string(text), l)
		if diff := cmp.Diff(want, rows); diff != "" || blank != wantBlank {
			t.Errorf("blank %d, want %d; rows (-one reader +many)\n%s", blank, wantBlank, diff)
		}
		account(t, string(text), l)
	})
}

// FuzzSniff goes the whole way: what is accepted must be read to the end, and
// what is refused must be refused as invalid.
func FuzzSniff(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a;b\r1;2\r", "sep=|\na|b\n1|2\n", bom8 + "a\tb\n1\t2", "\xFF\xFEa\x00,\x00b\x00\n\x001\x00,\x002\x00",
		"a\n\xE9t\xE9\n", "a,,\n1,,\n", "\"a\nb\",c\n1,2\n", "PK\x03\x04", "\n\n a , b \n1,\"2\n",
	} {
		f.Add([]byte(s), "", "", "", "", "", uint8(0), false)
	}
	f.Add(pack(f, `<row><c><v>1</v></c></row><row><c t="b"><v>1</v></c></row>`, nil), "", "", "", "2", "#", uint8(1), false)
	f.Add([]byte("Report\n\na||b\n'1'||2\n#\nTotal||3\n"), "||", "'", "backslash", "3", "#", uint8(1), true)
	f.Add([]byte("1,2\r\n3,4\r\n5"), ",", "none", "", "none", "//", uint8(1), true)
	f.Fuzz(func(t *testing.T, b []byte, delimiter, quote, escape, header, comment string, footer uint8, pad bool) {
		if len(b) > 64<<10 {
			return
		}
		s := crm.Reading{Delimiter: delimiter, Quote: quote, Escape: escape, Header: header, Comment: comment, Footer: int(footer)}
		if pad {
			s.ShortRows = crm.PadShort
		}
		tab, err := readTable(t, b, s)
		if err != nil {
			if !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("not marked: %v", err)
			}
			return
		}
		checkTable(t, tab)
	})
}

// checkTable holds a table against what was promised of it.
func checkTable(t *testing.T, tab table) {
	l := tab.Layout
	if len(l.Header) == 0 || len(tab.Rows) == 0 {
		t.Errorf("layout %+v, %d rows", l, len(tab.Rows))
	}
	for _, d := range tab.Decisions {
		if d.About == "" || d.Choice == "" || !(d.Score >= 0 && d.Score <= 1) || strings.ContainsAny(d.Evidence, "\r\n") {
			t.Errorf("decision %+v", d)
		}
	}
	for _, row := range tab.Rows {
		if row.Line <= l.HeaderLine {
			t.Errorf("row of line %d, header on %d", row.Line, l.HeaderLine)
		}
	}
	if l.Numbered {
		return
	}
	l.Start = crm.Position{Line: 1}
	account(t, string(tab.Text), l)
}
