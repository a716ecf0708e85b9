package tabular

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
)

// shops are n rows of three columns; the first strays of them have quotes in
// their text.
func shops(n, strays int, delim string) string {
	var b strings.Builder
	for i := range n {
		text := "Shop"
		if i < strays {
			text = `Shop "1" 5" pipes`
		}
		fmt.Fprintf(&b, "%d%s%s%s2024-03-%02d\n", i, delim, text, delim, i%28+1)
	}
	return b.String()
}

func TestQuotesAreTextWhereNothingIsQuoted(t *testing.T) {
	t.Parallel()
	const header = "id\tname\tsince\n"
	for _, tt := range []struct {
		name, in string
		set      crm.Reading
		choice   string
		faulty   int
	}{
		{"in every row", header + shops(12, 12, "\t"), crm.Reading{}, "none", 0},
		{"semicolons", strings.ReplaceAll(header, "\t", ";") + shops(12, 12, ";"), crm.Reading{}, "none", 0},
		{"in a tenth", header + shops(40, 4, "\t"), crm.Reading{}, "none", 0},
		{"beyond the rows whose cells are kept", header + shops(900, 100, "\t"), crm.Reading{}, "none", 0},
		{"in the header too", "id\t5\" pipes\tsince\n" + shops(12, 12, "\t"), crm.Reading{}, "none", 0},
		{"below a title", "Shops of \"May\"\n" + header + shops(12, 12, "\t"), crm.Reading{}, "none", 0},
		{"no header, as set", shops(12, 12, "\t"), crm.Reading{Header: "none"}, "none", 0},
		{"the delimiter as set", header + shops(12, 12, "\t"), crm.Reading{Delimiter: "tab"}, "none", 0},
		{"two rows tell too little", header + shops(12, 2, "\t"), crm.Reading{}, `"`, 2},
		{"less than a tenth", header + shops(60, 3, "\t"), crm.Reading{}, `"`, 3},
		{"the quote as set", header + shops(12, 12, "\t"), crm.Reading{Quote: `"`}, `"`, 12},
		{"the escape as set", header + shops(12, 12, "\t"), crm.Reading{Escape: crm.EscapeDouble}, `"`, 12},
		{"a row is too wide", header + shops(12, 12, "\t") + "9\ta \"b\" c\td\te\n", crm.Reading{}, `"`, 13},
		{"one cell is quoted", header + shops(12, 11, "\t") + "9\t\"a\tb\"\tc\n", crm.Reading{}, `"`, 11},
		{"one cell stands in quotes", header + shops(12, 11, "\t") + "9\t\"a\"\tb\n", crm.Reading{}, `"`, 11},
		{"a quoted cell of two lines, each as wide", header + shops(12, 11, "\t") + "9\t\"a\tb\nc\td\"\te\n", crm.Reading{ShortRows: "pad"}, `"`, 11},
		{"quotes within quotes", header + strings.Repeat("1\t\"say \"yes\" to\"\t2\n", 5), crm.Reading{}, `"`, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, []byte(tt.in), tt.set)
			faulty := 0
			for _, r := range tab.Rows {
				if r.Fault != "" {
					faulty++
				}
			}
			d := decided(tab, "quote")
			if d.Choice != tt.choice || d.Evidence == "" || d.Score < 0 || d.Score > 1 || faulty != tt.faulty {
				t.Errorf("decision %+v, %d rows faulty; want %s, %d", d, faulty, tt.choice, tt.faulty)
			}
			text := slices.ContainsFunc(tab.Rows, func(r got) bool { return slices.Contains(r.Cells, `Shop "1" 5" pipes`) })
			if tt.choice == crm.NoneAtAll && (!text || d.Evidence == "as set" || d.Score < 0.7) {
				t.Errorf("decision %+v; the text was found: %v", d, text)
			}
		})
	}
}

// TestFaultyRowsDoNotMoveTheHeader has rows that no way of reading mends: they
// are the rows' faults and none of the header.
func TestFaultyRowsDoNotMoveTheHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		line     int64
		rows     int
	}{
		{"all rows", "id,name,since\n" + strings.Repeat("1,\"say \"yes\" to\",2\n", 12), 1, 12},
		{"most rows", "id,name,since\n" + shops(12, 10, ",") + "9,\"a,b\",2024-01-01\n", 1, 13},
		{"most rows, below a title", "Shops of May\nid,name,since\n9,\"a,b\",2024-01-01\n" + shops(12, 10, ","), 2, 13},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, []byte(tt.in), crm.Reading{})
			d := decided(tab, "quote")
			if tab.Layout.HeaderLine != tt.line || len(tab.Rows) != tt.rows || d.Choice != `"` || !strings.Contains(d.Evidence, "set quote to none") {
				t.Errorf("header on line %d, %d rows, decision %+v; want line %d, %d rows", tab.Layout.HeaderLine, len(tab.Rows), d, tt.line, tt.rows)
			}
		})
	}
	_, err := readTable(t, []byte("Shops of May\nid,name,since\n"+strings.Repeat("1,\"say \"yes\" to\",2\n", 12)), crm.Reading{})
	if err == nil || !strings.Contains(err.Error(), "line 2: the rows above are narrower") {
		t.Errorf("a title and faulty rows alone: %v", err)
	}
}
