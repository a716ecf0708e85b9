package mapping

import "golang.org/x/text/unicode/norm"

// scanMoment reads the ways in which dates are written:
//
//	2024-05-06  2024/5/6  2024. 5. 6.  2024年5月6日  20240506
//	06/05/2024  5-6-2024  6. 5. 2024  06/05/24              (see moment.settle)
//	6 May 2024  6-May-24  6. Mai 2024  6 de mayo de 2024  May 6, 2024  2024-May-06
//
// each alone or with a time (15:04, 15:04:05.999, 15.04, 15h04, 3:04 PM, 3 PM),
// and that with a zone (Z, UTC, GMT, +02, +02:00, +0200); the form of Unix,
// Mon May 6 15:04:05 2024; and bare numbers: see [scanNumber]. A day of the
// week may stand before the date, and must be that day's. Months and days have
// their names in English, German, French, Spanish, Italian, Dutch and
// Portuguese, whole or by three letters or more.
//
// A year of two digits is read beside the name of a month, and among numbers
// where the column's order is known: see [century]. Years alone, months
// without a day and names of zones that several countries use are refused.
func scanMoment(s string) (moment, bool) {
	if m, ok := scanISO(s); ok {
		return m, true
	}
	if !ascii(s) {
		s = norm.NFKC.String(s)
	}
	if m, ok := scanNumber(s); ok {
		return m, true
	}
	c := scanner{s: s}
	if m, ok := c.moment(); ok {
		return m, true
	}
	// A word before the date: "mar" begins March, and mardi too.
	c.i = 0
	weekday := c.weekday()
	if weekday == 0 {
		return moment{}, false
	}
	m, ok := c.moment()
	m.weekday = weekday
	return m, ok
}

// scanISO reads the form that most programs write, 2006-01-02T15:04:05.000Z,
// with a space or without the time, the fraction or the zone, at fixed places.
// It is no more than a short way.
func scanISO(s string) (m moment, ok bool) {
	const form, whole, date = "0000-00-00T00:00:00.000Z", len("0000-00-00T00:00:00"), len("0000-00-00")
	n := len(s)
	m.zoned = n > 0 && s[n-1] == 'Z'
	if m.zoned {
		n--
	}
	if n != date && n != whole && n != len(form)-1 || m.zoned && n == date || n > date && s[date] != 'T' && s[date] != ' ' {
		return m, false
	}
	for i := range n {
		if form[i] == '0' && s[i]-'0' >= 10 || form[i] != '0' && i != date && s[i] != form[i] {
			return m, false
		}
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	m.year, m.month, m.day = two(0)*100+two(2), two(5), two(8)
	if n > date {
		m.hour, m.min, m.sec = two(11), two(14), two(17)
	}
	if n > whole {
		m.msec = two(20)*10 + int(s[22]-'0')
	}
	return m, true
}

// moment reads all that is left.
func (c *scanner) moment() (m moment, ok bool) {
	if !c.date(&m) {
		return m, false
	}
	if c.end() {
		return m, m.hasYear()
	}
	if !c.gap() || !c.time(&m) || !c.zone(&m) {
		return m, false
	}
	if !m.hasYear() { // the form of Unix
		c.spaces()
		year, width := c.number(5)
		m.year = year
		return m, width == 4 && c.end()
	}
	return m, c.end()
}

func (m *moment) hasYear() bool { return m.unsettled || m.year != 0 }

func (c *scanner) date(m *moment) bool {
	switch n, width := c.number(8); width {
	case 0:
		return c.monthFirst(m)
	case 1, 2:
		return c.dayFirst(m, n)
	case 4:
		return c.yearFirst(m, n)
	case 8:
		m.year, m.month, m.day = n/10000, n/100%100, n%100
		c.compact = true
		return true
	}
	return false
}

// yearFirst reads what follows a year: a month, by number or name, and a day.
func (c *scanner) yearFirst(m *moment, year int) bool {
	m.year = year
	if c.takeAny("年", "년") {
		return c.eastern(m)
	}
	var width int
	from := c.i
	if sep := c.separator(); sep != 0 && c.peek()-'0' < 10 {
		if m.month, width = c.number(2); c.separator() != sep {
			return false
		}
		m.day, width = c.number(2)
		c.stop(sep)
		return width > 0
	}
	c.i = from
	c.between()
	m.month = c.month()
	c.between()
	m.day, width = c.number(2)
	return m.month > 0 && width > 0
}

// eastern reads the rest of a date that marks its parts, as Chinese, Japanese
// and Korean do.
func (c *scanner) eastern(m *moment) bool {
	c.spaces()
	var width int
	if m.month, width = c.number(2); width == 0 || !c.takeAny("月", "월") {
		return false
	}
	c.spaces()
	m.day, width = c.number(2)
	return width > 0 && c.takeAny("日", "일")
}

// dayFirst reads what follows the number that begins a date: another number
// or the name of a month; and the year.
func (c *scanner) dayFirst(m *moment, n int) bool {
	from := c.i
	if sep := c.separator(); sep != 0 && c.peek()-'0' < 10 {
		return c.numbers(m, n, sep)
	}
	c.i = from
	c.ordinal()
	c.between()
	m.day, m.month = n, c.month()
	c.between()
	return m.month > 0 && c.year(m)
}

// numbers reads the rest of a date of three numbers, whose first is n.
func (c *scanner) numbers(m *moment, n int, sep byte) bool {
	m.a, m.unsettled = n, true
	m.b, _ = c.number(2)
	if c.separator() != sep {
		return false
	}
	var width int
	m.c, width = c.number(5)
	m.short = width == 2
	c.stop(sep)
	return width == 4 || width == 2
}

// monthFirst reads a date that begins with the name of a month. Without a year
// behind the day it is the form of Unix, where the year comes last.
func (c *scanner) monthFirst(m *moment) bool {
	var width int
	m.month = c.month()
	c.between()
	if m.day, width = c.number(2); m.month == 0 || width == 0 {
		return false
	}
	c.ordinal()
	from := c.i
	if c.between() && c.year(m) && c.peek() != ':' {
		return true
	}
	c.i, m.year = from, 0
	return true
}

// year reads a year beside the name of a month: of four digits, or of two.
func (c *scanner) year(m *moment) bool {
	year, width := c.number(5)
	if width == 2 {
		year = century(year)
	}
	m.year = year
	return width == 4 || width == 2
}

// separator reads what divides the numbers of a date; 0 if nothing does.
func (c *scanner) separator() byte {
	switch b := c.peek(); b {
	case '.':
		c.i++
		c.spaces()
		return b
	case '-', '/':
		c.i++
		return b
	}
	return 0
}

// stop passes over the full stop that ends a date such as "2024. 5. 6.".
func (c *scanner) stop(sep byte) {
	if sep == '.' {
		c.take('.')
	}
}

// between passes over what stands beside the name of a month: marks, spaces
// and the small words of some languages. It reports whether there was any.
func (c *scanner) between() bool {
	first := c.i
	for !c.end() {
		from := c.i
		switch c.peek() {
		case ' ', '.', ',', '-', '/':
			c.i++
			continue
		}
		switch string(c.word()) {
		case "of", "de", "del":
			continue
		}
		c.i = from
		break
	}
	return c.i > first
}

// ordinal passes over the ending of "6th", "1er" and "1º".
func (c *scanner) ordinal() {
	from := c.i
	switch string(c.word()) {
	case "st", "nd", "rd", "th", "er", "o":
		return
	}
	c.i = from
	c.takeAny("°")
}
