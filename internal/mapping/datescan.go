package mapping

// A scanner reads a date from left to right.
type scanner struct {
	s string
	i int
}

// scanMoment reads the ways in which dates are written:
//
//	2024-05-06  2024/5/6  2024.05.06  20240506
//	06/05/2024  5-6-2024  06.05.2024         (see moment.settle)
//	6 May 2024  6-May-2024  6. May 2024  May 6, 2024  Mon, 6 May 2024
//
// each alone or with a time (15:04, 15:04:05.999, 3:04 PM), and that with a
// zone (Z, UTC, GMT, +02, +02:00, +0200). Months are English. A year has four
// digits: of two, the century would be a guess.
func scanMoment(s string) (moment, bool) {
	if m, ok := scanISO(s); ok {
		return m, true
	}
	var m moment
	c := scanner{s: s}
	compact, ok := c.date(&m)
	if !ok {
		return m, false
	}
	if c.end() {
		return m, true
	}
	if !c.gap() || !c.time(&m, compact) {
		return m, false
	}
	return m, c.zone(&m) && c.end()
}

// scanISO reads the form that most programs write, 2006-01-02T15:04:05Z, with a
// space or without a zone, at fixed places. It is no more than a short way.
func scanISO(s string) (m moment, ok bool) {
	const form = "0000-00-00T00:00:00Z"
	if len(s) != len(form) && len(s) != len(form)-1 || s[10] != 'T' && s[10] != ' ' {
		return m, false
	}
	for i := range len(s) {
		if form[i] == '0' && s[i]-'0' >= 10 || form[i] != '0' && i != 10 && s[i] != form[i] {
			return m, false
		}
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	m.year, m.month, m.day = two(0)*100+two(2), two(5), two(8)
	m.hour, m.min, m.sec = two(11), two(14), two(17)
	m.zoned = len(s) == len(form)
	return m, true
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

func (c *scanner) date(m *moment) (compact, ok bool) {
	if letter(c.peek()) {
		return false, c.wordDate(m)
	}
	n, width := c.number(8)
	switch {
	case width == 8:
		m.year, m.month, m.day = n/10000, n/100%100, n%100
		return true, true
	case width == 4:
		sep := c.separator()
		var mw, dw int
		m.year = n
		m.month, mw = c.number(2)
		ok := sep != 0 && mw > 0 && c.take(sep)
		m.day, dw = c.number(2)
		return false, ok && dw > 0
	case width == 1 || width == 2:
		return false, c.dayFirst(m, n)
	}
	return false, false
}

// dayFirst reads what follows the number that begins a date: another number
// or the name of a month.
func (c *scanner) dayFirst(m *moment, n int) bool {
	c.ordinal()
	if c.peek() == '.' && c.i+1 < len(c.s) && c.s[c.i+1] == ' ' {
		c.i++
	}
	sep := c.separator()
	if sep == 0 && !c.spaces() {
		return false
	}
	var width int
	if letter(c.peek()) {
		m.day, m.month = n, c.month()
		if sep == 0 {
			c.take('.')
			c.take(',')
		}
		if m.month == 0 || sep != 0 && !c.take(sep) || sep == 0 && !c.spaces() {
			return false
		}
	} else {
		m.a, m.unsettled = n, true
		m.b, width = c.number(2)
		if sep == 0 || width == 0 || !c.take(sep) {
			return false
		}
	}
	m.year, width = c.number(4)
	return width == 4
}

// wordDate reads a date that begins with a word: a day of the week, which is
// passed over, or a month.
func (c *scanner) wordDate(m *moment) bool {
	from := c.i
	if m.month = c.month(); m.month == 0 {
		c.i = from
		if !c.weekday() {
			return false
		}
		c.take('.')
		c.take(',')
		if !c.spaces() {
			return false
		}
		if !letter(c.peek()) {
			n, width := c.number(2)
			return width > 0 && c.dayFirst(m, n)
		}
		if m.month = c.month(); m.month == 0 {
			return false
		}
	}
	c.take('.')
	if !c.spaces() {
		return false
	}
	var dw, yw int
	if m.day, dw = c.number(2); dw == 0 {
		return false
	}
	c.ordinal()
	c.take(',')
	if !c.spaces() {
		return false
	}
	m.year, yw = c.number(4)
	return yw == 4
}

// gap passes over what stands between a date and a time.
func (c *scanner) gap() bool {
	if c.take('T') || c.take('t') {
		return true
	}
	c.take(',')
	return c.spaces()
}

func (c *scanner) separator() byte {
	switch b := c.peek(); b {
	case '-', '/', '.':
		c.i++
		return b
	}
	return 0
}

// ordinal passes over the ending of "6th".
func (c *scanner) ordinal() {
	if c.i+1 >= len(c.s) {
		return
	}
	switch lowerPair(c.s[c.i], c.s[c.i+1]) {
	case "st", "nd", "rd", "th":
		c.i += 2
	}
}

func lowerPair(a, b byte) string { return string([]byte{lower(a), lower(b)}) }

func (c *scanner) word() string {
	from := c.i
	for letter(c.peek()) {
		c.i++
	}
	return c.s[from:c.i]
}

var months = [...]string{"january", "february", "march", "april", "may", "june", "july",
	"august", "september", "october", "november", "december"}

var weekdays = [...]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// month reads the name of a month, whole or by its first three letters or
// more; 0 if there is none.
func (c *scanner) month() int { return 1 + among(c.word(), months[:]) }

func (c *scanner) weekday() bool { return among(c.word(), weekdays[:]) >= 0 }

func among(word string, names []string) int {
	if len(word) < 3 {
		return -1
	}
	for i, name := range names {
		if len(word) > len(name) {
			continue
		}
		j := 0
		for j < len(word) && lower(word[j]) == name[j] {
			j++
		}
		if j == len(word) {
			return i
		}
	}
	return -1
}

func letter(b byte) bool { return lower(b)-'a' < 26 }

func lower(b byte) byte {
	if b-'A' < 26 {
		b += 'a' - 'A'
	}
	return b
}
