package tabular

import "bytes"

// attr returns the next attribute of the tag that next just returned, as it
// stands: see attrText. It reports false behind the last.
func (x *xmlScanner) attr() (name, value []byte, ok bool) {
	a := afterSpace(x.attrs)
	if len(a) == 0 {
		return nil, nil, false
	}
	end := 0
	for end < len(a) && a[end] != '=' && !isSpace(a[end]) {
		end++
	}
	name, a = a[:end], afterSpace(a[end:])
	if len(name) == 0 || len(a) == 0 || a[0] != '=' {
		x.broken = true
		return nil, nil, false
	}
	a = afterSpace(a[1:])
	end = -1
	if len(a) > 1 && (a[0] == '"' || a[0] == '\'') {
		end = bytes.IndexByte(a[1:], a[0])
	}
	if end < 0 {
		x.broken = true
		return nil, nil, false
	}
	x.attrs = a[end+2:]
	return name, a[1 : 1+end], true
}

// attributes returns all attributes of a tag, by their names without a prefix.
func attributes(x *xmlScanner) (map[string]string, error) {
	at := make(map[string]string)
	for {
		name, value, ok := x.attr()
		if !ok {
			return at, nil
		}
		text, err := attrText(value)
		if err != nil {
			return nil, err
		}
		at[string(local(name))] = text
	}
}

// attrText returns the text of an attribute's value.
func attrText(value []byte) (string, error) {
	b, err := appendDecoded(nil, value, false)
	return string(b), err
}

// afterSpace returns b without white space before it.
func afterSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// local returns a name without its prefix.
func local(name []byte) []byte {
	for i, c := range name {
		if c == ':' && i > 0 {
			return name[i+1:]
		}
	}
	return name
}
