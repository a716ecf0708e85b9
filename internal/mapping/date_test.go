package mapping

import (
	"slices"
	"testing"
	"time"

	"sluice/internal/crm"
)

const (
	may6 = "2024-05-06T00:00:00.000Z" // a Monday
	noon = "2024-05-06T12:34:56.000Z"
)

// dateCells are read day first, in UTC.
var dateCells = slices.Concat(
	accept(may6, "2024-05-06", "2024/5/6", "2024.05.06", "2024. 5. 6.", "2024. 05. 06", "20240506", "2024-May-06", "2024 May 6", "2024年5月6日", "2024년 5월 6일", "２０２４-05-06",
		"06/05/2024", "6.5.2024", "6. 5. 2024", "06.05.2024.", "6-5-2024", "6/5/24", "06.05.24", "06-05-24",
		"6 May 2024", "6. May 2024", "6-May-2024", "6-May-24", "06/May/2024", "6May2024", "06MAY2024", "May 6, 2024", "may 6th, 2024", "6th May, 2024", "6th of May 2024", "MAY 6 2024", "May-06-2024",
		"Mon, 6 May 2024", "Monday, May 6, 2024", "Mon 6/5/2024", "Mon. 6 May 2024",
		"6. Mai 2024", "Montag, 6. Mai 2024", "Montag, den 6. Mai 2024", "Mo, 06.05.2024", "6 mai 2024", "lundi 6 mai 2024", "lun. 6 mai 2024", "6 de mayo de 2024", "lunes, 6 de mayo de 2024", "6 maggio 2024", "lunedì 6 maggio 2024",
		"6 mei 2024", "maandag 6 mei 2024", "ma 6 mei 2024", "6 de maio de 2024", "segunda-feira, 6 de maio de 2024", "45418", "45418.0", "1714953600", "1714953600000"),
	accept("2024-03-01T00:00:00.000Z", "1. März 2024", "1. MÄRZ 2024", "1. Ma\u0308rz 2024", "1. Mär. 2024", "1er mars 2024", "1 mrt 2024", "1º de março de 2024", "1° marzo 2024", "Mar 1, 2024", "1 mars 2024", "vendredi 1er mars 2024"),
	accept("2024-05-07T00:00:00.000Z", "mar 7 mai 2024", "mar. 7 mai 2024", "martes 7 mayo 2024"),
	accept("2024-08-15T00:00:00.000Z", "15 août 2024", "15 aout 2024", "15 agosto 2024", "15 ago. 2024", "15. Aug. 2024", "Aug 15, 2024"),
	accept("2024-01-02T00:00:00.000Z", "2 janv. 2024", "2 ene 2024", "2 gen 2024", "2. Jän. 2024", "2. Jänner 2024", "2 januari 2024", "2 janeiro 2024"),
	accept("2024-10-03T00:00:00.000Z", "3 out 2024", "3 ott 2024", "3. Okt. 2024", "3 oct 2024"),
	accept("2024-12-24T00:00:00.000Z", "24 déc. 2024", "24. Dez. 2024", "24 dic 2024", "24 dez 2024"),
	accept(noon, "2024-05-06T12:34:56Z", "2024-05-06T12:34:56.000Z", "2024-05-06 12:34:56 UTC", "2024-05-06 12:34:56", "2024-05-06t12:34:56z", "20240506T123456Z", "20240506T123456", "20240506123456", "2024-05-06 12.34.56",
		"2024-05-06 12:34:56 +0000 UTC", "Mon, 06 May 2024 12:34:56 GMT", "Mon, 06 May 2024 12:34:56 +0000", "Mon May  6 12:34:56 2024", "Mon May 6 12:34:56 UTC 2024", "Mon May 06 12:34:56 +0000 2024",
		"Mon May 06 2024 14:34:56 GMT+0200 (Central European Summer Time)", "2024-05-06T14:34:56+02:00[Europe/Berlin]", "2024-05-06 14:34:56 +0200 CEST", "2024-05-06T07:34:56\u221205:00", "06.05.2024 12:34:56 Uhr", "06.05.2024, 12:34:56", "6/5/2024, 12:34:56 PM",
		"6. Mai 2024 um 12:34:56", "6 mai 2024 à 12:34:56", "6 de mayo de 2024 a las 12:34:56", "6 de maio de 2024 às 12:34:56", "6 mei 2024 om 12:34:56", "May 6, 2024 at 12:34:56 PM", "6/5/24 12:34:56"),
	accept("2024-05-06T15:04:00.000Z", "6/5/2024 3:04 PM", "6/5/2024 3:04pm", "6/5/2024 3:04\u202fPM", "6/5/2024 3:04 p. m.", "6/5/2024 15:04", "6/5/2024 15h04", "May 6, 2024, 3:04 PM", "2024-05-06 15:04"),
	[]cellTest{
		{in: "May 6, 2024 3 PM", want: "2024-05-06T15:00:00.000Z"}, {in: "2024-05-06 12am", want: may6}, {in: "6/5/2024, 12:04:05 a.m.", want: "2024-05-06T00:04:05.000Z"},
		{in: "Sept 1, 2024", want: "2024-09-01T00:00:00.000Z"}, {in: "29/2/2024", want: "2024-02-29T00:00:00.000Z"}, {in: "31/12/99", want: "1999-12-31T00:00:00.000Z"}, {in: "1/1/69", want: "1969-01-01T00:00:00.000Z"}, {in: "1/1/68", want: "2068-01-01T00:00:00.000Z"},
		{in: "2024-05-06T12:34:56.7Z", want: "2024-05-06T12:34:56.700Z"}, {in: "2024-05-06T12:34:56.123456789+02:00", want: "2024-05-06T10:34:56.123Z"}, {in: "2024-05-06T12:34:56,123", want: "2024-05-06T12:34:56.123Z"},
		{in: "2024-05-06T00:30+0200", want: "2024-05-05T22:30:00.000Z"}, {in: "2024-05-06 12:34 -05", want: "2024-05-06T17:34:00.000Z"}, {in: "2024-05-06 12:34 GMT+2:00", fault: crm.ReasonBadDate},
		{in: "45418.5", want: "2024-05-06T12:00:00.000Z"}, {in: "45418,604166666666667", want: "2024-05-06T14:30:00.000Z"}, {in: "45418.99999999999", want: "2024-05-07T00:00:00.000Z"}, {in: "25569", want: "1970-01-01T00:00:00.000Z"}, {in: "73050", want: "2099-12-31T00:00:00.000Z"},
		{in: "1714998896", want: noon}, {in: "1714998896123", want: "2024-05-06T12:34:56.123Z"}, {in: "1000000000", want: "2001-09-09T01:46:40.000Z"}, {in: "4102444799", want: "2099-12-31T23:59:59.000Z"},
		{in: "1900-01-01", want: "1900-01-01T00:00:00.000Z"}, {in: "9999-12-31T23:59:59.999Z", want: "9999-12-31T23:59:59.999Z"},
	})

var badDates = reject(crm.ReasonBadDate,
	"2024-13-45", "2023-02-29", "1900-02-29", "31/4/2024", "5/25/2024", "2024-00-01", "2024-01-00", "0000-01-01", "1899-12-31", "10000-01-01", "2024-99-99T00:00:00Z", "20241345", "20240506126060",
	"2024", "2024-05", "May 2024", "5/2024", "24", "2024-W19-1", "2024-127", "6/5-2024", "6/5.2024", "6/5/224", "6/5/20245", "6 5 2024", "yesterday", "today", "n/a", "-",
	"20000", "25568", "73051", "99999", "450000", "45418.", "45418.x", "45418-", "999999999", "999999999999", "4102444800", "4102444800000", "171495360000", "1714953600.5", "-1714953600", "202405061234",
	"2024-05-06T", "2024-05-06T25:00:00Z", "2024-05-06 24:00", "2024-05-06 12:60", "2024-05-06 12:00:60", "2024-05-06T12", "2024-05-06T1200", "2024-05-06Z", "2024-05-06 12:00 EST", "2024-05-06 12:00 CET", "2024-05-06T12:34:5",
	"2024-05-06 12:00+15:00", "2024-05-06 12:00+2", "2024-05-06 12:00+02:", "2024-05-06 12:00+02:0", "2024-05-06 13:00 PM", "2024-05-06 0:00 AM", "2024-05-06 12:00 x", "2024-05-06 12:00 (noon) x", "2024-05-06 at", "2024-05-06x",
	"1900-01-01T00:00+14:00", "9999-12-31T23:59:59-01:00", "Foo 6, 2024", "May 6", "May 6 12:00", "Ma 6, 2024", "Maybe 6, 2024", "6 jui 2024", "6 Foo 2024", "-2024-05-06", "2024--05-06", "6//5/2024",
	"Tue, 6 May 2024", "Dienstag, 6. Mai 2024", "Sun 6/5/2024", "Someday 6 May 2024", "Mon", "Mon,", "lunes",
	"2024-05-06T12:34:56.Z", "2024-05-06T12:34:56.1234567890123Z", "0", "2024年5月", "2024年5月6", "\xff", "6\x00/5/2024",
)

func TestTimestamp(t *testing.T) {
	t.Parallel()
	checkType(t, Timestamp, reading{zone: time.UTC, order: DMY}, dateCells)
	checkType(t, Timestamp, reading{zone: time.UTC, order: DMY}, badDates)
}

func TestDatesFollowTheirColumnAndZone(t *testing.T) {
	t.Parallel()
	berlin := zoneOf(t, "Europe/Berlin")
	tests := []struct {
		order    DateOrder
		zone     *time.Location
		in, want string
	}{
		{MDY, time.UTC, "5/6/2024", may6}, {MDY, time.UTC, "25/6/2024", ""}, {YMD, time.UTC, "5/6/2024", ""}, {MDY, time.UTC, "5/6/24", may6}, {YMD, time.UTC, "24-05-06", may6},
		{"", time.UTC, "5/6/2024", ""}, {"", time.UTC, "25/6/2024", "2024-06-25T00:00:00.000Z"}, {"", time.UTC, "6/6/2024", "2024-06-06T00:00:00.000Z"}, {"", time.UTC, "31/12/99", "1999-12-31T00:00:00.000Z"}, {"", time.UTC, "25/12/23", ""},
		{"", time.UTC, "Mon 5/6/2024", may6}, {"", time.UTC, "Wed 5/6/2024", "2024-06-05T00:00:00.000Z"},
		{YMD, berlin, "2024-05-06", "2024-05-05T22:00:00.000Z"}, {YMD, berlin, "2024-01-06 12:00", "2024-01-06T11:00:00.000Z"}, {YMD, berlin, "45418.5", "2024-05-06T10:00:00.000Z"}, {YMD, berlin, "1714953600", may6},
		{YMD, berlin, "2024-05-06T00:00Z", may6}, {YMD, berlin, "2024-05-06 00:00:00 UTC", may6}, {YMD, berlin, "2024-05-06T00:00:00+00:00", may6},
	}
	for _, tt := range tests {
		r := reading{zone: tt.zone, order: tt.order}
		if got, _ := convertTimestamp(&r, nil, tt.in); got != tt.want {
			t.Errorf("timestamp(%q) under %q in %v = %q, want %q", tt.in, tt.order, tt.zone, got, tt.want)
		}
	}
}

// TestHoursThatClocksSkipOrRepeatHaveOneInstant is for every kind of change:
// forward and back, at midnight, by half an hour, by a whole day.
func TestHoursThatClocksSkipOrRepeatHaveOneInstant(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, zone, in, want string }{
		{"before the gap", "Europe/Berlin", "2024-03-31 01:59:59", "2024-03-31T00:59:59.000Z"},
		{"in the gap, as much later", "Europe/Berlin", "2024-03-31 02:30", "2024-03-31T01:30:00.000Z"},
		{"after the gap", "Europe/Berlin", "2024-03-31 03:00", "2024-03-31T01:00:00.000Z"},
		{"the first of two", "Europe/Berlin", "2024-10-27 02:30", "2024-10-27T00:30:00.000Z"},
		{"after the repeat", "Europe/Berlin", "2024-10-27 03:00", "2024-10-27T02:00:00.000Z"},
		{"west of Greenwich, gap", "America/New_York", "2024-03-10 02:30", "2024-03-10T07:30:00.000Z"},
		{"west of Greenwich, repeat", "America/New_York", "2024-11-03 01:30", "2024-11-03T05:30:00.000Z"},
		{"the day begins at one", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"},
		{"midnight comes twice", "America/Havana", "2024-11-03", "2024-11-03T04:00:00.000Z"},
		{"half an hour", "Australia/Lord_Howe", "2024-10-06 02:15", "2024-10-05T15:45:00.000Z"},
		{"a day that Samoa skipped", "Pacific/Apia", "2011-12-30 12:00", "2011-12-30T22:00:00.000Z"},
		{"the day after", "Pacific/Apia", "2011-12-31 12:00", "2011-12-30T22:00:00.000Z"},
		{"far in the future", "Europe/Berlin", "2098-07-01 00:00", "2098-06-30T22:00:00.000Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkType(t, Timestamp, reading{zone: zoneOf(t, tt.zone)}, []cellTest{{in: tt.in, want: tt.want}})
		})
	}
}

func TestLeadsAreNotCreatedInTheFuture(t *testing.T) {
	t.Parallel()
	checkType(t, pastType, reading{zone: time.UTC, now: "2026-05-06T07:08:09.000Z"}, []cellTest{
		{in: "2026-05-06T07:08:09Z", want: "2026-05-06T07:08:09.000Z"}, {in: "2026-05-06T09:08:09+02:00", want: "2026-05-06T07:08:09.000Z"}, {in: "2026-05-06", want: "2026-05-06T00:00:00.000Z"},
		{in: "2026-05-06T07:08:10Z", fault: crm.ReasonFutureDate}, {in: "2026-05-07", fault: crm.ReasonFutureDate}, {in: "4102444799", fault: crm.ReasonFutureDate}, {in: "nope", fault: crm.ReasonBadDate},
	})
	checkType(t, pastType, reading{zone: time.UTC}, []cellTest{{in: "2099-05-06T00:00:00Z", want: "2099-05-06T00:00:00.000Z"}})
}
