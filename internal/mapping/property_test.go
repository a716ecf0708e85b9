package mapping

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// pieces are what cells are drawn from: what people write, and what hurts.
var pieces = []string{
	"", " ", "\u00a0", "cus_1", "ana@x.com", "Ana@X.COM", "a@b", "José", "Zoe\u0308", "DE", "US", "Germany", "CA", "BY", "+49 30 2345678", "030 2345678", "(415) 555-2671",
	"2024-05-06", "6/5/2024", "2099-01-01T00:00:00Z", "a,b;a", `["x"]`, "new lead", "https://X.com/a", "007", "1e5", "-1.50", "true", "\x00", "\xff", "\u0301", "\u3000", "𝔸", "ﬁ", "ß", "\"", "\\", "\t",
}

func cell() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(pieces), rapid.String(), rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom(pieces).Draw(t, "a") + rapid.SampledFrom(pieces).Draw(t, "b")
	}))
}

// TestInvariant1ARowIsEitherRejectedOrCarriedOn draws rows, and holds Map to
// what it promises of them. Invariant 6 is here too: the same row gives the
// same records, also into memory that other rows have used.
func TestInvariant1ARowIsEitherRejectedOrCarriedOn(t *testing.T) {
	t.Parallel()
	spec := &Spec{DateOrder: DMY, Unknown: CustomUnknown, Columns: []ColumnSpec{
		{Column: "n", To: []string{"contact.custom.n"}, Type: Decimal}, {Column: "s", To: []string{"customer.status"}}, {Column: "w", To: []string{"customer.website_url", "customer.custom.w"}},
	}}
	composing, err := ParseSpec([]byte(`
match: domain
bad_cells: blank
date_order: dmy
columns: {a: customer.website_url, b: contact.name, c: customer.status, d: {to: customer.custom.d, type: choice, values: {ana: x, DE: y}}, e: {to: customer.country, bad_cells: reject}}
fields: {contact.phone: {first_of: [f, g]}, customer.lead_created_at: {join: [h, i]}, customer.tags: {join: [j, k], with: ","}, contact.email: {first_of: [l, m], required: true}, note.text: {value: x}}
`))
	if err != nil {
		t.Fatal(err)
	}
	mappers := []*Mapper{
		mapperFor(t, leadHeader, nil),
		mapperFor(t, append(slices.Clone(leadHeader[1:]), "n", "s", "w", "call_duration", "zzz"), spec),
		mapperFor(t, leadHeader, &Spec{Only: []crm.Entity{crm.Contact}}),
		mapperFor(t, strings.Split("a,b,c,d,e,f,g,h,i,j,k,l,m", ","), composing),
	}
	var used Mapped
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(mappers).Draw(t, "mapper")
		row := &crm.Row{Line: 2, Cells: rapid.SliceOfN(cell(), 0, 24).Draw(t, "cells")}
		var fresh Mapped
		m.Map(row, &fresh)
		m.Map(row, &used)
		if !cmp.Equal(fresh.Records, used.Records) || fresh.CustomerKey != used.CustomerKey || !slices.Equal(fresh.Warnings, used.Warnings) || len(fresh.Faults) != len(used.Faults) {
			t.Fatalf("the same row gave %+v and %+v", fresh, used)
		}
		if (len(used.Faults) == 0) != (used.CustomerKey != "") {
			t.Fatalf("faults %v and key %q", used.Faults, used.CustomerKey)
		}
		for _, e := range crm.Entities {
			values := used.Records[e]
			if values == nil {
				continue
			}
			if len(used.Faults) > 0 || len(values) != len(crm.Fields(e)) || !crm.Identified(e, values) {
				t.Fatalf("%s %q beside faults %v", e, values, used.Faults)
			}
			for i, v := range values {
				if !utf8.ValidString(v) || slices.Contains([]byte(v), 0) {
					t.Fatalf("%s.%s = %q, which no database keeps", e, crm.Fields(e)[i].Name, v)
				}
			}
		}
	})
}

// FuzzSpec gives any text to ParseSpec: what it takes, it takes again as YAML
// writes it, and so does the schema.
func FuzzSpec(f *testing.F) {
	f.Add(wholeSpec)
	f.Add(everySpec)
	for _, text := range goodSpecs {
		f.Add(text)
	}
	f.Add("columns: {a: ignore}")
	judge := schemaJudge(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpec([]byte(text))
		if err != nil {
			return
		}
		y, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSpec(y)
		if err != nil {
			t.Fatalf("%v\n%s", err, y)
		}
		if err := judge(string(y)); err != nil {
			t.Fatalf("the schema refuses it: %v\n%s", err, y)
		}
		s.Version = 1
		for i := range s.Columns {
			if len(s.Columns[i].Values) == 0 {
				s.Columns[i].Values = nil
			}
		}
		if diff := cmp.Diff(s, back); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, y)
		}
	})
}
