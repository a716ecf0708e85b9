package mapping

import "testing"

// fuzzType gives any cell to a type under every reading: it must not panic, and
// what comes out is held to what all types promise.
func fuzzType(f *testing.F, typ Type) {
	for _, cells := range suites[typ].cells {
		for _, c := range cells {
			f.Add(c.in)
		}
	}
	for _, p := range pieces {
		f.Add(p)
	}
	under := readings(f)
	f.Fuzz(func(t *testing.T, in string) {
		if in = trimmed(in); in == "" {
			return
		}
		for _, r := range under {
			value, fault := converters[typ](&r, nil, in)
			checkValue(t, typ, r, in, value, fault)
		}
	})
}

func FuzzText(f *testing.F)      { fuzzType(f, textType) }
func FuzzKey(f *testing.F)       { fuzzType(f, keyType) }
func FuzzString(f *testing.F)    { fuzzType(f, String) }
func FuzzEmail(f *testing.F)     { fuzzType(f, emailType) }
func FuzzPhone(f *testing.F)     { fuzzType(f, phoneType) }
func FuzzCountry(f *testing.F)   { fuzzType(f, countryType) }
func FuzzURL(f *testing.F)       { fuzzType(f, urlType) }
func FuzzTimestamp(f *testing.F) { fuzzType(f, Timestamp) }
func FuzzPast(f *testing.F)      { fuzzType(f, pastType) }
func FuzzTags(f *testing.F)      { fuzzType(f, tagsType) }
func FuzzStatus(f *testing.F)    { fuzzType(f, statusType) }
func FuzzNoteType(f *testing.F)  { fuzzType(f, noteType) }
func FuzzBoolean(f *testing.F)   { fuzzType(f, Boolean) }
func FuzzInteger(f *testing.F)   { fuzzType(f, Integer) }
func FuzzDecimal(f *testing.F)   { fuzzType(f, Decimal) }
func FuzzSeconds(f *testing.F)   { fuzzType(f, countType) }
func FuzzPlace(f *testing.F)     { fuzzType(f, placeType) }
func FuzzChoice(f *testing.F)    { fuzzType(f, Choice) }

// FuzzQuickPhone holds the short way to the library's answer.
func FuzzQuickPhone(f *testing.F) {
	regions := []string{"", "US", "DE", "GB", "FR", "AR", "BR", "JP", "AU", "IT", "RU", "XX"}
	for _, c := range phoneCells {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, region := range regions {
			got, ok, sure := quickE164(nil, in, region)
			if !sure {
				continue
			}
			if want, wantOK := libraryE164(in, region); ok != wantOK || got != want {
				t.Errorf("quickE164(%q, %q) = %q, %v, the library says %q, %v", in, region, got, ok, want, wantOK)
			}
		}
	})
}

// FuzzState looks for a cell that is a state, and whose code is another.
func FuzzState(f *testing.F) {
	for in := range stateCells {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		code, ok := americanState(in)
		if ok != (len(code) == 2) {
			t.Errorf("americanState(%q) = %q, %v", in, code, ok)
		}
		if again, ok := americanState(code); code != "" && (again != code || !ok) {
			t.Errorf("americanState(%q) = %q, and that again %q", in, code, again)
		}
	})
}
