package mapping

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// export reads the beginning of a vendor's export: its header and some rows.
func export(t *testing.T, file string) (header []string, rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(all) < 3 {
		t.Fatalf("%s: %d rows, %v; want a header and at least two", file, len(all), err)
	}
	return all[0], all[1:]
}

func exports(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/headers/*.csv")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d exports, %v", len(files), err)
	}
	return files
}

// TestVendorExportsMapWithoutAFile holds what the exports people have come to.
// testdata/headers has the beginning of one a file; beside each lies what its
// columns map to, and why.
func TestVendorExportsMapWithoutAFile(t *testing.T) {
	t.Parallel()
	for _, file := range exports(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".csv"), func(t *testing.T) {
			t.Parallel()
			header, rows := export(t, file)
			m, decisions, err := Resolve(header, rows, nil, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, d := range decisions {
				fmt.Fprintf(&got, "%s -> %s (%.2f: %s)\n", d.About, d.Choice, d.Score, d.Evidence)
				if d.Evidence == "no field is called so" {
					t.Errorf("%s is not known; give it a field, or say why it has none", d.About)
				}
			}
			golden(t, strings.TrimSuffix(file, ".csv")+".golden", got.String())

			if s := m.Survey(); s != nil {
				for _, row := range rows {
					s.Observe(row)
				}
				if _, err := s.Decide(m); err != nil {
					t.Fatal(err)
				}
			}
			p, err := m.Mapper()
			if err != nil {
				t.Fatal(err)
			}
			var out Mapped
			for i, row := range rows {
				if p.Map(&crm.Row{Cells: row}, &out); len(out.Faults) > 0 {
					t.Errorf("row %d is rejected: %v", i+1, out.Faults)
				}
			}
		})
	}
}

// TestSuggestAndResolveAgree holds both to one decision: without a mapping
// file, and with the one that Suggest writes.
func TestSuggestAndResolveAgree(t *testing.T) {
	t.Parallel()
	for _, file := range exports(t) {
		header, rows := export(t, file)
		for _, samples := range [][][]string{rows, nil} {
			want, decided, err := Resolve(header, samples, nil, Options{})
			if err != nil {
				t.Fatal(err)
			}
			spec, suggested := Suggest(header, samples, Options{})
			if diff := cmp.Diff(decided, suggested); diff != "" {
				t.Errorf("%s: decisions of Resolve and Suggest (-Resolve +Suggest):\n%s", file, diff)
			}
			text, err := spec.YAML()
			if err != nil {
				t.Fatal(err)
			}
			back, err := ParseSpec(text)
			if err != nil {
				t.Fatalf("%s: %v\n%s", file, err, text)
			}
			got, _, err := Resolve(header, nil, back, Options{})
			if err != nil {
				t.Fatalf("%s: %v\n%s", file, err, text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: mapping by names, and by what Suggest wrote (-names +file):\n%s\n%s", file, diff, text)
			}
		}
	}
}

// golden compares got with a file, or rewrites the file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestEveryLeadColumnMapsByItsName(t *testing.T) {
	t.Parallel()
	_, decisions, err := Resolve(leadHeader, nil, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		if d.Choice == ignore || d.Score < 0.9 || d.Evidence == "" {
			t.Errorf("%+v", d)
		}
	}
	if got := decisions[2].Choice; got != "customer.email, contact.email" {
		t.Errorf("email goes to %q", got)
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header, spec string
		o                  Options
		want               []string
	}{
		{name: "a column that is not there", header: "E-mail,Name", spec: "columns: {Email: customer.email}", want: []string{`column "Email" is not in the header (did you mean "E-mail"?)`, `"Name"`}},
		{name: "two columns for one field", header: "a,b", spec: "columns: {a: customer.email, b: customer.email}", want: []string{`customer.email cannot come from two columns, "a" and "b"`}},
		{name: "a column that is there twice", header: "Mail,x,Mail", spec: "columns: {Mail: customer.email}", want: []string{`"Mail" more than once`}},
		{name: "rows without a key", header: "Vorname,Firma", want: []string{"no column says which customer", "customer.external_id or customer.email", `"Firma"`}},
		{name: "a header that says nothing", header: "7,12.5,x1", want: []string{"no column of the header is known, of 3"}},
		{name: "an empty header", header: "", want: []string{"no column of the header is known"}},
		{name: "unknown columns, when told to", header: "email,zzz", spec: "unknown: refuse", want: []string{`these are: "zzz"`}},
		{name: "a required field no column fills", header: "email", spec: "fields: {customer.name: {required: true}}", want: []string{"customer.name is required and no column fills it"}},
		{name: "a default that does not fit", header: "email", spec: "fields: {customer.country: {default: Atlantis}, customer.state: {default: BY}}", want: []string{"customer.country: its default", "bad_country", "customer.state: its default"}},
		{name: "a field of an entity not imported", header: "email,n", spec: "only: [contacts]\ncolumns: {n: customer.name}", want: []string{"customers are not among those imported"}},
		{name: "a contact nobody names", header: "id,p", spec: "columns: {p: contact.phone}", want: []string{"none says who it is"}},
		{name: "a time zone that is not one", header: "email", o: Options{TimeZone: "Mars/Base"}, want: []string{`time zone "Mars/Base" is not known`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec, err := ParseSpec([]byte(tt.spec))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = Resolve(strings.Split(tt.header, ","), nil, spec, tt.o)
			if !errors.Is(err, crm.ErrInvalid) {
				t.Fatalf("error %v, want one that wraps ErrInvalid", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestColumnsOfNobodyAreLeftOut(t *testing.T) {
	t.Parallel()
	m, decisions, err := Resolve(strings.Split("id,company,phone,call_duration", ","), nil, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Columns) != 2 || decisions[2].Choice != ignore || decisions[3].Choice != ignore {
		t.Errorf("decisions %+v", decisions)
	}
}

func TestUnknownColumnsBecomeAttributes(t *testing.T) {
	t.Parallel()
	header := strings.Split("email,Shoe size,shoe-size,Größe,,%%", ",")
	_, decisions, err := Resolve(header, nil, &Spec{Unknown: CustomUnknown}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range decisions {
		got = append(got, d.Choice)
	}
	want := []string{"customer.email", "customer.custom.shoe_size", "customer.custom.shoe_size_2", "customer.custom.größe", ignore, ignore}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
}

func TestTheMappingFileWinsOverNames(t *testing.T) {
	t.Parallel()
	spec, err := ParseSpec([]byte("columns:\n  email: ignore\n  mail 2: {to: [customer.email, contact.email], required: true}\nfields:\n  customer.name: {collision: fill_blank}\n  customer.city: {erase: true}\n  customer.custom: {collision: never}\n"))
	if err != nil {
		t.Fatal(err)
	}
	m, decisions, err := Resolve([]string{"email", " mail 2\u00a0", "name"}, nil, spec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if decisions[0].Choice != ignore || decisions[1].Choice != "customer.email, contact.email" || decisions[2].Choice != "customer.name" {
		t.Errorf("decisions %+v", decisions)
	}
	rules := m.rules()
	for name, want := range map[string]crm.Rule{"name": {Collision: crm.FillBlank}, "city": {Erase: true}, "custom": {Collision: crm.Never}, "zip": {}} {
		if got := rules.Of(crm.Customer, crm.FieldIndex(crm.Customer, name)); got != want {
			t.Errorf("rule of %s is %+v, want %+v", name, got, want)
		}
	}
}

func TestAMappingSurvivesStorage(t *testing.T) {
	t.Parallel()
	spec := &Spec{Columns: []ColumnSpec{{Column: "title", To: []string{"customer.custom.t"}, Type: Integer, Values: map[string]string{"x": "1"}}}}
	m, _, err := Resolve(leadHeader, nil, spec, Options{Region: "de", TimeZone: "Europe/Berlin", Now: askedAt})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	back := &Mapping{}
	if err := json.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, back); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := back.Mapper(); err != nil {
		t.Error(err)
	}
	back.Version = 2
	if _, err := back.Mapper(); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("a mapping of another version: %v", err)
	}
}

func TestSuggestWritesAFileToEdit(t *testing.T) {
	t.Parallel()
	header := strings.Split("Record ID,First Name,Last Name,Kontakt,Country/Region,Status,Phone Number,Notes,Shoe size,,Notes", ",")
	samples := [][]string{
		{"1", "Ana", "Silva", "ana@x.com", "DE", "active", "+4930123456", "hi", "38"},
		{"2", "Bo", "Li", "bo@x.com", "Germany", "churned"},
	}
	spec, decisions := Suggest(header, samples, Options{})
	text, err := spec.YAML()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	got.Write(text)
	for _, d := range decisions {
		got.WriteString("# " + d.About + ": " + d.Choice + " (" + d.Evidence + ")\n")
	}
	golden(t, "testdata/suggest.golden", got.String())
	back, err := ParseSpec(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(spec, back); diff != "" {
		t.Errorf("ParseSpec(YAML) (-want +got):\n%s", diff)
	}
}
