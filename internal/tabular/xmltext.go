package tabular

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

// resolve checks the text and replaces its references.
func (x *xmlScanner) resolve() error {
	if !x.begun && bytes.IndexByte(x.text, 0) >= 0 {
		return errors.New("is not in UTF-8")
	}
	out := x.text[:0]
	for rest := x.text; len(rest) > 0; {
		i := bytes.IndexByte(rest, '&')
		if i < 0 {
			out = append(out, rest...)
			break
		}
		out = append(out, rest[:i]...)
		end := bytes.IndexByte(rest[i:], ';')
		if end < 0 {
			return errMarkup
		}
		r, ok := reference(rest[i+1 : i+end])
		if !ok {
			return errMarkup
		}
		out = utf8.AppendRune(out, r)
		rest = rest[i+end+1:]
	}
	x.text = out
	return x.checkText()
}

func (x *xmlScanner) checkText() error {
	if !utf8.Valid(x.text) {
		return errMarkup
	}
	for _, c := range x.text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return errMarkup
		}
	}
	if len(x.text) > maxText && utf8.RuneCount(x.text) > maxText {
		return errLongText
	}
	return nil
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
