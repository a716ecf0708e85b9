package honesty

import (
	"fmt"
	"strings"
)

// A damage hits one cell of one row. It is given the cells as they would be
// written, and returns the text of the row without its line end.
type damage struct {
	name string
	do   func(d dialect, cells []string, at int) string

	mended bool // the row still means what it meant
	split  bool // the row becomes two lines: see [Row.Parts]
}

// join writes a row with the cell at place at replaced by text as it is.
func join(d dialect, cells []string, at int, text string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = d.cell(c)
	}
	out[at] = text
	return strings.Join(out, d.delim)
}

// word is a cell in which nothing has to be quoted.
func word(cell string) string {
	return strings.NewReplacer("\n", " ", `"`, "", ",", " ", ";", " ", "\t", " ").Replace(cell)
}

// damages is what can happen to one cell of one row.
var damages = []damage{
	{name: "quote before", do: func(d dialect, c []string, at int) string { return join(d, c, at, `"`+word(c[at])) }},
	{name: "quote after", do: func(d dialect, c []string, at int) string { return join(d, c, at, word(c[at])+`x"`) }},
	{name: "quote inside", do: func(d dialect, c []string, at int) string { return join(d, c, at, `a"b`) }},
	{name: "quote inside quotes", do: func(d dialect, c []string, at int) string { return join(d, c, at, `"a"b"`) }},
	{name: "quotes in a row", do: func(d dialect, c []string, at int) string { return join(d, c, at, `"""`) }},
	{name: "text behind quotes", do: func(d dialect, c []string, at int) string { return join(d, c, at, `"a" b`) }},
	{name: "blank before quotes", do: func(d dialect, c []string, at int) string { return join(d, c, at, ` "`+word(c[at])+`"`) }},
	{name: "closing quote missing", do: func(d dialect, c []string, at int) string { return join(d, c, at, `"a,b`) }},
	{name: "opening quote missing", do: func(d dialect, c []string, at int) string { return join(d, c, at, word(c[at])+`a"`) }},
	{name: "delimiter unquoted", do: func(d dialect, c []string, at int) string { return join(d, c, at, "a"+d.delim+"b") }},
	{name: "delimiter missing", do: func(d dialect, c []string, at int) string {
		at = min(at, len(c)-2)
		return d.row(c[:at]) + lead(d, at) + d.cell(c[at]) + d.cell(c[at+1]) + tail(d, c[at+2:])
	}},
	{name: "delimiter doubled", do: func(d dialect, c []string, at int) string {
		return d.row(c[:at]) + lead(d, at) + d.delim + d.row(c[at:])
	}},
	{name: "other delimiter", do: func(d dialect, c []string, at int) string {
		at = min(at, len(c)-2)
		return d.row(c[:at]) + lead(d, at) + d.cell(c[at]) + ";" + d.row(c[at+1:])
	}},
	{name: "cell missing", do: func(d dialect, c []string, at int) string {
		return d.row(append(append([]string{}, c[:at]...), c[at+1:]...))
	}},
	{name: "cell more", do: func(d dialect, c []string, at int) string {
		return d.row(append(append(append([]string{}, c[:at]...), "more"), c[at:]...))
	}},
	{name: "line end inside", split: true, do: func(d dialect, c []string, at int) string { return join(d, c, at, "a"+d.end+"b") }},
	{name: "bytes that are no text", do: func(d dialect, c []string, at int) string { return join(d, c, at, "a\xff\xc3b") }},
	{name: "zero byte", do: func(d dialect, c []string, at int) string { return join(d, c, at, "a\x00b") }},
	{name: "cell of over a mebibyte", do: func(d dialect, c []string, at int) string { return join(d, c, at, strings.Repeat("a", 1<<20+1)) }},
	{name: "lone surrogate", do: func(d dialect, c []string, at int) string { return join(d, c, at, "a\xed\xa0\x80b") }},
	{name: "quoted for nothing", mended: true, do: func(d dialect, c []string, at int) string {
		return join(d, c, at, `"`+strings.ReplaceAll(c[at], `"`, `""`)+`"`)
	}},
}

// parts is what the halves of a row read as that is divided in the cell at
// place at, as "line end inside" does it.
func parts(row []string, at int) [][]string {
	first, second := append(append([]string{}, row[:at]...), "a"), append([]string{"b"}, row[at+1:]...)
	return [][]string{first, second}
}

// lead is the delimiter behind n cells, if there are any.
func lead(d dialect, n int) string {
	if n == 0 {
		return ""
	}
	return d.delim
}

func tail(d dialect, cells []string) string {
	if len(cells) == 0 {
		return ""
	}
	return d.delim + d.row(cells)
}

// places are the rows that are hit: the header, the first row, one in the
// middle, the last.
var places = []struct {
	name string
	at   int
}{{"header", 0}, {"first row", 1}, {"middle row", 5}, {"last row", rowsInTable}}

// hits makes a case of every damage at every place and in every column that
// differs: the first, one in the middle, the last.
func hits(t table, d dialect, label string) []Case {
	var out []Case
	for _, dam := range damages {
		for _, p := range places {
			for _, column := range []int{0, 2, len(t.header) - 1} {
				f := t.write(d)
				k := &f.chunks[p.at]
				text := dam.do(d, k.row, column)
				if text+d.end == k.text {
					continue // nothing happened
				}
				k.text, k.touched = text+d.end, !dam.mended
				if dam.split {
					if p.at == 0 && column != 2 {
						continue // a name is cut, and the rest reads as a header whole
					}
					k.parts = parts(k.row, column)
				}
				out = append(out, f.finish(fmt.Sprintf("%s/%s/%s/column %d", label, dam.name, p.name, column), d.end))
			}
		}
	}
	return out
}

// lines makes cases of what happens to whole lines.
func lines(t table, d dialect, label string) []Case {
	var out []Case
	add := func(name string, place int, do func(f *draft, at int)) {
		f := t.write(d)
		do(f, place)
		out = append(out, f.finish(fmt.Sprintf("%s/%s/row %d", label, name, place), d.end))
	}
	blank := strings.Repeat(d.delim, len(t.header)-1)
	for _, at := range []int{1, 5, rowsInTable} {
		for name, text := range map[string]string{"blank line": "", "line of blanks": "  ", "line of delimiters": blank} {
			add(name, at, func(f *draft, at int) { f.insert(at, chunk{text: text + d.end}) })
		}
		add("glued to the next", min(at, rowsInTable-1), func(f *draft, at int) {
			f.chunks[at].text = strings.TrimSuffix(f.chunks[at].text, d.end) + f.chunks[at+1].text
			f.chunks[at].touched = true
			f.chunks = append(f.chunks[:at+1], f.chunks[at+2:]...)
		})
		add("cut short", at, func(f *draft, at int) {
			f.chunks[at].text = f.chunks[at].text[:3] + d.end
			f.chunks[at].touched = true
		})
		add("LF and not what the others have", at, func(f *draft, at int) {
			if d.end == "\r\n" {
				f.chunks[at].text = strings.TrimSuffix(f.chunks[at].text, d.end) + "\n"
			}
		})
		add("header again", at, func(f *draft, at int) {
			// It is a row of the right form: whether it is one only its owner
			// knows, so it may neither vanish nor harm.
			f.insert(at, chunk{text: f.chunks[0].text, row: t.header})
			f.mayRefuse = at == 1
		})
		add("a line of prose", at, func(f *draft, at int) {
			f.insert(at, chunk{text: "see below" + d.end, row: []string{"see below"}, touched: true})
		})
	}
	add("no line end at the end", rowsInTable, func(f *draft, at int) {
		f.chunks[at].text = strings.TrimSuffix(f.chunks[at].text, d.end)
	})
	add("blank lines at the end", rowsInTable, func(f *draft, at int) { f.insert(at+1, chunk{text: d.end + d.end}) })
	add("blank lines at the beginning", 0, func(f *draft, at int) { f.insert(0, chunk{text: d.end + d.end}) })
	add("cut in the middle of quotes", rowsInTable, func(f *draft, at int) {
		f.chunks[at].text = strings.Join(f.chunks[at].row[:2], d.delim) + d.delim + d.quote + "cut"
		f.chunks[at].touched = true
	})
	return out
}

func (f *draft) insert(at int, k chunk) {
	f.chunks = append(f.chunks[:at], append([]chunk{k}, f.chunks[at:]...)...)
}
