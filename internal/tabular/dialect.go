package tabular

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// What settings may say.
const (
	maxDelimiter = 8 // characters
	maxComment   = 8 // characters
	maxFooter    = 1000
)

// guessed are the delimiters that are always tried. The rare ones occur inside
// ordinary text, as in times and in names, and need more to speak for them.
var (
	guessed = []string{",", ";", "\t", "|"}
	rare    = []string{":", " "}
)

// asked is what the settings ask for.
type asked struct {
	crm.Reading
	layout Layout // what of it the settings fix
	header int64  // the line of the header; 0 to find it, -1 for none
}

const noHeader = -1

// ask checks the settings. What of them no file could be read by wraps
// [crm.ErrInvalid] and names the setting.
func ask(s crm.Reading) (asked, error) {
	a := asked{Reading: s}
	for _, check := range []func() error{a.quote, a.escape, a.delimiter, a.comment, a.lines} {
		if err := check(); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *asked) quote() error {
	q := a.Quote
	switch {
	case q == "" || q == `"`:
		return nil
	case q != crm.NoneAtAll && (len(q) != 1 || !isSign(q[0])):
		return invalid("the quote setting must be one ASCII character that is no letter, digit or space, or %s", crm.NoneAtAll)
	}
	a.layout.Quote = q
	return nil
}

func (a *asked) escape() error {
	switch a.Escape {
	case "", crm.EscapeDouble:
		return nil
	case crm.EscapeSlash:
		if q := a.layout.quote(); q < 0 || q == '\\' {
			return invalid("the escape setting %s goes with a quote that is no backslash", crm.EscapeSlash)
		}
		a.layout.Backslash = true
		return nil
	}
	return invalid("the escape setting must be %s or %s", crm.EscapeDouble, crm.EscapeSlash)
}

func (a *asked) delimiter() error {
	if a.Delimiter == "" {
		return nil
	}
	a.layout.Delimiter = delimiterNamed(a.Delimiter)
	switch d := a.layout.Delimiter; {
	case d == "":
		return invalid("the delimiter setting must be 1 to %d printable ASCII characters, or tab, or space", maxDelimiter)
	case a.layout.quote() >= 0 && strings.IndexByte(d, byte(a.layout.quote())) >= 0,
		a.layout.Backslash && strings.Contains(d, `\`):
		return invalid("the delimiter setting must not hold the quote or the escape")
	}
	return nil
}

func (a *asked) comment() error {
	c := a.Comment
	if c == "" {
		return nil
	}
	if len(c) > maxComment || !printable(c) || c[0] == ' ' {
		return invalid("the comment setting must be 1 to %d printable ASCII characters", maxComment)
	}
	if int(c[0]) == a.layout.quote() || a.layout.Delimiter != "" && strings.HasPrefix(c, a.layout.Delimiter) {
		return invalid("the comment setting must not begin with the quote or the delimiter")
	}
	a.layout.Comment = c
	return nil
}

// lines checks the settings that count lines and rows.
func (a *asked) lines() error {
	switch a.Header {
	case "":
	case crm.NoneAtAll:
		a.header = noHeader
	default:
		n, err := strconv.ParseInt(a.Header, 10, 64)
		if err != nil || n < 1 || n > 1<<32 {
			return invalid("the header setting must be the number of a line, or %s", crm.NoneAtAll)
		}
		a.header = n
	}
	if a.Footer < 0 || a.Footer > maxFooter {
		return invalid("the footer setting must be a number of rows from 0 to %d", maxFooter)
	}
	switch a.ShortRows {
	case "", crm.RejectShort:
	case crm.PadShort:
		a.layout.Pad = true
	default:
		return invalid("the short_rows setting must be %s or %s", crm.RejectShort, crm.PadShort)
	}
	return nil
}

func isSign(c byte) bool {
	return c > ' ' && c < 0x7F && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

// delimiterNamed returns the delimiter that a setting means, "" for none.
func delimiterNamed(name string) string {
	switch {
	case name == "tab" || name == `\t` || name == "\t":
		return "\t"
	case name == "space":
		return " "
	case len(name) > maxDelimiter || !printable(name):
		return ""
	}
	return name
}

// nameOf returns what to set for a delimiter, in quotes if it is a sign.
func nameOf(delim string) string {
	switch delim {
	case "\t":
		return "tab"
	case " ":
		return "space"
	}
	return strconv.Quote(delim)
}

// sepLine is the first line by which Excel names the delimiter.
var sepLine = regexp.MustCompile(`^(?i:"sep=(.)"|sep=(.))[;,\t |]*(\r\n|\n|\r)`)

// namedInFile returns the delimiter that a line sep= names and where the line
// behind it begins.
func namedInFile(text []byte) (sep string, length int) {
	rest := bytes.TrimPrefix(text, []byte(bom8))
	m := sepLine.FindSubmatch(rest)
	if m == nil {
		return "", 0
	}
	sep = delimiterNamed(string(m[1]) + string(m[2]))
	if sep == `"` {
		return "", 0
	}
	return sep, len(text) - len(rest) + len(m[0])
}

// lineEnds counts the line ends of a text by their kind.
type lineEnds struct{ lf, crlf, cr int }

func countEnds(text []byte) lineEnds {
	var n lineEnds
	n.crlf = bytes.Count(text, []byte("\r\n"))
	n.lf = bytes.Count(text, []byte{'\n'}) - n.crlf
	n.cr = bytes.Count(text, []byte{'\r'}) - n.crlf
	return n
}

// decision tells what lines of the sample end in. A lone CR that ends none is
// text.
func (n lineEnds) decision(cr bool) crm.Decision {
	d := crm.Decision{About: "line ends", Score: 1}
	var kinds, counts []string
	for _, k := range []struct {
		name string
		n    int
		ends bool
	}{{"LF", n.lf, true}, {"CRLF", n.crlf, true}, {"CR", n.cr, cr}} {
		switch {
		case k.n > 0 && k.ends:
			kinds = append(kinds, k.name)
			counts = append(counts, fmt.Sprintf("%d %s", k.n, k.name))
		case k.n > 0:
			counts = append(counts, fmt.Sprintf("%d %s taken for text", k.n, k.name))
			d.Score = 0.9
		}
	}
	d.Evidence = strings.Join(counts, ", ")
	switch len(kinds) {
	case 0:
		d.Choice, d.Evidence = "LF", "none seen"
	case 1:
		d.Choice = kinds[0]
	default:
		d.Choice, d.Score = "mixed", 0.8
	}
	return d
}
