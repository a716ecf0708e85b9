package mapping

import "strings"

// gap passes over what stands between a date and a time.
func (c *scanner) gap() bool {
	if c.take('T') || c.take('t') {
		return true
	}
	c.take(',')
	if !c.spaces() {
		return false
	}
	for {
		from := c.i
		switch string(c.word()) {
		case "at", "um", "a", "as", "las", "om", "alle", "ore", "kl":
			if c.spaces() {
				continue
			}
		}
		c.i = from
		return true
	}
}

// time reads the time of day behind a date: with colons, with points, with an
// h, or behind a compact date with nothing. An hour alone needs AM or PM.
func (c *scanner) time(m *moment) bool {
	var width int
	if m.hour, width = c.number(2); width == 0 {
		return false
	}
	sep := c.peek()
	switch {
	case sep == ':' || sep == '.' || sep == 'h':
		c.i++
	case c.compact && sep-'0' < 10:
		sep = 0
	default:
		found, ok := c.half(m)
		return found && ok
	}
	if m.min, width = c.number(2); width != 2 {
		return false
	}
	if sep == 0 && c.peek()-'0' < 10 || sep != 0 && c.take(sep) {
		if m.sec, width = c.number(2); width != 2 || !c.fraction(m) {
			return false
		}
	}
	from := c.i
	if c.spaces(); string(c.word()) == "uhr" {
		return true
	}
	c.i = from
	_, ok := c.half(m)
	return ok
}

// fraction reads the fraction of a second, and keeps three digits of it.
func (c *scanner) fraction(m *moment) bool {
	if !c.take('.') && !c.take(',') {
		return true
	}
	n, width := c.number(3)
	if width == 0 {
		return false
	}
	for ; width < 3; width++ {
		n *= 10
	}
	m.msec = n
	_, rest := c.number(9)
	return rest < 9
}

// half reads AM or PM, if there is either.
func (c *scanner) half(m *moment) (found, ok bool) {
	from := c.i
	c.spaces()
	half := lower(c.peek())
	if half != 'a' && half != 'p' {
		c.i = from
		return false, true
	}
	c.i++
	if c.take('.') {
		c.spaces()
	}
	if lower(c.peek()) != 'm' || m.hour < 1 || m.hour > 12 {
		return false, false
	}
	c.i++
	c.take('.')
	m.hour %= 12
	if half == 'p' {
		m.hour += 12
	}
	return true, true
}

// zone reads Z, UTC, GMT, an offset, or UTC and an offset, with a remark behind
// it; nothing is the source's zone.
func (c *scanner) zone(m *moment) bool {
	from := c.i
	c.spaces()
	if c.end() || c.peek()-'0' < 10 {
		c.i = from
		return true
	}
	m.zoned = true
	switch string(c.word()) {
	case "z":
		return c.remark()
	case "utc", "gmt":
		if c.peek() != '+' && c.peek() != '-' {
			return c.remark()
		}
	case "":
	default:
		return false
	}
	return c.offset(m) && c.remark()
}

// maxOffset is how far from UTC a zone can be, in minutes.
const maxOffset = 14 * 60

func (c *scanner) offset(m *moment) bool {
	minus := c.takeAny("-", "\u2212")
	if !minus && !c.take('+') {
		return false
	}
	h, hw := c.number(2)
	colon := c.take(':')
	min, mw := c.number(2)
	if hw != 2 || mw != 2 && (mw != 0 || colon) || min > 59 {
		return false
	}
	m.offset = h*60 + min
	if m.offset > maxOffset {
		return false
	}
	if minus {
		m.offset = -m.offset
	}
	return true
}

// remark passes over what programs write behind an offset, which has said all:
// the zone's name, in brackets or not.
func (c *scanner) remark() bool {
	from := c.i
	c.spaces()
	rest := c.s[c.i:]
	switch {
	case rest == "":
	case rest[0] == '(' && strings.IndexByte(rest, ')') == len(rest)-1, rest[0] == '[' && strings.IndexByte(rest, ']') == len(rest)-1:
		c.i = len(c.s)
	case letter(rest[0]) && len(rest) <= len("AKDST"):
		if c.word(); c.end() {
			return true
		}
		c.i = from
	default:
		c.i = from
	}
	return true
}
