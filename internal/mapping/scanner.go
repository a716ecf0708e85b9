package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A scanner reads a date from left to right.
type scanner struct {
	s       string
	i       int
	compact bool // the date is 20240506, and the time may be 150405
	letters [16]byte
}

func (c *scanner) end() bool { return c.i == len(c.s) }

func (c *scanner) peek() byte {
	if c.i < len(c.s) {
		return c.s[c.i]
	}
	return 0
}

func (c *scanner) take(b byte) bool {
	if c.peek() == b && b != 0 {
		c.i++
		return true
	}
	return false
}

func (c *scanner) takeAny(marks ...string) bool {
	for _, mark := range marks {
		if strings.HasPrefix(c.s[c.i:], mark) {
			c.i += len(mark)
			return true
		}
	}
	return false
}

func (c *scanner) spaces() bool {
	from := c.i
	for c.take(' ') {
	}
	return c.i > from
}

// number reads up to most digits and returns how many there were.
func (c *scanner) number(most int) (n, width int) {
	for width < most && c.i < len(c.s) && c.s[c.i]-'0' < 10 {
		n = n*10 + int(c.s[c.i]-'0')
		c.i++
		width++
	}
	return n, width
}

// word reads letters and returns them in lower case without accents, valid
// until the next word; nil for a word longer than any that is known.
func (c *scanner) word() []byte {
	n := 0
	for c.i < len(c.s) {
		r, size := utf8.DecodeRuneInString(c.s[c.i:])
		b := plainLetter(r)
		if b == 0 {
			break
		}
		c.i += size
		if n < len(c.letters) {
			c.letters[n] = b
		}
		n++
	}
	if n > len(c.letters) {
		return nil
	}
	return c.letters[:n]
}

// plainLetter returns a Latin letter in lower case and without its accent; 0
// for everything else.
func plainLetter(r rune) byte {
	if r < utf8.RuneSelf {
		if b := byte(r); letter(b) {
			return lower(b)
		}
		return 0
	}
	switch unicode.ToLower(r) {
	case 'á', 'à', 'â', 'ä', 'ã':
		return 'a'
	case 'é', 'è', 'ê', 'ë':
		return 'e'
	case 'í', 'ì', 'î', 'ï':
		return 'i'
	case 'ó', 'ò', 'ô', 'ö', 'õ':
		return 'o'
	case 'ú', 'ù', 'û', 'ü':
		return 'u'
	case 'ç':
		return 'c'
	}
	return 0
}
