package tabular

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

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

// A span is a cell: bytes from..to, without the quotes around it. The window is
// small enough for 32 bits.
type span struct {
	from int32
	size int32 // less than 0 for one that holds "" for ": see escaped
}

// escaped returns the span of a cell in which "" stands for ".
func escaped(from, to int) span { return span{int32(from), int32(from - to - 1)} }

// bounds returns where the cell's text is in the record.
func (c span) bounds() (from, to int) {
	if c.size < 0 {
		return int(c.from), int(c.from - c.size - 1)
	}
	return int(c.from), int(c.from + c.size)
}

// of returns the cell's text, with "" as it stands.
func (c span) of(b []byte) []byte {
	from, to := c.bounds()
	return b[from:to]
}

// A scanner divides bytes into records. What it finds depends on the bytes it
// is given and on nothing it has seen before.
type scanner struct {
	delim  byte
	delims uint64    // the delimiter eight times
	cr     bool      // a lone CR ends a line
	ends   [256]bool // what may end an unquoted cell

	cells []span // of the record; maxColumns+1 at the most
	end   int    // where the record ends, without its line end
	next  int    // where the next one begins
	lines int    // line ends within the record, all of them quoted
}

func newScanner(delim byte, cr bool) *scanner {
	s := &scanner{delim: delim, delims: ones * uint64(delim), cr: cr}
	for _, c := range []byte{delim, '"', '\n', '\r'} {
		s.ends[c] = true
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
			to, doubled, found := s.quoted(b, from, eof)
			if found != whole {
				return found
			}
			if i = to + 1; doubled {
				s.add(escaped(from, to))
			} else {
				s.add(span{int32(from), int32(to - from)})
			}
		} else {
			from := i
			i = s.plain(b, i)
			s.add(span{int32(from), int32(i - from)})
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

// Bytes of a word, all of one value.
const (
	ones   = 0x0101010101010101
	highs  = 0x80 * ones
	quotes = '"' * ones
	lfs    = '\n' * ones
	crs    = '\r' * ones
)

// zeros marks the bytes of a word that are zero, by their highest bit. Above
// the lowest one it may mark others.
func zeros(w uint64) uint64 { return (w - ones) &^ w & highs }

// plain returns where the unquoted cell that begins at i ends: at a delimiter,
// a quote, something that may be a line end, or the end of b. It looks at eight
// bytes at a time.
func (s *scanner) plain(b []byte, i int) int {
	for {
		i = s.find(b, i)
		if s.cr || i+1 >= len(b) || b[i] != '\r' || b[i+1] == '\n' {
			return i
		}
		i++ // a lone CR that is text
	}
}

func (s *scanner) find(b []byte, i int) int {
	for len(b)-i >= 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if m := zeros(w^s.delims) | zeros(w^quotes) | zeros(w^lfs) | zeros(w^crs); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(b) && !s.ends[b[i]] {
		i++
	}
	return i
}

// quoted finds the quote that closes the cell whose text begins at from.
func (s *scanner) quoted(b []byte, from int, eof bool) (to int, doubled bool, found scanned) {
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
		doubled = true
		to += 2
	}
	s.countLines(b, from, to)
	return to, doubled, whole
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
