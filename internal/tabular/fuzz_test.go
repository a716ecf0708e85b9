package tabular

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"a,b\nc,d\n", "a,\"b\nc,d\n", "\"a\r\nb\",c\r\n\r\n", "a\"b,c\rd,\"e\"\"\"\n", bom8 + "a,b", "\"\",\n,\"\n",
		"a,\xff\n\x00,b\n", "a,b\r\n\"c\",\"d\"x\r", ",,,\n\"\n\"\n", "\"a\",\"b\nc\",d\n\"",
	} {
		f.Add([]byte(s), uint8(2), false)
		f.Add([]byte(s), uint8(3), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, columns uint8, cr bool) {
		if len(text) > 2048 {
			return // a Reader for every row takes its time
		}
		l := layout(int(columns%8) + 1)
		l.CR = cr
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
		f.Add([]byte(s))
	}
	f.Add(pack(f, `<row><c><v>1</v></c></row><row><c t="b"><v>1</v></c></row>`, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		tab, err := readTable(t, b, crm.Reading{})
		if err != nil {
			if !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("not marked: %v", err)
			}
			return
		}
		if len(tab.Layout.Header) == 0 || len(tab.Rows) == 0 {
			t.Errorf("layout %+v, %d rows", tab.Layout, len(tab.Rows))
		}
		if !tab.Layout.Numbered {
			l := tab.Layout
			account(t, string(tab.Text), Layout{Delimiter: l.Delimiter, CR: l.CR, Header: l.Header, Start: crm.Position{Line: 1}})
		}
	})
}
