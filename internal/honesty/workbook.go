package honesty

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Workbooks returns the workbooks of the corpus; the same for the same seed.
// They are made part by part, so that each can be wrong in its own way.
func Workbooks(seed uint64) []Case {
	t := newTable(rand.New(rand.NewPCG(seed, 2)))
	var out []Case
	for _, h := range cellHits {
		for _, p := range places[1:] {
			for _, column := range []int{0, 2, len(t.header) - 1} {
				b := newBook(t)
				b.cell(p.at, column, h.xml, h.means, h.touches)
				b.refuse = h.refuse
				out = append(out, b.finish(fmt.Sprintf("sheet/%s/%s/column %d", h.name, p.name, column)))
			}
		}
	}
	for _, h := range rowHits {
		for _, p := range places[1:] {
			b := newBook(t)
			h.do(b, p.at)
			out = append(out, b.finish(fmt.Sprintf("sheet/%s/%s", h.name, p.name)))
		}
	}
	return append(out, books(t)...)
}

// cellHits are ways to write one cell. means is the text that an owner sees
// there; where a hit touches, the row may only be reported.
var cellHits = []struct {
	name, xml, means string
	touches          bool
	refuse           Refuse // where it is no XML any more
}{
	{name: "an error", xml: `<c r="%s" t="e"><v>#N/A</v></c>`, touches: true},
	{name: "a division by zero", xml: `<c r="%s" t="e"><f>1/0</f><v>#DIV/0!</v></c>`, touches: true},
	{name: "a formula never reckoned", xml: `<c r="%s"><f>A1+B1</f></c>`, touches: true},
	{name: "a shared string that is not there", xml: `<c r="%s" t="s"><v>9999</v></c>`, touches: true},
	{name: "a shared string with no number", xml: `<c r="%s" t="s"><v>x</v></c>`, touches: true},
	{name: "a cell of 32,768 characters", xml: `<c r="%s" t="inlineStr"><is><t>` + strings.Repeat("a", 32_768) + `</t></is></c>`, touches: true},
	{name: "a type that is none", xml: `<c r="%s" t="zz"><v>1</v></c>`, touches: true},
	{name: "a zero byte by its number", xml: `<c r="%s" t="inlineStr"><is><t>a&#0;b</t></is></c>`, touches: true, refuse: May},
	{name: "an unknown entity", xml: `<c r="%s" t="inlineStr"><is><t>a&who;b</t></is></c>`, touches: true, refuse: May},
	{name: "an inline text", xml: `<c r="%s" t="inlineStr"><is><t>text</t></is></c>`, means: "text"},
	{name: "rich text", xml: `<c r="%s" t="inlineStr"><is><r><rPr><b/></rPr><t>te</t></r><r><t xml:space="preserve">xt </t></r></is></c>`, means: "text "},
	{name: "phonetic text", xml: `<c r="%s" t="inlineStr"><is><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></is></c>`, means: "東京"},
	{name: "a formula's text", xml: `<c r="%s" t="str"><f>A1&amp;"x"</f><v>made</v></c>`, means: "made"},
	{name: "CDATA", xml: `<c r="%s" t="inlineStr"><is><t><![CDATA[a<b&c]]></t></is></c>`, means: "a<b&c"},
	{name: "references", xml: `<c r="%s" t="inlineStr"><is><t>a&amp;&lt;&#233;&#x20AC;&quot;</t></is></c>`, means: `a&<é€"`},
	{name: "an escaped line end", xml: `<c r="%s" t="inlineStr"><is><t>a_x000A_b</t></is></c>`, means: "a\nb"},
	{name: "a yes", xml: `<c r="%s" t="b"><v>1</v></c>`, means: "TRUE"},
	{name: "a number", xml: `<c r="%s"><v>1500</v></c>`, means: "1500"},
	{name: "a number with an exponent", xml: `<c r="%s"><v>1.5E3</v></c>`, means: "1500"},
	{name: "an id of 15 digits", xml: `<c r="%s"><v>123456789012345</v></c>`, means: "123456789012345"},
	{name: "an id kept as a float", xml: `<c r="%s"><v>1.23456789012345E14</v></c>`, means: "123456789012345"},
	{name: "a number with zeros in front", xml: `<c r="%s" s="1"><v>42</v></c>`, means: "00042"},
	{name: "digits kept as text", xml: `<c r="%s" t="inlineStr"><is><t>007</t></is></c>`, means: "007"},
	{name: "nothing", xml: `<c r="%s"/>`, means: ""},
	{name: "an empty text", xml: `<c r="%s" t="inlineStr"><is><t></t></is></c>`, means: ""},
	{name: "no reference", xml: `<c t="inlineStr"><is><t>text</t></is></c>`, means: "text"},
	{name: "a comment in the XML", xml: `<!-- > --><c r="%s" t="inlineStr"><is><t>te<!-- x -->xt</t></is></c>`, means: "text"},
	{name: "single quotes in the XML", xml: `<c t='inlineStr' r='%s' ><is><t>text</t></is></c >`, means: "text"},
}

// rowHits are ways to write one row.
var rowHits = []struct {
	name string
	do   func(b *book, at int)
}{
	{"a row without its number", func(b *book, at int) { b.rows[at].open = "<row>" }},
	{"a row of a number that is none", func(b *book, at int) {
		b.rows[at].open = `<row r="x">`
		b.rows[at].touched, b.refuse = true, May
	}},
	{"a row far below", func(b *book, at int) {
		b.rows[at].open = `<row r="2000000000">`
		b.refuse = Must
	}},
	{"a row number going back", func(b *book, at int) {
		b.rows[at].open = `<row r="1">`
		b.refuse = Must
	}},
	{"cells out of order", func(b *book, at int) {
		c := b.rows[at].cells
		c[1], c[3] = c[3], c[1]
		b.rows[at].touched, b.refuse = true, May
	}},
	{"a cell twice", func(b *book, at int) {
		b.rows[at].cells = append(b.rows[at].cells, b.rows[at].cells[4])
		b.rows[at].touched, b.refuse = true, May
	}},
	{"a cell far to the right", func(b *book, at int) {
		b.rows[at].cells = append(b.rows[at].cells, fmt.Sprintf(`<c r="ZZZ%d" t="inlineStr"><is><t>x</t></is></c>`, at+1))
		b.rows[at].touched, b.refuse = true, May
	}},
	{"a cell beside the table", func(b *book, at int) {
		b.rows[at].cells = append(b.rows[at].cells, fmt.Sprintf(`<c r="H%d" t="inlineStr"><is><t>x</t></is></c>`, at+1))
		b.rows[at].touched = true
	}},
	{"a hidden row", func(b *book, at int) { b.rows[at].open = fmt.Sprintf(`<row r="%d" hidden="1">`, at+1) }},
	{"a hidden row, left out by a setting", func(b *book, at int) {
		b.rows[at].open = fmt.Sprintf(`<row r="%d" hidden="1">`, at+1)
		b.rows[at].gone, b.skip = true, true
	}},
	{"a row of cells without references", func(b *book, at int) {
		for i, c := range b.rows[at].cells {
			b.rows[at].cells[i] = strings.Replace(c, fmt.Sprintf(` r="%s"`, ref(at, i)), "", 1)
		}
	}},
	{"an empty row before", func(b *book, at int) {
		for i := len(b.rows) - 1; i >= at; i-- {
			b.rows[i].shift++
		}
	}},
}

// books are workbooks that are wrong, or unusual, as a whole.
func books(t table) []Case {
	var out []Case
	add := func(name string, refuse Refuse, do func(b *book)) {
		b := newBook(t)
		b.refuse = refuse
		do(b)
		out = append(out, b.finish("book/"+name))
	}
	add("as it is", Never, func(*book) {})
	add("shared strings", Never, func(b *book) { b.shared = true })
	add("a prefix on every name", Never, func(b *book) { b.prefix = "x:" })
	add("strict", Never, func(b *book) { b.strict = true })
	add("an absolute target", Never, func(b *book) { b.target = "/xl/worksheets/sheet1.xml" })
	add("a target outside", May, func(b *book) { b.target = "../../../../etc/passwd" })
	add("a target that is not there", Must, func(b *book) { b.target = "worksheets/other.xml" })
	add("a document type", Must, func(b *book) { b.top = `<!DOCTYPE x [<!ENTITY a "b">]>` })
	add("no end", Must, func(b *book) { b.bottom = "" })
	add("cut in the XML", Must, func(b *book) { b.bottom = "<row r=" })
	add("another name for the part", Never, func(b *book) { b.target = "worksheets/SHEET1.XML" })
	for _, part := range []int{8, 4, 2} {
		add(fmt.Sprintf("cut to %d/%d", part-1, part), Must, func(b *book) { b.keep = [2]int{part - 1, part} })
	}
	for i := 1; i < 8; i++ {
		add(fmt.Sprintf("a byte changed at %d/8", i), May, func(b *book) { b.hurt = i })
	}
	add("an old or encrypted one", Must, func(b *book) { b.ole = true })
	return out
}

// A book is a workbook in the making.
type book struct {
	header []string
	rows   []bookRow // the header's is the first
	refuse Refuse

	shared, strict, ole, skip   bool
	prefix, target, top, bottom string
	keep                        [2]int
	hurt                        int
}

type bookRow struct {
	open    string
	cells   []string // as XML
	means   []string
	touched bool
	gone    bool
	shift   int // how much lower the row stands
}

func newBook(t table) *book {
	b := &book{header: t.header, target: "worksheets/sheet1.xml", bottom: "</sheetData></worksheet>"}
	for i, row := range append([][]string{t.header}, t.rows...) {
		r := bookRow{open: fmt.Sprintf(`<row r="%d">`, i+1), means: append([]string{}, row...)}
		for j, cell := range row {
			r.cells = append(r.cells, fmt.Sprintf(`<c r="%s" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, ref(i, j), escaped(cell)))
		}
		b.rows = append(b.rows, r)
	}
	return b
}

// ref is the reference of a cell, from its row and column counted from 0.
func ref(row, column int) string { return string(rune('A'+column)) + strconv.Itoa(row+1) }

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

func (b *book) cell(row, column int, xml, means string, touched bool) {
	r := &b.rows[row]
	if strings.Contains(xml, "%s") {
		xml = fmt.Sprintf(xml, ref(row, column))
	}
	r.cells[column], r.means[column], r.touched = xml, means, touched
}

func (b *book) finish(name string) Case {
	c := Case{Name: name, Header: b.header, Refuse: b.refuse}
	if b.skip {
		c.Reading.Hidden = "skip"
	}
	for i, r := range b.rows[1:] {
		if !r.gone {
			line := int64(i + 2 + r.shift)
			c.Rows = append(c.Rows, Row{Line: line, Last: line, Cells: r.means, Touched: r.touched})
		}
	}
	c.File = b.zip()
	switch {
	case b.ole:
		c.File = append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), make([]byte, 600)...)
	case b.keep[1] > 0:
		c.File = c.File[:len(c.File)*b.keep[0]/b.keep[1]]
	case b.hurt > 0:
		c.File[len(c.File)*b.hurt/8] ^= 0x55
	}
	return c
}

const mainSpace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

// zip writes the parts. Names are prefixed, and the namespace is the strict
// one, where the book says so.
func (b *book) zip() []byte {
	space, rels := mainSpace, "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	if b.strict {
		space, rels = "http://purl.oclc.org/ooxml/spreadsheetml/main", "http://purl.oclc.org/ooxml/officeDocument/relationships"
	}
	sheet, strs := b.sheet()
	parts := []struct{ name, text string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + rels + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="` + space + `" xmlns:r="` + rels + `"><sheets><sheet name="Leads" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + rels + `/worksheet" Target="` + b.target + `"/>` +
			`<Relationship Id="rId2" Type="` + rels + `/styles" Target="styles.xml"/><Relationship Id="rId3" Type="` + rels + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`},
		{"xl/styles.xml", `<styleSheet xmlns="` + space + `"><numFmts count="1"><numFmt numFmtId="170" formatCode="00000"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>` +
			`<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="170" applyNumberFormat="1"/></cellXfs></styleSheet>`},
		{"xl/sharedStrings.xml", `<sst xmlns="` + space + `">` + strs + `</sst>`},
		{"xl/worksheets/sheet1.xml", sheet(space)},
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range parts {
		w, err := z.Create(p.name)
		must(0, err)
		must(w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + p.text)))
	}
	must(0, z.Close())
	return out.Bytes()
}

// sheet returns the sheet's XML in a namespace, and the shared strings.
func (b *book) sheet() (sheet func(space string) string, strs string) {
	var rows, shared strings.Builder
	n := 0
	for i, r := range b.rows {
		open := r.open
		if r.shift > 0 {
			open = strings.Replace(open, fmt.Sprintf(`r="%d"`, i+1), fmt.Sprintf(`r="%d"`, i+1+r.shift), 1)
		}
		rows.WriteString(open)
		for _, c := range r.cells {
			if r.shift > 0 {
				c = strings.Replace(c, strconv.Itoa(i+1)+`"`, strconv.Itoa(i+1+r.shift)+`"`, 1)
			}
			if text, ok := inlineText(c); ok && b.shared {
				shared.WriteString("<si>" + text + "</si>")
				ref, _, _ := strings.Cut(strings.TrimPrefix(c, `<c r="`), `"`)
				c = fmt.Sprintf(`<c r="%s" t="s"><v>%d</v></c>`, ref, n)
				n++
			}
			rows.WriteString(c)
		}
		rows.WriteString("</row>")
	}
	body := `<worksheet><sheetData>` + rows.String() + b.bottom
	declared := ""
	if b.prefix != "" {
		body = prefixed(body, b.prefix)
		declared = ":" + strings.TrimSuffix(b.prefix, ":")
	}
	return func(space string) string {
		return b.top + strings.Replace(body, "worksheet>", `worksheet xmlns`+declared+`="`+space+`">`, 1)
	}, shared.String()
}

func inlineText(cell string) (string, bool) {
	_, rest, ok := strings.Cut(cell, "<is>")
	text, _, closed := strings.Cut(rest, "</is>")
	return text, ok && closed
}

// prefixed puts a prefix before every element's name.
func prefixed(xml, prefix string) string {
	return strings.NewReplacer("</", "</"+prefix, "<", "<"+prefix).Replace(xml)
}
