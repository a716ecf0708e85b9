package mapping

// time reads the time of day behind a date; a compact date may have a compact
// time.
func (c *scanner) time(m *moment, compact bool) bool {
	var width int
	if m.hour, width = c.number(2); width == 0 {
		return false
	}
	colon := c.take(':')
	if !colon && !compact {
		return false
	}
	if m.min, width = c.number(2); width != 2 {
		return false
	}
	if colon && c.take(':') || !colon && c.peek()-'0' < 10 {
		if m.sec, width = c.number(2); width != 2 || !c.fraction(m) {
			return false
		}
	}
	return c.half(m)
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

// half reads AM or PM.
func (c *scanner) half(m *moment) bool {
	from := c.i
	c.spaces()
	half := lower(c.peek())
	if half != 'a' && half != 'p' {
		c.i = from
		return true
	}
	c.i++
	c.take('.')
	if lower(c.peek()) != 'm' || m.hour < 1 || m.hour > 12 {
		return false
	}
	c.i++
	c.take('.')
	m.hour %= 12
	if half == 'p' {
		m.hour += 12
	}
	return true
}

func (c *scanner) zone(m *moment) bool {
	c.spaces()
	if c.end() {
		return true
	}
	m.zoned = true
	if c.take('Z') || c.take('z') {
		return true
	}
	if w := c.word(); w != "" {
		if w != "UTC" && w != "GMT" {
			return false
		}
		if c.end() {
			return true
		}
	}
	return c.offset(m)
}

func (c *scanner) offset(m *moment) bool {
	minus := c.take('-')
	if !minus && !c.take('+') {
		return false
	}
	h, hw := c.number(2)
	c.take(':')
	min, mw := c.number(2)
	if hw != 2 || mw != 0 && mw != 2 || min > 59 {
		return false
	}
	m.offset = h*60 + min
	if m.offset > maxOffsetMinute {
		return false
	}
	if minus {
		m.offset = -m.offset
	}
	return c.s[c.i-1] != ':'
}
