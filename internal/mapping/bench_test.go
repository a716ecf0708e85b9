package mapping

import (
	"testing"

	"sluice/internal/crm"
)

// BenchmarkMap maps a row as an export of leads has it: every column filled,
// an address to be put in lower case and a number to be made E.164.
func BenchmarkMap(b *testing.B) {
	m := mapperFor(b, leadHeader, nil)
	row := &crm.Row{Line: 2, Cells: []string{
		"cus_0abcdefghijkl", "Zoë Müller", "zoe.mueller.1a@GMAIL.com", "Acme, Inc.", "DE", "BY", "München", "80301",
		"+49 330-123-4567", "2021-03-04T05:06:07Z", "2021-03-05T05:06:07Z", "inbound,trial", "Zoë", "Müller", "CEO",
		"https://www.linkedin.com/in/u-1a", "@u1a", "met at conference; asked for pricing",
	}}
	var out Mapped
	b.ReportAllocs()
	for b.Loop() {
		m.Map(row, &out)
	}
	if len(out.Faults) > 0 {
		b.Fatal(out.Faults)
	}
}

// BenchmarkMapClean maps the same row with every cell canonical already.
func BenchmarkMapClean(b *testing.B) {
	m := mapperFor(b, leadHeader, nil)
	row := &crm.Row{Line: 2, Cells: []string{
		"cus_0abcdefghijkl", "Zoë Müller", "zoe.mueller.1a@gmail.com", "Acme, Inc.", "US", "CA", "München", "80301",
		"+493301234567", "2021-03-04T05:06:07.000Z", "", "", "Zoë", "Müller", "CEO", "", "@u1a", "met at conference",
	}}
	var out Mapped
	b.ReportAllocs()
	for b.Loop() {
		m.Map(row, &out)
	}
}

// BenchmarkTypes converts a usual cell of each type that is canonical already,
// and one that is not.
func BenchmarkTypes(b *testing.B) {
	r := readings(b)[0]
	for _, bench := range []struct {
		typ         Type
		clean, made string
	}{
		{textType, "Zoë Müller", "Zoe\u0308 Mu\u0308ller"},
		{emailType, "ana.lee@example.com", "Ana Lee <ana.lee@Example.com>"},
		{phoneType, "+493012345678", "(415) 555-2671"},
		{countryType, "DE", "Österreich"},
		{Timestamp, "2024-05-06T07:08:09.000Z", "Montag, 6. Mai 2024 um 07:08 Uhr"},
		{urlType, "https://example.com/a", "www.Example.com/a"},
		{tagsType, `["a","b"]`, "b, a"},
		{statusType, "New Lead", "new_lead"},
		{Integer, "1234567", "1,234,567"},
		{Decimal, "1234.5", "1,234.50"},
		{Boolean, "true", "YES"},
	} {
		for name, cell := range map[string]string{"clean": bench.clean, "made": bench.made} {
			b.Run(string(bench.typ)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, fault := converters[bench.typ](&r, nil, cell); fault != "" {
						b.Fatal(fault)
					}
				}
			})
		}
	}
}
