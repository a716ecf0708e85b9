package mapping

import "time"

// The bare numbers that are dates. Each is told by how many digits it has, and
// within these years no other number of a date's column looks like it.
const (
	firstSerial = 25569         // 1970-01-01 in a spreadsheet
	lastSerial  = 73050         // 2099-12-31
	firstSecond = 1_000_000_000 // 2001-09-09, where seconds first have ten digits
	lastSecond  = 4_102_444_799 // 2099-12-31T23:59:59
)

// scanNumber reads dates that are written as one number:
//
//	45418, 45418.5   days as spreadsheets count them, from 1900: 1970 to 2099,
//	                 in the source's zone
//	1714953600       seconds since 1970, in UTC: to 2099
//	1714953600000    milliseconds
//	20240506123456   the digits of a date and a time
//
// A number of any other length is no date: "2024" names none, and years are
// not made of "45" or "450000".
func scanNumber(s string) (m moment, ok bool) {
	c := scanner{s: s}
	n, width := c.number(14)
	switch {
	case width == 5 && n >= firstSerial && n <= lastSerial:
		return c.serial(n)
	case !c.end():
		return m, false
	case width == 14:
		m.year, m.month, m.day = n/1e10, n/1e8%100, n/1e6%100
		m.hour, m.min, m.sec = n/1e4%100, n/100%100, n%100
		return m, true
	case width == 10 && n >= firstSecond && n <= lastSecond:
		return instant(time.Unix(int64(n), 0), true), true
	case width == 13 && n/1000 >= firstSecond && n/1000 <= lastSecond:
		return instant(time.UnixMilli(int64(n)), true), true
	}
	return m, false
}

// serial reads the fraction of a spreadsheet's day, to the nearest millisecond.
func (c *scanner) serial(days int) (moment, bool) {
	const dayMillis = 24 * 60 * 60 * 1000
	var millis int64
	if c.take('.') || c.take(',') {
		n, width := c.number(10)
		if width == 0 {
			return moment{}, false
		}
		scale := int64(1)
		for range width {
			scale *= 10
		}
		millis = (int64(n)*dayMillis + scale/2) / scale
		c.number(10) // what is less than a hundredth of a millisecond
	}
	at := time.UnixMilli(int64(days-firstSerial)*dayMillis + millis)
	return instant(at, false), c.end()
}

// instant returns t, whose clock shows UTC or, if it is not zoned, what a clock
// in the source's zone showed.
func instant(t time.Time, zoned bool) moment {
	t = t.UTC()
	m := moment{zoned: zoned, msec: t.Nanosecond() / 1e6}
	year, month, day := t.Date()
	m.year, m.month, m.day = year, int(month), day
	m.hour, m.min, m.sec = t.Clock()
	return m
}
