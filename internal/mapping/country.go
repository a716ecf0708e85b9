package mapping

import (
	"strings"
	"sync"

	"github.com/biter777/countries"

	"sluice/internal/crm"
)

// convertCountry reads a country as its ISO 3166-1 code of two or three
// letters, or as its name in English, German, or a language of its own.
func convertCountry(_ *reading, cell string) (string, crm.Reason) {
	if len(cell) == 2 {
		if a, b := lower(cell[0])-'a', lower(cell[1])-'a'; a < 26 && b < 26 && isCountry[a][b] {
			return upperCode(cell), ""
		}
	}
	var buf [64]byte
	if code, ok := countryNames()[string(foldASCII(buf[:], cell))]; ok {
		return code, ""
	}
	if code, ok := countryNames()[folded(cell)]; ok {
		return code, ""
	}
	// The library knows more names. It takes short words for codes of sports
	// and vehicles as well, whatever stands between the letters: "N/A" is
	// Namibia to it.
	if len(folded(cell)) < 5 || len(cell) > 100 {
		return "", crm.ReasonBadCountry
	}
	code := countries.ByName(cell).Alpha2()
	if len(code) != 2 || !isCountry[code[0]-'A'][code[1]-'A'] {
		return "", crm.ReasonBadCountry
	}
	return code, ""
}

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

// countryNames maps folded codes and names to codes.
var countryNames = sync.OnceValue(func() map[string]string {
	byName := make(map[string]string, 1200)
	for _, c := range countries.All() {
		if code := c.Alpha2(); len(code) == 2 && !withdrawn[code] {
			byName[folded(c.Alpha3())] = code
			byName[folded(c.String())] = code
		}
	}
	for line := range strings.Lines(nativeNames) {
		code, list, _ := strings.Cut(strings.TrimSpace(line), " ")
		for name := range strings.SplitSeq(list, ",") {
			byName[folded(name)] = code
			// The form that a cell has before accents are taken off.
			var buf [64]byte
			byName[string(foldASCII(buf[:], name))] = code
		}
	}
	return byName
})

// nativeNames are the names that the countries' people use, and those that
// their neighbours put into files.
const nativeNames = `AE الإمارات العربية المتحدة,UAE
AL Shqipëria
AM Հայաստան
AR República Argentina
AT Österreich,Autriche,Austria
AU Australien,Australie
BE België,Belgique,Belgien,Bélgica
BG България,Bulgarie
BR Brasil,Brésil,Brasilien
BY Беларусь
CA Kanada,Canadá
CH Schweiz,Suisse,Svizzera,Svizra,Suiza
CN 中国,中华人民共和国,Chine
CY Κύπρος,Kıbrıs
CZ Česko,Česká republika,Tschechien,Tchéquie
DE Deutschland,Allemagne,Alemania,Germania,Duitsland,Niemcy,Alemanha
DK Danmark,Danemark,Dänemark,Dinamarca
DO República Dominicana
EE Eesti
EG مصر
ES España,Spanien,Espagne,Spagna,Espanha
FI Suomi,Finnland,Finlande,Finlandia
FR Frankreich,Francia,França
GB UK,U.K.,Great Britain,Großbritannien,Grossbritannien,Vereinigtes Königreich,Royaume-Uni,Reino Unido,Northern Ireland
GE საქართველო
GR Ελλάδα,Ελλάς,Hellas,Griechenland,Grèce,Grecia
HR Hrvatska,Kroatien,Croatie
HU Magyarország,Ungarn,Hongrie
IE Éire,Irland,Irlande,Irlanda
IL ישראל
IN भारत,Bharat,Inde,Indien
IS Ísland
IT Italia,Italien,Italie,Itália
JP 日本,日本国,Nippon,Japon
KR 대한민국,한국,Korea (Republic of),Republic of Korea,Südkorea,Corée du Sud
LT Lietuva,Litauen
LU Lëtzebuerg,Luxemburg,Luxembourg
LV Latvija,Lettland
MA المغرب,Maroc,Marokko
ME Crna Gora
MK Северна Македонија,North Macedonia
MX México,Mexiko,Mexique
NG Nigeria
NL Nederland,The Netherlands,Holland,Niederlande,Pays-Bas,Países Bajos
NO Norge,Noreg,Norwegen,Norvège,Noruega
NZ Aotearoa,Neuseeland
PE Perú
PL Polska,Polen,Pologne,Polonia
PT República Portuguesa
RO România,Rumänien,Roumanie
RS Србија,Srbija
RU Россия,Российская Федерация,Russland,Russie
SA المملكة العربية السعودية
SE Sverige,Schweden,Suède,Suecia
SG 新加坡
SI Slovenija,Slowenien
SK Slovensko,Slowakei
TH ประเทศไทย
TR Türkiye,Türkei,Turquie
TW 台灣,台湾
UA Україна,Ukraine
US USA,U.S.,U.S.A.,United States,United States of America,America,Vereinigte Staaten,Vereinigte Staaten von Amerika,États-Unis,Estados Unidos,EE. UU.,EEUU,Stati Uniti
VN Việt Nam
ZA Südafrika,Afrique du Sud`
