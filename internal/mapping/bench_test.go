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
