package source

import (
	"strings"
	"time"

	"sluice/internal/crm"
)

// sqlRFC3339 rewrites 2026-01-02 03:04:05.6, with +00 behind it or not. What
// has another form, such as infinity, stays. MySQL's zero is no time.
func sqlRFC3339(text string, instant bool) string {
	if strings.HasPrefix(text, "0000-00-00") {
		return ""
	}
	day, clock, ok := strings.Cut(strings.TrimSuffix(text, "+00"), " ")
	if !ok || strings.Trim(clock, "0123456789:.") != "" {
		return text
	}
	if instant {
		clock += "Z"
	}
	return day + "T" + clock
}

// sqlStamp is how times are written that are compared: to the microsecond,
// which is as far as any of the databases counts.
const sqlStamp = "2006-01-02 15:04:05.999999"

// bounds are what the column is compared with, for all changes of a span to be
// found: some before it may be as well.
func (t sqlTimes) bounds(s crm.Span, zone *time.Location) (from, to string) {
	s.From, s.To = s.From.Truncate(time.Microsecond), s.To.Truncate(time.Microsecond)
	switch t {
	case sqlInstant:
		return s.From.UTC().Format(sqlStamp) + "Z", s.To.UTC().Format(sqlStamp) + "Z"
	case sqlWritten:
		// Who writes but the day would never be found later on that day. The
		// end is inclusive, to the millisecond.
		return s.From.UTC().Format(time.DateOnly) + " 00:00:00.000",
			s.To.UTC().Truncate(time.Millisecond).Add(-time.Millisecond).Format("2006-01-02 15:04:05.000")
	}
	first, last := sqlWalls(s, zone)
	if t == sqlDay {
		// The same: what changes later on that day has the same date.
		return first.Format(time.DateOnly), last.Add(24*time.Hour - time.Microsecond).Format(time.DateOnly)
	}
	return first.Format(sqlStamp), last.Format(sqlStamp)
}

// sqlWalls are the earliest and the latest that the clocks of a zone show in a
// span. When they are put back the latest is not what they show at its end.
func sqlWalls(s crm.Span, zone *time.Location) (first, last time.Time) {
	at := s.From.In(zone)
	first, last = sqlWall(at, at), sqlWall(s.To, s.To.In(zone))
	for {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(s.To) {
			return first, last
		}
		if before := sqlWall(end, at); before.After(last) {
			last = before
		}
		at = end.In(zone)
		if after := sqlWall(at, at); after.Before(first) {
			first = after
		}
	}
}

// sqlWall is what a clock shows at an instant that is set as it is at another.
func sqlWall(t, set time.Time) time.Time {
	_, offset := set.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
