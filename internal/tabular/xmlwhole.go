package tabular

import "bytes"

// What programs write a million times in the same way is passed at once, without
// looking at it tag by tag. Whatever is written in another way is left to next,
// which comes to the same result.

// element passes an element that is nothing but a text between two strings of
// markup, and leaves the text in x. It passes nothing and reports false if what
// comes next is something else or not all of it is in the window.
func (x *xmlScanner) element(start, end string) bool {
	b := x.buf[x.pos:x.end]
	if x.empty || x.broken || len(b) < len(start) || string(b[:len(start)]) != start {
		return false
	}
	n := textBefore(b[len(start):], end)
	if n < 0 {
		return false
	}
	x.text, x.plain, x.long = b[len(start):len(start)+n], false, false
	x.pos += len(start) + n + len(end)
	return true
}

// within passes the rest of an element that holds nothing but a text between
// two strings of markup, of which end closes the element, and leaves the text
// in x. It passes nothing and reports false if the element, whose name is
// given, is written in another way or not all of it is in the window.
func (x *xmlScanner) within(name, start, end string) bool {
	if string(x.names[x.starts[x.depth-1]:]) != name || !x.element(start, end) {
		return false
	}
	x.leave()
	return true
}

// textBefore returns how many bytes of b stand before its first markup if that
// is end, or -1.
func textBefore(b []byte, end string) int {
	n := bytes.IndexByte(b, '<')
	if n < 0 || len(b) < n+len(end) || string(b[n:n+len(end)]) != end {
		return -1
	}
	return n
}

// plainCell is a cell such as <c r="B7" s="4" t="s"><v>12</v></c>, as it stands.
// What it points to is valid until the scanner goes on.
type plainCell struct {
	ref, style, kind []byte // the attributes r, s and t; nil if there is none
	value            []byte // a number
}

// cell passes a cell that has some of the attributes r, s and t, in this order,
// and a number for its value. It passes nothing and reports false if what comes
// next is something else or not all of it is in the window.
func (x *xmlScanner) cell(c *plainCell) bool {
	const start, end = "<c", "</v></c>"
	b := x.buf[x.pos:x.end]
	if x.depth != rowDepth || x.empty || x.broken || len(b) < len(start) || string(b[:len(start)]) != start {
		return false
	}
	b = b[len(start):]
	c.ref, b = shortAttr(b, ` r="`)
	c.style, b = shortAttr(b, ` s="`)
	c.kind, b = shortAttr(b, ` t="`)
	const open = "><v>"
	if len(b) < len(open) || string(b[:len(open)]) != open {
		return false
	}
	b = b[len(open):]
	n := 0
	for n < len(b) && (b[n]-'0' < 10 || b[n] == '.' || b[n] == '-') {
		n++
	}
	if len(b) < n+len(end) || string(b[n:n+len(end)]) != end {
		return false
	}
	c.value = b[:n]
	x.pos = x.end - len(b) + n + len(end)
	x.count++
	return true
}

// shortAttr returns the value of the attribute that b begins with, and what
// follows it; nil and b if b does not begin with start.
func shortAttr(b []byte, start string) (value, rest []byte) {
	if len(b) < len(start) || string(b[:len(start)]) != start {
		return nil, b
	}
	const longest = 16 // bytes of a value
	end := min(len(b), len(start)+longest)
	for i := len(start); i < end; i++ {
		if b[i] == '"' {
			return b[len(start):i], b[i+1:]
		}
	}
	return nil, b
}
