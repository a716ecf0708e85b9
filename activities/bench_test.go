//go:build unix

package activities

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/stage"
)

const leadHeader = "external_id,name,email,company,country,state,city,zip,phone,lead_created_at," +
	"free_trial_started_at,tags,first_name,last_name,title,linked_in,twitter,notes\n"

// dirtyLeads is a CSV of leads, 225 bytes a row, always the same: a row in a
// hundred is rejected, one in fifteen repeats an earlier one, every sixth runs
// over two lines and every second has a note. One telephone number in fifty is
// without a country code.
func dirtyLeads(rows int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	var b bytes.Buffer
	b.WriteString(leadHeader)
	for i := range rows {
		who := i
		if r.IntN(15) == 0 {
			who = r.IntN(i + 1)
		}
		first, last := benchFirst[who%len(benchFirst)], benchLast[who%len(benchLast)]
		email := fmt.Sprintf("lead.%d@%s", who, benchHosts[who%len(benchHosts)])
		switch r.IntN(40) {
		case 0:
			email = strings.ToUpper(email)
		case 1:
			email = " " + email + " "
		}
		phone := fmt.Sprintf("+%d %03d-%03d-%04d", 1+r.IntN(98), r.IntN(1000), r.IntN(1000), r.IntN(10000))
		if r.IntN(50) == 0 {
			phone = fmt.Sprintf("(%d15) 555-%04d", 2+r.IntN(8), r.IntN(10000))
		}
		created := time.Unix(1_600_000_000+int64(r.IntN(150_000_000)), 0).UTC().Format(time.RFC3339)
		switch r.IntN(200) {
		case 0:
			created = "2024-13-45T99:00:00Z"
		case 1:
			email = "not-an-email"
		}
		trial := ""
		if r.IntN(4) == 0 {
			trial = created
		}
		fmt.Fprintf(&b, "cus_%013d,%s %s,%s,\"%s, Inc.\",%s%02d,%s,%s,%s,", uint64(who)*0x9E3779B97F4A7C15%1e13, first, last, email, pick(benchCompanies), pick(benchPlaces), r.IntN(100), phone, created, trial)
		fmt.Fprintf(&b, "\"%s\",%s,%s,%s,", strings.Join(benchTags[:r.IntN(len(benchTags))], ","), first, last, pick(benchTitles))
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "https://www.linkedin.com/in/u-%x", who)
		}
		b.WriteByte(',')
		if r.IntN(4) == 0 {
			fmt.Fprintf(&b, "@u%x", who)
		}
		switch r.IntN(6) {
		case 0:
			b.WriteString(",\"met at conference\nsaid \"\"maybe later\"\", wants a demo next week\"")
		case 1, 2:
			b.WriteString(",\"asked for pricing, follow up — important\"")
		default:
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

var (
	benchFirst     = strings.Fields("James Mary Zoë Łukasz José Anaïs Søren Priya Wei Fatima Olga Björn Chloé Noah Yuki 李 Kofi")
	benchLast      = strings.Fields("Smith Müller O'Brien García Nowak Åkesson Nguyen Patel Chen Ivanov Rossi Dubois Tanaka")
	benchHosts     = strings.Fields("gmail.com example.com outlook.com acme.io company.co.uk mail.example.org startup.dev firma.de")
	benchCompanies = strings.Fields("Acme Globex Initech Umbrella Hooli Vandelay Wonka Tyrell Octan Rekall Café_Björk")
	benchPlaces    = strings.Split("US,CA,San Francisco,941|US,NY,New York,100|GB,,London,EC1|DE,BY,München,803|FR,IDF,Paris,750|PL,MZ,Łódź,901|"+
		"BR,SP,São Paulo,010|JP,13,東京,100|CA,ON,Toronto,M5V|SE,AB,Malmö,211", "|")
	benchTags   = strings.Fields("trial newsletter inbound partner")
	benchTitles = []string{"CEO", "Head of Growth", "\"Manager, Operations\"", "Engineer", "Founder", "Data Analyst", ""}
)

// planStore is a store that knows one import and the plan of its one file.
type planStore struct {
	Store
	imp  crm.ImportRow
	file crm.FileRow
}

func (s *planStore) Opening(context.Context, int64) (crm.ImportRow, error) { return s.imp, nil }
func (s *planStore) Source(context.Context, string) (crm.Source, error) {
	return crm.Source{Region: "US", TimeZone: "UTC"}, nil
}
func (s *planStore) File(context.Context, int64, int) (crm.FileRow, error) { return s.file, nil }
func (s *planStore) SaveFile(_ context.Context, _ int64, row crm.FileRow, _ crm.Writing) error {
	s.file = row
	return nil
}

// leadsToParse stages rows of leads, has Inspect decide about them, and returns
// what runs Parse from their beginning to their end.
func leadsToParse(tb testing.TB, rows int) (a *Activities, size int64, parse func() []crm.Parsed) {
	tb.Helper()
	ctx := tb.Context()
	st, err := stage.Open(ctx, "file://"+tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { st.Close() })
	imp := crm.Import{ID: "0193f3a0-7b1c-7d2e-8f3a-4b5c6d7e8f90", Number: 1, Source: "news"}
	started := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	db := &planStore{imp: crm.ImportRow{Import: imp, StartedAt: started, Secret: bytes.Repeat([]byte{7}, 32), Request: crm.Request{AskedAt: started}}}
	a = &Activities{Stage: st, Store: db}
	text := dirtyLeads(rows)
	o, err := st.Put(ctx, "file", bytes.NewReader(text))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := st.Put(ctx, crm.MappingKey(imp.ID), strings.NewReader("")); err != nil {
		tb.Fatal(err)
	}
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(a.Inspect)
	env.RegisterActivity(a.Parse)
	file := crm.File{Name: "leads.csv", Object: o}
	if _, err := env.ExecuteActivity(a.Inspect, crm.InspectInput{Import: imp, File: file}); err != nil {
		tb.Fatal(err)
	}
	return a, int64(len(text)), func() (groups []crm.Parsed) {
		in := crm.ParseInput{Import: imp, File: db.file.Parsed, From: db.file.Start, Batches: 8, Rows: 25_000, Bytes: 6 << 20}
		for {
			v, err := env.ExecuteActivity(a.Parse, in)
			var p crm.Parsed
			if err == nil {
				err = v.Get(&p)
			}
			if err != nil {
				tb.Fatal(err)
			}
			groups = append(groups, p)
			if p.Done {
				return groups
			}
			in.From, in.Batch = p.Next, in.Batch+len(p.Batches)
		}
	}
}

// BenchmarkParse runs the step over a file in a directory stage: reading,
// mapping, keys, batches and their compression.
func BenchmarkParse(b *testing.B) {
	const rows = 200_000
	_, size, parse := leadsToParse(b, rows)
	b.SetBytes(size)
	b.ReportAllocs()
	parse() // fills the tables and pools that every file shares
	from := cpuTime(b)
	for b.Loop() {
		parse()
	}
	b.ReportMetric(float64(cpuTime(b)-from)/1e3/float64(b.N)/rows, "µs-cpu/row")
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkMapLeads maps the same rows, and does nothing with the records.
func BenchmarkMapLeads(b *testing.B) {
	const rows = 50_000
	a, _, _ := leadsToParse(b, rows)
	_, p, err := a.planned(b.Context(), crm.Import{}, 0)
	if err != nil {
		b.Fatal(err)
	}
	mapper, err := p.Mapping.Mapper()
	if err != nil {
		b.Fatal(err)
	}
	db := a.Store.(*planStore)
	var row crm.Row
	var out mapping.Mapped
	from := cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		r, err := a.rows(b.Context(), db.file.Parsed, &p, db.file.Start)
		if err != nil {
			b.Fatal(err)
		}
		for r.Read(&row) == nil {
			mapper.Map(&row, &out)
		}
		r.Close()
	}
	b.ReportMetric(float64(cpuTime(b)-from)/1e3/float64(b.N)/rows, "µs-cpu/row")
}

// cpuTime returns the processor time that the program has taken.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestInvariant6FileParsesToTheSameBatchesAgain(t *testing.T) {
	t.Parallel()
	a, _, parse := leadsToParse(t, 3_000)
	first, again := digest(t, a, parse()), digest(t, a, parse())
	if first != again {
		t.Errorf("batches %s, and parsed again %s", first, again)
	}
	t.Log(first)
}

// digest is the SHA-256 of all that a file was parsed to, as it is read back.
func digest(t *testing.T, a *Activities, groups []crm.Parsed) string {
	t.Helper()
	sum := sha256.New()
	add := func(o crm.Object, open func(context.Context, crm.Object) (io.ReadCloser, error)) {
		if o.IsZero() {
			return
		}
		r, err := open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		n, err := io.Copy(sum, r)
		if err != nil || n == 0 {
			t.Fatalf("%s: %d bytes, %v", o.Key, n, err)
		}
	}
	for _, g := range groups {
		fmt.Fprintf(sum, "%+v %+v %v\n", g.Counts, g.Next, g.Rejects)
		for _, b := range g.Batches {
			for _, e := range crm.Entities {
				add(b.Part(e).Object, a.Stage.ReadCompressed)
			}
			add(b.Rejects, a.Stage.ReadCompressed)
			add(b.Warned, a.Stage.ReadCompressed)
			add(b.Keys, func(ctx context.Context, o crm.Object) (io.ReadCloser, error) { return a.Stage.Open(ctx, o, 0) })
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
