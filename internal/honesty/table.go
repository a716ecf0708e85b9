package honesty

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A table is what an owner has in mind before it is written.
type table struct {
	header []string
	rows   [][]string
}

const rowsInTable = 9

// newTable makes a table whose cells hold what tables of people hold: names
// with accents, texts with delimiters, quotes and line breaks, numbers that are
// none, blanks.
func newTable(r *rand.Rand) table {
	t := table{header: []string{"id", "email", "name", "amount", "comment"}}
	names := []string{"Zoë Müller", "José Ñandú", "Ana-Lucía", "François Lefèvre", "Søren Ærø", "Bob"}
	comments := []string{"plain", "", "a, b; c", `said "yes"`, "two\nlines", "007", "1e5", "=1+1", "tab\there", "naïve café"}
	for i := range rowsInTable {
		t.rows = append(t.rows, []string{
			fmt.Sprintf("cus_%03d%c", i, 'a'+r.IntN(26)),
			fmt.Sprintf("person%d@example%d.com", i, r.IntN(9)),
			names[(i+r.IntN(2))%len(names)],
			fmt.Sprint(100 + r.IntN(9000)),
			comments[i%len(comments)],
		})
	}
	return t
}

// ascii returns t without a character beyond ASCII.
func (t table) ascii() table {
	return t.each(func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > 126 {
				return 'x'
			}
			return r
		}, s)
	})
}

// plain returns t with nothing in it that has to be quoted.
func (t table) plain() table {
	return t.each(func(s string) string {
		return strings.NewReplacer("\n", " ", `"`, "", ",", "", ";", "", "\t", " ").Replace(s)
	})
}

func (t table) each(do func(string) string) table {
	out := table{header: t.header}
	for _, row := range t.rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, do(c))
		}
		out.rows = append(out.rows, cells)
	}
	return out
}

// A dialect is how a table is written.
type dialect struct {
	delim     string
	quote     string // "" means that nothing is quoted
	backslash bool   // \" inside quotes, not ""
	end       string // of a line
	quoteAll  bool
}

var standard = dialect{delim: ",", quote: `"`, end: "\n"}

func (d dialect) cell(s string) string {
	if d.quote == "" || !d.quoteAll && !strings.ContainsAny(s, d.quote+"\r\n") && !strings.Contains(s, d.delim) {
		return s
	}
	if d.backslash {
		s = strings.NewReplacer(`\`, `\\`, d.quote, `\`+d.quote).Replace(s)
	} else {
		s = strings.ReplaceAll(s, d.quote, d.quote+d.quote)
	}
	return d.quote + s + d.quote
}

func (d dialect) row(cells []string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = d.cell(c)
	}
	return strings.Join(out, d.delim)
}

// A draft is a file in the making: chunks of text, each of which is a row, the
// header, or something that is neither.
type draft struct {
	chunks    []chunk
	mayRefuse bool
}

type chunk struct {
	text    string // with its line end
	row     []string
	header  bool
	touched bool
	parts   [][]string
}

// write writes the table, the header first.
func (t table) write(d dialect) *draft {
	out := &draft{chunks: []chunk{{text: d.row(t.header) + d.end, header: true, row: t.header}}}
	for _, row := range t.rows {
		out.chunks = append(out.chunks, chunk{text: d.row(row) + d.end, row: row})
	}
	return out
}

// finish makes a case of the draft. end is how lines end: it is what line
// numbers are reckoned by.
func (f *draft) finish(name, end string) Case {
	c := Case{Name: name}
	line := int64(1)
	var text strings.Builder
	for _, k := range f.chunks {
		text.WriteString(k.text)
		lines := int64(lineEnds(k.text, end))
		switch {
		case k.header:
			c.Header = k.row
			if k.touched {
				c.Refuse = May
			}
		case k.row != nil:
			c.Rows = append(c.Rows, Row{Line: line, Last: max(line, line+lines-1), Cells: k.row, Touched: k.touched, Parts: k.parts})
		}
		line += lines
	}
	if f.mayRefuse {
		c.Refuse = May
	}
	c.File = []byte(text.String())
	return c
}

// lineEnds counts the line ends in a text: where lines end in CR alone, those
// too.
func lineEnds(s, end string) int {
	n := strings.Count(s, "\n")
	if end == "\r" {
		n += strings.Count(s, "\r") - strings.Count(s, "\r\n")
	}
	return n
}
