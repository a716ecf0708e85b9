package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

const wholeSpec = `
version: 1
mode: create_only
unknown: custom
only: [contacts, notes]
date_order: dmy
encoding: windows-1252
delimiter: tab
sheet: Leads
columns:
  "Customer ID": customer.external_id
  Mail:
    to: [customer.email, contact.email]
    required: true
  "Signed up": {to: contact.source_updated_at, date_order: mdy}
  Score: {to: contact.custom.score, type: integer, values: {none: , "1": "2"}}
  "2024": ignore
fields:
  contact.first_name: {collision: fill_blank, required: true}
  contact.title: {default: "007"}
  contact.phone: {erase: true}
`

// everySpec has what wholeSpec has not.
const everySpec = `
version: 1
match: domain
bad_cells: blank
encoding: shift_jis
delimiter: "||"
quote: none
escape: backslash
header: 3
comment: "#"
footer: 2
short_rows: pad
sheet: Leads
hidden: skip
columns:
  Site: customer.website_url
  Interests: {to: customer.tags, separator: "/"}
  Score: {to: customer.custom.score, type: decimal, decimal: ",", bad_cells: reject}
  Size: {to: customer.custom.size, type: choice, values: [small, large]}
  Person: contact.name
  Mobile: {to: ignore, values: {none: }}
fields:
  customer.name: {join: [Given, Family], with: ", "}
  customer.status: {value: New Lead}
  contact.phone: {first_of: [Mobile, Phone], required: true}
`

// comesBack writes a Spec and reads it again.
func comesBack(t *testing.T, s *Spec) {
	t.Helper()
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseSpec(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Errorf("ParseSpec(YAML) (-want +got):\n%s\n%s", diff, text)
	}
}

func TestParseSpecReadsHowFieldsAreFilled(t *testing.T) {
	t.Parallel()
	got, err := ParseSpec([]byte(everySpec))
	if err != nil {
		t.Fatal(err)
	}
	want := &Spec{
		Version: 1, Match: crm.MatchDomain, BadCells: BlankCell,
		Reading: crm.Reading{
			Encoding: "shift_jis", Delimiter: "||", Quote: crm.NoneAtAll, Escape: crm.EscapeSlash, Header: "3", Comment: "#", Footer: 2,
			ShortRows: crm.PadShort, Sheet: "Leads", Hidden: crm.SkipHidden,
		},
		Columns: []ColumnSpec{
			{Column: "Site", To: []string{"customer.website_url"}},
			{Column: "Interests", To: []string{"customer.tags"}, Separator: "/"},
			{Column: "Score", To: []string{"customer.custom.score"}, Type: Decimal, Decimal: ",", BadCells: RejectRow},
			{Column: "Size", To: []string{"customer.custom.size"}, Type: Choice, Values: map[string]string{"small": "small", "large": "large"}},
			{Column: "Person", To: []string{"contact.name"}},
			{Column: "Mobile", Values: map[string]string{"none": ""}},
		},
		Fields: []FieldSpec{
			{Field: "customer.name", Join: []string{"Given", "Family"}, With: ", "},
			{Field: "customer.status", Value: "New Lead"},
			{Field: "contact.phone", FirstOf: []string{"Mobile", "Phone"}, Required: true},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	comesBack(t, got)
}

func TestParseSpecReadsEverySetting(t *testing.T) {
	t.Parallel()
	got, err := ParseSpec([]byte(wholeSpec))
	if err != nil {
		t.Fatal(err)
	}
	want := &Spec{
		Version: 1, Mode: crm.CreateOnly, Unknown: CustomUnknown, Only: []crm.Entity{crm.Contact, crm.Note}, DateOrder: DMY,
		Reading: crm.Reading{Encoding: "windows-1252", Delimiter: "tab", Sheet: "Leads"},
		Columns: []ColumnSpec{
			{Column: "Customer ID", To: []string{"customer.external_id"}},
			{Column: "Mail", To: []string{"customer.email", "contact.email"}, Required: true},
			{Column: "Signed up", To: []string{"contact.source_updated_at"}, DateOrder: MDY},
			{Column: "Score", To: []string{"contact.custom.score"}, Type: Integer, Values: map[string]string{"none": "", "1": "2"}},
			{Column: "2024"},
		},
		Fields: []FieldSpec{
			{Field: "contact.first_name", Required: true, Collision: crm.FillBlank},
			{Field: "contact.title", Default: "007"},
			{Field: "contact.phone", Erase: true},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	comesBack(t, got)
}

func TestParseSpecReportsEveryFaultWithItsLine(t *testing.T) {
	t.Parallel()
	_, err := ParseSpec([]byte(`version: 2
mode: insert
colums: {}
only: [leads, notes, notes]
delimiter: "\";"
columns:
  A: customer.nam
  B: {to: customer.custom.x, type: text}
  A: ignore
  C: {required: true}
  D: {to: customer.name, type: integer, date_order: dmy}
  E: customer.custom
  F: [customer.email, customer.email]
  G: {to: ignore, required: yes}
  H: []
  I:
fields:
  customer.name: {colision: never, required: true, default: x}
  customer.city: {erase: true, collision: never}
  customer.external_id: {default: x}
  customer.custom: {required: true}
  contact.custom.a: {erase: true}
  note.txt: {}
`))
	if !errors.Is(err, crm.ErrInvalid) {
		t.Fatalf("error %v, want one that wraps ErrInvalid", err)
	}
	for _, want := range []string{
		"line 1: version must be 1", "line 2: mode must be one of upsert, create_only, update_only",
		`line 3: unknown key "colums" in the mapping file (did you mean "columns"?)`, `line 4: only: "leads" is none of`, "line 4: only: notes stands there twice",
		"line 5: delimiter must be 1 to 8", `line 7: column "A": there is no field "customer.nam" (did you mean "customer.name"?)`,
		"line 8: type must be one of string", `line 9: "A" stands in columns twice, first in line 7`, `line 10: column "C": say where it goes`,
		`line 11: column "D": type is for custom`, `line 11: column "D": date_order is for dates`, `line 12: column "E": "customer.custom" needs the name`,
		`line 13: column "F": customer.email stands there twice`, `line 14: column "G" is ignored`, `line 15: column "H": name a field`, `line 16: column "I" must be a text`,
		`line 18: unknown key "colision" in customer.name (did you mean "collision"?)`, "line 18: customer.name: a field with a default", "line 19: customer.city: erase only",
		"line 20: customer.external_id: customers are known by it", "line 21: customer.custom: required, default, value", "line 22: contact.custom.a: collision and erase", `line 23: fields: there is no field "note.txt"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestParseSpecRefusesWhatIsNoMapping(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a list": "[a]", "a text": "hello", "broken YAML": "a: [", "two documents": "version: 1\n---\nversion: 1\n", "not UTF-8": "a: \xff", "too large": strings.Repeat(" ", maxSpecBytes+1),
		"an alias": "columns: &a {}\nfields: *a\n", "columns as a list": "columns: [a]",
	} {
		if _, err := ParseSpec([]byte(text)); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("%s: error %v, want one that wraps ErrInvalid", name, err)
		}
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "null"} {
		if s, err := ParseSpec([]byte(text)); err != nil || !cmp.Equal(s, &Spec{}) {
			t.Errorf("ParseSpec(%q) = %+v, %v, want the zero Spec", text, s, err)
		}
	}
}
