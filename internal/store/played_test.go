package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/crm"
)

// A player carries out a whole import: it judges the duplicates, writes the
// batches in some order, and settles what is left over as the step Settle does,
// row by row.
type player struct {
	s       *Store
	request crm.Request
	how     crm.Writing
	rows    []testRow // without a verdict
	size    int       // rows a batch
	order   []int     // of the batches; nil: all at once, by as many writers
	writers int
	poison  bool // there are records that the database refuses
}

// A played is what became of an import.
type played struct {
	Batches []string // outcomes and counts, those of leftovers too
	Total   crm.Counts
	Changes crm.Changes
}

func (p player) play(t testing.TB) (out played) {
	t.Helper()
	m := beginAs(t, p.s, p.request, p.how)
	rows := judged(p.rows)
	var batches []crm.WriteBatch
	var staged []parts
	for some := range slices.Chunk(rows, p.size) {
		in, ps := m.stage(some...)
		batches, staged = append(batches, in), append(staged, ps)
	}
	p.write(t, batches, staged)
	settle(m, rows, p.size)
	for row, err := range p.s.Ledger(context.Background(), m.Number, 0) {
		if err != nil {
			t.Fatal(err)
		}
		out.Batches = append(out.Batches, fmt.Sprintf("%s %+v", m.outcomes(row.Batch.Number), row.Counts))
		out.Total.Add(row.Counts)
		out.Changes = out.Changes.Add(row.Changes)
	}
	if !out.Total.Balanced() || out.Total.Read != int64(len(rows)) {
		t.Errorf("not balanced: %+v", out.Total)
	}
	m.end(crm.Done)
	if left, err := p.s.reads.NewSelect().Table("import_customers").Count(context.Background()); left != 0 || err != nil {
		t.Errorf("%d rows of import_customers are left, %v", left, err)
	}
	return out
}

func (p player) write(t testing.TB, batches []crm.WriteBatch, staged []parts) {
	t.Helper()
	if p.order != nil {
		for _, i := range p.order {
			if _, err := p.s.Write(context.Background(), batches[i], staged[i].open); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range p.writers {
		wg.Go(func() {
			for i := range next {
				if _, err := p.s.Write(context.Background(), batches[i], staged[i].open); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range batches {
		next <- i
	}
	close(next)
	wg.Wait()
}

// key is what a record of the row is claimed by; "" if there is none.
func (r testRow) key(e crm.Entity) string {
	values := r.values(e)
	if values == nil {
		return ""
	}
	of := r.of
	if of == "" {
		of = r.customer["external_id"]
	}
	if e == crm.Customer {
		return "c" + r.customer["external_id"]
	}
	return fmt.Sprint(e) + of + "\x00" + strings.Join(crm.Identity(e, values), "\x00")
}

// judged gives rows their verdict: the first of a key wins.
func judged(rows []testRow) []testRow {
	out := slices.Clone(rows)
	seen := make(map[string]bool)
	for i := range out {
		for _, e := range crm.Entities {
			if key := out[i].key(e); key != "" {
				if out[i].preset[e] = crm.ToWrite; seen[key] {
					out[i].preset[e] = crm.Duplicate
				}
				seen[key] = true
			}
		}
	}
	return out
}

// settle writes the leftovers, a batch each.
func settle(m *made, rows []testRow, size int) {
	m.t.Helper()
	rejected := make(map[string]bool) // keys whose winner was rejected
	note := func(key string, o crm.Outcome) {
		switch {
		case o.Landed():
			delete(rejected, key)
		case o != crm.Duplicate:
			rejected[key] = true
		}
	}
	for number := range (len(rows) + size - 1) / size {
		was, _, err := m.s.Written(context.Background(), m.Number, number)
		if err != nil {
			m.t.Fatal(err)
		}
		var at [3]int
		for _, r := range rows[number*size : min(len(rows), (number+1)*size)] {
			leftover(m, r, &was, &at, rejected, note)
		}
	}
}

// leftover writes one row anew if it has to be.
func leftover(m *made, r testRow, was *crm.LedgerRow, at *[3]int, rejected map[string]bool, note func(string, crm.Outcome)) {
	m.t.Helper()
	var prior crm.Outcomes
	var addresses [3][]crm.Address
	var moved [3][]int
	sealed, found := false, false
	for _, e := range crm.Entities {
		if r.values(e) == nil {
			continue
		}
		o := was.Outcomes[e][at[e]]
		r.preset[e] = o
		prior[e], addresses[e] = []crm.Outcome{o}, []crm.Address{crm.At(0, r.line)}
		sealed = sealed || o.Reason() != ""
		if o == crm.Held || o == crm.Duplicate && rejected[r.key(e)] {
			r.preset[e], moved[e], found = crm.ToWrite, []int{at[e]}, true
		}
		at[e]++
	}
	after := prior
	if found && !sealed {
		in, p := m.stage(r)
		in.Settles = &crm.Settles{Before: prior.Tally(crm.RowTally{Read: 1}, addresses), Moved: map[int][3][]int{was.Batch.Number: moved}}
		if _, err := m.s.Write(context.Background(), in, p.open); err != nil {
			m.t.Fatal(err)
		}
		row, _, err := m.s.Written(context.Background(), m.Number, in.Batch.Number)
		if err != nil {
			m.t.Fatal(err)
		}
		after = row.Outcomes
	}
	if found || sealed {
		for _, e := range crm.Entities {
			if r.values(e) != nil {
				note(r.key(e), after[e][0])
			}
		}
	}
}

// tableText is all there is in the records of a source, by entity and id.
func tableText(t testing.TB, s *Store, slug string) (out [3]map[string][]string) {
	t.Helper()
	for _, e := range crm.Entities {
		out[e] = make(map[string][]string)
		from := "customer_records AS c JOIN customer_records AS t ON t.id = c.id"
		if e != crm.Customer {
			from = "customer_records AS c JOIN " + tables[e] + " AS t ON t.customer_id = c.id"
		}
		list := []string{"CAST(t.id AS text)"}
		for _, f := range crm.Fields(e) {
			list = append(list, "COALESCE(CAST(t."+f.Name+" AS text), '')")
		}
		rows, err := s.reads.QueryContext(context.Background(), "SELECT "+strings.Join(list, ", ")+" FROM "+from+
			" WHERE c.source_id = (SELECT id FROM sources WHERE slug = ?)", slug)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			cells := make([]string, len(list))
			into := make([]any, len(list))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			out[e][cells[0]] = cells[1:]
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// changed says which fields differ between two states of the tables.
func changed(before, after [3]map[string][]string) (out crm.Changes) {
	for _, e := range crm.Entities {
		for id, was := range before[e] {
			for i, f := range crm.Fields(e) {
				if is := after[e][id]; is[i] != was[i] {
					out = out.Add(crm.Changes{e.String() + "." + f.Name: 1})
				}
			}
		}
	}
	return out
}
