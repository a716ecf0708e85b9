package mapping

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"sluice/internal/crm"
)

var phoneCells = slices.Concat([]cellTest{
	{in: "+14155552671", want: "+14155552671"}, {in: "+1 (415) 555-2671", want: "+14155552671"}, {in: "(415) 555-2671", want: "+14155552671"}, {in: "415.555.2671", want: "+14155552671"},
	{in: "1-415-555-2671", want: "+14155552671"}, {in: "+49 (0)30 2345678", want: "+49302345678"}, {in: "011 49 30 2345678", want: "+49302345678"}, {in: "(+49) 30 2345678", want: "+49302345678"},
	{in: "+49 30/2345678", want: "+49302345678"}, {in: "tel:+49-30-2345678", want: "+49302345678"}, {in: "+44 20 7946 0018", want: "+442079460018"}, {in: "+39 06 698 12345", want: "+390669812345"},
	{in: "＋４９ ３０ ２３４５６７８", want: "+49302345678"}, {in: "+49\u00a030\u20112345678", want: "+49302345678"}, {in: "+٤٩ ٣٠ ٢٣٤٥٦٧٨", want: "+49302345678"},
	{in: "a\x00b", fault: crm.ReasonBadCharacter}, {in: "\xff", fault: crm.ReasonBadEncoding},
	{in: "4.15555E+09", fault: crm.ReasonDamagedNumber}, {in: "4,93012E+11", fault: crm.ReasonDamagedNumber},
}, keep("030 2345678", "+1 415 555 2671 ext. 5", "+1 415 555 2671 x5", "(415) 555-2671 #12", "+1 555", "call me", "+999 123456", "+49000000", "1-800-FLOWERS", "+49 30 1234 ask for Bo", "Bo 415 555 2671", "Tel. 415 555 2671",
	"+49 30 2345678 / 79", "+49 30 2345678/9", "+49 30 2345678, +49 30 2345679", "+49 30 2345678 +49 30 2345679", "(415) 555-2671 or 2672", "'4155552671", "++49 30 2345678", "n/a", "-", "+", "0", strings.Repeat("1", 65)))

// keep makes a table of numbers that are kept as they are.
func keep(cells ...string) []cellTest {
	tests := make([]cellTest, len(cells))
	for i, c := range cells {
		tests[i] = cellTest{in: c, want: c, fault: crm.ReasonPhoneKept}
	}
	return tests
}

func TestPhone(t *testing.T) {
	t.Parallel()
	checkType(t, phoneType, reading{region: "US"}, phoneCells)
}

func TestPhonesWithoutACountryAreOfTheSourcesRegion(t *testing.T) {
	t.Parallel()
	checkType(t, phoneType, reading{}, slices.Concat([]cellTest{{in: "+49 30 2345678", want: "+49302345678"}, {in: "\u200e+41 44 668 18 00\u202c", want: "+41446681800"}}, keep("(415) 555-2671", "0041 44 668 18 00")))
	checkType(t, phoneType, reading{region: "CH"}, []cellTest{{in: "0041 44 668 18 00", want: "+41446681800"}, {in: "044 668 18 00", want: "+41446681800"}})
	checkType(t, phoneType, reading{region: "DE"}, []cellTest{{in: "030/2345678", want: "+49302345678"}, {in: "(030) 234 56 78", want: "+49302345678"}})
	checkType(t, phoneType, reading{region: "XX"}, keep("030/2345678"))
}

// TestQuickPhoneAgreesWithLibrary ranges over numbers behind every prefix of
// three digits, in several punctuations.
func TestQuickPhoneAgreesWithLibrary(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	forms := []func(cc, n string) string{
		func(cc, n string) string { return "+" + cc + n },
		func(cc, n string) string { return "+" + cc + " " + n[:2] + "-" + n[2:] },
		func(cc, n string) string { return "+" + cc + " (" + n[:2] + ") " + n[2:] },
		func(cc, n string) string { return "+" + cc + " (0) " + n },
		func(cc, n string) string { return "+" + cc + ".." + n[:2] + " - " + n[2:] },
	}
	rounds := 8
	if testing.Short() {
		rounds = 1
	}
	sureCount, all := 0, 0
	for cc := 1; cc < 1000; cc++ {
		for range rounds {
			n := strconv.Itoa(rnd.IntN(10))
			for range 1 + rnd.IntN(14) {
				n += strconv.Itoa(rnd.IntN(10))
			}
			n += "7"
			s := forms[rnd.IntN(len(forms))](strconv.Itoa(cc), n)
			all++
			got, ok, sure := quickE164(nil, s, "")
			if !sure {
				continue
			}
			sureCount++
			want, wantOK := libraryE164(s, "")
			if ok != wantOK || got != want {
				t.Errorf("quickE164(%q) = %q, %v; the library says %q, %v", s, got, ok, want, wantOK)
			}
		}
	}
	t.Logf("%d of %d answered", sureCount, all)
}

// TestQuickPhoneAgreesWithLibraryInEveryRegion gives numbers as people of each
// region write them, by types that the region has and by none, and asks for them in
// every region that shares the calling code.
func TestQuickPhoneAgreesWithLibraryInEveryRegion(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	answered, asked, valid := 0, 0, 0
	for _, m := range all.GetMetadata() {
		region := m.GetId()
		examples := []string{"2025550100"}
		for _, typ := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE, phonenumbers.VOIP, phonenumbers.UAN} {
			if n := phonenumbers.GetExampleNumberForType(region, typ); n != nil {
				examples = append(examples, phonenumbers.GetNationalSignificantNumber(n))
			}
		}
		code := strconv.Itoa(int(m.GetCountryCode()))
		before := []string{"", "0", "1", "8", "00", "011", m.GetNationalPrefix(), code, code + m.GetNationalPrefix(), "00" + code, "011" + code, "00492", "+" + code, "+" + code + " (0)"}
		for range rounds {
			number := []byte(examples[rnd.IntN(len(examples))])
			for range rnd.IntN(4) {
				number[rnd.IntN(len(number))] = byte('0' + rnd.IntN(10))
			}
			switch rnd.IntN(8) {
			case 0:
				number = number[1:]
			case 1:
				number = append(number, byte('0'+rnd.IntN(10)))
			}
			for _, prefix := range before {
				s := prefix + string(number[:2]) + [...]string{"", " ", "-", ") "}[rnd.IntN(4)] + string(number[2:])
				asked++
				got, ok, sure := quickE164(nil, s, region)
				if !sure {
					continue
				}
				answered++
				want, wantOK := libraryE164(s, region)
				if ok != wantOK || got != want {
					t.Errorf("quickE164(%q, %q) = %q, %v; the library says %q, %v", s, region, got, ok, want, wantOK)
				}
				if ok {
					valid++
				}
			}
		}
	}
	if answered < asked*3/4 || valid < asked/8 {
		t.Errorf("%d of %d answered, %d with a number", answered, asked, valid)
	}
	t.Logf("%d of %d answered, %d with a number", answered, asked, valid)
}

func TestDigitSetHasWhatItsPatternMatches(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, pattern := range []string{"", "0", "00|1[245]", `[2-9]\d{6}|3\d{6}`, "(?:0(?:0|2[3-57]))?11?", `1?(?:2\d)*3`, "8~10", "[a-z]"} {
		set, ok := newDigitSet(pattern)
		if !ok {
			t.Fatalf("newDigitSet(%q) gives up", pattern)
		}
		whole, begin := regexp.MustCompile("^(?:"+pattern+")$"), regexp.MustCompile("^(?:"+pattern+")")
		for range 2000 {
			var digits []byte
			for range rnd.IntN(9) {
				digits = append(digits, byte('0'+rnd.IntN(4)))
			}
			if set.has(digits) != whole.Match(digits) || set.begins(digits) != begin.Match(digits) {
				t.Errorf("%q: has %s is %v, begins %v", pattern, digits, set.has(digits), set.begins(digits))
			}
		}
	}
	if _, ok := newDigitSet("1$|2"); ok {
		t.Error("a pattern with an anchor is taken for one of digits alone")
	}
}
