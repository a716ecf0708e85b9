package mapping

import (
	"strings"
	"testing"

	"golang.org/x/text/language"

	"sluice/internal/crm"
)

// countryCells are names by code: of each country its codes, what English
// calls it, what it calls itself, and what its neighbours write.
var countryCells = map[string][]string{
	"AE": {"UAE", "United Arab Emirates", "الإمارات العربية المتحدة"}, "AL": {"Albania", "Shqipëria"}, "AM": {"Armenia", "Հայաստան"}, "AR": {"Argentina", "Argentinien"},
	"AT": {"AUT", "Austria", "Österreich", "Oesterreich", "OSTERREICH", "Autriche", "Rakousko"}, "AU": {"Australia", "Australien"}, "AZ": {"Azerbaijan", "Azərbaycan"},
	"BA": {"Bosnia and Herzegovina", "Bosna i Hercegovina"}, "BD": {"Bangladesh", "বাংলাদেশ"}, "BE": {"Belgium", "België", "Belgique", "Belgien"}, "BG": {"Bulgaria", "България"},
	"BO": {"Bolivia", "Bolivia, Plurinational State of"}, "BR": {"Brazil", "Brasil", "Brésil"}, "BY": {"Belarus", "Беларусь"}, "CA": {"Canada", "Canadá", "Kanada"},
	"CD": {"DRC", "DR Congo", "Democratic Republic of the Congo"}, "CG": {"Republic of the Congo", "Congo-Brazzaville"},
	"CH": {"CHE", "Switzerland", "Schweiz", "Suisse", "Svizzera", "Svizra", "Suiza"}, "CI": {"Côte d’Ivoire", "Cote d'Ivoire", "Ivory Coast"}, "CL": {"Chile"},
	"CN": {"China", "中国", "中華人民共和國", "People's Republic of China", "P.R. China"}, "CO": {"Colombia", "Kolumbien"}, "CR": {"Costa Rica"}, "CY": {"Cyprus", "Κύπρος", "Kıbrıs"},
	"CZ": {"CZ", "CZE", "Czechia", "Czech Republic", "Česko", "ČESKO", "cesko", "Česká republika", "Tschechien"},
	"DE": {"DE", "de", "DEU", "Germany", "GERMANY", "Deutschland", "Allemagne", "Alemania", "Germania", "Duitsland", "Niemcy", "Saksa", "ドイツ", "德国", "Federal Republic of Germany"},
	"DK": {"Denmark", "Danmark", "Dänemark"}, "DO": {"Dominican Republic", "República Dominicana"}, "DM": {"Dominica"}, "EE": {"Estonia", "Eesti"}, "EG": {"Egypt", "مصر"},
	"ES": {"España", "ESPAÑA", "Espana", "Spain", "Spanien", "Espanya"}, "FI": {"Finland", "Suomi"}, "FR": {"France", "Frankreich", "Francia", "Frankrijk"},
	"GB": {"GB", "GBR", "UK", "uk", "U.K.", "United Kingdom", "Great Britain", "England", "Scotland", "Northern Ireland", "Vereinigtes Königreich", "Royaume-Uni"},
	"GE": {"Georgia", "საქართველო"}, "GR": {"Ελλάδα", "ΕΛΛΆΔΑ", "Greece", "EL", "Hellas", "Griechenland"}, "HK": {"Hong Kong", "香港"}, "HR": {"Croatia", "Hrvatska"},
	"HU": {"Hungary", "Magyarország", "Ungarn"}, "ID": {"Indonesia"}, "IE": {"Ireland", "Éire", "Republic of Ireland", "Irland"}, "IL": {"Israel", "ישראל"},
	"IN": {"India", "भारत", "Bharat", "Indien"}, "IQ": {"Iraq", "العراق"}, "IR": {"Iran", "Iran, Islamic Republic of", "ایران"}, "IS": {"Iceland", "Ísland"}, "IT": {"Italy", "Italia", "Italien"},
	"JP": {"日本", "日本国", "Japan", "Japón"}, "KE": {"Kenya"}, "KP": {"North Korea", "Korea, Democratic People's Republic of"}, "KR": {"South Korea", "Korea, Republic of", "Korea (Republic of)", "대한민국", "한국"},
	"KZ": {"Kazakhstan", "Қазақстан"}, "LI": {"Liechtenstein"}, "LT": {"Lithuania", "Lietuva"}, "LU": {"Luxembourg", "Luxemburg", "Lëtzebuerg"}, "LV": {"Latvia", "Latvija"},
	"MA": {"Morocco", "المغرب", "Maroc"}, "MD": {"Moldova", "Moldova, Republic of"}, "ME": {"Montenegro", "Crna Gora"}, "MK": {"North Macedonia", "Северна Македонија", "Macedonia"}, "MT": {"Malta"},
	"MX": {"México", "Mexico", "Mexiko"}, "MY": {"Malaysia"}, "NA": {"NA", "Namibia"}, "NG": {"Nigeria"}, "NE": {"Niger"}, "NL": {"The Netherlands", "Netherlands", "Nederland", "Holland", "Niederlande", "Pays-Bas"},
	"NO": {"NO", "Norway", "Norge", "Noreg"}, "NZ": {"New Zealand", "Aotearoa", "Neuseeland"}, "PE": {"Perú"}, "PH": {"Philippines", "Pilipinas"}, "PK": {"Pakistan", "پاکستان"}, "PL": {"Poland", "Polska", "Polen"},
	"PT": {"Portugal"}, "PS": {"Palestine"}, "RO": {"Romania", "România"}, "RS": {"Serbia", "Србија", "Srbija"}, "RU": {"Russia", "Russian Federation", "Россия", "РОССИЯ", "Russland"},
	"SA": {"Saudi Arabia", "المملكة العربية السعودية"}, "SE": {"Sweden", "Sverige", "Schweden"}, "SG": {"Singapore", "新加坡"}, "SI": {"Slovenia", "Slovenija"}, "SK": {"Slovakia", "Slovensko", "Slovak Republic"},
	"SZ": {"Eswatini", "Swaziland"}, "TH": {"Thailand", "ไทย"}, "TR": {"Türkiye", "TÜRKİYE", "Turkey", "Türkei"}, "TW": {"Taiwan", "台灣", "臺灣", "台湾"}, "TZ": {"Tanzania", "Tanzania, United Republic of"},
	"UA": {"Ukraine", "Україна"}, "US": {"US", "USA", "U.S.A.", "United States", "United States of America", "united-states", "États-Unis", "Vereinigte Staaten", "EE.UU.", "アメリカ合衆国"},
	"VA": {"Vatican City", "Holy See"}, "VE": {"Venezuela", "Venezuela, Bolivarian Republic of"}, "VN": {"Vietnam", "Viet Nam", "Việt Nam"}, "XK": {"Kosovo"}, "ZA": {"South Africa", "Südafrika"},
}

var badCountries = reject(crm.ReasonBadCountry,
	"N/A", "n.a.", "XX", "ZZ", "EU", "AN", "YU", "Atlantis", "none", "unknown", "International", "-", "1", "276", "?", "D", "\xff", strings.Repeat("a", 300), strings.Repeat("ü", 99), "London", "Europe", "Other", "California", "US-CA", "Germany, France")

func TestCountry(t *testing.T) {
	t.Parallel()
	for code, names := range countryCells {
		checkType(t, countryType, reading{}, accept(code, names...))
	}
	checkType(t, countryType, reading{}, badCountries)
}

// TestNamesAreReadToTheirEnd has the pairs of countries whose names only differ
// behind a comma or in brackets, as ISO and the World Bank write them.
func TestNamesAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	for code, names := range map[string][]string{
		"KR": {"Korea, Republic of", "Korea (Republic of)", "Korea (the Republic of)", "Korea, South", "Korea, Rep."}, "KP": {"Korea (Democratic People's Republic of)", "Korea, Democratic People's Republic of", "Korea (the Democratic People's Republic of)", "Korea, North"},
		"CD": {"Congo, Democratic Republic of the", "Congo (Democratic Republic of the)", "Congo, The Democratic Republic of the", "Congo (the Democratic Republic of the)"}, "CG": {"Congo", "Congo (the)", "Congo, Republic of the"},
		"VG": {"Virgin Islands (British)", "Virgin Islands, British"}, "VI": {"Virgin Islands (U.S.)", "Virgin Islands, U.S."}, "MF": {"Saint Martin (French part)"}, "SX": {"Sint Maarten (Dutch part)"},
		"BS": {"Bahamas (the)", "Bahamas, The", "The Bahamas"}, "GM": {"Gambia, The", "The Gambia"}, "NL": {"Netherlands (the)", "Netherlands, Kingdom of the"}, "IR": {"Iran (Islamic Republic of)"}, "TW": {"Taiwan, Province of China", "Taiwan (Province of China)"},
		"VE": {"Venezuela (Bolivarian Republic of)", "Venezuela, Bolivarian Republic of"}, "FM": {"Micronesia, Federated States of"}, "TZ": {"Tanzania, the United Republic of"}, "PS": {"Palestine, State of"}, "VA": {"Holy See (Vatican City State)"},
		"GB": {"United Kingdom of Great Britain and Northern Ireland", "United Kingdom of Great Britain and Northern Ireland (the)"}, "HK": {"Hong Kong, China", "Hong Kong SAR China"}, "SH": {"Saint Helena, Ascension and Tristan da Cunha"},
	} {
		checkType(t, countryType, reading{}, accept(code, names...))
	}
	checkType(t, countryType, reading{}, reject(crm.ReasonBadCountry, "Korea (unified)", "Virgin Islands (all)", "Germany (West)"))
}

// TestEveryCountryIsKnownByItsNames takes the languages at their word: a name
// that two of them give to different countries must not be read at random.
func TestEveryCountryIsKnownByItsNames(t *testing.T) {
	t.Parallel()
	for code, c := range isoCountries() {
		checkType(t, countryType, reading{}, accept(code, code, strings.ToLower(code), c.Alpha3(), c.String()))
	}
	for _, d := range countryLanguages {
		if name := d.Regions().Name(language.MustParseRegion("DE")); foreignNames()[folded(name)] != "DE" {
			t.Errorf("%q is not Germany", name)
		}
	}
}
