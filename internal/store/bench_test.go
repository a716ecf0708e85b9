package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/internal/crm"
)

// BenchmarkWrite writes batches of 20,000 rows: new, then the same again, then
// changed. Keys are spread, as those of real systems are.
func BenchmarkWrite(b *testing.B) {
	for name, address := range addresses {
		for _, kind := range []string{"new", "unchanged", "changed", "new with contacts"} {
			b.Run(name+"/"+kind, func(b *testing.B) { benchmarkWrite(b, migrated(b, address(b)), kind) })
		}
	}
}

const benchRows = 20_000

func benchmarkWrite(b *testing.B, s *Store, kind string) {
	m := begin(b, s, crm.Rules{}, "")
	rows := func(n int, name string) []testRow {
		out := make([]testRow, benchRows)
		r := rand.New(rand.NewPCG(1, uint64(n)))
		for i := range out {
			key := fmt.Sprintf("cus_%016x", r.Uint64())
			line := int64(n*benchRows + i + 2)
			out[i] = testRow{line: line, customer: fields{"external_id": key, "name": name, "email": key + "@example.org", "company": "Example Company Ltd",
				"country": "DE", "city": "Berlin", "zip": "10115", "lead_created_at": "2024-01-02T03:04:05.000Z", "status": "New Lead",
				"owner": "owner@example.org", "website_url": "https://www.example.org/", "tags": `["a","b"]`, "custom": `{"plan":"pro","seats":12}`}}
			if kind == "new with contacts" {
				out[i].contact = fields{"email": key + "@example.org", "first_name": "Ann", "last_name": "Example", "phone": "+4930123456"}
			}
		}
		return out
	}
	if kind == "unchanged" || kind == "changed" {
		for n := range b.N {
			m.write(rows(n, "Some Name")...)
		}
		m.end(crm.Done)
		m = begin(b, s, crm.Rules{}, "")
	}
	name := "Some Name"
	if kind == "changed" {
		name = "Other Name"
	}
	var cpu time.Duration
	b.ResetTimer()
	for n := range b.N {
		b.StopTimer()
		in, p := m.stage(rows(n, name)...)
		b.StartTimer()
		from := cpuTime()
		if _, err := s.Write(context.Background(), in, p.open); err != nil {
			b.Fatal(err)
		}
		cpu += cpuTime() - from
	}
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/benchRows, "client-cpu-µs/row")
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}
