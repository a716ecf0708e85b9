package tabular

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendText appends the text that the scanner just returned, with its
// references replaced and its line ends made LF, as XML has it. Bytes that are
// no text are kept.
func (x *xmlScanner) appendText(dst []byte) ([]byte, error) {
	return appendDecoded(dst, x.text, x.plain)
}

func appendDecoded(dst, raw []byte, plain bool) ([]byte, error) {
	from := len(dst)
	for !plain {
		i := bytes.IndexByte(raw, '&')
		if i < 0 {
			break
		}
		dst = append(dst, raw[:i]...)
		end := bytes.IndexByte(raw[i:], ';')
		if end < 0 {
			return dst, errMarkup
		}
		if bytes.IndexByte(raw[:i], '\r') >= 0 {
			dst = appendLF(dst[:from], dst[from:])
		}
		r, ok := reference(raw[i+1 : i+end])
		if !ok {
			return dst, errMarkup
		}
		dst = utf8.AppendRune(dst, r)
		raw, from = raw[i+end+1:], len(dst)
	}
	if bytes.IndexByte(raw, '\r') >= 0 {
		return appendLF(dst, raw), nil
	}
	return append(dst, raw...), nil
}

// appendLF appends text with LF for every CRLF and every other CR. It may be
// what stands behind dst.
func appendLF(dst, text []byte) []byte {
	for i, c := range text {
		switch {
		case c != '\r':
			dst = append(dst, c)
		case i+1 == len(text) || text[i+1] != '\n':
			dst = append(dst, '\n')
		}
	}
	return dst
}

// reference returns the character that &name; stands for.
func reference(name []byte) (rune, bool) {
	switch string(name) {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, found := bytes.CutPrefix(name, []byte("#"))
	if !found {
		return 0, false
	}
	base := 10
	if hex, ok := bytes.CutPrefix(digits, []byte("x")); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	return rune(n), err == nil && n <= utf8.MaxRune && utf8.ValidRune(rune(n))
}

// unescape replaces escapes such as _x000D_ in b, which it may write over. They
// stand for one UTF-16 code unit each (ECMA-376 part 1, 22.9.2.19); half a pair
// is left as it stands.
func unescape(b []byte) []byte {
	at := bytes.Index(b, []byte("_x"))
	if at < 0 {
		return b
	}
	out := b[:at]
	for at < len(b) {
		r, n := escaped(b[at:])
		if n == 0 {
			out = append(out, b[at])
			at++
			continue
		}
		if utf16.IsSurrogate(r) {
			low, m := escaped(b[at+n:])
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				out = append(out, b[at:at+n]...)
				at += n
				continue
			}
			n += m
		}
		out = utf8.AppendRune(out, r)
		at += n
	}
	return out
}

// escaped returns the code unit of the escape that b begins with and the
// escape's length; 0 if there is none.
func escaped(b []byte) (rune, int) {
	const length = len("_x0000_")
	if len(b) < length || b[0] != '_' || b[1] != 'x' || b[length-1] != '_' {
		return 0, 0
	}
	var r rune
	for _, c := range b[2 : length-1] {
		switch lower := c | 0x20; {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case lower >= 'a' && lower <= 'f':
			r = r<<4 | rune(lower-'a'+10)
		default:
			return 0, 0
		}
	}
	return r, length
}

// maxRich is how many bytes a richText gathers before it gives up: more than
// the longest text takes with each of its characters written as an escape.
const maxRich = 8 * maxCharacters

// richText gathers the text of an element that holds a text or runs of text,
// and maybe how they are pronounced, which is left out.
type richText struct {
	base int // depth of the element's children
	text []byte
	left int  // UTF-16 code units that the text may still have
	long bool // longer than a cell can be; text is its beginning

	outer, inner bool // which child is open: a t, or a t in an r
	run          bool
	from         int // where the text of the open t begins
}

func (t *richText) reset(base int) {
	*t = richText{base: base, text: t.text[:0], left: maxCharacters}
}

// whole takes the text that the scanner just returned for all there is.
func (t *richText) whole(x *xmlScanner) (err error) {
	if t.long = false; len(x.text) <= maxCharacters && isOrdinary(x.text) {
		t.text = append(t.text[:0], x.text...)
		return nil
	}
	t.text, err = x.appendText(t.text[:0])
	part, left := limited(unescape(t.text), maxCharacters)
	t.text, t.long = part, left < 0
	return err
}

// special bytes may stand for something else, or be part of a character.
var special = func() (is [256]bool) {
	for c := range is {
		is[c] = c == '&' || c == '_' || c == '\r' || c >= utf8.RuneSelf
	}
	return is
}()

// isOrdinary reports whether a text is ASCII that stands for itself.
func isOrdinary(text []byte) bool {
	for _, c := range text {
		if special[c] {
			return false
		}
	}
	return true
}

// open looks at a start tag below the element.
func (t *richText) open(x *xmlScanner) {
	switch x.depth {
	case t.base:
		t.outer, t.run, t.inner = string(x.name) == "t", string(x.name) == "r", false
		t.from = len(t.text)
	case t.base + 1:
		t.inner = t.run && string(x.name) == "t"
		t.from = len(t.text)
	}
}

// add looks at a text below the element.
func (t *richText) add(x *xmlScanner) (err error) {
	if t.long || !(t.outer && x.depth == t.base || t.inner && x.depth == t.base+1) {
		return nil
	}
	if t.long = x.long || len(t.text)+len(x.text) > maxRich; !t.long {
		t.text, err = x.appendText(t.text)
	}
	return err
}

// close looks at an end tag below the element. Escapes do not reach from one t
// into another.
func (t *richText) close(x *xmlScanner) {
	if !(t.outer && x.depth == t.base-1 || t.inner && x.depth == t.base) {
		return
	}
	t.outer, t.inner = false, false
	part, left := limited(unescape(t.text[t.from:]), t.left)
	t.text, t.left, t.long = t.text[:t.from+len(part)], left, t.long || left < 0
}

// limited cuts a text to n UTF-16 code units at the most, and returns how many
// are left; -1 if something was cut. A byte that is no text counts as one.
func limited(text []byte, n int) ([]byte, int) {
	for i := 0; i < len(text); {
		units, size := 1, 1
		if text[i] >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRune(text[i:])
			units = utf16.RuneLen(r)
		}
		if n -= units; n < 0 {
			return text[:i], -1
		}
		i += size
	}
	return text, n
}
