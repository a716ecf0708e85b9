package tabular

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unsafe"
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

// A scanner divides bytes into records. What it finds depends on the bytes it
// is given and on nothing it has seen before.
type scanner struct {
	delim  byte
	delims uint64    // the delimiter eight times
	cr     bool      // a lone CR ends a line
	ends   [256]bool // what may end an unquoted cell

	// What only scanOther looks at.
	other     bool   // the dialect is not the one that scan knows
	cut       string // the delimiter whole
	quote     int    // the quote; -1 if there is none
	backslash bool   // \ before a quote makes it text

	// cells of the record, without the quotes around them; maxColumns+1 at the
	// most. They share the memory of the bytes that were scanned.
	cells   []string
	doubled []int // those of the cells in which something stands for a quote
	end     int   // where the record ends, without its line end
	next    int   // where the next one begins
	lines   int   // line ends within the record, all of them quoted
}

func newScanner(l Layout) *scanner {
	s := &scanner{cut: l.Delimiter, cr: l.CR, quote: l.quote(), backslash: l.Backslash}
	if s.cut == "" {
		s.cut = ","
	}
	s.delim = s.cut[0]
	s.delims = ones * uint64(s.delim)
	s.other = len(s.cut) > 1 || s.quote != '"' || s.backslash
	for _, c := range []byte{s.delim, '\n', '\r'} {
		s.ends[c] = true
	}
	if s.quote >= 0 {
		s.ends[s.quote] = true
	}
	return s
}

// scan looks for one record at the start of b. eof says that nothing follows
// b. An empty b with eof is an empty record: the caller looks first.
func (s *scanner) scan(b []byte, eof bool) scanned {
	s.cells, s.doubled, s.lines = s.cells[:0], s.doubled[:0], 0
	if s.other {
		return s.scanOther(b, eof)
	}
	// Of the word of eight bytes at b[word:], marks has what may end a cell and
	// lies at i or beyond.
	i, word, marks := 0, -8, uint64(0)
	for {
		if i < len(b) && b[i] == '"' {
			to, found := s.quoted(b, i+1, eof)
			if found != whole {
				return found
			}
			s.add(b[i+1 : to])
			i = to + 1
			word, marks = i+1-8, 0 // behind the delimiter
		} else {
			from := i
			for {
				for marks == 0 {
					word += 8
					marks = s.mark(b, word)
				}
				i = word + bits.TrailingZeros64(marks)/8
				marks &= marks - 1
				if s.cr || i+1 >= len(b) || b[i] != '\r' || b[i+1] == '\n' {
					break
				}
				// A lone CR that is text.
			}
			s.add(b[from:i])
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

func (s *scanner) add(cell []byte) {
	if len(s.cells) <= maxColumns {
		s.cells = append(s.cells, unsafe.String(unsafe.SliceData(cell), len(cell)))
	}
}

// Bytes of a word, all of one value.
const (
	ones   = 0x0101010101010101
	highs  = 0x80 * ones
	lows   = 0x7F * ones
	quotes = '"' * ones
	lfs    = '\n' * ones
	crs    = '\r' * ones
)

// mark marks, by their highest bits, those of eight bytes of b that may end an
// unquoted cell: a delimiter, a quote, CR, LF or the end of b.
func (s *scanner) mark(b []byte, i int) uint64 {
	if len(b)-i < 8 {
		return s.markLast(b[i:])
	}
	w := binary.LittleEndian.Uint64(b[i:])
	d, q, l, c := w^s.delims, w^quotes, w^lfs, w^crs
	// The sum carries into the highest bit of every byte that is not zero.
	d |= d&lows + lows
	q |= q&lows + lows
	l |= l&lows + lows
	c |= c&lows + lows
	return ^(d & q & l & c) & highs
}

func (s *scanner) markLast(rest []byte) uint64 {
	m := uint64(0x80) << (8 * len(rest))
	for i, c := range rest {
		if s.ends[c] {
			m |= 0x80 << (8 * i)
		}
	}
	return m
}

// quoted finds the quote that closes the cell whose text begins at from.
func (s *scanner) quoted(b []byte, from int, eof bool) (to int, found scanned) {
	to = from
	doubled := false
	for {
		k := bytes.IndexByte(b[to:], '"')
		if k < 0 && eof {
			return 0, stray
		}
		if to += k; k < 0 || to+1 == len(b) && !eof {
			return 0, more
		}
		if to+1 == len(b) || b[to+1] != '"' {
			break
		}
		doubled = true
		to += 2
	}
	s.countLines(b[from:to])
	if doubled && len(s.cells) <= maxColumns {
		s.doubled = append(s.doubled, len(s.cells))
	}
	return to, whole
}

// countLines adds the line ends in the text of a quoted cell to the record's.
func (s *scanner) countLines(text []byte) {
	s.lines += bytes.Count(text, []byte{'\n'})
	if s.cr {
		s.lines += bytes.Count(text, []byte{'\r'}) - bytes.Count(text, []byte("\r\n"))
	}
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
