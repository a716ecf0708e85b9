package tabular

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"sluice/internal/crm"
)

func encoded(t *testing.T, e encoding.Encoding, s string) []byte {
	t.Helper()
	b, err := e.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wide(s string, big bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

func wide32(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8), byte(r>>16), 0)
	}
	return b
}

// turned reverses the bytes of every character of UTF-32.
func turned(b []byte) []byte {
	for i := 0; i < len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	return b
}

// japanText has one ASCII character in five.
const japanText = "顧客名前,都道府県\n山田太郎様,東京都千代田区\n鈴木花子様,大阪府大阪市北区\n"

func TestEncodingIsFound(t *testing.T) {
	t.Parallel()
	const text = "Name;Stadt\r\nJörg Weiß;Zürich\r\n\"Ñandú \r\n„x“\";Łódź 😀\r\n"
	latin := strings.ReplaceAll(text, "Łódź 😀", "São Paulo €")
	for _, tt := range []struct {
		name     string
		in       []byte
		settings crm.Reading
		want     string
		text     string
	}{
		{"UTF-8", []byte(text), crm.Reading{}, "utf-8", text},
		{"UTF-8 with a mark", []byte(bom8 + text), crm.Reading{}, "utf-8", text},
		{"UTF-16 LE", wide("\uFEFF"+text, false), crm.Reading{}, "utf-16le", text},
		{"UTF-16 BE", wide("\uFEFF"+text, true), crm.Reading{}, "utf-16be", text},
		{"UTF-16 LE without a mark", wide(text, false), crm.Reading{}, "utf-16le", text},
		{"UTF-16 BE without a mark", wide(text, true), crm.Reading{}, "utf-16be", text},
		{"UTF-16 as set, its order in the mark", wide("\uFEFF"+text, true), crm.Reading{Encoding: "UTF-16"}, "utf-16be", text},
		{"UTF-32 LE", wide32("\uFEFF" + text), crm.Reading{}, "utf-32le", text},
		{"UTF-32 LE without a mark", wide32(text), crm.Reading{}, "utf-32le", text},
		{"UTF-32 BE", turned(wide32("\uFEFF" + text)), crm.Reading{}, "utf-32be", text},
		{"UTF-32 BE without a mark", turned(wide32(text)), crm.Reading{}, "utf-32be", text},
		{"UTF-16 LE of Japanese without a mark", wide(japanText, false), crm.Reading{}, "utf-16le", japanText},
		{"UTF-16 BE of Japanese without a mark", wide(japanText, true), crm.Reading{}, "utf-16be", japanText},
		{"Mac Roman", encoded(t, charmap.Macintosh, latin), crm.Reading{Encoding: "macintosh"}, "macintosh", latin},
		{"that of DOS", encoded(t, charmap.CodePage850, "Name;Stadt\nJörg;Köln\n"), crm.Reading{Encoding: "cp850"}, "ibm850", "Name;Stadt\nJörg;Köln\n"},
		{"Windows-1252", encoded(t, charmap.Windows1252, latin), crm.Reading{}, "windows-1252", latin},
		{"Windows-1252 by the name of Latin 1", encoded(t, charmap.Windows1252, latin), crm.Reading{Encoding: "ISO-8859-1"}, "windows-1252", latin},
		{"Shift_JIS if told", encoded(t, japanese.ShiftJIS, "a;b\n東京;大阪\n"), crm.Reading{Encoding: "Shift_JIS"}, "shift_jis", "a;b\n東京;大阪\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, tt.in, tt.settings)
			if tab.Format.Encoding != tt.want {
				t.Errorf("encoding %q, want %q", tab.Format.Encoding, tt.want)
			}
			if text := strings.TrimPrefix(string(tab.Text), bom8); text != tt.text {
				t.Errorf("text %q, want %q", text, tt.text)
			}
			for _, row := range tab.Rows {
				if row.Fault != "" {
					t.Errorf("line %d: %s", row.Line, row.Fault)
				}
			}
		})
	}
}

func TestUndecodableBytesAreAFaultOfTheirRow(t *testing.T) {
	t.Parallel()
	half := wide("a,b\nx,y\n1,2\n3,4\n", false)
	half[12+1] = 0xD8 // x becomes half a surrogate pair
	half[12+1], half[8+1] = 0, 0xD8
	for _, tt := range []struct {
		name string
		in   []byte
		set  string
	}{
		{"UTF-8", []byte("a,b\n\xC3\x28,y\n1,2\n3,4\n"), "utf-8"},
		{"Windows-1252", []byte("a,b\n\x81,y\n1,2\n3,4\n"), "windows-1252"},
		{"Shift_JIS", []byte("a,b\n\x85\xFF,y\n1,2\n3,4\n"), "shift_jis"},
		{"UTF-16", half, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, tt.in, crm.Reading{Encoding: tt.set})
			want := []crm.Reason{crm.ReasonBadEncoding, "", ""}
			var got []crm.Reason
			for _, row := range tab.Rows {
				got = append(got, row.Fault)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("faults (-want +got)\n%s", diff)
			}
		})
	}
	t.Run("UTF-16 cut within a character", func(t *testing.T) {
		t.Parallel()
		in := wide("a,b\nx,y\n1,2", false)
		tab := mustRead(t, in[:len(in)-1], crm.Reading{Encoding: "utf-16le"})
		if last := tab.Rows[len(tab.Rows)-1]; last.Line != 3 || last.Fault != crm.ReasonBadEncoding {
			t.Errorf("last row %+v", last)
		}
	})
}

func TestDamagedUTF8IsNotTakenForAnotherEncoding(t *testing.T) {
	t.Parallel()
	tab := mustRead(t, []byte("a,b\nJörg,Zürich\nWei\xDF,x\nñ,ø\n"), crm.Reading{})
	if tab.Format.Encoding != utf8Name || tab.Rows[1].Fault != crm.ReasonBadEncoding {
		t.Errorf("encoding %q, rows %+v", tab.Format.Encoding, tab.Rows)
	}
}

func TestDialectIsFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		in    string
		set   crm.Reading
		delim string
		want  []string
		first int64
	}{
		{"comma", "a,b\n1,2\n", crm.Reading{}, ",", []string{"a", "b"}, 2},
		{"semicolon with decimal commas", "a;b;c\n1,5;2,5;3\n4,5;5,5;6\n", crm.Reading{}, ";", []string{"a", "b", "c"}, 2},
		{"tab", "a\tb\n1,2\t3\n", crm.Reading{}, "\t", []string{"a", "b"}, 2},
		{"bar", "a|b|c\n1|2,3|4;5\n", crm.Reading{}, "|", []string{"a", "b", "c"}, 2},
		{"delimiters in quotes", "name,note\nx,\"a;b;c\"\ny,\"d;e\nf;g\"\n", crm.Reading{}, ",", []string{"name", "note"}, 2},
		{"one column", "email\na@b.example\nc@d.example\n", crm.Reading{}, ",", []string{"email"}, 2},
		{"one column with commas here and there", "note\nhello, world\nx\ny, z, a\n", crm.Reading{}, ";", []string{"note"}, 2},
		{"sep line", "sep=|\r\na|b,c\r\n1|2\r\n", crm.Reading{}, "|", []string{"a", "b,c"}, 3},
		{"sep line and mark", bom8 + "SEP=;\na;b\n1;2\n", crm.Reading{}, ";", []string{"a", "b"}, 3},
		{"as set", "a,b;c\n1;2,3\n", crm.Reading{Delimiter: ";"}, ";", []string{"a,b", "c"}, 2},
		{"tab by name", "a\tb,c\n1\t2\n", crm.Reading{Delimiter: "tab"}, "\t", []string{"a", "b,c"}, 2},
		{"CR only", "a;b\r1;2\r3;4\r", crm.Reading{}, ";", []string{"a", "b"}, 2},
		{"header of several lines", "\"lead\nstatus\",b\n1,2\n", crm.Reading{}, ",", []string{"lead\nstatus", "b"}, 3},
		{"blank rows above the header", "\n,,\na,b\n1,2\n", crm.Reading{}, ",", []string{"a", "b"}, 4},
		{"blank columns at the end", "a,b,,\n1,2,,\n3,4,,\n", crm.Reading{}, ",", []string{"a", "b"}, 2},
		{"unnamed columns with values stay", "a,,b,\n1,2,3,4\n", crm.Reading{}, ",", []string{"a", "", "b", ""}, 2},
		{"a trailing delimiter in the header alone", "a,b,\n1,2\n3,4\n", crm.Reading{}, ",", []string{"a", "b"}, 2},
		{"white space around names", " a , b\n1,2\n", crm.Reading{}, ",", []string{"a", "b"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, []byte(tt.in), tt.set)
			l := tab.Layout
			if l.Delimiter != tt.delim || l.Start.Line != tt.first || !cmp.Equal(l.Header, tt.want) {
				t.Errorf("layout %+v, want %q %q from line %d", l, tt.delim, tt.want, tt.first)
			}
		})
	}
}

func TestDelimiterDecisionSaysWhy(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("id;name;city\n")
	for i := range 400 {
		fmt.Fprintf(&b, "%d;x, y;z\n", i)
	}
	b.WriteString("broken;row\n")
	tab := mustRead(t, []byte(b.String()), crm.Reading{})
	d := tab.Decisions[2]
	if d.About != "delimiter" || d.Choice != ";" || d.Evidence != "400 of 401 rows have 3 cells" || d.Score < 0.9 || d.Score >= 1 {
		t.Errorf("decision %+v", d)
	}
}

func TestMixedLineEndsAreReadByTheEvidence(t *testing.T) {
	t.Parallel()
	tab := mustRead(t, []byte("a,b\r1,2\r3,4\n5,6\r\n7,8\r"), crm.Reading{})
	if len(tab.Rows) != 4 || !tab.Layout.CR || tab.Rows[3].Line != 5 {
		t.Errorf("rows %+v", tab.Rows)
	}
	tab = mustRead(t, []byte("a,b\n1,2\rx\n3,4\n5,6\n"), crm.Reading{})
	if len(tab.Rows) != 3 || tab.Layout.CR || tab.Rows[0].Cells[1] != "2\rx" {
		t.Errorf("rows %+v", tab.Rows)
	}
}

func TestWhatIsNoTableIsRefused(t *testing.T) {
	t.Parallel()
	binary := make([]byte, 4096)
	for i := range binary {
		binary[i] = byte(i * 7 % 32)
	}
	preamble := "Report of May\n" + strings.Repeat("1,2,3\n", 12)
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "the file is empty"},
		{"only a mark", bom8, "no rows"},
		{"only blank lines", "\n\n,,\n", "no rows"},
		{"header only", "a,b\n", "a header and no rows"},
		{"header and blank rows", "a,b\n,\n\n", "a header and no rows"},
		{"two columns of one name", "a,b,a\n1,2,3\n", `line 1: columns 1 and 3 have the same name; rename one`},
		{"a stray quote in the header", "a,b\"c\n1,2\n", "line 1: the header is damaged (stray_quote)"},
		{"a header that never ends", "\na,\"b\n1,2\n3,4\n", "line 2: the header is damaged (stray_quote)"},
		{"bytes in the header that are no text", "ä,ö,\xff\n1,2,3\n", "line 1: the header is damaged (bad_encoding)"},
		{"U+0000 in the header", "a,b\x00\n1,2\n", "line 1: the header is damaged (bad_character)"},
		{"a header that swallowed rows", "a,\"b\n1,\"\n2,3,4\n", "line 1: the header has 2 columns, and none of the first 1 rows fits it"},
		{"lines above the header", preamble, "line 1: the header has 1 column, but most rows have 3 cells; set header"},
		{"old workbook", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + string(binary), "password-protected or an old .xls workbook: save it as .xlsx"},
		{"PDF", "%PDF-1.7\n%\xE2\xE3", "a PDF document"},
		{"image", "\x89PNG\r\n\x1a\n", "an image"},
		{"gzip", "\x1F\x8B\x08\x00", "packed twice; unpack it first"},
		{"Parquet", "PAR1\x15\x04", "a Parquet file"},
		{"SQLite", "SQLite format 3\x00\x10", "an SQLite database"},
		{"web page", "\n <!DOCTYPE html><html>", "a web page"},
		{"web page in UTF-16", string(wide("\uFEFF<html><body>", false)), "a web page"},
		{"XML", `<?xml version="1.0"?><a/>`, "XML: save"},
		{"binary", string(binary), "a binary file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := readTable(t, []byte(tt.in), crm.Reading{})
			if err == nil || !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalid and %q", err, tt.want)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestBadSettingsAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []crm.Reading{{Encoding: "klingon"}, {Encoding: "replacement"}, {Delimiter: `"`}, {Delimiter: "\n"}, {Delimiter: "123456789"},
		{Delimiter: "'", Quote: "'"}, {Quote: `""`}, {Quote: "a"}, {Quote: "nothing"}, {Quote: " "}, {Escape: "slash"},
		{Escape: "backslash", Quote: "none"}, {Comment: "123456789"}, {Comment: `"`}, {Comment: " #"}, {Comment: ";;", Delimiter: ";"},
		{Header: "0"}, {Header: "-1"}, {Header: "first"}, {Footer: -1}, {Footer: 1_000_000}, {ShortRows: "cut"},
	} {
		if _, err := readTable(t, []byte("a,b\n1,2\n"), s); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", s, err)
		}
	}
}

func TestHeaderBeyondTheSampleIsFound(t *testing.T) {
	t.Parallel()
	in := strings.Repeat("\n", sampleSize+10) + "a,b\n" + strings.Repeat("\n", sampleSize) + "1,2\n"
	tab := mustRead(t, []byte(in), crm.Reading{})
	if tab.Layout.HeaderLine != sampleSize+11 || len(tab.Rows) != 1 || tab.Rows[0].Line != 2*sampleSize+12 {
		t.Errorf("header on line %d, rows %+v", tab.Layout.HeaderLine, tab.Rows)
	}
}

func TestSpareBlankCellsAreThoseOfTheHeaderOrOfMostRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"none":              {"a,b\n1,2\n3,4\n", 0},
		"of the header":     {"a,b,,\n1,2,,\n3,4\n", 2},
		"of most rows":      {"a,b\n1,2,\n3,4,\n5,6\n", 1},
		"of one row of two": {"a,b\n1,2,\n3,4\n", 0},
	} {
		l, _, err := Sniff(t.Context(), inMemory([]byte(c.text)), Format{Kind: KindCSV, Encoding: "utf-8"}, crm.Reading{})
		if err != nil || l.Spare != c.want || len(l.Header) != 2 {
			t.Errorf("%s: %d spare beside %d columns, %v; want %d beside 2", name, l.Spare, len(l.Header), err, c.want)
		}
	}
}
