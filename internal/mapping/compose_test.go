package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

// mapRow maps one row by a header and a mapping file.
func mapRow(t *testing.T, header, spec string, cells ...string) *Mapped {
	t.Helper()
	s, err := ParseSpec([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	var out Mapped
	mapperFor(t, strings.Split(header, ","), s).Map(&crm.Row{Line: 2, Cells: cells}, &out)
	return &out
}

// said writes rejections as "column reason", with commas between.
func said(list []crm.Rejection) string {
	var b []string
	for _, r := range list {
		b = append(b, strings.TrimSpace(r.Column+" "+string(r.Reason)))
	}
	return strings.Join(b, ", ")
}

func TestFieldsAreFilledWithoutAColumnOfTheirOwn(t *testing.T) {
	t.Parallel()
	const phones = "fields: {contact.phone: {first_of: [Mobile, Phone]}}"
	tests := []struct {
		name, header, spec string
		cells              []string
		field, want        string // entity.field
		faults, warnings   string
	}{
		{name: "a value is of every row", header: "id", spec: "fields: {customer.status: {value: working lead}}", cells: []string{"1"}, field: "customer.status", want: "Working Lead"},
		{name: "a value is no contact", header: "id,first_name", spec: "fields: {contact.title: {value: CEO}}", cells: []string{"1", ""}, field: "contact.title"},
		{name: "but one that names him is", header: "id,phone", spec: "fields: {contact.last_name: {value: Desk}}", cells: []string{"1", "+4930123456"}, field: "contact.phone", want: "+4930123456"},
		{name: "a text for every row is a note of each", header: "id", spec: "fields: {note.text: {value: from the fair}}", cells: []string{"1"}, field: "note.text", want: "from the fair"},
		{name: "one customer for all", header: "first_name", spec: "fields: {customer.external_id: {value: acme}}", cells: []string{"Ana"}, field: "customer.external_id", want: "acme"},
		{name: "the first that is not blank", header: "id,email,Phone,Mobile", spec: phones, cells: []string{"1", "a@x.com", "+49 30 123456", " "}, field: "contact.phone", want: "+4930123456"},
		{name: "in the order of the list", header: "id,email,Phone,Mobile", spec: phones, cells: []string{"1", "a@x.com", "+4930123456", "+49301234567"}, field: "contact.phone", want: "+49301234567"},
		{name: "a bad cell ends the search", header: "id,a,b", spec: "fields: {customer.country: {first_of: [a, b]}}", cells: []string{"1", "Atlantis", "DE"}, field: "customer.country", faults: "a bad_country"},
		{name: "unless it counts as blank", header: "id,a,b", spec: "bad_cells: blank\nfields: {customer.country: {first_of: [a, b]}}", cells: []string{"1", "Atlantis", "DE"}, field: "customer.country", want: "DE", warnings: "a bad_country"},
		{name: "cells are replaced before they are looked at", header: "id,a,b", spec: "columns: {a: {to: ignore, values: {none: }}}\nfields: {customer.city: {first_of: [a, b]}}", cells: []string{"1", "None", "Ulm"}, field: "customer.city", want: "Ulm"},
		{name: "none at all is required", header: "id,a,b", spec: "fields: {customer.city: {first_of: [a, b], required: true}}", cells: []string{"1", "", ""}, faults: "a required"},
		{name: "a key is always required", header: "a,b", spec: "fields: {customer.external_id: {first_of: [a, b]}}", cells: []string{"", ""}, faults: "a required"},
		{name: "a key from the second column", header: "a,b", spec: "fields: {customer.external_id: {first_of: [a, b]}}", cells: []string{"", "7"}, field: "customer.external_id", want: "7"},
		{name: "parts are joined with a space", header: "id,a,b,c", spec: "fields: {customer.name: {join: [a, b, c]}}", cells: []string{"1", "Ana ", "", "Silva"}, field: "customer.name", want: "Ana Silva"},
		{name: "or with what the file says", header: "id,a,b", spec: "fields: {customer.external_id: {join: [a, b], with: '-'}}\ncolumns: {id: ignore}", cells: []string{"1", "DE", "7"}, field: "customer.external_id", want: "DE-7"},
		{name: "the whole is read as its field is", header: "id,Day,Time", spec: "date_order: dmy\nfields: {customer.lead_created_at: {join: [Day, Time]}}", cells: []string{"1", "3/4/2021", "12:30"}, field: "customer.lead_created_at", want: "2021-04-03T12:30:00.000Z"},
		{name: "and refused as its field is", header: "id,Day,Time", spec: "date_order: dmy\nfields: {customer.lead_created_at: {join: [Day, Time]}}", cells: []string{"1", "x", "12:30"}, faults: "Day bad_date"},
		{name: "parts go to fields of their own too", header: "id,First Name,Last Name", spec: "fields: {customer.name: {join: [First Name, Last Name]}}", cells: []string{"1", "Ana", "Silva"}, field: "contact.last_name", want: "Silva"},
		{name: "an attribute has the type of its first column", header: "id,a,b", spec: "columns: {a: {to: ignore, type: integer}}\nfields: {customer.custom.n: {first_of: [a, b]}}", cells: []string{"1", "", "007"}, field: "customer.custom", want: `{"n":7}`},
		{name: "also where it is a date", header: "id,a,b", spec: "date_order: dmy\ncolumns: {a: {to: ignore, type: timestamp}}\nfields: {customer.custom.t: {first_of: [a, b]}}", cells: []string{"1", "", "3/4/2021"}, field: "customer.custom", want: `{"t":"2021-04-03T00:00:00.000Z"}`},
		{name: "blank joined columns make no contact", header: "id,a,b", spec: "fields: {contact.title: {join: [a, b]}}\ncolumns: {a: contact.first_name}", cells: []string{"1", "", ""}, field: "contact.title"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := mapRow(t, tt.header, tt.spec, tt.cells...)
			if got := said(out.Faults); got != tt.faults {
				t.Errorf("faults %q, want %q", got, tt.faults)
			}
			if got := said(out.Warnings); got != tt.warnings {
				t.Errorf("warnings %q, want %q", got, tt.warnings)
			}
			if tt.field == "" {
				return
			}
			to, _ := parseField(tt.field)
			if got := record(out, to.Entity)[crm.Fields(to.Entity)[to.Field].Name]; got != tt.want {
				t.Errorf("%s is %q, want %q", tt.field, got, tt.want)
			}
		})
	}
}

func TestBadCellsAreLeftBlankWhereNothingStandsOnThem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header, spec string
		cells              []string
		records            string
		faults, warnings   string
	}{
		{name: "an optional cell is left out", header: "id,country,city", spec: "bad_cells: blank", cells: []string{"1", "Atlantis", "Ulm"}, records: "customer", warnings: "country bad_country"},
		{name: "a required one is not", header: "id,country", spec: "bad_cells: blank\nfields: {customer.country: {required: true}}", cells: []string{"1", "Atlantis"}, faults: "country bad_country"},
		{name: "nor is the key", header: "email,name", spec: "bad_cells: blank", cells: []string{"nobody", "Ana"}, faults: "email bad_email"},
		{name: "nor what the column excepts", header: "id,country", spec: "bad_cells: blank\ncolumns: {country: {to: customer.country, bad_cells: reject}}", cells: []string{"1", "Atlantis"}, faults: "country bad_country"},
		{name: "one column alone", header: "id,country,website", spec: "columns: {website: {to: customer.website_url, bad_cells: blank}}", cells: []string{"1", "DE", "none"}, records: "customer", warnings: "website bad_url"},
		{name: "a contact of nothing but bad cells is none", header: "id,contact_email,phone", spec: "bad_cells: blank", cells: []string{"1", "x", ""}, records: "customer", warnings: "contact_email bad_email"},
		{name: "each reason is told once", header: "id,x", spec: "bad_cells: blank\ncolumns: {x: [customer.country, customer.custom.x]}", cells: []string{"1", "Atlantis"}, records: "customer", warnings: "x bad_country"},
		{name: "warnings name their column", header: "id,country,Bundesland,note.text,call_duration", cells: []string{"1", "DE", "BY", "", "60"}, records: "customer", warnings: "call_duration note_left_out, Bundesland state_left_out"},
		{name: "a rejected row warns of nothing", header: "id,country,website", spec: "columns: {website: {to: customer.website_url, bad_cells: blank}}", cells: []string{"1", "x", "x"}, faults: "country bad_country"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := mapRow(t, tt.header, tt.spec, tt.cells...)
			if got := carried(out); got != tt.records {
				t.Errorf("records %q, want %q", got, tt.records)
			}
			if got := said(out.Faults); got != tt.faults {
				t.Errorf("faults %q, want %q", got, tt.faults)
			}
			if got := said(out.Warnings); got != tt.warnings {
				t.Errorf("warnings %q, want %q", got, tt.warnings)
			}
		})
	}
}

func TestWholeNamesAreDividedWhereTheySayWhere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, first, last string }{
		{"Ana Silva", "Ana", "Silva"}, {"Silva, Ana", "Ana", "Silva"}, {"Núñez Pardo, Ana María", "Ana María", "Núñez Pardo"}, {"Ana", "Ana", ""},
		{"Ana  Silva", "Ana", "Silva"}, {"de la Cruz,Ana", "Ana", "de la Cruz"},
	} {
		out := mapRow(t, "id,n", "columns: {n: contact.name}", "1", tt.in)
		got := record(out, crm.Contact)
		if got["first_name"] != tt.first || got["last_name"] != tt.last || len(out.Warnings) > 0 {
			t.Errorf("%q is divided into %q and %q, warnings %v", tt.in, got["first_name"], got["last_name"], out.Warnings)
		}
	}
	for _, in := range []string{"Ana Maria Silva", "Silva, Ana, Dr.", "Ana Silva, PhD", "Silva,", ", Ana", "Dr. Silva", "Frau Weiß", "田中 太郎", "Ana de la Cruz"} {
		out := mapRow(t, "id,n", "columns: {n: contact.name}", "1", in)
		got := record(out, crm.Contact)
		if got["first_name"] != in || got["last_name"] != "" || said(out.Warnings) != "n name_not_split" {
			t.Errorf("%q is divided into %q and %q, warnings %v; want it whole, with a warning", in, got["first_name"], got["last_name"], out.Warnings)
		}
	}
	out := mapRow(t, "id,n,mail", "columns: {n: {to: contact.name, required: true}, mail: contact.email}", "1", " ", "a@x.com")
	if got := said(out.Faults); got != "n required" {
		t.Errorf("faults %q of a name that is required", got)
	}
}

func TestCustomersAreMatchedByWhatTheFileSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header, spec string
		cells              []string
		key, faults        string
	}{
		{name: "by their address, folded", header: "email,name", spec: "match: email", cells: []string{"Ana@X.com", "Ana"}, key: "email:ana@x.com"},
		{name: "which a blank is not", header: "email,name", spec: "match: email", cells: []string{" ", "Ana"}, faults: "email no_key"},
		{name: "an id is left alone", header: "id,email", spec: "match: email", cells: []string{"7", "a@x.com"}, key: "email:a@x.com"},
		{name: "by their domain", header: "id,website", spec: "match: domain", cells: []string{"7", "HTTPS://www.Example.com:8080/about?x#y"}, key: "domain:example.com"},
		{name: "with or without www", header: "website", spec: "match: domain", cells: []string{"example.com"}, key: "domain:example.com"},
		{name: "which a blank is not either", header: "website,name", spec: "match: domain", cells: []string{"", "Ana"}, faults: "website no_key"},
		{name: "nor a page among others'", header: "website,name", spec: "match: domain", cells: []string{"https://www.facebook.com/acme", "Ana"}, faults: "website no_key"},
		{name: "nor what is no address", header: "website,name", spec: "match: domain\nbad_cells: blank", cells: []string{"none", "Ana"}, faults: "website bad_url"},
		{name: "referred to by their domain", header: "website,first_name", spec: "match: domain\nonly: [contacts]", cells: []string{"example.com", "Ana"}, key: "domain:example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := mapRow(t, tt.header, tt.spec, tt.cells...)
			if out.CustomerKey != tt.key || said(out.Faults) != tt.faults {
				t.Errorf("key %q, faults %q; want %q, %q", out.CustomerKey, said(out.Faults), tt.key, tt.faults)
			}
			if values := out.Records[crm.Customer]; values != nil && values[customerID.Field] != tt.key {
				t.Errorf("the record's id is %q, want the key", values[customerID.Field])
			}
		})
	}
	m, _, err := Resolve([]string{"email"}, nil, &Spec{Match: crm.MatchEmail}, Options{})
	if err != nil || m.Writing().Match != crm.MatchEmail {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestChoicesAreOfTheirColumn(t *testing.T) {
	t.Parallel()
	const spec = "columns: {s: {to: customer.custom.size, type: choice, values: {S: small, large: large}}}"
	for in, want := range map[string]string{"s": `{"size":"small"}`, "LARGE": `{"size":"large"}`, "Small": `{"size":"small"}`, "": "", "huge": "s bad_choice"} {
		out := mapRow(t, "id,s", spec, "1", in)
		if got := record(out, crm.Customer)["custom"] + said(out.Faults); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

// TestReplacedChoicesAreNotReplacedAgain has one value's name be another's
// replacement.
func TestReplacedChoicesAreNotReplacedAgain(t *testing.T) {
	t.Parallel()
	const spec = "columns: {s: {to: customer.custom.size, type: choice, values: {a: b, b: c}}}"
	for in, want := range map[string]string{"a": `{"size":"b"}`, "B": `{"size":"c"}`, "c": `{"size":"c"}`} {
		if got := record(mapRow(t, "id,s", spec, "1", in), crm.Customer)["custom"]; got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestWhatDoesNotGoTogetherIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, header, spec, want string }{
		{"a column and a value for one field", "id,a", "columns: {a: customer.name}\nfields: {customer.name: {value: x}}", "customer.name is filled by value, first_of or join"},
		{"a whole name and a part of it", "id,a,b", "columns: {a: contact.name, b: contact.last_name}", "contact.name and contact.last_name cannot both be filled"},
		{"in either order", "id,a,b", "columns: {b: contact.first_name}\nfields: {contact.name: {join: [a, b]}}", "contact.first_name and contact.name cannot both be filled"},
		{"a match by e-mail and an id", "a,email", "match: email\ncolumns: {a: customer.external_id}", "customers are matched by customer.email, and so have no id of their own"},
		{"a match by domain and an id", "website", "match: domain\nfields: {customer.external_id: {value: x}}", "customers are matched by customer.website_url"},
		{"a match without its column", "email", "match: domain", "customers are matched by customer.website_url, and no column says it"},
		{"a match by an id that is not there", "email", "match: external_id", "customers are matched by customer.external_id, and no column says it"},
		{"a default for the key", "email", "fields: {customer.email: {default: a@x.com}}", "customer.email is what customers are known by here"},
		{"a part that is not there", "id,a", "fields: {customer.name: {join: [a, b]}}", `column "b" is not in the header`},
		{"a date of parts in no order", "id,a,b", "fields: {customer.lead_created_at: {join: [a, b]}}", "its order cannot be found; set date_order"},
		{"a value that does not fit", "id", "fields: {customer.country: {value: Atlantis}}", "customer.country: its value does not fit the field"},
		{"a choice that is not listed", "id,a", "columns: {a: {to: customer.custom.c, type: choice, values: [x]}}\nfields: {customer.custom.c: {default: y}}", "customer.custom.c: its default does not fit the field (bad_choice)"},
	} {
		spec, err := ParseSpec([]byte(tt.spec))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		_, _, err = Resolve(strings.Split(tt.header, ","), nil, spec, Options{})
		if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one that wraps ErrInvalid and says %q", tt.name, err, tt.want)
		}
	}
}

// TestDecisionsShowWhatFillsAField looks at columns that are only parts.
func TestDecisionsShowWhatFillsAField(t *testing.T) {
	t.Parallel()
	spec, err := ParseSpec([]byte("fields: {customer.city: {first_of: [a, b]}, customer.name: {join: [First Name, b]}}"))
	if err != nil {
		t.Fatal(err)
	}
	_, decisions, err := Resolve([]string{"id", "a", "b", "First Name"}, nil, spec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range decisions[1:] {
		got = append(got, d.Choice)
	}
	if diff := cmp.Diff([]string{"customer.city", "customer.city, customer.name", "contact.first_name, customer.name"}, got); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
}
