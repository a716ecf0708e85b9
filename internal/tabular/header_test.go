package tabular

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

// people are n rows of three columns: a name, an address and a day.
func people(n int, delim string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Person %c%sp%d@example.com%s2024-03-%02d\n", 'A'+rune(i%26), delim, i, delim, i%28+1)
	}
	return b.String()
}

const names = "Name,E-mail,Since\n"

// decided returns the decision about something.
func decided(tab table, about string) crm.Decision {
	for _, d := range tab.Decisions {
		if d.About == about {
			return d
		}
	}
	return crm.Decision{}
}

func TestHeaderIsFoundBelowATitle(t *testing.T) {
	t.Parallel()
	semicolons := strings.ReplaceAll(names, ",", ";")
	for _, tt := range []struct {
		name, in, choice string
		first            int64
		rows             int
	}{
		{"no title", names + people(5, ","), "line 1", 2, 5},
		{"a title", "Customers of May\n" + names + people(5, ","), "line 2", 3, 5},
		{"a title and blank lines", "Customers of May\n\n\n" + names + people(5, ","), "line 4", 5, 5},
		{"a title as wide as the table", "Customers of May;;\nAs of: 2024-05-01;;\n;;\n" + semicolons + people(5, ";"), "line 4", 5, 5},
		{"lines of two cells", "Report:,Customers\nMade by:,Ada\n\n" + names + people(30, ","), "line 4", 5, 30},
		{"a title with quotes in it", "The \"May\" report\n" + names + people(5, ","), "line 2", 3, 5},
		{"one row below", "Customers\n" + names + people(1, ","), "line 2", 3, 1},
		{"a title and the line sep=", "sep=,\nCustomers\n" + names + people(5, ","), "line 3", 4, 5},
		{"years as names", "Customer,2023,2024\n" + "Ada,5.10,17\nBen,7.20,11\n", "line 1", 2, 2},
		{"one row like its names", "Name,E-mail,Since\nName,none@example.com,2024-01-01\n" + people(5, ","), "line 1", 2, 6},
		{"names alone tell nothing", "a,b\nx,y\nz,w\n", "line 1", 2, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, []byte(tt.in), crm.Reading{})
			d := decided(tab, "header")
			if d.Choice != tt.choice || d.Score <= 0.5 || d.Score > 1 || tab.Layout.Start.Line != tt.first || len(tab.Rows) != tt.rows {
				t.Errorf("decision %+v, first row on line %d, %d rows; want %s, %d, %d", d, tab.Layout.Start.Line, len(tab.Rows), tt.choice, tt.first, tt.rows)
			}
			if len(tab.Layout.Header) != len(tab.Rows[0].Cells) {
				t.Errorf("header %q", tab.Layout.Header)
			}
		})
	}
}

func TestHeaderInDoubtIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"values in the first row", people(5, ","), "line 1: the first row looks like values"},
		{"numbers in the first row", "1,Ada,Berlin\n2,Ben,Leeds\n3,Cleo,Lyon\n", "set header to none if it is a row, or to 1"},
		{"days that name their month", "Ada,Berlin,\"Jan 5, 2024\"\nBen,Leeds,\"Feb 6, 2024\"\n", "looks like values"},
		{"a header that nearly no row fits", "a,b\n" + people(19, ",") + "x,y\n", "line 1: the header has 2 columns, but most rows have 3 cells"},
		{"a header too wide for nearly all rows", "a,b,c,d\n" + people(19, ",") + "w,x,y,z\n", "19 of the first 20 rows do not fit it"},
		{"values that come again", "Ada,Berlin,Germany\nBen,Leeds,England\nCleo,Berlin,Germany\nDora,Berlin,Germany\nEd,Lyon,France\nFay,York,Wales\n", "looks like values"},
		{"two rows of two numbers", "1,2\n3,4\n", "looks like values"},
		{"a title above rows that tell nothing", "Customers\na,b,c\nd,e,f\ng,h,i\n", "line 2: the rows above are narrower"},
		{"a group of names above the names", "Contact,,Dates\nName,E-mail,Since\n" + people(5, ","), "lines 1 and 2 both look like names of columns; set header to the one that names every column, such as 2"},
		{"groups above a wide table", "Contact,,Dates,,,\nName,E-mail,Since,Until,City,Zip\nAda,a@b.example,2024-01-01,2024-02-01,Ulm,1\nBen,b@b.example,2024-01-01,2024-02-01,Ulm,2\n", "lines 1 and 2 both look like names"},
		{"two rows of names", "name,email,since\nName,E-Mail,Since\n" + people(5, ","), "lines 1 and 2 both look like names"},
		{"technical names and names for people", "cust_name,mail_1,d_from\nFull name,Address,Customer since\n" + people(5, ","), "lines 1 and 2 both look like names"},
		{"a damaged header", "Name,\"E-mail,Since\n" + people(5, ","), "line 1: the header is damaged (stray_quote)"},
		{"a damaged header below a title", "Customers\nName,E\"mail,Since\n" + people(5, ","), "damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := readTable(t, []byte(tt.in), crm.Reading{})
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want ErrInvalid and %q", err, tt.want)
			}
			for _, cell := range []string{"Ada", "Person", "example", "Contact", "Customers", "mail"} {
				if strings.Contains(err.Error(), cell) {
					t.Errorf("%v holds a cell", err)
				}
			}
		})
	}
}

func TestHeaderIsTakenAsSet(t *testing.T) {
	t.Parallel()
	far := strings.Repeat("a long line above the header\n", 20_000)
	for _, tt := range []struct {
		name, in string
		set      crm.Reading
		choice   string
		header   []string
		lines    []int64
	}{
		{"none", "1,Ada\n2,Ben\n", crm.Reading{Header: "none"}, "none", []string{"column 1", "column 2"}, []int64{1, 2}},
		{"none, behind a mark", bom8 + "1,Ada\n2,Ben\n", crm.Reading{Header: "none"}, "none", []string{"column 1", "column 2"}, []int64{1, 2}},
		{"none, blank columns", "1,,\n2,Ben,\n", crm.Reading{Header: "none"}, "none", []string{"column 1", "column 2"}, []int64{1, 2}},
		{"none, blank rows first", "\n1,Ada\n2,Ben\n", crm.Reading{Header: "none"}, "none", []string{"column 1", "column 2"}, []int64{2, 3}},
		{"none, one column", "Ada\nBen\n", crm.Reading{Header: "none"}, "none", []string{"column 1"}, []int64{1, 2}},
		{"the first of values", "1,Ada\n2,Ben\n", crm.Reading{Header: "1"}, "line 1", []string{"1", "Ada"}, []int64{2}},
		{"the second of two", "Contact,,\nName,E-mail,Since\n" + people(1, ","), crm.Reading{Header: "2"}, "line 2", []string{"Name", "E-mail", "Since"}, []int64{3}},
		{"the first of two", "a,b\nc,d\n", crm.Reading{Header: "1"}, "line 1", []string{"a", "b"}, []int64{2}},
		{"below a quote that never ends", "The \"report\n\"of May\na;b\n1;2\n", crm.Reading{Header: "3"}, "line 3", []string{"a", "b"}, []int64{4}},
		{"lines that end in CR", "title\ra;b\r1;2\r", crm.Reading{Header: "2"}, "line 2", []string{"a", "b"}, []int64{3}},
		{"beyond the sample", far + "a;b\n1;2\n", crm.Reading{Header: "20001"}, "line 20001", []string{"a", "b"}, []int64{20002}},
		{"behind a comment", "# a,b\nc,d\n#\n1,2\n", crm.Reading{Header: "2", Comment: "#"}, "line 2", []string{"c", "d"}, []int64{4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, []byte(tt.in), tt.set)
			if diff := cmp.Diff(tt.header, tab.Layout.Header); diff != "" {
				t.Errorf("header (-want +got)\n%s", diff)
			}
			var lines []int64
			for _, row := range tab.Rows {
				lines = append(lines, row.Line)
				if row.Fault != "" {
					t.Errorf("line %d: %s", row.Line, row.Fault)
				}
			}
			d := decided(tab, "header")
			if !cmp.Equal(lines, tt.lines) || d.Choice != tt.choice || d.Score != 1 || !strings.HasPrefix(d.Evidence, "as set") {
				t.Errorf("rows on lines %v, want %v; decision %+v", lines, tt.lines, d)
			}
		})
	}
	for _, tt := range []struct{ in, set, want string }{
		{"a,b\n1,2\n", "9", "the file has no line 9"},
		{"a,b\n\n1,2\n", "2", "line 2 is blank"},
		{"sep=;\na;b\n1;2\n", "1", "line 1 names the delimiter"},
		{"a,b\n1,2\n", "2", "a header and no rows"},
		{"a,a\n1,2\n", "1", "columns 1 and 2 have the same name"},
		{"a,\"b\n1,2\n3,4\n", "1", "line 1: the header is damaged"},
		{"\n\n", "none", "no rows"},
	} {
		if _, err := readTable(t, []byte(tt.in), crm.Reading{Header: tt.set}); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("header %s of %q: %v, want %q", tt.set, tt.in, err, tt.want)
		}
	}
}

func TestHeaderOfASheetIsItsRow(t *testing.T) {
	t.Parallel()
	text := func(cells ...string) string {
		var b strings.Builder
		for _, c := range cells {
			fmt.Fprintf(&b, `<c t="inlineStr"><is><t>%s</t></is></c>`, c)
		}
		return "<row>" + b.String() + "</row>"
	}
	sheet := pack(t, text("Report of May")+text()+text("Name", "E-mail", "City")+text("Ada", "a@b.example", "Ulm")+
		text("# not a row", "x", "y")+strings.Repeat(text("Ben", "b@b.example", "Ulm"), 9)+text("Total"), nil)
	tab := mustRead(t, sheet, crm.Reading{})
	if tab.Layout.HeaderLine != 3 || len(tab.Rows) != 12 || decided(tab, "footer").Choice != "none" {
		t.Errorf("header on row %d, %d rows, %+v", tab.Layout.HeaderLine, len(tab.Rows), tab.Decisions)
	}
	tab = mustRead(t, sheet, crm.Reading{Header: "3", Footer: 1, Comment: "#"})
	if tab.Layout.HeaderLine != 3 || len(tab.Rows) != 10 || tab.Blank != 1 {
		t.Errorf("header on row %d, %d rows, %d blank", tab.Layout.HeaderLine, len(tab.Rows), tab.Blank)
	}
	tab = mustRead(t, sheet, crm.Reading{Header: "none"})
	if tab.Layout.Header[2] != "column 3" || len(tab.Rows) != 14 {
		t.Errorf("header %q, %d rows", tab.Layout.Header, len(tab.Rows))
	}
	if _, err := readTable(t, sheet, crm.Reading{Header: "2"}); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "line 2 is blank") {
		t.Errorf("a blank row: %v", err)
	}
}

func TestFooterIsCutOnlyWhenSet(t *testing.T) {
	t.Parallel()
	body := names + people(40, ",")
	many := names + people(30_000, ",")
	for _, tt := range []struct {
		name, in string
		footer   int
		rows     int
		choice   string
		evidence string
	}{
		{"none", body, 0, 40, "", ""},
		{"totals in English", body + "Total,,40\n", 0, 41, "none", "line 42 looks like totals or a report's last lines; set footer to 1"},
		{"totals in German", body + "Gesamtsumme:,,40\n", 0, 41, "none", "set footer to 1"},
		{"totals far behind", many + "Total,,\n", 0, 30_001, "none", "line 30002 looks"},
		{"a report's last lines", body + "\nConfidential\nMade by the system\n", 0, 42, "none", "lines 43 to 44 look like"},
		{"a customer called Total", body + "Total,total@example.com,2024-01-01\n", 0, 41, "", ""},
		{"one row as set", body + "Total,,40\n", 1, 40, "1 row", "as set; from line 42 on"},
		{"two rows as set", body + "\nConfidential\nMade by the system\n\n", 2, 40, "2 rows", "as set; from line 43 on"},
		{"far behind as set", many + "Total,,\n", 1, 30_000, "1 row", "as set; from line 30002 on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, []byte(tt.in), crm.Reading{Footer: tt.footer})
			d := decided(tab, "footer")
			if len(tab.Rows) != tt.rows || d.Choice != tt.choice || !strings.Contains(d.Evidence, tt.evidence) {
				t.Errorf("%d rows, want %d; decision %+v", len(tab.Rows), tt.rows, d)
			}
		})
	}
	if _, err := readTable(t, []byte("a,b\n1,2\n3,4\n"), crm.Reading{Footer: 2}); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("a footer that leaves no row: %v", err)
	}
}
