package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

var leadHeader = strings.Split("external_id,name,email,company,country,state,city,zip,phone,lead_created_at,"+
	"free_trial_started_at,tags,first_name,last_name,title,linked_in,twitter,notes", ",")

var askedAt = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// mapperFor resolves a header and compiles what comes of it.
func mapperFor(t testing.TB, header []string, spec *Spec) *Mapper {
	t.Helper()
	m, _, err := Resolve(header, nil, spec, Options{Region: "DE", Now: askedAt})
	if err != nil {
		t.Fatalf("Resolve(%q) failed: %v", header, err)
	}
	p, err := m.Mapper()
	if err != nil {
		t.Fatalf("Mapper() failed: %v", err)
	}
	return p
}

// record returns the values of a record that are not blank, by field.
func record(out *Mapped, e crm.Entity) map[string]string {
	if out.Records[e] == nil {
		return nil
	}
	values := make(map[string]string)
	for i, f := range crm.Fields(e) {
		if v := out.Records[e][i]; v != "" {
			values[f.Name] = v
		}
	}
	return values
}

// carried names the entities that a row has records of.
func carried(out *Mapped) string {
	var have []string
	for _, e := range crm.Entities {
		if out.Records[e] != nil {
			have = append(have, e.String())
		}
	}
	return strings.Join(have, " ")
}

func TestMapFillsEveryRecordOfALead(t *testing.T) {
	t.Parallel()
	p := mapperFor(t, leadHeader, nil)
	var out Mapped
	p.Map(&crm.Row{Line: 2, Cells: []string{
		" cus_1 ", "Zoe\u0308 Müller", " ZOE@Firma.DE ", "Acme, Inc.", "Deutschland", "BY", "München", "007", "030 2345678",
		"2021-03-04 05:06:07", "", "b, a;b", "Zoë", "Müller", "CEO", "", "@zoe", "1e5",
	}}, &out)
	want := [3]map[string]string{
		{
			"external_id": "cus_1", "name": "Zoë Müller", "email": "ZOE@firma.de", "company": "Acme, Inc.", "country": "DE",
			"city": "München", "zip": "007", "lead_created_at": "2021-03-04T05:06:07.000Z", "tags": `["a","b"]`,
		},
		{"first_name": "Zoë", "last_name": "Müller", "title": "CEO", "email": "ZOE@firma.de", "phone": "+49302345678", "twitter": "@zoe"},
		{"type": "note", "text": "1e5"},
	}
	for _, e := range crm.Entities {
		if diff := cmp.Diff(want[e], record(&out, e)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e, diff)
		}
	}
	if out.CustomerKey != "cus_1" || len(out.Faults) != 0 || len(out.Warnings) != 1 {
		t.Errorf("key %q, faults %v, %d warnings; want cus_1, none, 1 for the state", out.CustomerKey, out.Faults, len(out.Warnings))
	}
}

func TestMapReportsEveryFault(t *testing.T) {
	t.Parallel()
	p := mapperFor(t, leadHeader, nil)
	cells := make([]string, len(leadHeader))
	cells[2], cells[4], cells[9], cells[12] = "nobody", "Atlantis", "2099-01-01", "Zoë"
	var out Mapped
	p.Map(&crm.Row{Line: 2, Cells: cells}, &out)
	want := []crm.Rejection{
		{Column: "external_id", Reason: crm.ReasonRequired},
		{Column: "email", Reason: crm.ReasonBadEmail},
		{Column: "country", Reason: crm.ReasonBadCountry},
		{Column: "lead_created_at", Reason: crm.ReasonFutureDate},
	}
	if diff := cmp.Diff(want, out.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if out.Records[crm.Customer] != nil || out.CustomerKey != "" {
		t.Error("a row with faults has records")
	}
}

func TestMapDecidesWhatARowHolds(t *testing.T) {
	t.Parallel()
	fault := func(column string, r crm.Reason) []crm.Rejection { return []crm.Rejection{{Column: column, Reason: r}} }
	only := &Spec{Only: []crm.Entity{crm.Contact, crm.Note}}
	tests := []struct {
		name     string
		header   string
		spec     *Spec
		cells    []string
		key      string
		records  string // the entities there are
		faults   []crm.Rejection
		warnings int
	}{
		{name: "without an id the e-mail is the key", header: "email", cells: []string{"Ana@X.com"}, key: "email:ana@x.com", records: "customer"},
		{name: "and a blank one is no key", header: "email,name", cells: []string{" ", "Ana"}, faults: fault("email", crm.ReasonNoKey)},
		{name: "and a bad one is a bad one only", header: "email,name", cells: []string{"x", "Ana"}, faults: fault("email", crm.ReasonBadEmail)},
		{name: "a blank id is required", header: "id,email", cells: []string{"\u00a0", "a@x.com"}, faults: fault("id", crm.ReasonRequired)},
		{name: "an e-mail alone names a contact", header: "id,email,phone", cells: []string{"1", "a@x.com", ""}, key: "1", records: "customer contact"},
		{name: "blank contact columns make none", header: "id,first_name,phone", cells: []string{"1", "", ""}, key: "1", records: "customer"},
		{name: "a phone alone names nobody", header: "id,first_name,phone", cells: []string{"1", "", "+4930123456"}, faults: fault("", crm.ReasonNoIdentity)},
		{name: "a bad contact e-mail is named once", header: "id,contact_email,phone", cells: []string{"1", "x", "+4930123456"}, faults: fault("contact_email", crm.ReasonBadEmail)},
		{name: "text makes a note", header: "id,notes", cells: []string{"1", "hello"}, key: "1", records: "customer note"},
		{name: "a call without text is warned of", header: "id,note.text,call_duration", cells: []string{"1", "", "60"}, key: "1", records: "customer", warnings: 1},
		{name: "customers are referred to by id", header: "id,email,first_name", spec: only, cells: []string{"1", "a@x.com", "Ana"}, key: "1", records: "contact"},
		{name: "customers are referred to by e-mail", header: "email,first_name,company", spec: only, cells: []string{"A@x.com", "Ana", "X"}, key: "email:a@x.com", records: "contact"},
		{name: "a short row has blank cells", header: "id,name,notes", cells: []string{"1"}, key: "1", records: "customer"},
		{name: "a state needs the United States", header: "id,country,state", cells: []string{"1", "DE", "BY"}, key: "1", records: "customer", warnings: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out Mapped
			mapperFor(t, strings.Split(tt.header, ","), tt.spec).Map(&crm.Row{Line: 2, Cells: tt.cells}, &out)
			if got := carried(&out); got != tt.records {
				t.Errorf("records %q, want %q", got, tt.records)
			}
			if out.CustomerKey != tt.key || len(out.Warnings) != tt.warnings {
				t.Errorf("key %q and %d warnings, want %q and %d", out.CustomerKey, len(out.Warnings), tt.key, tt.warnings)
			}
			if len(out.Faults)+len(tt.faults) > 0 && !cmp.Equal(out.Faults, tt.faults) {
				t.Errorf("faults %v, want %v", out.Faults, tt.faults)
			}
		})
	}
}

func TestMapRejectsARowThatCouldNotBeRead(t *testing.T) {
	t.Parallel()
	var out Mapped
	mapperFor(t, leadHeader, nil).Map(&crm.Row{Line: 2, Cells: []string{"a", "b"}, Fault: crm.ReasonTooFewCells}, &out)
	if want := []crm.Rejection{{Reason: crm.ReasonTooFewCells}}; !cmp.Equal(out.Faults, want) {
		t.Errorf("faults %v, want %v", out.Faults, want)
	}
}

func TestMapAppliesTheMappingFile(t *testing.T) {
	t.Parallel()
	spec, err := ParseSpec([]byte(`
columns:
  Key: customer.external_id
  Stage: {to: customer.status, values: {Fresh: new_lead, "?": ""}}
  Score: {to: customer.custom.score, type: integer}
  Rate: {to: customer.custom.Rate, type: decimal}
  Seen: {to: customer.custom.seen, type: timestamp, date_order: mdy}
  VIP: {to: customer.custom.vip, type: boolean}
  Why: {to: [customer.custom.why, customer.name], required: true}
fields:
  customer.owner: {default: Sales@Example.com}
  customer.state: {default: California}
  note.type: {default: call}
`))
	if err != nil {
		t.Fatal(err)
	}
	p := mapperFor(t, strings.Split("Key,Stage,Score,Rate,Seen,VIP,Why", ","), spec)
	var out Mapped
	p.Map(&crm.Row{Line: 2, Cells: []string{"k", "fresh", "+007", "1.50", "3/4/2021", "Yes", "say \"hi\"\n"}}, &out)
	want := map[string]string{
		"external_id": "k", "status": "New Lead", "owner": "Sales@example.com", "state": "CA", "name": `say "hi"`,
		"custom": `{"Rate":1.5,"score":7,"seen":"2021-03-04T00:00:00.000Z","vip":true,"why":"say \"hi\""}`,
	}
	if diff := cmp.Diff(want, record(&out, crm.Customer)); diff != "" || len(out.Faults) > 0 || out.Records[crm.Note] != nil {
		t.Errorf("faults %v, customer (-want +got):\n%s", out.Faults, diff)
	}
	p.Map(&crm.Row{Line: 3, Cells: []string{"k", "?", "1,5", "", "13/13/2021", "maybe", ""}}, &out)
	var got []string
	for _, f := range out.Faults {
		got = append(got, f.Column+" "+string(f.Reason))
	}
	if want := "Score bad_integer|Seen bad_date|VIP bad_boolean|Why required"; strings.Join(got, "|") != want {
		t.Errorf("faults %q, want %q", got, want)
	}
}
