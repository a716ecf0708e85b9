package mapping

import (
	"strings"
	"sync"
)

// americanState reads a state of the United States, or one of their
// territories: "CA", "US-CA", "California" or "Calif.". It returns the two
// letters. What type a state's column has does not matter here, since only its
// country tells whether it is one of these: see Mapped.state.
func americanState(cell string) (string, bool) {
	short := cell
	if len(short) == 5 && strings.EqualFold(short[:3], "US-") {
		short = short[3:]
	}
	if len(short) == 4 && short[1] == '.' && short[3] == '.' { // N.Y.
		short = string([]byte{short[0], short[2]})
	}
	if len(short) == 2 {
		a, b := lower(short[0])-'a', lower(short[1])-'a'
		if a < 26 && b < 26 && stateTable().codes[a][b] {
			return upperCode(short), true
		}
		return "", false
	}
	var buf [48]byte
	name := foldASCII(buf[:], cell)
	code, ok := stateTable().names[string(name)]
	return code, ok
}

type states struct {
	codes [26][26]bool
	names map[string]string
}

var stateTable = sync.OnceValue(func() *states {
	t := &states{names: make(map[string]string, 128)}
	for line := range strings.Lines(stateNames) {
		code, list, _ := strings.Cut(strings.TrimSpace(line), " ")
		t.codes[code[0]-'A'][code[1]-'A'] = true
		for name := range strings.SplitSeq(list, ",") {
			var buf [48]byte
			t.names[string(foldASCII(buf[:], name))] = code
		}
	}
	return t
})

// stateNames are ISO 3166-2:US, and the three that the post office adds for
// the armed forces; each with its name and the other ways to write it.
const stateNames = `AL Alabama,Ala
AK Alaska
AZ Arizona,Ariz
AR Arkansas,Ark
CA California,Calif
CO Colorado,Colo
CT Connecticut,Conn
DE Delaware,Del
DC District of Columbia,Washington DC,Washington District of Columbia
FL Florida,Fla
GA Georgia
HI Hawaii
ID Idaho
IL Illinois,Ill
IN Indiana,Ind
IA Iowa
KS Kansas,Kan
KY Kentucky
LA Louisiana
ME Maine
MD Maryland
MA Massachusetts,Mass
MI Michigan,Mich
MN Minnesota,Minn
MS Mississippi,Miss
MO Missouri
MT Montana,Mont
NE Nebraska,Neb
NV Nevada,Nev
NH New Hampshire
NJ New Jersey
NM New Mexico
NY New York,New York State
NC North Carolina
ND North Dakota
OH Ohio
OK Oklahoma,Okla
OR Oregon,Ore
PA Pennsylvania
RI Rhode Island
SC South Carolina
SD South Dakota
TN Tennessee,Tenn
TX Texas
UT Utah
VT Vermont
VA Virginia
WA Washington,Wash,Washington State
WV West Virginia,W Va
WI Wisconsin,Wis
WY Wyoming,Wyo
AS American Samoa
GU Guam
MP Northern Mariana Islands,Commonwealth of the Northern Mariana Islands
PR Puerto Rico,Commonwealth of Puerto Rico
UM United States Minor Outlying Islands
VI Virgin Islands U.S.,US Virgin Islands,Virgin Islands,United States Virgin Islands
AA Armed Forces Americas
AE Armed Forces Europe
AP Armed Forces Pacific`
