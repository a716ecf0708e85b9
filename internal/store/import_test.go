package store

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, address := range []string{"mysql://kim:hunter2@localhost/x", "sqlite://relative.db", "sqlite:", "postgres://kim:hunter2@%zz/x", ":hunter2"} {
		_, err := Open(ctx, address)
		if !errors.Is(err, crm.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) = %v, want invalid and no password", address, err)
		}
	}
	_, err := Open(ctx, "postgres://kim:hunter2@127.0.0.1:1/x?connect_timeout=1")
	if err == nil || crm.TypeOf(err) != "" || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Open of nobody's port = %v, want a passing error and no password", err)
	}
}

func TestSQLiteFilesAreTheirOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are of Unix")
	}
	t.Parallel()
	dir := t.TempDir()
	s := migrated(t, "sqlite://"+filepath.Join(dir, "a b?c#%d.db"))
	m := begin(t, s, crm.Rules{}, "")
	m.write(testRow{line: 2, customer: person("a", "Ann")})
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, f := range files {
		if info, _ := f.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", f.Name(), info.Mode())
		}
	}
}

func TestMigrationsGoUpDownAndUp(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		if lines, err := s.Check(ctx); err != nil || len(lines) != 2 {
			t.Errorf("Check = %q, %v", lines, err)
		}
		if err := s.rollback(ctx); err != nil {
			t.Fatal(err)
		}
		if there, err := s.dialect.hasTable(ctx, "customer_records"); there || err != nil {
			t.Errorf("after rolling back the table is there: %v, %v", there, err)
		}
		if lines, err := s.Check(ctx); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("Check = %q, %v, want pending migrations", lines, err)
		}
		for range 2 {
			if err := s.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AddSource(ctx, crm.Source{Slug: "again"}); err != nil {
			t.Error(err)
		}
	})
}

func TestManyMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for name, fresh := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			address := fresh(t)
			var wg sync.WaitGroup
			var errs [4]error
			for i := range errs {
				wg.Go(func() {
					s, err := Open(ctx, address) // as another process would
					if err == nil {
						err = errors.Join(s.Migrate(ctx), s.AddSource(ctx, crm.Source{Slug: "leads"}), s.Close())
					}
					errs[i] = err
				})
			}
			wg.Wait()
			if err := errors.Join(errs[:]...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSources(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		if err := s.AddSource(ctx, crm.Source{Slug: "leads", Title: "Other"}); err != nil {
			t.Errorf("the same source again: %v", err)
		}
		if err := s.AddSource(ctx, crm.Source{Slug: "leads", Kind: "stripe"}); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("the same source of another kind: %v, want invalid", err)
		}
		if err := s.AddSource(ctx, crm.Source{Slug: "Not A Slug"}); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("no slug: %v, want invalid", err)
		}
		if _, err := s.Source(ctx, "nobody"); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("Source(nobody) = %v, want not found", err)
		}
		if err := s.SaveMapping(ctx, "nobody", ""); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("SaveMapping(nobody) = %v, want not found", err)
		}
		if err := s.SaveMapping(ctx, "leads", "columns: {'?': 1}"); err != nil {
			t.Error(err)
		}
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "Ann"), contact: fields{"email": "a@x.org"}})
		all, err := s.Sources(ctx)
		if err != nil || len(all) != 1 {
			t.Fatalf("Sources = %v, %v", all, err)
		}
		got := all[0]
		if got.Title != "leads" || got.TimeZone != "UTC" || got.Mapping != "columns: {'?': 1}" || got.Customers != 1 || got.Contacts != 1 || got.Notes != 0 ||
			got.Latest == nil || got.Latest.Number != m.Number || time.Since(got.CreatedAt) > time.Hour {
			t.Errorf("Sources = %+v", got)
		}
	})
}

func TestTheSameFileIsImportedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		open := func(change func(*crm.Request), mapping string) crm.Opened {
			t.Helper()
			r := request("leads")
			r.Files = []crm.FileRef{{Name: "a.csv", Object: crm.Object{BLAKE3: "aa"}}, {Name: "b.csv", Object: crm.Object{BLAKE3: "bb"}}}
			change(&r)
			o, err := s.OpenImport(ctx, r, mapping)
			if err != nil {
				t.Fatal(err)
			}
			again, err := s.OpenImport(ctx, r, mapping)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "opened twice", again, o)
			return o
		}
		same := func(*crm.Request) {}
		first := open(same, "m")
		second := open(same, "m") // the first is not done
		if second.Earlier != "" {
			t.Errorf("an import that is not done counts as earlier")
		}
		row, err := s.Import(ctx, first.Import.ID)
		if err != nil || row.State != crm.Interrupted || row.EndedAt.IsZero() {
			t.Errorf("the first is %s, %v; want interrupted", row.State, err)
		}
		if _, err := s.EndImport(ctx, second.Import.Number, crm.Report{State: crm.Done}, nil); err != nil {
			t.Fatal(err)
		}
		for name, o := range map[string]crm.Opened{
			"again":         open(func(r *crm.Request) { r.Again = true }, "m"),
			"dry run":       open(func(r *crm.Request) { r.Plan = true }, "m"),
			"other sheet":   open(func(r *crm.Request) { r.Sheet = "s" }, "m"),
			"other mode":    open(func(r *crm.Request) { r.Mode = crm.CreateOnly }, "m"),
			"other order":   open(func(r *crm.Request) { r.Files[0], r.Files[1] = r.Files[1], r.Files[0] }, "m"),
			"other mapping": open(same, "n"),
		} {
			if o.Earlier != "" {
				t.Errorf("%s: Earlier = %q, want none", name, o.Earlier)
			}
		}
		last := open(func(r *crm.Request) { r.Mode = crm.Upsert; r.Files[0].Name = "renamed.csv" }, "m")
		want(t, "earlier", last.Earlier, second.Import.ID)
		row, err = s.Import(ctx, "leads")
		if err != nil || row.Number != last.Import.Number || row.State != crm.AlreadyImported || row.EndedAt.IsZero() {
			t.Errorf("the last is %+v, %v", row, err)
		}
		report, err := s.EndImport(ctx, last.Import.Number, crm.Report{State: crm.AlreadyImported, Earlier: last.Earlier}, nil)
		if err != nil || report.State != crm.AlreadyImported {
			t.Errorf("EndImport of one already imported = %+v, %v", report, err)
		}
		if open, err := s.Imports(ctx, ImportQuery{Source: "leads", Open: true}); err != nil || len(open) != 0 {
			t.Errorf("open imports: %v, %v", open, err)
		}
	})
}

func TestNoTwoImportsStartAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		slugs := []string{"s1", "s2", "s3", "s4"}
		for _, slug := range slugs {
			if err := s.AddSource(ctx, crm.Source{Slug: slug}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for _, slug := range slugs {
			wg.Go(func() {
				for range 10 {
					if _, err := s.OpenImport(ctx, request(slug), ""); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		rows, err := s.Imports(ctx, ImportQuery{})
		if err != nil || len(rows) != 40 {
			t.Fatalf("%d imports, %v", len(rows), err)
		}
		starts, secrets := make(map[time.Time]bool), make(map[string]bool)
		for _, r := range rows {
			starts[r.StartedAt], secrets[string(r.Secret)] = true, true
			if !r.StartedAt.Equal(r.StartedAt.Truncate(time.Millisecond)) || len(r.Secret) != 32 {
				t.Errorf("started at %v with a secret of %d bytes", r.StartedAt, len(r.Secret))
			}
		}
		if len(starts) != 40 || len(secrets) != 40 {
			t.Errorf("%d starts and %d secrets, want 40 each", len(starts), len(secrets))
		}
	})
}

func TestImportsAreFoundByEveryName(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		for _, ref := range []string{m.ID, "1", "#1", "leads"} {
			row, err := s.Import(ctx, ref)
			if err != nil || row.Number != m.Number || len(row.Files) != 1 || row.Request.StartedBy != "kim" {
				t.Errorf("Import(%q) = %+v, %v", ref, row, err)
			}
		}
		for _, ref := range []string{"", "2", "nobody", "'"} {
			if _, err := s.Import(ctx, ref); !errors.Is(err, crm.ErrNotFound) {
				t.Errorf("Import(%q) = %v, want not found", ref, err)
			}
		}
		if err := s.Mark(ctx, m.Number, crm.Paused, "kim"); err != nil {
			t.Error(err)
		}
		row, _ := s.Import(ctx, "leads")
		want(t, "marked", [2]string{string(row.State), row.By}, [2]string{"paused", "kim"})
		if err := s.Mark(ctx, 99, crm.Paused, ""); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("Mark of no import = %v", err)
		}
		file, err := s.File(ctx, m.Number, 0)
		if err != nil || file.File.Name != "leads.csv" {
			t.Errorf("File = %+v, %v", file, err)
		}
		file.Plan = []byte(`{"b": 1, "a": [ ]}`)
		for range 2 {
			if err := s.SaveFile(ctx, m.Number, file, crm.Writing{}); err != nil {
				t.Fatal(err)
			}
		}
		if file, _ = s.File(ctx, m.Number, 0); len(file.Plan) == 0 {
			t.Errorf("File = %+v after saving it again", file)
		}
		if _, err := s.File(ctx, m.Number, 1); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("File(1) = %v, want not found", err)
		}
	})
}

func TestAnImportEndsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		if _, err := s.EndImport(ctx, m.Number, crm.Report{State: crm.Running}, nil); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("EndImport as running = %v", err)
		}
		report := crm.Report{ImportID: m.ID, State: crm.Done, Counts: crm.Counts{Read: 5, Accepted: 5}, EndedAt: time.UnixMilli(1e12).UTC()}
		outbox := []crm.Message{{Channel: "email", To: "kim@x.org", Event: "completed", Subject: "Done?", Stable: "s-1"}, {Channel: "email", Stable: "s-2"}}
		first, err := s.EndImport(ctx, m.Number, report, outbox)
		if err != nil || len(first.Outbox) != 2 {
			t.Fatalf("EndImport = %+v, %v", first, err)
		}
		second, err := s.EndImport(ctx, m.Number, crm.Report{State: crm.Failed}, outbox)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "second report", second, first)
		row, err := s.Import(ctx, m.ID)
		if err != nil || row.State != crm.Done || row.Totals.Read != 5 || !row.EndedAt.Equal(report.EndedAt) {
			t.Errorf("Import = %+v, %v", row, err)
		}
		for range 2 {
			if err := s.MarkSent(ctx, first.Outbox[0], time.UnixMilli(2e12)); err != nil {
				t.Error(err)
			}
		}
		msg, err := s.Message(ctx, first.Outbox[0])
		if err != nil || msg.To != "kim@x.org" || msg.Subject != "Done?" || msg.SentAt.UnixMilli() != 2e12 {
			t.Errorf("Message = %+v, %v", msg, err)
		}
		if _, err := s.Message(ctx, 99); !errors.Is(err, crm.ErrNotFound) {
			t.Errorf("Message(99) = %v", err)
		}
	})
}

func TestTheEndWaitsForWritersAtWork(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		in, p := m.stage(testRow{line: 2, customer: person("a", "Ann")})
		loading, ended := make(chan bool), make(chan error)
		go func() {
			<-loading
			_, err := s.EndImport(ctx, m.Number, crm.Report{State: crm.Cancelled, Batches: 1}, nil)
			ended <- err
		}()
		_, err := s.Write(ctx, in, func(ctx context.Context, e crm.Entity) (io.ReadCloser, error) {
			// By now this writer holds the import's row.
			loading <- true
			return p.open(ctx, e)
		})
		if err != nil {
			t.Errorf("Write = %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("EndImport = %v", err)
		}
	})
}

func TestLedgerStreamsInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		const batches = ledgerPage + 3
		for i := range int64(batches) {
			m.write(testRow{line: i + 2, customer: person(string(rune('0'+i)), "N")})
		}
		next := 5
		for row, err := range s.Ledger(ctx, m.Number, next) {
			if err != nil || row.Batch.Number != next || row.Counts.Read != 1 || len(row.Outcomes[0]) != 1 {
				t.Fatalf("ledger row %d = %+v, %v", next, row, err)
			}
			next++
		}
		want(t, "rows", next, batches)
		for _, err := range s.Ledger(ctx, m.Number, 0) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		row, err := s.Import(ctx, "leads")
		if err != nil || row.Totals.Customers.Created != batches {
			t.Errorf("totals = %+v, %v", row.Totals, err)
		}
	})
}
