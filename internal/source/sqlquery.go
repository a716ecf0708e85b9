package source

import (
	"fmt"
	"strings"

	"sluice/internal/crm"
)

// A sqlSyntax says how a database writes what is not to be taken at its word:
// quotes and comments.
type sqlSyntax struct {
	backslash bool   // in quotes, a backslash takes the next character along
	dollars   bool   // $tag$ quotes, and E'…' with backslashes
	brackets  bool   // [a name]
	hash      bool   // # begins a comment
	dashSpace bool   // -- does only before a space
	nested    bool   // comments /* within /* comments */ */
	newline   string // the characters that end a line
	places    string // characters that stand for a value that is yet to be given
}

// check makes sure that a query is one statement that reads, and that it
// closes what it opens, so that it can be put in parentheses. That it does not
// write by way of a function is up to the transaction, which is read-only.
func (x sqlSyntax) check(query string) error {
	first, depth := "", 0
	for rest := query; rest != ""; {
		n, is := x.token(rest)
		switch is {
		case "word":
			if first == "" {
				first = rest[:n]
			}
		case "(":
			depth++
		case ")":
			depth--
		case "", "quoted":
		default:
			return fmt.Errorf("%w query: %s", crm.ErrInvalid, is)
		}
		if first == "" && is != "" {
			break
		}
		if depth < 0 {
			return fmt.Errorf("%w query: it closes a parenthesis that it did not open", crm.ErrInvalid)
		}
		rest = rest[n:]
	}
	switch {
	case !strings.EqualFold(first, "select") && !strings.EqualFold(first, "with"):
		return fmt.Errorf("%w query: it has to begin with SELECT or WITH", crm.ErrInvalid)
	case depth > 0:
		return fmt.Errorf("%w query: it does not close a parenthesis", crm.ErrInvalid)
	}
	return nil
}

// token measures what s begins with, and says what it is: a word (a number is
// one too), a parenthesis, what is quoted, or nothing of interest (""). What
// else it says is what is wrong.
func (x sqlSyntax) token(s string) (n int, is string) {
	if n, is := x.comment(s); n > 0 {
		return n, is
	}
	switch c := s[0]; {
	case c == 0:
		return 1, "it holds a character that is none (NUL)"
	case c == ';':
		return 1, "it has to be one statement, without a semicolon"
	case c == '(', c == ')':
		return 1, s[:1]
	case c == '\'', c == '"':
		return sqlQuoted(s, c, x.backslash)
	case c == '`' && !x.dollars:
		return sqlQuoted(s, c, false)
	case c == '[' && x.brackets:
		return sqlQuoted(s, ']', false)
	case c == '$' && x.dollars:
		return sqlDollarQuoted(s)
	case strings.IndexByte(x.places, c) >= 0:
		return 1, "it has a place for a value, such as " + s[:1]
	case !sqlWordByte(c):
		return 1, ""
	}
	for n = 1; n < len(s) && (sqlWordByte(s[n]) || s[n] == '$'); n++ {
	}
	if x.dollars && n == 1 && s[0]|0x20 == 'e' && len(s) > 1 && s[1] == '\'' {
		m, is := sqlQuoted(s[1:], '\'', true)
		return 1 + m, is
	}
	return n, "word"
}

func sqlWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
}

// sqlUnclosed is what token says of quotes and comments without an end.
const sqlUnclosed = "a quote or a comment in it has no end"

// sqlQuoted measures what stands in quotes, of which the closing one is given.
// Two of them are one that is quoted.
func sqlQuoted(s string, quote byte, backslash bool) (int, string) {
	for i := 1; i < len(s); i++ {
		switch {
		case backslash && s[i] == '\\':
			i++
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote && quote != ']':
			i++
		case s[i] == quote:
			return i + 1, "quoted"
		}
	}
	return len(s), sqlUnclosed
}

// sqlDollarQuoted measures what stands between $tag$ and $tag$
// (postgresql.org/docs/current/sql-syntax-lexical.html, 4.1.2.4).
func sqlDollarQuoted(s string) (int, string) {
	end := 1
	for end < len(s) && sqlWordByte(s[end]) {
		end++
	}
	switch {
	case end > 1 && s[1] >= '0' && s[1] <= '9':
		return end, "it has a place for a value, such as $1"
	case end == len(s) || s[end] != '$':
		return end, ""
	}
	tag := s[:end+1]
	if n := strings.Index(s[len(tag):], tag); n >= 0 {
		return n + 2*len(tag), "quoted"
	}
	return len(s), sqlUnclosed
}

// comment measures a comment; 0: there is none.
func (x sqlSyntax) comment(s string) (n int, is string) {
	line := x.hash && s[0] == '#'
	if strings.HasPrefix(s, "--") {
		line = line || !x.dashSpace || len(s) == 2 || s[2] <= ' '
	}
	if line {
		if n := strings.IndexAny(s, x.newline); n >= 0 {
			return n + 1, ""
		}
		return len(s), ""
	}
	if !strings.HasPrefix(s, "/*") {
		return 0, ""
	}
	if x.backslash && (strings.HasPrefix(s, "/*!") || strings.HasPrefix(s, "/*M!")) {
		return 2, "a comment in it is one that the database carries out (/*!)"
	}
	depth := 1
	for i := 2; i+1 < len(s); i++ {
		switch {
		case s[i:i+2] == "*/":
			if depth--; depth == 0 || !x.nested {
				return i + 2, ""
			}
			i++
		case s[i:i+2] == "/*":
			depth++
			i++
		}
	}
	return len(s), sqlUnclosed
}

// A sqlStatement is a statement with the values that go with it, none of which
// is part of the text.
type sqlStatement struct {
	strings.Builder
	args []any
}

// A sqlReading is what one call reads of a query: its rows in the order of the
// key, or those of a span in the order in which they changed.
type sqlReading struct {
	*sqlJob
	columns []sqlColumn
	key     sqlColumn

	// changed is the column that says when a row changed, and from and to are
	// what it is compared with, the latter exclusive; changed has no name where
	// all rows are read.
	changed  sqlColumn
	span     crm.Span
	from, to string
}

// A sqlCursor is the place of a row in the order of a reading. Values are as
// the database writes them, and types as it calls them.
type sqlCursor struct {
	Key         string `json:"key"`
	KeyType     string `json:"key_type"`
	Changed     string `json:"changed,omitempty"`
	ChangedType string `json:"changed_type,omitempty"`
	Rows        int    `json:"rows,omitempty"` // of the next page; 0: as many as usual
}

// page is the statement that reads the rows behind a place, or the first; as
// many as given.
func (r *sqlReading) page(at *sqlCursor, rows int) *sqlStatement {
	s := r.begin(true)
	fmt.Fprintf(s, "%s IS NOT NULL", r.keyExpr())
	if r.changed.name != "" {
		r.dialect.during(s, r, at == nil)
	}
	if at != nil {
		r.after(s, at)
	}
	s.WriteString(" ORDER BY ")
	if r.changed.name != "" {
		s.WriteString(r.changedExpr() + ", ")
	}
	fmt.Fprintf(s, "%s LIMIT %d", r.keyExpr(), rows)
	return s
}

// peers is the statement that reads the rows that the database takes for the
// same place, as it does with texts that differ in case.
func (r *sqlReading) peers(of sqlCursor, rows int) *sqlStatement {
	s := r.begin(true)
	s.WriteString(r.keyExpr() + " = ")
	r.dialect.bind(s, of.KeyType, of.Key)
	if r.changed.name != "" {
		s.WriteString(" AND " + r.changedExpr() + " = ")
		r.dialect.bind(s, of.ChangedType, of.Changed)
	}
	fmt.Fprintf(s, " LIMIT %d", rows)
	return s
}

// keyless is the statement that finds a row without a key, which has no place
// in the order.
func (r *sqlReading) keyless() *sqlStatement {
	s := r.begin(false)
	s.WriteString(r.keyExpr() + " IS NULL")
	if r.changed.name != "" {
		r.dialect.during(s, r, true)
	}
	s.WriteString(" LIMIT 1")
	return s
}

// begin writes a statement up to its first condition. It reads the cells, and
// then the place. The query ends with its line, or a comment would go on.
func (r *sqlReading) begin(cells bool) *sqlStatement {
	s := new(sqlStatement)
	s.WriteString("SELECT ")
	if cells {
		for _, c := range r.columns {
			s.WriteString(r.dialect.cell("q."+r.dialect.quote(c.name), c) + ", ")
		}
	}
	s.WriteString(r.dialect.cell(r.keyExpr(), r.key))
	if r.changed.name != "" {
		s.WriteString(", " + r.dialect.cell(r.changedExpr(), r.changed))
	}
	s.WriteString(" FROM " + sqlWrapped(r.query) + " WHERE ")
	return s
}

func sqlWrapped(query string) string { return "(\n" + query + "\n) AS q" }

func (r *sqlReading) keyExpr() string { return "q." + r.dialect.quote(r.key.name) }

func (r *sqlReading) changedExpr() string { return "q." + r.dialect.quote(r.changed.name) }

// during keeps to what changed in the span; behind a place, its beginning goes
// without saying.
func (r *sqlReading) during(s *sqlStatement, whole bool) {
	if whole {
		s.WriteString(" AND " + r.changedExpr() + " >= ")
		r.dialect.bind(s, r.changed.typ, r.from)
	}
	s.WriteString(" AND " + r.changedExpr() + " < ")
	r.dialect.bind(s, r.changed.typ, r.to)
}

// after keeps to what lies behind a place. MySQL walks an index only where the
// comparison of two columns is written out, the others only where it is not.
func (r *sqlReading) after(s *sqlStatement, at *sqlCursor) {
	key, changed := r.keyExpr(), r.changedExpr()
	bindKey := func() { r.dialect.bind(s, at.KeyType, at.Key) }
	bindChanged := func() { r.dialect.bind(s, at.ChangedType, at.Changed) }
	switch {
	case r.changed.name == "":
		s.WriteString(" AND " + key + " > ")
		bindKey()
	case r.dialect.pairs():
		s.WriteString(" AND (" + changed + ", " + key + ") > (")
		bindChanged()
		s.WriteString(", ")
		bindKey()
		s.WriteString(")")
	default:
		s.WriteString(" AND (" + changed + " > ")
		bindChanged()
		s.WriteString(" OR (" + changed + " = ")
		bindChanged()
		s.WriteString(" AND " + key + " > ")
		bindKey()
		s.WriteString("))")
	}
}
