package mapping

import (
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding/htmlindex"

	"sluice/internal/crm"
)

// A readingSetting is a key of a mapping file that says how the file is
// written: see [crm.Reading].
type readingSetting struct {
	name  string
	at    func(*crm.Reading) *string
	known []string                          // the words it takes; nil: any that read takes
	read  func(value string) (string, bool) // as the setting is kept
	must  string                            // what a value must be

	about  string // for editors
	schema object
}

var readingSettings = []readingSetting{
	{
		name: "encoding", at: func(r *crm.Reading) *string { return &r.Encoding }, read: readEncoding,
		must:  "the name of an encoding, such as utf-8 or windows-1252",
		about: "The file's encoding, such as utf-8, windows-1252 or shift_jis.", schema: object{"type": "string", "pattern": `\S`},
	},
	{
		name: "delimiter", at: func(r *crm.Reading) *string { return &r.Delimiter }, read: readDelimiter,
		must:   "1 to 8 printable ASCII characters but quotes, or tab, or space",
		about:  "What stands between cells: 1 to 8 characters, or the word tab or space.",
		schema: object{"anyOf": []object{printableSchema(8, `"`), words(" ", "\t")}},
	},
	{
		name: "quote", at: func(r *crm.Reading) *string { return &r.Quote }, read: readQuote,
		must:  "one ASCII sign, or none",
		about: "The sign that may stand around cells, or none.", schema: object{"type": "string", "pattern": `^([!-/:-@\[-\x60{-~]|none)$`},
	},
	{
		name: "escape", at: func(r *crm.Reading) *string { return &r.Escape }, known: escapes,
		about: "How a quote stands inside a quoted cell: twice, or behind a backslash.", schema: words(escapes...),
	},
	{
		name: "header", at: func(r *crm.Reading) *string { return &r.Header }, read: readHeaderLine,
		must:  "the number of a line from 1, or none",
		about: "The line, or in a workbook the row, that names the columns; or none.", schema: lineNumber(),
	},
	{
		name: "comment", at: func(r *crm.Reading) *string { return &r.Comment }, read: readComment,
		must:  "what lines begin with that are no rows: 1 to 8 printable characters",
		about: "What lines begin with that are no rows, such as #.", schema: printableSchema(8, `[^!-~]`),
	},
	{
		name: "short_rows", at: func(r *crm.Reading) *string { return &r.ShortRows }, known: shortRows,
		about: "What becomes of rows with fewer cells than the header. Without it they are rejected.", schema: words(shortRows...),
	},
	{
		name: "sheet", at: func(r *crm.Reading) *string { return &r.Sheet },
		read: func(v string) (string, bool) { return v, v != "" }, must: "the name of a sheet",
		about: "The sheet of a workbook to read, which may be a hidden one.", schema: object{"type": []string{"string", "number", "boolean"}, "minLength": 1},
	},
	{
		name: "hidden", at: func(r *crm.Reading) *string { return &r.Hidden }, known: hiddenRows,
		about: "What becomes of a sheet's hidden rows. Without it they are imported.", schema: words(hiddenRows...),
	},
}

// The words that settings take.
var (
	escapes    = []string{crm.EscapeDouble, crm.EscapeSlash}
	shortRows  = []string{crm.RejectShort, crm.PadShort}
	hiddenRows = []string{crm.ImportHidden, crm.SkipHidden}
)

// maxFooter bounds the rows at a file's end that are none.
const maxFooter = 1000

func (p *specParser) addReading(known map[string]setting) {
	r := &p.spec.Reading
	for _, s := range readingSettings {
		known[s.name] = func(v *yaml.Node) { p.reading(v, s, s.at(r)) }
	}
	known["footer"] = func(v *yaml.Node) {
		n, err := strconv.Atoi(v.Value)
		if v.Kind != yaml.ScalarNode || err != nil || n < 0 || n > maxFooter {
			p.fault(v, "footer must be a number of rows from 0 to %d", maxFooter)
			return
		}
		r.Footer = n
	}
}

func (p *specParser) reading(v *yaml.Node, s readingSetting, to *string) {
	if s.known != nil {
		oneOf(p, v, s.name, to, s.known...)
		return
	}
	var value string
	if p.str(v, s.name, &value); v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		return
	}
	value, ok := s.read(value)
	if !ok {
		p.fault(v, "%s must be %s", s.name, s.must)
		return
	}
	*to = value
}

func readEncoding(name string) (string, bool) {
	lower := strings.ToLower(strings.TrimSpace(name))
	switch lower {
	case "utf-32le", "utf-32be", "ibm437", "ibm850", "ibm852", "cp437", "cp850", "cp852":
		return lower, true // known, and not to the standard
	}
	e, err := htmlindex.Get(lower)
	if err != nil {
		return "", false
	}
	canonical, err := htmlindex.Name(e)
	return lower, err == nil && canonical != "replacement" && canonical != "x-user-defined"
}

func readDelimiter(s string) (string, bool) {
	switch s {
	case "tab", "\t", `\t`:
		return "tab", true
	case "space", " ":
		return "space", true
	}
	return s, printable(s, 8) && !strings.Contains(s, `"`)
}

func readQuote(s string) (string, bool) {
	return s, s == crm.NoneAtAll || len(s) == 1 && printable(s, 1) && s[0]-'0' >= 10 && !letter(s[0])
}

func readHeaderLine(s string) (string, bool) {
	if s == crm.NoneAtAll {
		return s, true
	}
	n, err := strconv.Atoi(s)
	return strconv.Itoa(n), err == nil && n >= 1
}

func readComment(s string) (string, bool) { return s, printable(s, 8) }

// printable reports whether s is 1 to most ASCII characters that leave ink.
func printable(s string, most int) bool {
	return s != "" && len(s) <= most && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c <= ' ' || c >= 0x7f })
}
