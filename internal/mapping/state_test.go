package mapping

import (
	"strings"
	"testing"
)

var stateCells = map[string]string{
	"CA": "CA", "ca": "CA", "US-CA": "CA", "us-ny": "NY", "California": "CA", "Calif.": "CA", "NEW YORK": "NY", "New-York": "NY", "N.Y.": "NY", "Mass.": "MA", "W. Va.": "WV",
	"DC": "DC", "D.C.": "DC", "Washington D.C.": "DC", "Washington, DC": "DC", "District of Columbia": "DC", "Washington": "WA", "Wash.": "WA",
	"Puerto Rico": "PR", "US-PR": "PR", "Guam": "GU", "American Samoa": "AS", "Northern Mariana Islands": "MP", "Virgin Islands": "VI", "U.S. Virgin Islands": "VI", "Virgin Islands, U.S.": "VI",
	"US-UM": "UM", "AE": "AE", "BY": "", "XX": "", "IDF": "", "": "", "Bayern": "", "13": "", "Łódź": "", "US-": "", "US-XX": "", "CA-US": "", "Miss": "MS", "N/A": "", ".A.B": "", strings.Repeat("x", 99): "",
}

func TestState(t *testing.T) {
	t.Parallel()
	for in, want := range stateCells {
		if got, ok := americanState(in); got != want || ok != (want != "") {
			t.Errorf("americanState(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestEveryStateIsKnownByItsCode(t *testing.T) {
	t.Parallel()
	n := 0
	for line := range strings.Lines(stateNames) {
		code, names, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, in := range append(strings.Split(names, ","), code, "US-"+code) {
			if got, ok := americanState(in); got != code || !ok {
				t.Errorf("americanState(%q) = %q, %v, want %q", in, got, ok, code)
			}
		}
		n++
	}
	if n != 50+1+6+3 {
		t.Errorf("%d states, want 50, a district, 6 territories and 3 of the armed forces", n)
	}
}
