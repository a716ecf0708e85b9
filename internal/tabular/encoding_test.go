package tabular

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"sluice/internal/crm"
)

// customers are a few rows in each language, and encodings they were common in.
var customers = []struct {
	language  string
	encodings []string
	rows      string
}{
	{"German", []string{"windows-1252", "macintosh", "ibm850"}, "Jörg Müller;Köln;Straße 5\n" +
		"Käthe Weiß;Zürich;Größe\n" +
		"Günther Schäfer;Düsseldorf;Übersee\n" +
		"Björn Groß;München;Hauptstraße 12\n" +
		"Anna Schmidt;Berlin;Allee 3\n"},
	{"French", []string{"windows-1252", "macintosh", "ibm850"}, "François Lefèvre;Orléans;Château d'Été\n" +
		"Zoé Benoît;Besançon;Élève à l'école\n" +
		"Hélène Gauthier;Nîmes;Forêt\n" +
		"Raphaël Noël;Saint-Étienne;Où ça\n" +
		"Jérôme Côté;Sète;Gérant\n"},
	{"Spanish", []string{"windows-1252", "macintosh"}, "José Núñez;Málaga;Calle del Álamo\n" +
		"María Peña;León;Avenida Constitución\n" +
		"Íñigo Muñoz;Cádiz;Año nuevo\n" +
		"Begoña Ibáñez;La Coruña;Señor\n" +
		"Andrés Gutiérrez;Córdoba;Atención\n"},
	{"Portuguese", []string{"windows-1252", "macintosh"}, "João Conceição;São Paulo;Praça da Sé\n" +
		"Antônio Simões;Brasília;Situação\n" +
		"Inês Magalhães;Florianópolis;Endereço\n" +
		"Luís Gonçalves;Maceió;Coração\n" +
		"Cátia Falcão;Évora;Você não\n"},
	{"Swedish", []string{"windows-1252", "macintosh"}, "Åsa Sjöberg;Malmö;Västra Götaland\n" +
		"Göran Åkesson;Göteborg;Östersund\n" +
		"Märta Nyström;Linköping;Hälsingland\n" +
		"Sören Öberg;Umeå;Kungsgatan\n"},
	{"Danish", []string{"windows-1252", "macintosh"}, "Søren Kjær;København;Ærø\n" +
		"Åse Brønsted;Århus;Sønderborg\n" +
		"Jørgen Højgaard;Ålborg;Næstved\n" +
		"Bjørn Ødegård;Tromsø;Bærum\n"},
	{"Italian", []string{"windows-1252", "macintosh"}, "Niccolò Rossi;Forlì;Città\n" +
		"Nicolò Bianchi;Cantù;Perché\n" +
		"Andrea Verdi;Milano;Qualità\n" +
		"Maria Salò;Mondovì;Università\n"},
	{"Icelandic", []string{"windows-1252"}, "Guðrún Þórðardóttir;Reykjavík;Kópavogur\n" +
		"Ægir Sigurðsson;Akureyri;Hafnarfjörður\n" +
		"Björk Guðmundsdóttir;Keflavík;Vík í Mýrdal\n"},
	{"Polish", []string{"windows-1250", "iso-8859-2", "ibm852"}, "Łukasz Wójcik;Łódź;Świętokrzyskie\n" +
		"Małgorzata Kowalczyk;Gdańsk;Żoliborz\n" +
		"Wiesław Zieliński;Kraków;Ślusarska\n" +
		"Grażyna Dąbrowska;Poznań;Częstochowa\n" +
		"Błażej Król;Wrocław;Księżna\n"},
	{"Czech", []string{"windows-1250", "iso-8859-2"}, "Jiří Dvořák;Plzeň;Třída Míru\n" +
		"Růžena Černá;České Budějovice;Náměstí\n" +
		"Zdeněk Šťastný;Ústí nad Labem;Příčná\n" +
		"Lukáš Němec;Děčín;Žižkov\n" +
		"Kateřina Veselá;Jihlava;Široká\n"},
	{"Hungarian", []string{"windows-1250", "iso-8859-2"}, "László Szűcs;Győr;Petőfi út\n" +
		"Erzsébet Tóth;Székesfehérvár;Kőbánya\n" +
		"Gergő Kovács;Pécs;Fő tér\n" +
		"Ágnes Vörös;Debrecen;Erdő utca\n" +
		"Ödön Fűzesi;Szeged;Körút\n"},
	{"Croatian", []string{"windows-1250", "iso-8859-2"}, "Željko Šarić;Šibenik;Cvjetna\n" +
		"Đurđica Perković;Varaždin;Ulica žrtava\n" +
		"Krešimir Jurić;Čakovec;Trg bana Jelačića\n" +
		"Mišo Kovačević;Požega;Školska\n"},
	{"Romanian", []string{"windows-1250"}, "Ştefan Ionescu;Braşov;Strada Pieţei\n" +
		"Cătălin Mureşan;Iaşi;Timişoara\n" +
		"Ioana Dănilă;Constanţa;Bulevardul Unirii\n" +
		"Răzvan Niţă;Galaţi;Şoseaua\n"},
	{"Turkish", []string{"windows-1254"}, "Gökhan Yılmaz;İstanbul;Beşiktaş\n" +
		"Ayşe Çelik;Eskişehir;Üsküdar\n" +
		"Çağrı Şahin;Diyarbakır;Atatürk Caddesi\n" +
		"Işıl Öztürk;Muğla;Kadıköy\n" +
		"Oğuz Güneş;Şanlıurfa;Beyoğlu\n"},
	{"Lithuanian", []string{"windows-1257"}, "Žydrūnas Kazlauskas;Šiauliai;Gedimino\n" +
		"Rūta Žukauskaitė;Panevėžys;Ąžuolų gatvė\n" +
		"Šarūnas Jankūnas;Klaipėda;Įmonė\n" +
		"Eglė Vaičiūnaitė;Marijampolė;Mėnulio\n"},
	{"Latvian", []string{"windows-1257"}, "Jānis Bērziņš;Rīga;Brīvības iela\n" +
		"Ilze Kalniņa;Jūrmala;Ūdens\n" +
		"Andris Ozoliņš;Liepāja;Zaļā\n" +
		"Ēriks Šmits;Rēzekne;Ķeguma\n"},
	{"Estonian", []string{"iso-8859-15"}, "Õnne Pärn;Võru;Süda\n" +
		"Jüri Mägi;Pärnu;Müürivahe\n" +
		"Ülle Kõiv;Jõhvi;Põllu\n" +
		"Šarlotte Žukov;Tõrva;Kesk\n"},
	{"Russian", []string{"windows-1251", "koi8-r", "iso-8859-5", "x-mac-cyrillic", "ibm866"}, "Иван Иванов;Москва;улица Ленина\n" +
		"Анна Петрова;Санкт-Петербург;Невский проспект\n" +
		"Сергей Кузнецов;Казань;площадь\n" +
		"Ольга Смирнова;Новосибирск;Мира\n"},
	{"Ukrainian", []string{"windows-1251"}, "Олена Шевченко;Київ;вулиця Хрещатик\n" +
		"Андрій Їжак;Львів;Єдність\n" +
		"Ірина Ковальчук;Одеса;Ґанок\n" +
		"Юрій Бойко;Чернівці;площа\n"},
	{"Bulgarian", []string{"windows-1251"}, "Георги Димитров;София;булевард Витоша\n" +
		"Мария Иванова;Пловдив;ул. Шипка\n" +
		"Николай Петров;Варна;площад\n" +
		"Елена Стоянова;Бургас;къща\n"},
	{"Greek", []string{"windows-1253", "iso-8859-7"}, "Γιώργος Παπαδόπουλος;Αθήνα;Οδός Ερμού\n" +
		"Μαρία Νικολάου;Θεσσαλονίκη;Λεωφόρος\n" +
		"Ελένη Γεωργίου;Πάτρα;Πλατεία\n" +
		"Δημήτρης Οικονόμου;Ηράκλειο;Κέντρο\n"},
	{"Hebrew", []string{"windows-1255"}, "דוד כהן;תל אביב;רחוב הרצל\n" +
		"שרה לוי;ירושלים;שדרות\n" +
		"יוסף מזרחי;חיפה;כיכר\n" +
		"רחל פרץ;באר שבע;דרך\n"},
	{"Thai", []string{"windows-874"}, "สมชาย ใจดี;กรุงเทพมหานคร;ถนนสุขุมวิท\n" +
		"สมหญิง รักไทย;เชียงใหม่;ตลาด\n" +
		"ประเสริฐ ศรีสุข;ภูเก็ต;ซอย\n"},
	{"Japanese", []string{"shift_jis", "euc-jp", "iso-2022-jp"}, "山田太郎;東京都;千代田区丸の内\n" +
		"鈴木花子;大阪市;カタカナ\n" +
		"佐藤一郎;名古屋市;ひらがなの町\n" +
		"高橋美咲;札幌市;北海道です\n"},
	{"Simplified Chinese", []string{"gb18030"}, "王小明;北京市;朝阳区建国路\n" +
		"李娜;上海市;南京东路\n" +
		"张伟;广州市;天河区体育西路\n" +
		"刘洋;深圳市;客户名称\n"},
	{"Traditional Chinese", []string{"big5"}, "王小明;臺北市;信義區市府路\n" +
		"李美麗;高雄市;中山路\n" +
		"張偉;臺中市;客戶名稱\n" +
		"陳怡君;臺南市;東區\n"},
	{"Korean", []string{"euc-kr"}, "김철수;서울특별시;강남구 테헤란로\n" +
		"이영희;부산광역시;해운대구\n" +
		"박민수;대구광역시;수성구 고객\n" +
		"최지은;인천광역시;남동구\n"},
}

// charset returns an encoding by the name we know it by.
func charset(t *testing.T, name string) encoding.Encoding {
	t.Helper()
	if dos := dosCharsets[name]; dos != nil {
		return dos
	}
	e, err := htmlindex.Get(name)
	must(t, err)
	return e
}

func TestCustomersOfAllLanguagesKeepTheirNames(t *testing.T) {
	t.Parallel()
	for _, c := range customers {
		for _, name := range c.encodings {
			t.Run(c.language+" in "+name, func(t *testing.T) {
				t.Parallel()
				text := "Name;City;Note\n" + c.rows + "Anna Smith;London;-\n"
				in := encoded(t, charset(t, name), text)
				tab := mustRead(t, in, crm.Reading{})
				// Another encoding will do if it reads the same.
				if string(tab.Text) != text {
					t.Errorf("read as %s: %s", tab.Format.Encoding, tab.Text)
				}
				if d := tab.Decisions[1]; d.About != "encoding" || d.Score < sureEncoding || d.Score > 1 || d.Evidence == "" {
					t.Errorf("decision %+v", d)
				}
			})
		}
	}
}

func TestDoubtfulEncodingIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"Arabic, which the detector does not know", encoded(t, charmap.Windows1256, "Name;City\nمحمد أحمد;القاهرة\nفاطمة علي;الرياض\n"), "perhaps "},
		{"a few letters that are Turkish or western", encoded(t, charmap.Windows1254, "Name;City\nIşıl;Muş\n"), "windows-125"},
		{"bytes that no encoding has", []byte("Name;City\n\x81\x8D\x8F\x90;\x9D\xFF\xFE\x80\n"), "name it in the encoding setting"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := readTable(t, tt.in, crm.Reading{})
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "encoding setting") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalid and %q", err, tt.want)
			}
		})
	}
}

// TestTheFirstForeignLetterMayBeFarBehind has none in the sample.
func TestTheFirstForeignLetterMayBeFarBehind(t *testing.T) {
	t.Parallel()
	plain := strings.Repeat("Anna Smith;London\n", 100_000)
	in := encoded(t, charmap.Windows1252, "Name;City\n"+plain+"Jörg Müller;Köln\nZoé;Orléans\n")
	if tab := mustRead(t, in, crm.Reading{}); tab.Format.Encoding != "windows-1252" {
		t.Errorf("encoding %s", tab.Format.Encoding)
	}
}

func TestUndefinedBytesOfACharsetAreAFaultOfTheirRow(t *testing.T) {
	t.Parallel()
	for set, b := range map[string]string{"windows-1251": "\x98", "windows-1253": "\xAA", "iso-8859-2": "\x81", "windows-1250": "\x83"} {
		tab := mustRead(t, []byte("a,b\n"+b+",y\n1,2\n"), crm.Reading{Encoding: set})
		if tab.Rows[0].Fault != crm.ReasonBadEncoding || tab.Rows[1].Fault != "" {
			t.Errorf("%s: %+v", set, tab.Rows)
		}
	}
}

// TestSignsAloneTellWindows has texts in which no letter is beyond ASCII: what
// is a quote or a dash in Windows-1252 is a letter in MacRoman.
func TestSignsAloneTellWindows(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"quotes and dashes": "%d,Bob p%d,the client’s “best” offer – € 5\r\n",
		"apostrophes":       "%d,Bob p%d,the client’s offer\r\n",
		"a currency":        "%d,Bob p%d,5 €\r\n",
	} {
		var text strings.Builder
		text.WriteString("id,name,note\r\n")
		for i := range 30 {
			fmt.Fprintf(&text, line, i, i)
		}
		for encoding, by := range map[string]*charmap.Charmap{"windows-1252": charmap.Windows1252, "windows-1250": charmap.Windows1250} {
			b, err := by.NewEncoder().Bytes([]byte(text.String()))
			if err != nil {
				t.Fatal(err)
			}
			f, _, err := Identify(t.Context(), inMemory(b), crm.Reading{})
			if err != nil || f.Encoding != "windows-1252" {
				t.Errorf("%s in %s: %q, %v, want windows-1252, which reads them alike", name, encoding, f.Encoding, err)
			}
		}
	}
}

func TestPolishCitiesAreTold(t *testing.T) {
	t.Parallel()
	text := "id,name,city\n" + strings.Repeat("1,Łukasz Dvořák,Łódź\n2,Žižka,Škoda\n", 10)
	b, err := charmap.Windows1250.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := Identify(t.Context(), inMemory(b), crm.Reading{})
	if err != nil || f.Encoding != "windows-1250" {
		t.Errorf("%q, %v, want windows-1250", f.Encoding, err)
	}
}
