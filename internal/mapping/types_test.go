package mapping

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sluice/internal/crm"
)

type cellTest struct {
	in, want string
	fault    crm.Reason
}

// A suite is what is known of a type: a table of cells, which are the seeds of
// its fuzzing too, and what no cell may come to.
type suite struct {
	cells  [][]cellTest
	faults []crm.Reason // that the type may give; texts are bad_character and bad_encoding besides
	most   int          // characters of a value; 0 for no bound but the cell's
}

var suites = map[Type]suite{
	textType:    {cells: [][]cellTest{textCells}},
	stateType:   {cells: [][]cellTest{textCells}},
	keyType:     {cells: [][]cellTest{keyCells}, faults: []crm.Reason{crm.ReasonTooLong, crm.ReasonDamagedNumber}, most: maxKeyBytes},
	String:      {cells: [][]cellTest{stringCells}, faults: []crm.Reason{crm.ReasonTooLong}, most: maxAttribute},
	emailType:   {cells: [][]cellTest{emailCells, badEmails}, faults: []crm.Reason{crm.ReasonBadEmail, crm.ReasonMoreAddresses}, most: maxEmail},
	phoneType:   {cells: [][]cellTest{phoneCells}, faults: []crm.Reason{crm.ReasonPhoneKept, crm.ReasonDamagedNumber}},
	countryType: {cells: [][]cellTest{badCountries}, faults: []crm.Reason{crm.ReasonBadCountry}, most: 2},
	urlType:     {cells: [][]cellTest{urlCells, badURLs}, faults: []crm.Reason{crm.ReasonBadURL}, most: maxURL},
	Timestamp:   {cells: [][]cellTest{dateCells, badDates}, faults: []crm.Reason{crm.ReasonBadDate}, most: len(canonicalTime)},
	pastType:    {cells: [][]cellTest{dateCells, badDates}, faults: []crm.Reason{crm.ReasonBadDate, crm.ReasonFutureDate}, most: len(canonicalTime)},
	tagsType:    {cells: [][]cellTest{tagCells}},
	statusType:  {cells: [][]cellTest{statusCells}, faults: []crm.Reason{crm.ReasonBadStatus}, most: len("Unqualified Lead")},
	billedType:  {cells: [][]cellTest{billedCells}, faults: []crm.Reason{crm.ReasonBadStatus}, most: len("Unqualified Lead")},
	noteType:    {cells: [][]cellTest{noteTypeCells}, faults: []crm.Reason{crm.ReasonBadNoteType}, most: len("note")},
	Boolean:     {cells: [][]cellTest{booleanCells}, faults: []crm.Reason{crm.ReasonBadBoolean}, most: len("false")},
	Integer:     {cells: [][]cellTest{integerCells}, faults: []crm.Reason{crm.ReasonBadInteger}, most: len("-9223372036854775808")},
	Decimal:     {cells: [][]cellTest{decimalCells}, faults: []crm.Reason{crm.ReasonBadDecimal}, most: maxNumber + len("0")},
	countType:   {cells: [][]cellTest{secondsCells}, faults: []crm.Reason{crm.ReasonBadInteger}, most: len("2147483647")},
	placeType:   {cells: [][]cellTest{placeCells}, faults: []crm.Reason{crm.ReasonBadInteger}, most: len("2147483647")},
	Choice:      {cells: [][]cellTest{choiceCells}, faults: []crm.Reason{crm.ReasonBadChoice}, most: maxAttribute},
}

// texts are the types that say what of a text no database keeps.
var texts = []Type{textType, stateType, keyType, String, phoneType, tagsType}

func TestEveryTypeHasASuite(t *testing.T) {
	t.Parallel()
	want, got := slices.Sorted(maps.Keys(converters)), slices.Sorted(maps.Keys(suites))
	if !slices.Equal(got, want) {
		t.Errorf("suites for %q, converters for %q", got, want)
	}
}

// readings are what columns of all kinds may be read with.
func readings(t testing.TB) []reading {
	berlin := zoneOf(t, "Europe/Berlin")
	choices := map[string]string{"fresh": "new", "new": "new", "älter": "Old", "old": "Old"}
	return []reading{
		{zone: time.UTC, order: DMY, region: "US", now: "2026-05-06T07:08:09.000Z", choices: choices},
		{zone: berlin, order: MDY, region: "DE", separator: ";", decimal: '.'},
		{zone: zoneOf(t, "America/New_York"), region: "BR", separator: ", ", decimal: ',', choices: choices},
		{zone: berlin, order: YMD},
	}
}

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// checkType runs a table through a converter, and each canonical value again:
// it must come out as it is.
func checkType(t *testing.T, typ Type, r reading, tests []cellTest) {
	t.Helper()
	for _, tt := range tests {
		got, fault := converters[typ](&r, nil, tt.in)
		if got != tt.want || fault != tt.fault {
			t.Errorf("%s(%q) = %q, %q, want %q, %q", typ, tt.in, got, fault, tt.want, tt.fault)
			continue
		}
		checkValue(t, typ, r, tt.in, got, fault)
	}
}

// checkValue holds what a converter returned to what every type promises.
func checkValue(t testing.TB, typ Type, r reading, in, value string, fault crm.Reason) {
	t.Helper()
	s := suites[typ]
	known := fault == "" || slices.Contains(s.faults, fault) ||
		slices.Contains(texts, typ) && (fault == crm.ReasonBadCharacter || fault == crm.ReasonBadEncoding)
	switch {
	case !known:
		t.Fatalf("%s(%q): fault %q is none of its own", typ, in, fault) // invariant 4: it could be the cell
	case fault != "" && !fault.Warns():
		if value != "" {
			t.Fatalf("%s(%q) = %q beside %s", typ, in, value, fault)
		}
		return
	case value == "" && (typ != tagsType || fault != ""):
		t.Fatalf("%s(%q) has neither value nor fault", typ, in)
	case value == "":
		return
	case !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 || trimmed(value) != value:
		t.Fatalf("%s(%q) = %q, which is not clean", typ, in, value)
	case s.most > 0 && utf8.RuneCountInString(value) > s.most:
		t.Fatalf("%s(%q) = %q, longer than %d characters", typ, in, value, s.most)
	}
	r.decimal = 0 // canonical numbers have a point, whatever their column has
	again, fault2 := converters[typ](&r, nil, value)
	if again != value || fault2 != "" && fault2 != fault {
		t.Fatalf("%s(%q) = %q, and that again %q, %q", typ, in, value, again, fault2)
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

// accept makes a table of cells that all come to one value.
func accept(want string, cells ...string) []cellTest {
	tests := make([]cellTest, len(cells))
	for i, c := range cells {
		tests[i] = cellTest{in: c, want: want}
	}
	return tests
}

// TestCanonicalValuesStayAsTheyAre draws cells for every type under every
// reading, from all tables and from what hurts.
func TestCanonicalValuesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	all := slices.Clone(pieces)
	for _, s := range suites {
		for _, cells := range s.cells {
			for _, c := range cells {
				all = append(all, c.in)
			}
		}
	}
	slices.Sort(all)
	types, under := slices.Sorted(maps.Keys(suites)), readings(t)
	rapid.Check(t, func(rt *rapid.T) {
		in := trimmed(rapid.OneOf(rapid.SampledFrom(all), cell()).Draw(rt, "cell"))
		if in == "" {
			return
		}
		typ, r := rapid.SampledFrom(types).Draw(rt, "type"), under[rapid.IntRange(0, len(under)-1).Draw(rt, "reading")]
		value, fault := converters[typ](&r, nil, in)
		checkValue(t, typ, r, in, value, fault)
	})
}

// TestPlainCellsCostNothing converts a usual cell of each type: what is
// canonical already is returned as it is, without memory of its own.
func TestPlainCellsCostNothing(t *testing.T) {
	for typ, cell := range map[Type]string{
		textType: "Zoë Müller", keyType: "cus_0abc", String: "gold", emailType: "ana.lee+1@example.com", phoneType: "+493012345678", countryType: "DE",
		urlType: "https://example.com/a", Timestamp: "2024-05-06T07:08:09.000Z", pastType: "2024-05-06T07:08:09.000Z", tagsType: `a`, statusType: "New Lead",
		noteType: "call", Boolean: "true", Integer: "1234", Decimal: "12.5", countType: "60", placeType: "2", Choice: "new", stateType: "CA",
	} {
		r := readings(t)[0]
		most := 0.0
		if typ == tagsType {
			most = 1 // a list becomes JSON
		}
		if n := testing.AllocsPerRun(100, func() { converters[typ](&r, nil, cell) }); n > most {
			t.Errorf("%s(%q) takes %v allocations, want %v", typ, cell, n, most)
		}
	}
}
