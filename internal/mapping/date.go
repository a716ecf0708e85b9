package mapping

import (
	"time"

	"sluice/internal/crm"
)

// The canonical form of a time, and what every such text has where.
const (
	canonicalTime   = "2006-01-02T15:04:05.000Z"
	minYear         = 1900
	maxYear         = 9999
	maxOffsetMinute = 14 * 60
)

// convertTimestamp reads a date, with or without a time, and returns the
// instant in UTC. A date without a zone is in the source's; without a time it
// is that day's first moment. Fractions beyond milliseconds are cut off.
func convertTimestamp(r *reading, cell string) (string, crm.Reason) {
	m, ok := scanMoment(cell)
	if !ok || !m.settle(r.order) || !m.valid() {
		return "", crm.ReasonBadDate
	}
	if !m.zoned && r.zone != time.UTC || m.offset != 0 {
		if !m.toUTC(r.zone) {
			return "", crm.ReasonBadDate
		}
	}
	return m.text(cell), ""
}

// convertPast reads a timestamp that must not be later than the import's
// start: both are canonical, so they compare as texts.
func convertPast(r *reading, cell string) (string, crm.Reason) {
	value, fault := convertTimestamp(r, cell)
	if fault == "" && r.now != "" && value > r.now {
		return "", crm.ReasonFutureDate
	}
	return value, fault
}

// A moment is a date and time as written. Until it is settled a and b hold the
// two numbers before the year, whose order only the column can tell.
type moment struct {
	year, month, day     int
	a, b                 int
	hour, min, sec, msec int
	offset               int // minutes east of UTC
	zoned                bool
	unsettled            bool
}

// settle gives a and b their meaning. Where no order is known only those are
// settled that have but one.
func (m *moment) settle(order DateOrder) bool {
	if !m.unsettled {
		return true
	}
	dmy, mdy := m.fits(DMY), m.fits(MDY)
	switch {
	case order == DMY || order == "" && dmy && (!mdy || m.a == m.b):
		m.day, m.month = m.a, m.b
	case order == MDY || order == "" && mdy && !dmy:
		m.month, m.day = m.a, m.b
	default:
		return false
	}
	return true
}

// fits reports whether an unsettled moment exists under an order.
func (m *moment) fits(order DateOrder) bool {
	if order == MDY {
		return exists(m.year, m.a, m.b)
	}
	return exists(m.year, m.b, m.a)
}

func (m *moment) valid() bool {
	return m.year >= minYear && exists(m.year, m.month, m.day) && m.hour < 24 && m.min < 60 && m.sec < 60
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

// toUTC moves m from its offset, or from zone if it has none. It reports
// whether the year stayed within bounds.
func (m *moment) toUTC(zone *time.Location) bool {
	in := zone
	if m.zoned {
		in = time.UTC
	}
	t := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.min, m.sec, 0, in)
	t = t.Add(-time.Duration(m.offset) * time.Minute).UTC()
	year, month, day := t.Date()
	m.year, m.month, m.day = year, int(month), day
	m.hour, m.min, m.sec = t.Clock()
	return year >= minYear && year <= maxYear
}

// text returns the canonical form; cell itself if that is it already.
func (m *moment) text(cell string) string {
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
	return string(b[:])
}

func digits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}
