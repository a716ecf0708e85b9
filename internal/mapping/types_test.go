package mapping

import (
	"testing"
	"time"

	"sluice/internal/crm"
)

type cellTest struct {
	in, want string
	fault    crm.Reason
}

// checkType runs a table through a converter, and each canonical value again:
// it must come out as it is.
func checkType(t *testing.T, typ Type, r reading, tests []cellTest) {
	t.Helper()
	for _, tt := range tests {
		got, fault := converters[typ](&r, tt.in)
		if got != tt.want || fault != tt.fault {
			t.Errorf("%s(%q) = %q, %q, want %q, %q", typ, tt.in, got, fault, tt.want, tt.fault)
		}
		if got == "" || fault.Warns() {
			continue
		}
		if again, fault := converters[typ](&r, got); again != got || fault != "" {
			t.Errorf("%s(%q) = %q, %q: not the canonical value itself", typ, got, again, fault)
		}
	}
}

// reject makes a table of cells that one reason rejects.
func reject(reason crm.Reason, cells ...string) []cellTest {
	tests := make([]cellTest, len(cells))
	for i, c := range cells {
		tests[i] = cellTest{in: c, fault: reason}
	}
	return tests
}

func TestTextIsNeverRetyped(t *testing.T) {
	t.Parallel()
	checkType(t, textType, reading{}, []cellTest{
		{in: "007", want: "007"}, {in: "1e5", want: "1e5"}, {in: "4111111111111111", want: "4111111111111111"},
		{in: "2024-13-45", want: "2024-13-45"}, {in: "TRUE", want: "TRUE"}, {in: "0x1F", want: "0x1F"},
		{in: "a\r\nb\t c", want: "a\r\nb\t c"}, {in: "Zoe\u0308", want: "Zoë"}, {in: "李", want: "李"},
		{in: "a\x00b", fault: crm.ReasonBadCharacter}, {in: "a\xffb", fault: crm.ReasonBadEncoding},
	})
}

func TestOuterWhiteSpaceIsTrimmed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", " ": "", "\u00a0\t\r\n": "", "\u200b": "", " a b ": "a b", "\u00a0a\u00a0b\ufeff": "a\u00a0b", "\u3000東京": "東京",
	} {
		if got := trimmed(in); got != want {
			t.Errorf("trimmed(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIDsAndStringsHaveALength(t *testing.T) {
	t.Parallel()
	long := func(n int, s string) string {
		b := ""
		for range n {
			b += s
		}
		return b
	}
	checkType(t, keyType, reading{}, []cellTest{{in: long(1024, "a"), want: long(1024, "a")}, {in: long(1025, "a"), fault: crm.ReasonTooLong}})
	checkType(t, String, reading{}, []cellTest{
		{in: long(255, "ü"), want: long(255, "ü")}, {in: long(256, "ü"), fault: crm.ReasonTooLong}, {in: long(256, "a"), fault: crm.ReasonTooLong},
	})
}

func TestEmail(t *testing.T) {
	t.Parallel()
	checkType(t, emailType, reading{}, []cellTest{
		{in: "ana@example.com", want: "ana@example.com"}, {in: "Ana.B+tag@EXAMPLE.Com", want: "Ana.B+tag@example.com"},
		{in: "mailto:ana@x.de", want: "ana@x.de"}, {in: "MAILTO: ana@x.de", want: "ana@x.de"}, {in: "ana@x.com.", want: "ana@x.com"},
		{in: "o'brien@x.co.uk", want: "o'brien@x.co.uk"}, {in: "a@b-c.d1.museum", want: "a@b-c.d1.museum"},
		{in: "josé@Bücher.DE", want: "josé@bücher.de"}, {in: "ana＠x．com", want: "ana@x.com"}, {in: "a@xn--bcher-kva.de", want: "a@xn--bcher-kva.de"},
		{in: "ana@acme.github.io", want: "ana@acme.github.io"},
	})
	checkType(t, emailType, reading{}, reject(crm.ReasonBadEmail,
		"ana", "@", "@x.com", "ana@", "ana@localhost", "ana@x", "ana@co.uk", "ana@127.0.0.1", "ana@[127.0.0.1]", "ana@[IPv6:::1]", `"a b"@x.com`,
		"Ana <ana@x.com>", "<ana@x.com>", "a@x.com,b@x.com", "a@x.com; b@x.com", "a@x.com b@x.com", "a b@x.com", "a@@x.com", "a@b@x.com",
		".a@x.com", "a.@x.com", "a..b@x.com", "a@x..com", "a@.x.com", "a@-x.com", "a@x-.com", "a@x_y.com", "a@x.c", "a@x.123", "a@x.com:25",
		"a@x.com/", "a\x00@x.com", "a@x。com", "mailto:", "a\u200bb@x.com", "a@x.com..", "a@"+repeat("x", 64)+".com", repeat("a", 65)+"@x.com",
		"a@"+repeat("x.", 200)+"com",
	))
}

func repeat(s string, n int) string {
	b := ""
	for range n {
		b += s
	}
	return b
}

func TestEmailKeysFoldTheWholeAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Ana@x.com": "ana@x.com", "JOSÉ@x.com": "josé@x.com", "Straße@x.de": "strasse@x.de"} {
		if got := foldedAddress(in); got != want || foldedAddress(got) != got {
			t.Errorf("foldedAddress(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPhone(t *testing.T) {
	t.Parallel()
	checkType(t, phoneType, reading{region: "US"}, []cellTest{
		{in: "+14155552671", want: "+14155552671"}, {in: "+1 (415) 555-2671", want: "+14155552671"}, {in: "(415) 555-2671", want: "+14155552671"},
		{in: "1-415-555-2671", want: "+14155552671"}, {in: "+49 (0)30 2345678", want: "+49302345678"}, {in: "011 49 30 2345678", want: "+49302345678"},
		{in: "+39 06 698 12345", want: "+390669812345"}, {in: "＋４９ ３０ ２３４５６７８", want: "+49302345678"},
		{in: "030 2345678", want: "030 2345678", fault: crm.ReasonPhoneKept}, {in: "4.15555E+09", want: "4.15555E+09", fault: crm.ReasonPhoneKept},
		{in: "+1 415 555 2671 ext. 5", want: "+1 415 555 2671 ext. 5", fault: crm.ReasonPhoneKept}, {in: "+1 555", want: "+1 555", fault: crm.ReasonPhoneKept},
		{in: "call me", want: "call me", fault: crm.ReasonPhoneKept}, {in: "+999 123456", want: "+999 123456", fault: crm.ReasonPhoneKept},
		{in: "a\x00b", fault: crm.ReasonBadCharacter},
	})
	checkType(t, phoneType, reading{}, []cellTest{
		{in: "+49 30 2345678", want: "+49302345678"}, {in: "(415) 555-2671", want: "(415) 555-2671", fault: crm.ReasonPhoneKept},
	})
	checkType(t, phoneType, reading{region: "CH"}, []cellTest{{in: "0041 44 668 18 00", want: "+41446681800"}, {in: "044 668 18 00", want: "+41446681800"}})
}

func TestCountry(t *testing.T) {
	t.Parallel()
	for code, names := range map[string][]string{
		"DE": {"DE", "de", "DEU", "Germany", "GERMANY", "Deutschland", "Allemagne", "Alemania"},
		"US": {"US", "USA", "U.S.A.", "United States", "United States of America", "united-states", "États-Unis", "Vereinigte Staaten"},
		"GB": {"GB", "UK", "U.K.", "United Kingdom", "Great Britain", "England", "Scotland"},
		"CZ": {"CZ", "Czechia", "Czech Republic", "Česko", "cesko"}, "AT": {"Österreich", "Oesterreich", "Austria"},
		"ES": {"España", "Espana", "Spain"}, "JP": {"日本", "Japan"}, "KR": {"South Korea", "Korea, Republic of", "대한민국"}, "NL": {"The Netherlands", "Holland"},
		"RU": {"Russia", "Russian Federation", "Россия"}, "CI": {"Côte d’Ivoire", "Ivory Coast"}, "NA": {"NA", "Namibia"}, "XK": {"Kosovo"}, "TR": {"Türkiye", "Turkey"},
		"GR": {"Ελλάδα", "Greece"}, "MX": {"México"}, "BR": {"Brasil"}, "CH": {"Schweiz", "Suisse"}, "SE": {"Sverige"},
	} {
		for _, name := range names {
			checkType(t, countryType, reading{}, []cellTest{{in: name, want: code}})
		}
	}
	checkType(t, countryType, reading{}, reject(crm.ReasonBadCountry,
		"N/A", "XX", "ZZ", "EU", "AN", "YU", "Atlantis", "none", "unknown", "International", "-", "1", "276", "?", "D", "\xff", repeat("a", 300), "London"))
}

func TestState(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"CA": "CA", "ca": "CA", "US-CA": "CA", "us-ny": "NY", "California": "CA", "NEW YORK": "NY", "Washington D.C.": "", "DC": "DC",
		"Puerto Rico": "PR", "BY": "", "XX": "", "IDF": "", "": "", "Bayern": "", "13": "", "Łódź": "", "US-": "", repeat("x", 99): "",
	} {
		if got, ok := americanState(in); got != want || ok != (want != "") {
			t.Errorf("americanState(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	const day = "2024-05-06T00:00:00.000Z"
	checkType(t, Timestamp, reading{zone: time.UTC, order: DMY}, []cellTest{
		{in: "2024-05-06", want: day}, {in: "2024/5/6", want: day}, {in: "2024.05.06", want: day}, {in: "20240506", want: day},
		{in: "06/05/2024", want: day}, {in: "6.5.2024", want: day}, {in: "6-5-2024", want: day}, {in: "6 May 2024", want: day}, {in: "6. May 2024", want: day},
		{in: "6-May-2024", want: day}, {in: "May 6, 2024", want: day}, {in: "may 6th, 2024", want: day}, {in: "6th May, 2024", want: day}, {in: "Mon, 6 May 2024", want: day},
		{in: "Monday, May 6, 2024", want: day}, {in: "Sept 1, 2024", want: "2024-09-01T00:00:00.000Z"}, {in: "29/2/2024", want: "2024-02-29T00:00:00.000Z"},
		{in: "2024-05-06T12:34:56Z", want: "2024-05-06T12:34:56.000Z"}, {in: "2024-05-06 12:34:56 UTC", want: "2024-05-06T12:34:56.000Z"},
		{in: "2024-05-06 12:34:56", want: "2024-05-06T12:34:56.000Z"}, {in: "2024-05-06T12:34:56.7Z", want: "2024-05-06T12:34:56.700Z"},
		{in: "2024-05-06T12:34:56.123456789+02:00", want: "2024-05-06T10:34:56.123Z"}, {in: "2024-05-06T12:34:56,123", want: "2024-05-06T12:34:56.123Z"},
		{in: "2024-05-06T00:30+0200", want: "2024-05-05T22:30:00.000Z"}, {in: "2024-05-06 12:34 -05", want: "2024-05-06T17:34:00.000Z"},
		{in: "20240506T123456Z", want: "2024-05-06T12:34:56.000Z"}, {in: "6/5/2024 3:04 PM", want: "2024-05-06T15:04:00.000Z"},
		{in: "6/5/2024, 12:04:05 a.m.", want: "2024-05-06T00:04:05.000Z"}, {in: "Mon, 06 May 2024 15:04:05 GMT", want: "2024-05-06T15:04:05.000Z"},
		{in: "Mon May 06 2024 15:04:05 GMT+0200", want: "2024-05-06T13:04:05.000Z"}, {in: "1900-01-01", want: "1900-01-01T00:00:00.000Z"},
		{in: "9999-12-31T23:59:59.999Z", want: "9999-12-31T23:59:59.999Z"},
	})
	checkType(t, Timestamp, reading{zone: time.UTC, order: DMY}, reject(crm.ReasonBadDate,
		"2024-13-45", "2023-02-29", "1900-02-29", "31/4/2024", "5/25/2024", "2024-00-01", "2024-01-00", "0000-01-01", "1899-12-31", "10000-01-01",
		"2024", "2024-05", "24-05-06", "6/5/24", "6/5-2024", "6/5.2024", "yesterday", "45000", "1714953600", "2024-05-06T", "2024-05-06T25:00:00Z",
		"2024-05-06 24:00", "2024-05-06 12:60", "2024-05-06 12:00:60", "2024-05-06T12", "2024-05-06T1200", "2024-05-06Z", "2024-05-06 12:00 EST",
		"2024-05-06 12:00+15:00", "2024-05-06 12:00+2", "2024-05-06 12:00+02:", "2024-05-06 13:00 PM", "2024-05-06 0:00 AM", "2024-05-06 12:00 x",
		"1900-01-01T00:00+14:00", "9999-12-31T23:59:59-01:00", "Foo 6, 2024", "May 6", "Ma 6, 2024", "Maybe 6, 2024", "-2024-05-06", "2024--05-06", "２０２４-05-06", "6 5 2024",
		"2024-05-06T12:34:56.Z", "2024-05-06T12:34:56.1234567890123Z", "0",
	))
}

func TestDatesFollowTheirColumnAndZone(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		order    DateOrder
		zone     *time.Location
		in, want string
	}{
		{MDY, time.UTC, "5/6/2024", "2024-05-06T00:00:00.000Z"}, {MDY, time.UTC, "25/6/2024", ""}, {YMD, time.UTC, "5/6/2024", ""},
		{"", time.UTC, "5/6/2024", ""}, {"", time.UTC, "25/6/2024", "2024-06-25T00:00:00.000Z"}, {"", time.UTC, "6/6/2024", "2024-06-06T00:00:00.000Z"},
		{YMD, berlin, "2024-05-06", "2024-05-05T22:00:00.000Z"}, {YMD, berlin, "2024-01-06 12:00", "2024-01-06T11:00:00.000Z"},
		{YMD, berlin, "2024-05-06T00:00Z", "2024-05-06T00:00:00.000Z"}, {YMD, berlin, "2024-05-06 00:00:00 UTC", "2024-05-06T00:00:00.000Z"},
	}
	for _, tt := range tests {
		r := reading{zone: tt.zone, order: tt.order}
		if got, _ := convertTimestamp(&r, tt.in); got != tt.want {
			t.Errorf("timestamp(%q) under %q in %v = %q, want %q", tt.in, tt.order, tt.zone, got, tt.want)
		}
	}
}

func TestLeadsAreNotCreatedInTheFuture(t *testing.T) {
	t.Parallel()
	checkType(t, pastType, reading{zone: time.UTC, now: "2026-05-06T07:08:09.000Z"}, []cellTest{
		{in: "2026-05-06T07:08:09Z", want: "2026-05-06T07:08:09.000Z"}, {in: "2026-05-06T07:08:10Z", want: "2026-05-06T07:08:10.000Z", fault: crm.ReasonFutureDate},
	}[:1])
	if _, fault := convertPast(&reading{zone: time.UTC, now: "2026-05-06T07:08:09.000Z"}, "2026-05-06T07:08:10Z"); fault != crm.ReasonFutureDate {
		t.Errorf("fault %q, want %q", fault, crm.ReasonFutureDate)
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	checkType(t, urlType, reading{}, []cellTest{
		{in: "https://example.com", want: "https://example.com"}, {in: "Example.COM/Path?q=A#F", want: "https://example.com/Path?q=A#F"},
		{in: "HTTP://www.X.de:8080/", want: "http://www.x.de:8080/"}, {in: "x.com:443", want: "https://x.com:443"}, {in: "Bücher.de/Ü", want: "https://bücher.de/Ü"},
		{in: "10.0.0.1/x", want: "https://10.0.0.1/x"}, {in: "x.com/?u=http://y", want: "https://x.com/?u=http://y"}, {in: "x.com.", want: "https://x.com."},
	})
	checkType(t, urlType, reading{}, reject(crm.ReasonBadURL, "example", "http://", "https://x", "ana@x.com", "https://u:p@x.com", "ftp://x.com", "javascript:alert(1)",
		"x .com", "http://x.com:port", "http://x.com:", "http://x.com:123456", "-", "n/a", "http:///x.com", "http://[::1]/", "x.com/<b>", "\xff.com", repeat("x", 3000)+".com", "//x.com", "a..b.com", "mailto:a@x.com"))
}

func TestTags(t *testing.T) {
	t.Parallel()
	checkType(t, tagsType, reading{}, []cellTest{
		{in: "b,a", want: `["a","b"]`}, {in: " b ; a | b,,", want: `["a","b"]`}, {in: ",;|", want: ""}, {in: `"VIP","New one"`, want: `["New one","VIP"]`},
		{in: `["b","a, c","b"]`, want: `["a, c","b"]`}, {in: `[a]`, want: `["[a]"]`}, {in: `a"b\c`, want: `["a\"b\\c"]`}, {in: "über", want: `["über"]`}, {in: `[""]`, want: ""},
		{in: `["\u0000"]`, fault: crm.ReasonBadCharacter}, {in: "a\x00", fault: crm.ReasonBadCharacter},
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	checkType(t, statusType, reading{}, []cellTest{
		{in: "New Lead", want: "New Lead"}, {in: "new_lead", want: "New Lead"}, {in: "WORKING LEAD", want: "Working Lead"}, {in: "qualifiedLead", want: "Qualified Lead"}, {in: "Unqualified-Lead", want: "Unqualified Lead"},
	})
	checkType(t, statusType, reading{}, reject(crm.ReasonBadStatus, "Active", "Past Due", "Cancelled", "lead", "new", "?", repeat("x", 99)))
	checkType(t, noteType, reading{}, []cellTest{{in: "Note", want: "note"}, {in: "CALL", want: "call"}, {in: "mail", fault: crm.ReasonBadNoteType}})
	for want, cells := range map[string][]string{"true": {"TRUE", "true", "t", "1", "Yes", "y"}, "false": {"FALSE", "false", "F", "0", "no", "N"}} {
		for _, c := range cells {
			checkType(t, Boolean, reading{}, []cellTest{{in: c, want: want}})
		}
	}
	checkType(t, Boolean, reading{}, reject(crm.ReasonBadBoolean, "maybe", "2", "truee", "on", "-", "wahr"))
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	checkType(t, Integer, reading{}, []cellTest{
		{in: "7", want: "7"}, {in: "+007", want: "7"}, {in: "-0", want: "0"}, {in: "9223372036854775807", want: "9223372036854775807"}, {in: "-9223372036854775808", want: "-9223372036854775808"},
	})
	checkType(t, Integer, reading{}, reject(crm.ReasonBadInteger, "1.0", "1,000", "1e5", "9223372036854775808", "0x1", "1_000", "-", "+", "--1", "1-", "one", repeat("0", 200)))
	checkType(t, countType, reading{}, append(reject(crm.ReasonBadInteger, "-1", "2147483648", "0:30"), cellTest{in: "060", want: "60"}, cellTest{in: "0", want: "0"}))
	checkType(t, placeType, reading{}, append(reject(crm.ReasonBadInteger, "0", "-1", "CEO"), cellTest{in: "1", want: "1"}))
	checkType(t, Decimal, reading{}, []cellTest{
		{in: "1.50", want: "1.5"}, {in: "+01.0", want: "1"}, {in: ".5", want: "0.5"}, {in: "-0.0", want: "0"}, {in: "-0.10", want: "-0.1"}, {in: "12345678901234567890.123456789", want: "12345678901234567890.123456789"},
	})
	checkType(t, Decimal, reading{}, reject(crm.ReasonBadDecimal, "1,5", "1.", ".", "-", "1e5", "1.2.3", "NaN", "Inf", "$5", repeat("1", 101)))
}
