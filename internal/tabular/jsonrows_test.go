package tabular

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestRecordsInJSONAreRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		kind     string
		header   []string
		want     []got
		blank    int64
	}{
		{"a line each", `{"id":1,"name":"Ann"}` + "\n" + `{"name":"Bo","id":2}`, KindNDJSON, []string{"id", "name"},
			[]got{{1, []string{"1", "Ann"}, ""}, {2, []string{"2", "Bo"}, ""}}, 0},
		{"lines of CRLF, blank ones, a mark", bom8 + "{\"id\":1}\r\n\r\n  \n{\"id\":2}\r\n", KindNDJSON, []string{"id"},
			[]got{{1, []string{"1"}, ""}, {4, []string{"2"}, ""}}, 2},
		{"a field that comes late", "{\"a\":\"1\"}\n{\"b\":\"2\",\"a\":null}\n{\"c\":\"\"}\n", KindNDJSON, []string{"a", "b", "c"},
			[]got{{1, []string{"1", "", ""}, ""}, {2, []string{"", "2", ""}, ""}}, 1},
		{"objects in objects", `{"a":{"b":{"c":"x"},"d":1},"e":{}}`, KindNDJSON, []string{"a.b.c", "a.d"},
			[]got{{1, []string{"x", "1"}, ""}}, 0},
		{"numbers keep their digits", `{"a":12345678901234567890,"b":1.10,"c":1E3,"d":true,"e":false}`, KindNDJSON, []string{"a", "b", "c", "d", "e"},
			[]got{{1, []string{"12345678901234567890", "1.10", "1E3", "true", "false"}, ""}}, 0},
		{"lists", `{"tags":[ "b" , "a" ],"l":[{"x":1}],"none":[]}`, KindNDJSON, []string{"tags", "l", "none"},
			[]got{{1, []string{`["b","a"]`, `[{"x":1}]`, "[]"}, ""}}, 0},
		{"commas, quotes and line ends", `{"a":"x,\"y\"\nz","b":"\u00e4\ud83d\ude00"}`, KindNDJSON, []string{"a", "b"},
			[]got{{1, []string{"x,\"y\"\nz", "ä😀"}, ""}}, 0},
		{"lines that are no objects", "{\"a\":1}\n{\"a\":\n[1]\n{\"a\":2} x\n{\"a\":3}\n", KindNDJSON, []string{"a"},
			[]got{{1, []string{"1"}, ""}, {2, []string{`{"a":` + "\n"}, crm.ReasonBadJSON}, {3, []string{"[1]\n"}, crm.ReasonBadJSON},
				{4, []string{"{\"a\":2} x\n"}, crm.ReasonBadJSON}, {5, []string{"3"}, ""}}, 0},
		{"a field twice", `{"a":1,"a":2}` + "\n" + `{"a":{"b":1},"a.b":2}` + "\n" + `{"a":3}`, KindNDJSON, []string{"a"},
			[]got{{1, []string{`{"a":1,"a":2}` + "\n"}, crm.ReasonBadJSON}, {2, []string{`{"a":{"b":1},"a.b":2}` + "\n"}, crm.ReasonBadJSON}, {3, []string{"3"}, ""}}, 0},
		{"half a character", `{"a":"\ud83d"}` + "\n" + `{"a":"\ufffd"}`, KindNDJSON, []string{"a"},
			[]got{{1, []string{`{"a":"\ud83d"}` + "\n"}, crm.ReasonBadJSON}, {2, []string{"\uFFFD"}, ""}}, 0},
		{"bytes that are no text", "{\"a\":\"\xff\"}\n{\"a\":\"b\"}\n", KindNDJSON, []string{"a"},
			[]got{{1, []string{"{\"a\":\"\uFFFD\"}\n"}, crm.ReasonBadEncoding}, {2, []string{"b"}, ""}}, 0},
		{"U+0000", `{"a":"x\u0000"}`, KindNDJSON, []string{"a"}, []got{{1, []string{"x\x00"}, crm.ReasonBadCharacter}}, 0},
		{"an array", " [ {\"a\":1},\n\n{\"a\":2}\n]\n", KindJSON, []string{"a"},
			[]got{{1, []string{"1"}, ""}, {2, []string{"2"}, ""}}, 0},
		{"an array with other things", `[{"a":1},7,null,{"a":"b"}]`, KindJSON, []string{"a"},
			[]got{{1, []string{"1"}, ""}, {2, []string{"7"}, crm.ReasonBadJSON}, {3, []string{"null"}, crm.ReasonBadJSON}, {4, []string{"b"}, ""}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tab := mustRead(t, []byte(tt.in), crm.Reading{})
			for i, row := range tab.Rows { // of a faulty row only the first cell says something
				if row.Fault == crm.ReasonBadJSON || row.Fault == crm.ReasonBadEncoding {
					tab.Rows[i].Cells = row.Cells[:1]
				}
			}
			if tab.Format.Kind != tt.kind || !reflect.DeepEqual(tab.Layout.Header, tt.header) {
				t.Errorf("it is %s with the columns %q, want %s and %q", tab.Format.Kind, tab.Layout.Header, tt.kind, tt.header)
			}
			if !reflect.DeepEqual(tab.Rows, tt.want) || tab.Blank != tt.blank {
				t.Errorf("rows %+v and %d blank,\nwant %+v and %d", tab.Rows, tab.Blank, tt.want, tt.blank)
			}
		})
	}
}

func TestALongLineOfJSONIsAFaultOfItsOwn(t *testing.T) {
	t.Parallel()
	in := `{"a":1}` + "\n" + `{"a":"` + strings.Repeat("x", maxRow) + `"}` + "\n" + `{"a":2}` + "\n"
	tab := mustRead(t, []byte(in), crm.Reading{})
	want := []got{{1, []string{"1"}, ""}, {2, []string{""}, crm.ReasonRowTooLong}, {3, []string{"2"}, ""}}
	if !reflect.DeepEqual(tab.Rows, want) {
		t.Errorf("%d rows, the second with the fault %q; want %v", len(tab.Rows), tab.Rows[1].Fault, want)
	}
}

func TestJSONThatHoldsNoRecordsIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"an object over several lines", "{\n  \"a\": 1\n}\n", "write one of them"},
		{"an array of nothing", "[]", "no records"},
		{"objects of nothing", "{}\n{}\n", "none with a field"},
		{"an array that is cut short", `[{"a":1},{"a":2`, "cut short after 1 records, at byte"},
		{"an array without its end", `[{"a":1}`, "cut short after 1 records"},
		{"a comma too many", `[{"a":1},]`, "damaged"},
		{"something behind an array", `[{"a":1}] x`, "something follows"},
		{"a record without an end", `[{"a":1},{"b":"` + strings.Repeat("x", 3*maxRow), "record 2 is longer than"},
		{"names that differ in white space", `{"a":1,"a ":2}`, "white space"},
		{"a damaged name", `{"a\u0000":1}`, "bad_character"},
		{"in UTF-16", string(wide("\uFEFF[{\"a\":1}]", false)), "JSON that is not UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := readTable(t, []byte(tt.in), crm.Reading{})
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalid and %q", err, tt.want)
			}
		})
	}
}
