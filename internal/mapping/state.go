package mapping

import (
	"strings"
	"sync"
)

// americanState reads a state of the United States: "CA", "US-CA" or
// "California". It returns the two letters.
func americanState(cell string) (string, bool) {
	short := cell
	if len(short) == 5 && strings.EqualFold(short[:3], "US-") {
		short = short[3:]
	}
	if len(short) == 2 {
		a, b := lower(short[0])-'a', lower(short[1])-'a'
		if a < 26 && b < 26 && stateTable().codes[a][b] {
			return strings.ToUpper(short), true
		}
		return "", false
	}
	var buf [32]byte
	name := foldASCII(buf[:], cell)
	code, ok := stateTable().names[string(name)]
	return code, ok && name != nil
}

type states struct {
	codes [26][26]bool
	names map[string]string
}

var stateTable = sync.OnceValue(func() *states {
	t := &states{names: make(map[string]string, 64)}
	for line := range strings.Lines(stateNames) {
		code, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		var buf [32]byte
		t.names[string(foldASCII(buf[:], name))] = code
		t.codes[code[0]-'A'][code[1]-'A'] = true
	}
	return t
})

// stateNames are ISO 3166-2:US, and the three that the post office adds for
// the armed forces.
const stateNames = `AL Alabama
AK Alaska
AZ Arizona
AR Arkansas
CA California
CO Colorado
CT Connecticut
DE Delaware
DC District of Columbia
FL Florida
GA Georgia
HI Hawaii
ID Idaho
IL Illinois
IN Indiana
IA Iowa
KS Kansas
KY Kentucky
LA Louisiana
ME Maine
MD Maryland
MA Massachusetts
MI Michigan
MN Minnesota
MS Mississippi
MO Missouri
MT Montana
NE Nebraska
NV Nevada
NH New Hampshire
NJ New Jersey
NM New Mexico
NY New York
NC North Carolina
ND North Dakota
OH Ohio
OK Oklahoma
OR Oregon
PA Pennsylvania
RI Rhode Island
SC South Carolina
SD South Dakota
TN Tennessee
TX Texas
UT Utah
VT Vermont
VA Virginia
WA Washington
WV West Virginia
WI Wisconsin
WY Wyoming
AS American Samoa
GU Guam
MP Northern Mariana Islands
PR Puerto Rico
UM United States Minor Outlying Islands
VI Virgin Islands, U.S.
AA Armed Forces Americas
AE Armed Forces Europe
AP Armed Forces Pacific`
