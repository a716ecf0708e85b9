package mapping

import (
	"strings"
	"sync"

	"github.com/biter777/countries"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// countryNames maps folded codes and names to codes: those of English, and
// those in general use everywhere.
var countryNames = sync.OnceValue(func() map[string]string {
	n := make(nameTable, 1500)
	for code, c := range isoCountries() {
		n.add(c.Alpha3(), code)
		n.add(c.String(), code)
	}
	for line := range strings.Lines(otherNames) {
		code, list, _ := strings.Cut(strings.TrimSpace(line), " ")
		for name := range strings.SplitSeq(list, ",") {
			n.add(name, code)
		}
	}
	n.addAll(display.English)
	return n
})

// foreignNames maps the folded names of every country in other languages. It
// is large, so it is made when the first cell needs it. A name that two
// languages give to two countries is that of the language further up.
var foreignNames = sync.OnceValue(func() map[string]string {
	n := make(nameTable, 10000)
	for _, d := range countryLanguages {
		n.addAll(d)
	}
	return n
})

type nameTable map[string]string

func (n nameTable) addAll(d *display.Dictionary) {
	names := d.Regions()
	for code := range isoCountries() {
		region, err := language.ParseRegion(code)
		// A name of two letters is somebody's code, written N.O.
		if name := names.Name(region); err == nil && len(folded(name)) > 2 {
			n.add(name, code)
		}
	}
}

func (n nameTable) add(name, code string) {
	if form := folded(name); n[form] == "" && form != "" {
		n[form] = code
	}
}

// isoCountries ranges over the countries, in the library's order.
func isoCountries() func(yield func(code string, c countries.CountryCode) bool) {
	return func(yield func(string, countries.CountryCode) bool) {
		for _, c := range countries.All() {
			if code := c.Alpha2(); len(code) == 2 && !withdrawn[code] && !yield(code, c) {
				return
			}
		}
	}
}

// countryLanguages are the languages in which every country is known by name,
// beside English.
var countryLanguages = []*display.Dictionary{
	display.German, display.French, display.Spanish, display.Italian, display.Dutch, display.Portuguese,
	display.Polish, display.Czech, display.Slovak, display.Hungarian, display.Romanian, display.Bulgarian, display.Greek,
	display.Croatian, display.Serbian, display.Slovenian, display.Turkish, display.Russian, display.Ukrainian,
	display.Danish, display.Swedish, display.Norwegian, display.Finnish, display.Estonian, display.Latvian, display.Lithuanian,
	display.Icelandic, display.Catalan, display.Arabic, display.Hebrew, display.Persian, display.Hindi, display.Indonesian,
	display.Japanese, display.SimplifiedChinese, display.TraditionalChinese, display.Korean, display.Thai, display.Vietnamese,
}

// otherNames are names in general use that those languages' lists have not:
// older, shorter and official ones, and those of countries whose language is
// not among them.
const otherNames = `AE UAE,Emirates
AL Shqipëria,Shqiperia
AM Հայաստան
AR República Argentina,Argentine Republic
AT Autriche
AZ Azərbaycan
BA Bosnia,BiH
BD বাংলাদেশ
BG Republic of Bulgaria
BO Plurinational State of Bolivia
BQ Bonaire Sint Eustatius and Saba
BR República Federativa do Brasil
BY Belarus,Bielorussia,Byelorussia,Weißrussland,Weissrussland
CD DR Congo,DRC,Democratic Republic of the Congo,Congo (DRC),Congo-Kinshasa
CG Republic of the Congo,Congo-Brazzaville
CH Swiss Confederation,Confoederatio Helvetica
CI Cote d'Ivoire,Ivory Coast,Republic of Côte d'Ivoire
CN PRC,P.R. China,People's Republic of China,Mainland China,中华人民共和国,中華人民共和國
CV Cabo Verde
CZ Česko,Česká republika,Czech Rep.,Tschechische Republik,République tchèque,República Checa,Repubblica Ceca,Tsjechische Republiek
DE Federal Republic of Germany,Bundesrepublik Deutschland,BRD
DO República Dominicana,Dominican Rep.
ES Reino de España,Kingdom of Spain
FK Falkland Islands Malvinas
FM Micronesia,Federated States of Micronesia
FR République française
GB UK,U.K.,Great Britain,Britain,Grossbritannien,Grande-Bretagne,Gran Bretaña,Gran Bretagna,Groot-Brittannië,Grã-Bretanha,England,Scotland,Wales,Northern Ireland,United Kingdom of Great Britain and Northern Ireland
GE საქართველო
GR EL,Hellas,Ελλάς,Hellenic Republic
HK Hong Kong,Hongkong,Hong Kong SAR,香港,Hong Kong China,Hong Kong SAR China
HU Republic of Hungary
IE Éire,Republic of Ireland
IN Bharat,Republic of India
IR Iran,Islamic Republic of Iran
JP Nippon,Nihon,日本国
KG Kyrgyz Republic
KH កម្ពុជា
KP North Korea,DPRK,Democratic People's Republic of Korea,N. Korea
KR Korea,South Korea,Korea (Republic of),Republic of Korea,Korea Rep.,대한민국,한국,S. Korea
KZ Қазақстан,Казахстан
LA Laos,Lao PDR,Lao People's Democratic Republic
LK Sri Lanka,ශ්‍රී ලංකාව
LU Lëtzebuerg
LY Libya
MD Moldova,Republic of Moldova
ME Montenegro,Crna Gora
MF Saint Martin French part
MK North Macedonia,FYROM,Северна Македонија,Nordmazedonien,Macédoine du Nord,Macedonia del Norte,Macedonia del Nord,Macedonia the former Yugoslav Republic of,The former Yugoslav Republic of Macedonia
MM Burma,Myanmar,Myanmar Burma
MO Macau,Macao,澳門,澳门,Macao China,Macau China,Macao SAR China
MX Estados Unidos Mexicanos
NL The Netherlands,Holland,Hollande,Holanda,Olanda,Kingdom of the Netherlands
NO Noreg
NP नेपाल
NZ Aotearoa
PH Pilipinas
PK پاکستان
PS Palestine,State of Palestine,Palestinian Territory Occupied,Occupied Palestinian Territory
RU Russian Federation,Российская Федерация,РФ
SA KSA
SG 新加坡
SH Saint Helena Ascension and Tristan da Cunha,Saint Helena
SK Slovak Republic,Slovenská republika
SX Sint Maarten Dutch part
SY Syria,Syrian Arab Republic
SZ Swaziland,Eswatini
TL East Timor,Timor-Leste
TR Turkey,Türkiye,Turkiye,Republic of Türkiye,Türkiye Turkey
TW Taiwan,Republic of China,臺灣,台湾,台灣,Taiwan Province of China
TZ Tanzania,United Republic of Tanzania
US USA,U.S.,U.S.A.,United States of America,The United States,America,Vereinigte Staaten von Amerika,EE. UU.,EEUU,États-Unis d'Amérique,Stati Uniti d'America,Estados Unidos da América,Estados Unidos de América,Amerika
UZ Oʻzbekiston
VA Vatican,Holy See,Holy See Vatican City State,Vatican City State
VE Venezuela,Bolivarian Republic of Venezuela,Venezuela Bolivarian Republic of
VG British Virgin Islands
VI U.S. Virgin Islands,US Virgin Islands
VN Vietnam,Viet Nam
ZA RSA`
