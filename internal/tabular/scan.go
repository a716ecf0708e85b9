package tabular

import "bytes"

// What a row may hold at the most.
const (
	maxCell    = 1 << 20  // bytes
	maxRow     = 16 << 20 // bytes, without the line end
	maxColumns = 16_384   // Excel's limit
)

// window is how many bytes must be seen to know that a row is too long: the
// longest row, and the line end behind it.
const window = maxRow + 2

// scanned is what scan made of the beginning of some bytes.
type scanned int

const (
	whole scanned = iota // a well-formed record
	stray                // not one: a quote is out of place, or never closed
	more                 // cannot be told from these bytes
)

// A span is a cell: bytes from..to, without the quotes around it.
type span struct {
	from, to int
	escaped  bool // holds "" for "
}

// A scanner divides bytes into records. What it finds depends on the bytes it
// is given and on nothing it has seen before.
type scanner struct {
	delim   byte
	cr      bool      // a lone CR ends a line
	special [256]bool // ends the plain part of an unquoted cell

	cells []span // of the record; maxColumns+1 at the most
	end   int    // where the record ends, without its line end
	next  int    // where the next one begins
	lines int    // line ends within the record, all of them quoted
}

func newScanner(delim byte, cr bool) *scanner {
	s := &scanner{delim: delim, cr: cr}
	for _, c := range []byte{delim, '"', '\n', '\r'} {
		s.special[c] = true
	}
	return s
}

// scan looks for one record at the start of b. eof says that nothing follows
// b. An empty b with eof is an empty record: the caller looks first.
func (s *scanner) scan(b []byte, eof bool) scanned {
	s.cells, s.lines = s.cells[:0], 0
	i := 0
	for {
		if i < len(b) && b[i] == '"' {
			from := i + 1
			to, escaped, found := s.quoted(b, from, eof)
			if found != whole {
				return found
			}
			s.add(span{from, to, escaped})
			i = to + 1
		} else {
			from := i
			i = s.plain(b, i)
			s.add(span{from, i, false})
		}
		// A cell has ended at i: a delimiter or the end of the record follows.
		if i < len(b) && b[i] == s.delim {
			i++
			continue
		}
		n, found := s.lineEnd(b, i, eof)
		if found == whole {
			s.end, s.next = i, i+n
		}
		return found
	}
}

func (s *scanner) add(c span) {
	if len(s.cells) <= maxColumns {
		s.cells = append(s.cells, c)
	}
}

// plain returns where the unquoted cell that begins at i ends: at a delimiter,
// a quote, something that may be a line end, or the end of b.
func (s *scanner) plain(b []byte, i int) int {
	special := &s.special
	for {
		for i < len(b) && !special[b[i]] {
			i++
		}
		if s.cr || i+1 >= len(b) || b[i] != '\r' || b[i+1] == '\n' {
			return i
		}
		i++ // a lone CR that is text
	}
}

// quoted finds the quote that closes the cell whose text begins at from.
func (s *scanner) quoted(b []byte, from int, eof bool) (to int, escaped bool, found scanned) {
	to = from
	for {
		k := bytes.IndexByte(b[to:], '"')
		if k < 0 {
			s.countLines(b, from, len(b))
			if eof {
				return 0, false, stray
			}
			return 0, false, more
		}
		to += k
		if to+1 == len(b) && !eof {
			return 0, false, more
		}
		if to+1 == len(b) || b[to+1] != '"' {
			break
		}
		escaped = true
		to += 2
	}
	s.countLines(b, from, to)
	return to, escaped, whole
}

// countLines adds the line ends in b[from:to] to the record's.
func (s *scanner) countLines(b []byte, from, to int) {
	part := b[from:to]
	n := bytes.Count(part, []byte{'\n'})
	if s.cr {
		n += bytes.Count(part, []byte{'\r'}) - bytes.Count(part, []byte("\r\n"))
	}
	s.lines += n
}

// lineEnd returns the length of the line end at i, where a cell has ended; 0 at
// the end of the file. A CR at the end of the file is half a CRLF.
func (s *scanner) lineEnd(b []byte, i int, eof bool) (int, scanned) {
	rest := b[i:]
	switch {
	case len(rest) == 0 && eof:
		return 0, whole
	case len(rest) == 0:
		return 0, more
	case rest[0] == '\n':
		return 1, whole
	case rest[0] != '\r':
		return 0, stray
	case len(rest) == 1 && !eof:
		return 0, more
	case len(rest) > 1 && rest[1] == '\n':
		return 2, whole
	case s.cr || len(rest) == 1:
		return 1, whole
	}
	return 0, stray
}

// line finds the first line end in b, quoted or not: where it begins and where
// the next line does.
func (s *scanner) line(b []byte, eof bool) (end, next int, found bool) {
	lf := bytes.IndexByte(b, '\n')
	if s.cr {
		part := b
		if lf >= 0 {
			part = b[:lf]
		}
		cr := bytes.IndexByte(part, '\r')
		if cr >= 0 && cr+1 == len(b) && !eof {
			return 0, 0, false // an LF may follow
		}
		if cr >= 0 && cr+1 != lf {
			return cr, cr + 1, true
		}
	}
	if lf > 0 && b[lf-1] == '\r' {
		return lf - 1, lf + 1, true
	}
	if lf >= 0 {
		return lf, lf + 1, true
	}
	return len(b), len(b), eof
}
