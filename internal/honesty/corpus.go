package honesty

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"sluice/internal/crm"
)

// Corpus returns the text files of the corpus; the same for the same seed.
// Names are unique.
func Corpus(seed uint64) []Case {
	t := newTable(rand.New(rand.NewPCG(seed, 1)))
	var out []Case
	out = append(out, hits(t, standard, "comma")...)
	out = append(out, lines(t, standard, "comma")...)
	semicolons := dialect{delim: ";", quote: `"`, end: "\r\n", quoteAll: true}
	out = append(out, lines(t, semicolons, "semicolon, all quoted, CRLF")...)
	out = append(out, dialects(t)...)
	out = append(out, arounds(t)...)
	out = append(out, encodings(t)...)
	out = append(out, packings(t)...)
	return out
}

// dialects writes the table undamaged in every way that tables are written.
func dialects(t table) []Case {
	var out []Case
	for _, d := range []struct {
		delim, name string
		told        bool
	}{{",", "comma", false}, {";", "semicolon", false}, {"\t", "tab", false}, {"|", "bar", false}, {":", "colon", false},
		{"||", "two bars", true}, {"::", "two colons", true}, {"~", "tilde", true}} {
		for _, end := range []string{"\n", "\r\n", "\r"} {
			for _, all := range []bool{false, true} {
				dia := dialect{delim: d.delim, quote: `"`, end: end, quoteAll: all}
				c := t.write(dia).finish(fmt.Sprintf("dialect/%s, %q, all quoted %v", d.name, end, all), end)
				if d.told {
					c.Reading.Delimiter = d.delim
				}
				out = append(out, c)
			}
		}
	}
	space := t.plain().write(dialect{delim: " ", quote: `"`, end: "\n", quoteAll: true}).finish("dialect/space, told", "\n")
	space.Reading.Delimiter = "space"
	slash := dialect{delim: ",", quote: `"`, backslash: true, end: "\n", quoteAll: true}
	told := t.write(slash).finish("dialect/backslash, told", "\n")
	told.Reading.Escape = crm.EscapeSlash
	single := t.write(dialect{delim: ",", quote: "'", end: "\n"}).finish("dialect/single quotes, told", "\n")
	single.Reading.Quote = "'"
	none := t.plain().write(dialect{delim: "\t", end: "\n"}).finish("dialect/no quotes, told", "\n")
	none.Reading.Quote = crm.NoneAtAll
	out = append(out, space, told, single, none, t.write(slash).finish("dialect/backslash, guessed", "\n"))
	return append(append(out, unquoted(t)...), mixedEnds(t)...)
}

// unquoted writes tables without any quoting that hold quotes as text: in every
// row, in every third, and in the header too.
func unquoted(t table) []Case {
	t = t.plain()
	texts := []string{`Shop "1" 5" pipes`, `"Big" shop`, `5"`}
	var out []Case
	for _, d := range []struct{ delim, name string }{{"\t", "tab"}, {";", "semicolon"}} {
		for _, in := range []struct {
			name   string
			every  int
			header string
		}{{"every row", 1, "comment"}, {"every third row", 3, "comment"}, {"the header too", 1, `size 5"`}} {
			u := t.each(strings.Clone)
			u.header = append(append([]string{}, t.header[:4]...), in.header)
			for i := 0; i < len(u.rows); i += in.every {
				u.rows[i][4] = texts[i/in.every%len(texts)]
			}
			name := fmt.Sprintf("dialect/%s, no quoting, quotes in the text, %s", d.name, in.name)
			out = append(out, u.write(dialect{delim: d.delim, end: "\n"}).finish(name, "\n"))
		}
	}
	return out
}

// mixedEnds gives each row in turn another line end than the others have.
func mixedEnds(t table) []Case {
	var out []Case
	for at := range rowsInTable + 1 {
		f := t.write(standard)
		f.chunks[at].text = strings.TrimSuffix(f.chunks[at].text, "\n") + "\r\n"
		out = append(out, f.finish(fmt.Sprintf("dialect/CRLF in line %d alone", at), "\n"))
	}
	return out
}

// arounds puts something that is no row before or behind the table.
func arounds(t table) []Case {
	var out []Case
	add := func(name string, reading crm.Reading, refuse Refuse, do func(f *draft)) {
		f := t.write(standard)
		do(f)
		c := f.finish("around/"+name, "\n")
		c.Reading = reading
		if refuse != Never {
			c.Refuse = refuse
		}
		out = append(out, c)
	}
	above := func(text string) func(f *draft) { return func(f *draft) { f.insert(0, chunk{text: text}) } }
	below := func(text string) func(f *draft) { // a row of the right form is taken for one
		return func(f *draft) {
			f.chunks = append(f.chunks, chunk{text: text, row: strings.Split(strings.TrimSpace(text), ","), touched: true})
		}
	}
	add("sep line", crm.Reading{}, Never, above("sep=,\n"))
	add("sep line, quoted", crm.Reading{}, Never, above("\"sep=,\"\n"))
	for n := 1; n <= 3; n++ {
		text := strings.Repeat("Report of the sales team\n", n)
		add(fmt.Sprintf("%d lines above", n), crm.Reading{}, May, above(text))
		add(fmt.Sprintf("%d lines above, told", n), crm.Reading{Header: fmt.Sprint(n + 1)}, Never, above(text))
	}
	add("a title and a blank line above", crm.Reading{}, May, above("Leads\n\n"))
	add("lines with delimiters above, told", crm.Reading{Header: "3"}, Never, above("a,b\nc,d,e,f,g,h\n"))
	add("comments above", crm.Reading{Comment: "#"}, Never, above("# made by a program\n# in May, in haste\n"))
	add("comments between", crm.Reading{Comment: "#"}, Never, func(f *draft) { f.insert(4, chunk{text: "# the rest is older, \"quoted\n"}) })
	add("comments between, not told", crm.Reading{}, Never, func(f *draft) {
		f.insert(4, chunk{text: "# the rest is older\n", row: []string{"#"}, touched: true})
	})
	add("groups above the names", crm.Reading{}, Must, above("Customer,,Contact,,\n"))
	add("groups above the names, told", crm.Reading{Header: "2"}, Never, above("Customer,,Contact,,\n"))
	add("no header", crm.Reading{}, Must, func(f *draft) { f.chunks = f.chunks[1:] })
	add("no header, told", crm.Reading{Header: crm.NoneAtAll}, Never, func(f *draft) {
		f.chunks[0] = chunk{header: true, row: []string{"column 1", "column 2", "column 3", "column 4", "column 5"}}
	})
	add("total below", crm.Reading{}, Never, below("Total,,,12345,\n"))
	add("total below, told", crm.Reading{Footer: 1}, Never, func(f *draft) { f.chunks = append(f.chunks, chunk{text: "Total,,,12345,\n"}) })
	add("short total below", crm.Reading{}, Never, below("Total: 9 rows\n"))
	add("two lines and blanks below, told", crm.Reading{Footer: 2}, Never, func(f *draft) {
		f.chunks = append(f.chunks, chunk{text: "\nTotal,,,12345,\n\nCopyright\n\n"})
	})
	add("trailing empty columns everywhere", crm.Reading{}, Never, func(f *draft) {
		for i := range f.chunks {
			f.chunks[i].text = strings.TrimSuffix(f.chunks[i].text, "\n") + ",,\n"
		}
	})
	add("trailing delimiter in the rows alone", crm.Reading{}, Never, func(f *draft) {
		for i := range f.chunks[1:] {
			f.chunks[i+1].text = strings.TrimSuffix(f.chunks[i+1].text, "\n") + ",\n"
		}
	})
	add("trailing delimiter in one row", crm.Reading{}, Never, func(f *draft) {
		f.chunks[4].text, f.chunks[4].touched = strings.TrimSuffix(f.chunks[4].text, "\n")+",\n", true
	})
	for _, at := range []int{1, 5, rowsInTable} {
		add(fmt.Sprintf("short row %d, padded", at), crm.Reading{ShortRows: crm.PadShort}, Never, func(f *draft) {
			f.chunks[at].row = append(append([]string{}, f.chunks[at].row[:2]...), "", "", "")
			f.chunks[at].text = standard.row(f.chunks[at].row[:2]) + "\n"
		})
	}
	add("two columns of one name", crm.Reading{}, Must, func(f *draft) { f.chunks[0].text = "id,email,name,email,comment\n" })
	add("a column without a name", crm.Reading{}, Never, func(f *draft) {
		f.chunks[0].text, f.chunks[0].row = "id,email,,amount,comment\n", []string{"id", "email", "", "amount", "comment"}
	})
	return out
}

// packings wraps the table up, and cuts the wrapping.
func packings(t table) []Case {
	whole := t.write(standard).finish("", "\n")
	var out []Case
	add := func(name string, refuse Refuse, file []byte) {
		c := whole
		c.Name, c.File, c.Refuse = "packed/"+name, file, refuse
		out = append(out, c)
	}
	var gz, zs, zi, two bytes.Buffer
	g := gzip.NewWriter(&gz)
	must(g.Write(whole.File))
	must(0, g.Close())
	z, err := zstd.NewWriter(&zs)
	must(0, err)
	must(z.Write(whole.File))
	must(0, z.Close())
	archive(&zi, whole.File, "leads.csv")
	archive(&two, whole.File, "leads.csv", "more.csv")
	add("gzip", Never, gz.Bytes())
	add("zstd", Never, zs.Bytes())
	add("zip", Never, zi.Bytes())
	add("zip of two files", Must, two.Bytes())
	for _, p := range []struct {
		name string
		b    []byte
	}{{"gzip", gz.Bytes()}, {"zstd", zs.Bytes()}, {"zip", zi.Bytes()}} {
		for _, part := range []int{4, 2} {
			add(fmt.Sprintf("%s, cut to 1/%d", p.name, part), Must, p.b[:len(p.b)/part])
		}
		add(p.name+", last bytes missing", Must, p.b[:len(p.b)-3])
		hurt := bytes.Clone(p.b)
		hurt[len(hurt)/2] ^= 0x55
		add(p.name+", a byte changed", Must, hurt)
	}
	return out
}

func archive(to *bytes.Buffer, text []byte, names ...string) {
	z := zip.NewWriter(to)
	for _, name := range names {
		w, err := z.Create(name)
		must(0, err)
		must(w.Write(text))
	}
	must(0, z.Close())
}

// must is for writing to memory, which does not fail.
func must(_ int, err error) {
	if err != nil {
		panic(err)
	}
}

// encodings writes the table in every encoding, with words that belong there.
func encodings(t table) []Case {
	type in struct {
		name    string
		enc     encoding.Encoding
		set     string // where it has to be told
		samples string
	}
	latin := "Zoë Müller, José Ñandú, François Lefèvre, Gräfin Ängström, Übersee, naïve café"
	cyrillic := "Анна Иванова, Москва, Общество, Пётр Сергеевич Кузнецов, Санкт-Петербург"
	japan := "山田太郎、東京都千代田区、株式会社みどり、佐藤花子、お問い合わせ"
	china := "王小明，北京市朝阳区，有限公司，上海浦东新区，客户信息管理"
	taiwan := "王小明，台北市信義區，有限公司，客戶資料管理，電子郵件"
	korea := "김철수, 서울특별시 강남구, 주식회사 한국, 고객 관리, 전자 우편"
	le, be := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	var out []Case
	for _, e := range []in{
		{"utf-8", encoding.Nop, "", latin + japan},
		{"utf-8 with mark", unicode.UTF8BOM, "", latin},
		{"utf-16le with mark", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "", latin},
		{"utf-16be with mark", unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "", cyrillic},
		{"utf-16le", le, "", latin}, {"utf-16be", be, "", latin}, {"utf-16le, cyrillic", le, "", cyrillic}, {"utf-16be, japanese", be, "", japan},
		{"utf-32le with mark", utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "", latin},
		{"utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), "", latin}, {"utf-32be", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "", japan},
		{"windows-1252", charmap.Windows1252, "", latin}, {"iso-8859-1", charmap.ISO8859_1, "", latin},
		{"windows-1251", charmap.Windows1251, "", cyrillic}, {"koi8-r", charmap.KOI8R, "", cyrillic}, {"macintosh", charmap.Macintosh, "", latin},
		{"shift_jis", japanese.ShiftJIS, "", japan}, {"euc-jp", japanese.EUCJP, "", japan}, {"gb18030", simplifiedchinese.GB18030, "", china},
		{"big5", traditionalchinese.Big5, "", taiwan}, {"euc-kr", korean.EUCKR, "", korea},
		{"windows-1250", charmap.Windows1250, "windows-1250", "Žluťoučký kůň, Łódź, Škoda, Dvořák"},
		{"cp437", charmap.CodePage437, "", "Müller, José, Ångström"},
	} {
		words := strings.FieldsFunc(e.samples, func(r rune) bool { return strings.ContainsRune(",、，", r) })
		k := 0
		t := t.ascii()
		for i := range t.rows {
			t.rows[i][2] = strings.TrimSpace(words[k%len(words)])
			t.rows[i][4] = strings.TrimSpace(words[(k+1)%len(words)]) + " " + t.rows[i][4]
			k++
		}
		for _, told := range []bool{false, true} {
			if told && (strings.Contains(e.name, " ") || e.name == "cp437") {
				continue
			}
			c := t.write(standard).finish("encoding/"+e.name, "\n")
			text, err := e.enc.NewEncoder().Bytes(c.File)
			if err != nil {
				panic(fmt.Sprintf("%s: %v", e.name, err))
			}
			// A guess may be declined, but not be wrong: only what marks itself
			// must be read untold.
			c.File, c.Refuse = text, May
			if strings.HasPrefix(e.name, "utf-") {
				c.Refuse = Never
			}
			if told {
				c.Name += ", told"
				c.Reading.Encoding, c.Refuse = e.name, Never
			}
			out = append(out, c)
		}
	}
	return out
}
