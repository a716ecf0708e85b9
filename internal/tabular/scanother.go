package tabular

import "strings"

// scanOther is scan for the dialects that are rare: a delimiter of several
// characters, another quote or none, quotes escaped by a backslash. It goes
// byte by byte.
func (s *scanner) scanOther(b []byte, eof bool) scanned {
	for i := 0; ; {
		from, to := i, 0
		if i < len(b) && int(b[i]) == s.quote {
			end, found := s.quotedOther(b, i+1, eof)
			if found != whole {
				return found
			}
			from, to, i = i+1, end, end+1
		} else {
			i = s.plainEnd(b, i)
			to = i
		}
		cut := s.cutAt(b, i, eof)
		if cut == more {
			return more
		}
		s.add(b[from:to])
		if cut == whole {
			i += len(s.cut)
			continue
		}
		n, found := s.lineEnd(b, i, eof)
		if found == whole {
			s.end, s.next = i, i+n
		}
		return found
	}
}

// plainEnd returns where the unquoted cell that begins at i ends: at a
// delimiter, or the beginning of one that b does not hold whole, at a quote, a
// line end or the end of b.
func (s *scanner) plainEnd(b []byte, i int) int {
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case !s.ends[c]:
		case c == '\r' && !s.cr && i+1 < len(b) && b[i+1] != '\n':
			// A lone CR that is text.
		case c == s.delim && s.cutAt(b, i, false) == stray:
			// Only begins like a delimiter.
		default:
			return i
		}
	}
	return i
}

// cutAt says whether a delimiter begins at i: whole if it does, stray if not.
func (s *scanner) cutAt(b []byte, i int, eof bool) scanned {
	rest := b[i:]
	switch {
	case len(rest) >= len(s.cut) && string(rest[:len(s.cut)]) == s.cut:
		return whole
	case len(rest) > 0 && len(rest) < len(s.cut) && !eof && strings.HasPrefix(s.cut, string(rest)):
		return more
	}
	return stray
}

// quotedOther finds the quote that closes the cell whose text begins at from.
func (s *scanner) quotedOther(b []byte, from int, eof bool) (to int, found scanned) {
	escaped := false
	for to = from; to < len(b); to++ {
		c := int(b[to])
		slash := s.backslash && c == '\\'
		if c != s.quote && !slash {
			continue
		}
		if to+1 == len(b) && !eof {
			return 0, more
		}
		if to+1 < len(b) && (int(b[to+1]) == s.quote || slash && b[to+1] == '\\') {
			escaped = true
			to++
			continue
		}
		if slash {
			continue // text: it escapes nothing
		}
		s.countLines(b[from:to])
		if escaped && len(s.cells) <= maxColumns {
			s.doubled = append(s.doubled, len(s.cells))
		}
		return to, whole
	}
	if eof {
		return 0, stray
	}
	return 0, more
}

// appendUnescaped appends the text of a quoted cell, with a quote for every one
// that was escaped.
func (s *scanner) appendUnescaped(dst []byte, v string) []byte {
	if !s.other {
		return appendUndoubled(dst, v)
	}
	for i := 0; i < len(v); i++ {
		if i+1 < len(v) && (int(v[i]) == s.quote || s.backslash && v[i] == '\\' && (int(v[i+1]) == s.quote || v[i+1] == '\\')) {
			i++
		}
		dst = append(dst, v[i])
	}
	return dst
}
