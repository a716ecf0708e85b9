package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// addresses gives a fresh database of each kind: every test of the suite runs
// on all.
var addresses = map[string]func(t testing.TB) string{
	"postgres": servertest.Postgres,
	"sqlite": func(t testing.TB) string {
		return "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "store.db"))
	},
}

func onBoth(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Parallel()
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, migrated(t, address(t)))
		})
	}
}

func migrated(t testing.TB, address string) *Store {
	t.Helper()
	ctx := context.Background()
	s, err := Open(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.AddSource(ctx, crm.Source{Slug: "leads", Kind: crm.KindFile}); err != nil {
		t.Fatal(err)
	}
	return s
}

// A made is an import under way, as a test drives it.
type made struct {
	crm.ImportRow
	s     *Store
	t     testing.TB
	batch int
}

var ids atomic.Int64

func request(source string) crm.Request {
	id := fmt.Sprintf("00000000-0000-7000-8000-%012d", ids.Add(1))
	return crm.Request{Version: 1, ID: id, Source: source, StartedBy: "kim",
		Files: []crm.FileRef{{Name: "leads.csv", Object: crm.Object{Key: "k", Size: 1, BLAKE3: id}}}}
}

func begin(t testing.TB, s *Store, rules crm.Rules, mode crm.Mode) *made {
	t.Helper()
	return beginAs(t, s, request("leads"), crm.Writing{Rules: rules, Mode: mode})
}

func beginAs(t testing.TB, s *Store, r crm.Request, how crm.Writing) *made {
	t.Helper()
	ctx := context.Background()
	opened, err := s.OpenImport(ctx, r, "")
	if err != nil {
		t.Fatal(err)
	}
	row := crm.FileRow{File: crm.File{Name: "leads.csv"}}
	if err := s.SaveFile(ctx, opened.Import.Number, row, how); err != nil {
		t.Fatal(err)
	}
	got, err := s.Import(ctx, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	return &made{ImportRow: got, s: s, t: t}
}

// A testRow is a row of a file: its line, and the records it carries.
type testRow struct {
	file                    int
	line                    int64
	customer, contact, note fields
	of                      string // key of the customer that contact and note hang on; "" means the row's own
	preset                  [3]crm.Outcome
}

type fields map[string]string

func (r testRow) values(e crm.Entity) []string {
	from := [...]fields{r.customer, r.contact, r.note}[e]
	if from == nil {
		return nil
	}
	var out []string
	for _, f := range crm.Fields(e) {
		out = append(out, from[f.Name])
	}
	return out
}

// parts are the staged records of a batch.
type parts [3][]byte

func (p parts) open(_ context.Context, e crm.Entity) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(p[e])), nil
}

// stage makes a batch of rows, and its records.
func (m *made) stage(rows ...testRow) (crm.WriteBatch, parts) {
	var p parts
	in := crm.WriteBatch{Import: m.Number, Batch: crm.Batch{Number: m.batch, First: rows[0].line, Last: rows[len(rows)-1].line}}
	m.batch++
	in.Batch.Counts.Read = int64(len(rows))
	for _, r := range rows {
		key := r.of
		if key == "" {
			key = r.customer["external_id"]
		}
		for _, e := range crm.Entities {
			values := r.values(e)
			if values == nil {
				continue
			}
			a := crm.At(r.file, r.line)
			line := []string{fmt.Sprint(int64(a)), crm.RecordID(m.StartedAt, e, a)}
			if e != crm.Customer {
				line = append(line, key, crm.MatchKey(e, crm.Identity(e, values)...))
			}
			p[e] = crm.AppendCopy(p[e], append(line, values...)...)
			in.Batch.Part(e).Records++
			o := r.preset[e]
			if o == 0 {
				o = crm.ToWrite
			}
			in.Preset[e] = append(in.Preset[e], o)
		}
	}
	return in, p
}

// write writes rows as the next batch.
func (m *made) write(rows ...testRow) crm.Counts {
	m.t.Helper()
	in, p := m.stage(rows...)
	counts, err := m.s.Write(context.Background(), in, p.open)
	if err != nil {
		m.t.Fatal(err)
	}
	return counts
}

func (m *made) end(state crm.State) crm.Report {
	m.t.Helper()
	var counts crm.Counts
	batches := 0
	for row, err := range m.s.Ledger(context.Background(), m.Number, 0) {
		if err != nil {
			m.t.Fatal(err)
		}
		batches++
		counts.Add(row.Counts)
	}
	r, err := m.s.EndImport(context.Background(), m.Number, crm.Report{ImportID: m.ID, Number: m.Number, State: state, Counts: counts, Batches: batches}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

// outcomes are those of a batch in the ledger, by entity, divided by spaces.
func (m *made) outcomes(batch int) string {
	m.t.Helper()
	row, ok, err := m.s.Written(context.Background(), m.Number, batch)
	if err != nil || !ok {
		m.t.Fatalf("Written(%d) = %v, %v", batch, ok, err)
	}
	var all []string
	for _, of := range row.Outcomes {
		var b strings.Builder
		for _, o := range of {
			b.WriteByte(byte(o))
		}
		all = append(all, b.String())
	}
	return strings.TrimSpace(strings.Join(all, " "))
}

// exported is an export as text, a record a line.
func exported(t testing.TB, s *Store, e crm.Entity) string {
	t.Helper()
	var b strings.Builder
	row := func(v []string) error {
		_, err := fmt.Fprintf(&b, "%s\n", strings.Join(v, "|"))
		return err
	}
	if err := s.Export(context.Background(), ExportQuery{Source: "leads", Entity: e, Stable: true}, row, row); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func person(key, name string) fields { return fields{"external_id": key, "name": name} }
