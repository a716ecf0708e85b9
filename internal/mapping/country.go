package mapping

import (
	"strings"

	"github.com/biter777/countries"

	"sluice/internal/crm"
)

// convertCountry reads a country as its ISO 3166-1 code of two or three
// letters, or as its name in any of the languages of foreignNames. A name may be
// turned around, as in "Korea, Republic of" and "Bahamas (the)".
func convertCountry(_ *reading, _ *memory, cell string) (string, crm.Reason) {
	if len(cell) == 2 {
		if a, b := lower(cell[0])-'a', lower(cell[1])-'a'; a < 26 && b < 26 && isCountry[a][b] {
			return upperCode(cell), ""
		}
	}
	if len(cell) > maxCountry {
		return "", crm.ReasonBadCountry
	}
	var buf [64]byte
	if code, ok := countryNames()[string(foldASCII(buf[:], cell))]; ok {
		return code, ""
	}
	name := folded(cell)
	if code, ok := countryNamed(name); ok {
		return code, ""
	}
	at := strings.IndexAny(cell, ",(")
	if at > 0 {
		if code, ok := countryNamed(folded(cell[at:]) + folded(cell[:at])); ok {
			return code, ""
		}
	}
	// The library knows more spellings. It takes short words for codes of
	// sports and vehicles as well, whatever stands between the letters: "N/A"
	// is Namibia to it. What brackets say it does not read: both Koreas are one.
	if len(name) < 5 || strings.Contains(cell, "(") {
		return "", crm.ReasonBadCountry
	}
	code := countries.ByName(cell).Alpha2()
	if len(code) != 2 || !isCountry[code[0]-'A'][code[1]-'A'] {
		return "", crm.ReasonBadCountry
	}
	return code, ""
}

// countryNamed looks up a folded name, with or without an article.
func countryNamed(name string) (code string, ok bool) {
	for _, form := range [...]string{name, strings.TrimPrefix(name, "the")} {
		if code, ok = countryNames()[form]; ok {
			return code, true
		}
		if code, ok = foreignNames()[form]; ok {
			return code, true
		}
	}
	return "", false
}

// maxCountry is longer than any country's name, in bytes.
const maxCountry = 200

// upperCode returns a code in capitals; code itself if it is.
func upperCode(code string) string {
	if code[0] < 'a' && code[1] < 'a' {
		return code
	}
	return strings.ToUpper(code)
}

// withdrawn are the codes that the library has and ISO 3166-1 has not.
// Kosovo's stays: it is in general use.
var withdrawn = map[string]bool{"AN": true, "YU": true, "SU": true}

var isCountry = func() (is [26][26]bool) {
	for _, c := range countries.All() {
		if a := c.Alpha2(); len(a) == 2 && !withdrawn[a] {
			is[a[0]-'A'][a[1]-'A'] = true
		}
	}
	return is
}()
