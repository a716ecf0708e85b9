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
	"time"

	"sluice/internal/crm"
)

// filled makes a source that has something in every table.
func filled(t testing.TB, s *Store, slug string) {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.AddSource(ctx, crm.Source{Slug: slug, Kind: "stripe"}))
	must(s.Configure(ctx, slug, map[string]string{"api": "x"}, []byte("sealed")))
	must(s.SaveSchedule(ctx, crm.Schedule{Source: slug, Every: time.Hour}))
	first := beginAs(t, s, request(slug), crm.Writing{})
	for n := range 7 {
		key := fmt.Sprint("c", n)
		first.write(testRow{line: int64(10*n + 2), customer: person(key, "Ann"), contact: fields{"email": key + "@x.org"}},
			testRow{line: int64(10*n + 3), of: key, note: fields{"text": "one of two"}}, testRow{line: int64(10*n + 4), of: key, note: fields{"text": "two of two"}})
	}
	for n := range 9 {
		first.write(testRow{line: int64(100 + n), of: "c3", note: fields{"text": fmt.Sprint("note ", n)}})
	}
	_, err := s.EndImport(ctx, first.Number, crm.Report{State: crm.Done, Batches: 16}, []crm.Message{{Channel: "email", To: "ops"}})
	must(err)
	must(s.MarkSwept(ctx, first.Number, crm.Swept{Batches: time.Now()}))

	second := beginAs(t, s, request(slug), crm.Writing{})
	second.write(testRow{line: 2, customer: person("c1", "Bob"), contact: fields{"email": "c1@x.org", "phone": "1"}}, testRow{line: 3, customer: person("c2", "Cid")})
	must(s.SaveSubscriptions(ctx, second.Number, []crm.Subscription{{ID: "s1", Customer: "c1"}, {ID: "s2", Customer: "c1"}, {ID: "s3", Customer: "c4"}}))
	must(s.Park(ctx, second.Number, crm.ParkedBatch{Batch: crm.Batch{Number: 1}, Failure: "broken"}))
	second.end(crm.Done)
	target, err := s.Import(ctx, second.ID)
	must(err)
	undoAll(t, s, target, 2, 1)

	third := beginAs(t, s, request(slug), crm.Writing{})
	third.write(testRow{line: 2, customer: person("c5", "Eve"), contact: fields{"email": "c5@x.org", "phone": "5"},
		note: fields{"text": "one of two", "author_email": "kim@x.org"}})
	third.end(crm.Done)
	trial := request(slug)
	trial.Plan = true
	beginAs(t, s, trial, crm.Writing{}).write(testRow{line: 2, customer: person("new", "Dan")}) // and then its workflow is terminated
}

// everything is each row of each table, as text.
func everything(t testing.TB, s *Store) map[string][]string {
	t.Helper()
	catalog := "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
	if s.dialect.name() == "sqlite" {
		catalog = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	}
	var names []string
	if err := s.reads.NewRaw(catalog).Scan(context.Background(), &names); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, name := range names {
		out[name] = rowsOf(t, s, name)
	}
	return out
}

func rowsOf(t testing.TB, s *Store, table string) (out []string) {
	t.Helper()
	rows, err := s.reads.QueryContext(context.Background(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, into := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(cells))
	}
	slices.Sort(out)
	return out
}

func openedRemoval(t testing.TB, s *Store, source, id string) crm.Removal {
	t.Helper()
	r := crm.Request{ID: id, Source: source, StartedBy: "kim", Removes: true}
	out, err := s.OpenRemoval(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.OpenRemoval(context.Background(), r)
	if err != nil || again != out {
		t.Fatalf("OpenRemoval again = %+v, %v, want %+v", again, err, out)
	}
	return out
}

// removedPage removes a page by two attempts at once.
func removedPage(t testing.TB, s *Store, in crm.RemovePage) crm.Removal {
	t.Helper()
	var out [2]crm.Removal
	var errs [2]error
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() { out[i], errs[i] = s.RemovePage(context.Background(), in) })
	}
	wg.Wait()
	if errs[0] != nil || errs[1] != nil || out[0] != out[1] {
		t.Fatalf("page %d: %+v, %v, and another attempt %+v, %v", in.Page, out[0], errs[0], out[1], errs[1])
	}
	return out[0]
}

func TestARemovedSourceLeavesNothingAndOthersAsTheyWere(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		filled(t, s, "stays")
		was := everything(t, s)
		filled(t, s, "goes")
		if _, err := s.db.NewRaw("UPDATE customer_records SET customer_uuid = (SELECT o.customer_uuid FROM customer_records AS o JOIN sources AS src" +
			" ON src.id = o.source_id WHERE src.slug = 'stays' AND o.external_id = 'c1') WHERE external_id = 'c1'").Exec(ctx); err != nil {
			t.Fatal(err)
		}
		both := everything(t, s)
		for name, rows := range both {
			if len(rows) == len(was[name]) && !slices.Contains([]string{"chores", "schema_migrations", "schema_migration_locks", "backfills", "backfill_sources", "backfill_partitions"}, name) {
				t.Errorf("nothing of the source is in %s: the test shows nothing of it", name)
			}
		}
		plan, err := s.PlanRemoval(ctx, "goes")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "plan", plan, crm.RemovalPlan{Source: "goes", Schedule: true, Secrets: true, Open: plan.Open, Left: crm.Holdings{
			Customers: 7, Contacts: 7, Notes: 23, Subscriptions: 3, Imports: 5, Batches: 19, Files: 4, BeforeImages: 3}})
		if plan.Open == 0 || !errors.Is(plan.Refused(), crm.ErrDenied) {
			t.Errorf("an import that has not ended forbids nothing: %v", plan.Refused())
		}

		at := openedRemoval(t, s, "goes", "one")
		want(t, "total", at.Total, plan.Left)
		for !at.Done {
			at = removedPage(t, s, crm.RemovePage{Source: "goes", ID: "one", Page: at.Page, Rows: 4})
		}
		want(t, "what has gone", at.Gone, plan.Left)
		if at.Page < 15 {
			t.Errorf("all went in %d pages: they hold more than they may", at.Page)
		}
		for range 2 {
			if err := s.EndRemoval(ctx, crm.EndRemovalInput{Source: "goes", ID: "one"}); err != nil {
				t.Fatal(err)
			}
		}
		is := everything(t, s)
		for _, name := range slices.Sorted(maps.Keys(both)) {
			if !slices.Equal(is[name], was[name]) {
				t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(is[name], "\n"), strings.Join(was[name], "\n"))
			}
		}

		filled(t, s, "goes") // another one of the name
		if err := s.EndRemoval(ctx, crm.EndRemovalInput{Source: "goes", ID: "one"}); err != nil {
			t.Fatal(err)
		}
		want(t, "rows of the next source of the name", len(everything(t, s)["customer_records"]), len(both["customer_records"]))
	})
}

func TestARemovalThatWasCutShortIsGoneOnWith(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for stop := range 12 {
			filled(t, s, "goes")
			at := openedRemoval(t, s, "goes", "one")
			total := at.Total
			for range stop * 3 {
				at = removedPage(t, s, crm.RemovePage{Source: "goes", ID: "one", Page: at.Page, Rows: 3})
			}
			if got, err := s.Removal(ctx, "goes", "one"); err != nil || got != at {
				t.Errorf("Removal = %+v, %v, want %+v", got, err, at)
			}
			if src, err := s.Source(ctx, "goes"); err != nil || src.Removing == nil || *src.Removing != at {
				t.Errorf("source = %+v, %v, want it to be removed", src.Removing, err)
			}
			if err := s.EndRemoval(ctx, crm.EndRemovalInput{Source: "goes", ID: "one"}); !at.Done && !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("EndRemoval halfway: %v, want invalid", err)
			}
			if at.Done {
				break
			}
			at = openedRemoval(t, s, "goes", "two")
			want(t, "total of the second", at.Total, total)
			if _, err := s.RemovePage(ctx, crm.RemovePage{Source: "goes", ID: "one", Page: at.Page, Rows: 3}); !errors.Is(err, crm.ErrInvalid) {
				t.Errorf("the first goes on beside the second: %v", err)
			}
			for !at.Done {
				at = removedPage(t, s, crm.RemovePage{Source: "goes", ID: "two", Page: at.Page, Rows: 1000})
			}
			want(t, "what has gone", at.Gone, total)
			if err := s.EndRemoval(ctx, crm.EndRemovalInput{Source: "goes", ID: "two"}); err != nil {
				t.Fatal(err)
			}
			want(t, "customers that are left", len(everything(t, s)["customer_records"]), 0)
		}
	})
}

func TestNothingIsImportedIntoASourceThatIsBeingRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		in, p := m.stage(testRow{line: 2, customer: person("a", "Ann")})
		openedRemoval(t, s, "leads", "one")
		if _, err := s.Write(ctx, in, p.open); !errors.Is(err, crm.ErrFenced) {
			t.Errorf("an import that was open writes: %v, want fenced", err)
		}
		undo := request("leads")
		undo.Files, undo.Undoes = nil, m.ID
		_, imported := s.OpenImport(ctx, request("leads"), "")
		_, undone := s.OpenUndo(ctx, undo)
		for what, err := range map[string]error{"an import": imported, "an undo": undone, "a source of the name": s.AddSource(ctx, crm.Source{Slug: "leads"})} {
			if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "starter sources remove leads") {
				t.Errorf("%s: %v, want invalid and what to do", what, err)
			}
		}
	})
}

func TestWhatTheDatabaseKeepsStopsARemoval(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		filled(t, s, "goes")
		uuid := map[string]string{"postgres": "uuid", "sqlite": "TEXT"}[s.dialect.name()]
		for _, statement := range []string{"CREATE TABLE mine (customer " + uuid + " REFERENCES customer_records (id))",
			"INSERT INTO mine SELECT id FROM customer_records WHERE external_id = 'c6'"} {
			if _, err := s.db.ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		at := openedRemoval(t, s, "goes", "one")
		var err error
		for page := 0; err == nil && !at.Done; page++ {
			at, err = s.RemovePage(ctx, crm.RemovePage{Source: "goes", ID: "one", Page: page, Rows: 5})
		}
		if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "a table of your own") {
			t.Fatalf("got %v, want invalid and why", err)
		}
		if _, err := s.db.ExecContext(ctx, "DROP TABLE mine"); err != nil {
			t.Fatal(err)
		}
		if at, err = s.Removal(ctx, "goes", "one"); err != nil {
			t.Fatal(err)
		}
		for !at.Done {
			at = removedPage(t, s, crm.RemovePage{Source: "goes", ID: "one", Page: at.Page, Rows: 5})
		}
		want(t, "what has gone", at.Gone, at.Total)
	})
}

func TestOpenBackfillsForbidARemoval(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for n, sources := range map[int][]string{1: {"leads", "other"}, 2: {"other"}, 3: {"leads"}} {
			b := crm.Backfill{ID: fmt.Sprint("b", n), StartedAt: now().Add(time.Duration(n) * time.Minute)}
			for _, source := range sources {
				b.Sources = append(b.Sources, crm.BackfillSource{Source: source})
			}
			if err := s.AddBackfill(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.EndBackfill(ctx, crm.EndBackfillInput{Backfill: "b1", State: crm.Done}); err != nil {
			t.Fatal(err)
		}
		plan, err := s.PlanRemoval(ctx, "leads")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "open backfills", plan.Backfills, []string{"b3"})
		if err := plan.Refused(); !errors.Is(err, crm.ErrDenied) || !strings.Contains(err.Error(), "b3") {
			t.Errorf("refused as %v, want denied and the backfill", err)
		}
		if _, err := s.PlanRemoval(ctx, "nobody"); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("of no such source: %v, want not found", err)
		}
	})
}
