package mapping

import (
	"time"

	"sluice/internal/crm"
)

// The canonical form of a time, and the years that are read.
const (
	canonicalTime = "2006-01-02T15:04:05.000Z"
	minYear       = 1900
	maxYear       = 9999
)

// convertTimestamp reads a date, with or without a time, and returns the
// instant in UTC: see [scanMoment] for the ways to write one. A date without a
// zone is in the source's; without a time it is that day's first moment.
// Fractions beyond milliseconds are cut off.
func convertTimestamp(r *reading, made *memory, cell string) (string, crm.Reason) {
	m, ok := scanMoment(cell)
	if !ok || !m.settle(r.order) || !m.valid() {
		return "", crm.ReasonBadDate
	}
	if !m.zoned && r.zone != time.UTC || m.offset != 0 {
		if !m.toUTC(r.zone) {
			return "", crm.ReasonBadDate
		}
	}
	return m.text(made, cell), ""
}

// convertPast reads a timestamp that must not be later than the import's
// start: both are canonical, so they compare as texts.
func convertPast(r *reading, made *memory, cell string) (string, crm.Reason) {
	value, fault := convertTimestamp(r, made, cell)
	if fault == "" && r.now != "" && value > r.now {
		return "", crm.ReasonFutureDate
	}
	return value, fault
}

// A moment is a date and time as written. Until it is settled it holds its
// numbers as they stand, since only the column can tell which is which.
type moment struct {
	year, month, day     int
	a, b, c              int // of an unsettled date
	hour, min, sec, msec int
	offset               int // minutes east of UTC
	weekday              int // as written beside the date: Monday is 1, and 0 none
	zoned                bool
	unsettled            bool
	short                bool // unsettled, and the year has two digits
}

// orders are those that an unsettled date may have. Only one whose year has
// two digits may begin with it.
var orders = [...]DateOrder{DMY, MDY, YMD}

// settle gives the numbers of a date their meaning. Where no order is known
// only a date is settled that is the same under all that fit it.
func (m *moment) settle(order DateOrder) bool {
	switch {
	case !m.unsettled:
		return true
	case order != "":
		m.year, m.month, m.day = m.under(order)
		return true
	}
	for _, o := range orders {
		if !m.fits(o) {
			continue
		}
		y, mo, d := m.under(o)
		if m.year != 0 && (y != m.year || mo != m.month || d != m.day) {
			return false
		}
		m.year, m.month, m.day = y, mo, d
	}
	return m.year != 0
}

// under returns what an unsettled date is under an order; zeros, which no
// calendar has, where it cannot have that order.
func (m *moment) under(order DateOrder) (year, month, day int) {
	year = m.c
	if m.short {
		year = century(m.c)
	}
	switch {
	case order == DMY:
		return year, m.b, m.a
	case order == MDY:
		return year, m.a, m.b
	case m.short:
		return century(m.a), m.b, m.c
	}
	return 0, 0, 0
}

// century completes a year of two digits, as POSIX does: those from 69 belong
// to the last century.
func century(year int) int {
	if year >= 69 {
		return 1900 + year
	}
	return 2000 + year
}

// fits reports whether an unsettled date exists under an order.
func (m *moment) fits(order DateOrder) bool {
	year, month, day := m.under(order)
	return m.is(year, month, day)
}

// is reports whether the calendar has a day, and on the weekday that is
// written beside it, if there is one.
func (m *moment) is(year, month, day int) bool {
	return year >= minYear && exists(year, month, day) && (m.weekday == 0 || m.weekday == weekdayOf(year, month, day))
}

func (m *moment) valid() bool {
	return m.is(m.year, m.month, m.day) && m.hour < 24 && m.min < 60 && m.sec < 60
}

// exists reports whether the calendar has the day.
func exists(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	switch month {
	case 4, 6, 9, 11:
		return day <= 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return day <= 29
		}
		return day <= 28
	}
	return day <= 31
}

// weekdayOf returns the weekday of a day that exists: Monday is 1, Sunday 7.
func weekdayOf(year, month, day int) int {
	w := int(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Weekday())
	if w == 0 {
		return 7
	}
	return w
}

// toUTC moves m from its offset, or from zone if it has none. It reports
// whether the year stayed within bounds.
func (m *moment) toUTC(zone *time.Location) bool {
	wall := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.min, m.sec, 0, time.UTC)
	t := wall.Add(-time.Duration(m.offset) * time.Minute)
	if !m.zoned {
		t = wall.Add(-zoneOffset(wall, zone))
	}
	year, month, day := t.Date()
	m.year, m.month, m.day = year, int(month), day
	m.hour, m.min, m.sec = t.Clock()
	return year >= minYear && year <= maxYear
}

// zoneOffset returns how far east of UTC a zone's clocks stood when they showed
// wall. An hour that they showed twice is the first of the two, and one that
// they skipped is read on the clocks as they were before, so that it comes out
// as much later as they were put forward. time.Date promises neither.
func zoneOffset(wall time.Time, zone *time.Location) time.Duration {
	// No zone is a day away from UTC, and none changes twice within two.
	before, after := offsetAt(wall.Add(-24*time.Hour), zone), offsetAt(wall.Add(24*time.Hour), zone)
	if before != after && offsetAt(wall.Add(-before), zone) != before && offsetAt(wall.Add(-after), zone) == after {
		return after
	}
	return before
}

func offsetAt(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// text returns the canonical form; cell itself if that is it already.
func (m *moment) text(made *memory, cell string) string {
	var b [len(canonicalTime)]byte
	digits(b[0:4], m.year)
	digits(b[5:7], m.month)
	digits(b[8:10], m.day)
	digits(b[11:13], m.hour)
	digits(b[14:16], m.min)
	digits(b[17:19], m.sec)
	digits(b[20:23], m.msec)
	b[4], b[7], b[10], b[13], b[16], b[19], b[23] = '-', '-', 'T', ':', ':', '.', 'Z'
	if string(b[:]) == cell {
		return cell
	}
	return made.string(b[:])
}

func digits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}
