package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"sluice/internal/crm"
)

// undoAll undoes an import, each page by several attempts at once, and returns
// the report and what became of each record.
func undoAll(t testing.TB, s *Store, target crm.ImportRow, rows, attempts int) (crm.Report, []crm.UndoneRecord) {
	t.Helper()
	number := openedUndo(t, s, target)
	place, page := crm.UndoPlace{}, 0
	for ; !place.End(); page++ {
		place = undoPage(t, s, crm.UndoPage{Import: number, Page: page, From: place, Rows: rows}, attempts).Next
	}
	return endedUndo(t, s, number), undoneRecords(t, s, number)
}

func openedUndo(t testing.TB, s *Store, target crm.ImportRow) int64 {
	t.Helper()
	r := request(target.Source)
	r.Files, r.Undoes = nil, target.ID
	opened, err := s.OpenUndo(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.OpenUndo(context.Background(), r)
	if err != nil || again != opened {
		t.Fatalf("OpenUndo again = %+v, %v, want %+v", again, err, opened)
	}
	return opened.Import.Number
}

func undoPage(t testing.TB, s *Store, in crm.UndoPage, attempts int) crm.UndonePage {
	t.Helper()
	out, errs := make([]crm.UndonePage, attempts), make([]error, attempts)
	var wg sync.WaitGroup
	for i := range attempts {
		wg.Go(func() { out[i], errs[i] = s.UndoPage(context.Background(), in) })
	}
	wg.Wait()
	for i := range out {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		want(t, "answer to another attempt", out[i], out[0])
	}
	return out[0]
}

func endedUndo(t testing.TB, s *Store, number int64) crm.Report {
	t.Helper()
	sum, err := s.UndoSum(context.Background(), number)
	if err != nil {
		t.Fatal(err)
	}
	counts, fault := sum.Complete(true)
	if fault != "" {
		t.Errorf("the sum does not add up: %s\n%+v", fault, sum.Counts)
	}
	for _, e := range crm.Entities {
		of := counts.Of(e)
		if of.Created.Kept+of.Created.Errored != sum.Left[e].Created || of.Changed.Kept+of.Changed.Errored != sum.Left[e].Updated {
			t.Errorf("%s: %+v of the undo, and %+v is left", e.Plural(), of, sum.Left[e])
		}
	}
	report, err := s.EndUndo(context.Background(), number, crm.Report{State: crm.Done, Batches: sum.Pages,
		Undo: &crm.UndoneReport{ImportID: sum.Target.ID, Number: sum.Target.Number, UndoCounts: counts}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func undoneRecords(t testing.TB, s *Store, number int64) (out []crm.UndoneRecord) {
	t.Helper()
	for r, err := range s.UndoneRecords(context.Background(), number) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// wholeText is every column of every record of a source, by its id.
func wholeText(t testing.TB, s *Store, slug string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, e := range crm.Entities {
		where := "t.source_id = (SELECT id FROM sources WHERE slug = ?)"
		if e != crm.Customer {
			where = "t.customer_id IN (SELECT id FROM customer_records WHERE source_id = (SELECT id FROM sources WHERE slug = ?))"
		}
		var list []string
		for _, c := range tableColumns(e) {
			list = append(list, "COALESCE(CAST(t."+c+" AS text), 'NULL')")
		}
		var rows []struct{ ID, Cells string }
		err := s.reads.NewRaw("SELECT CAST(t.id AS text) AS id, "+strings.Join(list, " || '|' || ")+" AS cells FROM "+tables[e]+" AS t WHERE "+where, slug).
			Scan(context.Background(), &rows)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			out[r.ID] = e.String() + " " + r.Cells
		}
	}
	return out
}

// byHand changes a record as a person would.
func byHand(t testing.TB, s *Store, e crm.Entity, id string) {
	t.Helper()
	_, err := s.db.NewRaw("UPDATE "+tables[e]+" SET rev = rev + 1, changed_by = 'ann' WHERE id = ?", id).Exec(context.Background())
	if err != nil {
		t.Fatal(err)
	}
}

// TestUndoRestoresWhatWasThere carries random imports out over random records
// and undoes them again, the latest first, some after somebody edited records.
func TestUndoRestoresWhatWasThere(t *testing.T) {
	t.Parallel()
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := migrated(t, address(t))
			round := 0
			rapid.Check(t, func(rt *rapid.T) {
				if name == "postgres" && rapid.IntRange(0, 3).Draw(rt, "a round trip is slow") > 0 {
					return
				}
				round++
				slug := fmt.Sprintf("undo-%s-%d", name, round)
				if err := s.AddSource(context.Background(), crm.Source{Slug: slug}); err != nil {
					t.Fatal(err)
				}
				undoRandomly(t, rt, s, slug)
				if t.Failed() {
					rt.FailNow()
				}
			})
		})
	}
}

func undoRandomly(t *testing.T, rt *rapid.T, s *Store, slug string) {
	type state struct {
		was    map[string]string
		target crm.ImportRow
	}
	var states []state
	for range rapid.IntRange(1, 3).Draw(rt, "imports") {
		p := randomPlayed.Draw(rt, "import")
		p.s, p.request, p.size, p.order = s, request(slug), 100, []int{0}
		if rapid.Bool().Draw(rt, "writes much") {
			p.how.Mode = crm.Upsert
		}
		was := wholeText(t, s, slug)
		p.play(t)
		target, err := s.Import(context.Background(), p.request.ID)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, state{was, target})
	}
	for i, st := range slices.Backward(states) {
		edited := map[string]bool{}
		if i == 0 {
			is := wholeText(t, s, slug)
			for _, id := range slices.Sorted(maps.Keys(is)) {
				if is[id] != st.was[id] && rapid.IntRange(0, 3).Draw(rt, "edited by hand") == 0 {
					word, _, _ := strings.Cut(is[id], " ")
					byHand(t, s, crm.Entity(slices.IndexFunc(crm.Entities, func(e crm.Entity) bool { return e.String() == word })), id)
					edited[id] = true
				}
			}
		}
		before := wholeText(t, s, slug)
		preview, err := s.PreviewUndo(context.Background(), st.target.ID)
		if err != nil {
			t.Fatal(err)
		}
		report, records := undoAll(t, s, st.target, rapid.IntRange(1, 6).Draw(rt, "page"), rapid.IntRange(1, 2).Draw(rt, "attempts"))
		want(t, "preview", preview, report.Undo.UndoCounts)
		if total := report.Undo.Total(); total.Records != int64(len(records)) || total.Records != st.target.Written() {
			t.Errorf("%d records listed of an undo that counts %+v of an import of %d", len(records), total, st.target.Written())
		}
		after := wholeText(t, s, slug)
		expected := maps.Clone(st.was)
		for _, r := range records {
			if r.Outcome == crm.Kept {
				expected[r.ID] = before[r.ID]
			}
			if (r.Why == crm.WhyChangedSince) != edited[r.ID] || (r.Outcome == crm.Kept) != (r.Why != "") || r.Line == 0 {
				t.Errorf("%+v, edited by hand: %v", r, edited[r.ID])
			}
			if r.Why == crm.WhyOthersHangOnIt && (r.Entity != "customer" || len(edited) == 0) {
				t.Errorf("%+v, and nothing was edited", r)
			}
		}
		want(t, "the tables", after, expected)
	}
}

func TestUndoKeepsWhatOthersChangedSinceAndSaysFromWhichRow(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		first := begin(t, s, crm.Rules{}, "")
		first.write(testRow{line: 2, customer: person("a", "Ann")}, testRow{line: 3, customer: person("b", "Bob")}, testRow{line: 4, customer: person("g", "Gil")})
		first.end(crm.Done)
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 12, customer: person("a", "Anna")}, testRow{line: 13, customer: person("b", "Bobby")},
			testRow{line: 14, customer: person("c", "Cid"), contact: fields{"email": "c@x.org"}},
			testRow{line: 15, customer: person("d", "Dan")}, testRow{line: 16, customer: person("g", "Gilly")})
		m.end(crm.Done)
		later := begin(t, s, crm.Rules{}, "")
		later.write(testRow{line: 22, customer: person("a", "Anne")}, testRow{line: 23, contact: fields{"email": "new@x.org"}, of: "c"})
		later.end(crm.Done)
		latest := begin(t, s, crm.Rules{}, "")
		latest.write(testRow{line: 32, customer: person("a", "Annie")})
		latest.end(crm.Done)
		if _, err := s.db.NewRaw("DELETE FROM customer_records WHERE external_id = 'g'").Exec(context.Background()); err != nil {
			t.Fatal(err)
		}
		report, records := undoAll(t, s, m.ImportRow, 2, 1)
		var got []string
		for _, r := range records {
			got = append(got, fmt.Sprint(r.Line, " ", r.Entity, " ", r.Outcome, " ", r.Why))
		}
		want(t, "records", got, []string{"12 customer kept changed_since", "13 customer restored ", "0 customer kept gone", "14 contact removed ",
			"14 customer kept others_hang_on_it", "15 customer removed "})
		want(t, "counts", report.Undo.UndoCounts, crm.UndoCounts{
			Customers: crm.UndoneEntity{Created: crm.UndoTally{Records: 2, Reversed: 1, Kept: 1}, Changed: crm.UndoTally{Records: 3, Reversed: 1, Kept: 2}},
			Contacts:  crm.UndoneEntity{Created: crm.UndoTally{Records: 1, Reversed: 1}},
			Whys:      map[crm.Why]int64{crm.WhyChangedSince: 1, crm.WhyOthersHangOnIt: 1, crm.WhyGone: 1}})
		row, err := s.Import(context.Background(), m.ID)
		if err != nil || row.State != crm.Undone || row.UndoneBy == 0 || row.Report.State != crm.Done {
			t.Errorf("the import is %s, undone by %d, %v", row.State, row.UndoneBy, err)
		}
	})
}

func TestUndoGoesOnWhereOneWasCutShort(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		old := begin(t, s, crm.Rules{}, "")
		old.write(testRow{line: 2, customer: person("a", "Ann")}, testRow{line: 3, customer: person("b", "Bob")}, testRow{line: 4, customer: person("c", "Cid")})
		old.end(crm.Done)
		was := wholeText(t, s, "leads")
		// Its workflow was terminated: nobody ended it, and its second batch
		// may still be on its way.
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "A")}, testRow{line: 3, customer: person("b", "B")}, testRow{line: 4, customer: person("c", "C")},
			testRow{line: 5, customer: person("d", "D")})
		late, p := m.stage(testRow{line: 6, customer: person("e", "E")})

		first := openedUndo(t, s, m.ImportRow)
		if _, err := s.Write(ctx, late, p.open); crm.TypeOf(err) != crm.FailFenced {
			t.Errorf("Write into an import that is being undone = %v, want fenced", err)
		}
		undoPage(t, s, crm.UndoPage{Import: first, Rows: 2}, 1)
		if _, err := s.EndUndo(ctx, first, crm.Report{State: crm.Cancelled, Batches: 2, Undo: &crm.UndoneReport{Number: m.Number}}); err == nil {
			t.Error("EndUndo takes a report of more pages than are in")
		}
		if _, err := s.EndUndo(ctx, first, crm.Report{State: crm.Cancelled, Batches: 1, Undo: &crm.UndoneReport{Number: m.Number}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UndoPage(ctx, crm.UndoPage{Import: first, Page: 1, Rows: 2}); crm.TypeOf(err) != crm.FailFenced {
			t.Errorf("UndoPage of an undo that has ended = %v, want fenced", err)
		}
		if row, err := s.Import(ctx, m.ID); err != nil || row.State != crm.Interrupted || row.UndoneBy != 0 {
			t.Errorf("an import that is partly undone is %s, undone by %d, %v", row.State, row.UndoneBy, err)
		}
		// What is restored may be changed again, up to the rev that the import left.
		again := begin(t, s, crm.Rules{}, "")
		again.write(testRow{line: 9, customer: person("a", "Annie")})
		again.end(crm.Done)

		report, _ := undoAll(t, s, m.ImportRow, 2, 1)
		want(t, "counts", report.Undo.Customers, crm.UndoneEntity{Created: crm.UndoTally{Records: 1, Reversed: 1},
			Changed: crm.UndoTally{Records: 3, Reversed: 1, Earlier: 2}})
		row, err := s.Import(ctx, again.ID)
		if err != nil {
			t.Fatal(err)
		}
		undoAll(t, s, row, 2, 1)
		want(t, "the tables", wholeText(t, s, "leads"), was)
		if n, err := s.reads.NewSelect().Table("before_customer_records").Count(ctx); err != nil || n != 0 {
			t.Errorf("%d before-images are left, %v", n, err)
		}
	})
}

func TestUndoIsRefusedWhereThereIsNothingToUndo(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		try := func(id string) error {
			r := request("leads")
			r.Files, r.Undoes = nil, id
			_, err := s.OpenUndo(ctx, r)
			return err
		}
		dry := request("leads")
		dry.Plan = true
		planned := beginAs(t, s, dry, crm.Writing{})
		planned.end(crm.Done)
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "Ann")})
		m.end(crm.Done)
		same := request("leads")
		same.Files = m.Request.Files
		if opened, err := s.OpenImport(ctx, same, ""); err != nil || opened.Earlier == "" {
			t.Fatalf("OpenImport of the same = %+v, %v", opened, err)
		}
		again := retry(t, s, m, crm.Writing{})
		again.write(testRow{line: 3, customer: person("b", "Bob")})
		again.end(crm.Done)
		idle := retry(t, s, m, crm.Writing{})
		idle.end(crm.Cancelled)
		for id, says := range map[string]string{planned.ID: "dry run", same.ID: "earlier", "nobody": "no import",
			m.ID: fmt.Sprintf("by import %d; undo that first", again.Number)} {
			if err := try(id); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), says) {
				t.Errorf("OpenUndo = %v, want invalid and %q", err, says)
			}
		}
		undoAll(t, s, again.ImportRow, 10, 1)
		undoAll(t, s, m.ImportRow, 10, 1)
		if err := try(m.ID); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "already") {
			t.Errorf("OpenUndo of what is undone = %v", err)
		}
		if rows, err := s.Retries(ctx, m.ID); err != nil || len(rows) != 2 {
			t.Errorf("Retries = %d imports, %v; an undo is none", len(rows), err)
		}
		same.ID = request("leads").ID
		if opened, err := s.OpenImport(ctx, same, ""); err != nil || opened.Earlier != "" {
			t.Errorf("OpenImport of what is undone = %+v, %v; want it to be imported", opened, err)
		}
	})
}

func TestWhatTheDatabaseDoesNotLetGoIsErroredAndTheRestIsReversed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		var rows []testRow
		for i := range 20 {
			rows = append(rows, testRow{line: int64(i + 2), customer: person(fmt.Sprintf("k%02d", i), "N")})
		}
		m.write(rows...)
		m.end(crm.Done)
		kind := map[string]string{"postgres": "uuid", "sqlite": "TEXT"}[s.dialect.name()]
		for _, statement := range []string{"CREATE TABLE theirs (customer " + kind + " REFERENCES customer_records (id))",
			"INSERT INTO theirs SELECT id FROM customer_records WHERE external_id IN ('k03', 'k17')"} {
			if _, err := s.db.ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		report, records := undoAll(t, s, m.ImportRow, 50, 2)
		want(t, "counts", report.Undo.Customers.Created, crm.UndoTally{Records: 20, Reversed: 18, Errored: 2})
		for _, r := range records {
			if refused := r.Line == 5 || r.Line == 19; refused != (r.Outcome == crm.Errored) || refused != (r.Why == crm.WhyRefused) {
				t.Errorf("%+v", r)
			}
		}
		if left := wholeText(t, s, "leads"); len(left) != 2 {
			t.Errorf("%d customers are left, want 2", len(left))
		}
	})
}
