package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

func want[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestWriteTwiceCountsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		in, p := m.stage(testRow{line: 2, customer: person("a", "Ann"), contact: fields{"email": "a@x.org"}}, testRow{line: 3, customer: person("b", "Bob")})
		var got [3]crm.Counts
		for i := range got {
			var err error
			if got[i], err = s.Write(context.Background(), in, p.open); err != nil {
				t.Fatal(err)
			}
		}
		want(t, "second counts", got[1], got[0])
		want(t, "counts", got[0], crm.Counts{Read: 2, Accepted: 2,
			Customers: crm.Tally{Records: 2, Created: 2}, Contacts: crm.Tally{Records: 1, Created: 1}})
		row, err := s.Import(context.Background(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "totals", row.Totals, got[0])
	})
}

func TestTwoAttemptsAtOnceWriteOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		var rows []testRow
		for i := range 500 {
			rows = append(rows, testRow{line: int64(i + 2), customer: person(fmt.Sprint("k", i), "N"), contact: fields{"email": "a@x.org"}})
		}
		in, p := m.stage(rows...)
		var wg sync.WaitGroup
		var got [6]crm.Counts
		var errs [6]error
		for i := range got {
			wg.Go(func() { got[i], errs[i] = s.Write(context.Background(), in, p.open) })
		}
		wg.Wait()
		for i := range got {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			want(t, "counts", got[i], got[0])
		}
		counted, err := s.Recount(context.Background(), m.Number)
		if err != nil {
			t.Fatal(err)
		}
		if counted[crm.Customer].Created != 500 || counted[crm.Contact].Created != 500 {
			t.Errorf("Recount = %v, want 500 customers and contacts", counted)
		}
	})
}

func TestUpsertTellsUpdatedFromUnchanged(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		m.write(
			testRow{line: 2, customer: fields{"external_id": "a", "name": "Ann", "tags": `["x","y"]`, "custom": `{"n":1,"plan":"pro"}`, "lead_created_at": "2024-01-02T03:04:05.678Z"}},
			testRow{line: 3, customer: person("b", "Bob"), note: fields{"type": "note", "text": "hi"}})
		m.end(crm.Done)
		m = begin(t, s, crm.Rules{}, "")
		counts := m.write(
			testRow{line: 2, customer: fields{"external_id": "a", "name": "Ann", "tags": `["x","y"]`, "custom": `{"n":1,"plan":"pro"}`, "lead_created_at": "2024-01-02T03:04:05.678Z"}},
			testRow{line: 3, customer: person("b", "Bobby"), note: fields{"type": "note", "text": "hi", "author_email": "z@x.org"}},
			testRow{line: 4, customer: person("c", "Cy")})
		want(t, "counts", counts, crm.Counts{Read: 3, Accepted: 3,
			Customers: crm.Tally{Records: 3, Created: 1, Updated: 1, Unchanged: 1}, Notes: crm.Tally{Records: 1, Updated: 1}})
		want(t, "outcomes", m.outcomes(0), "nuc  u")
		counted, err := s.Recount(ctx, m.Number)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "recount", counted, crm.Recount{{Created: 1, Updated: 1}, {}, {Updated: 1}})
		var image struct {
			ImportNumber int64
			Rev          int
			Name         string
		}
		if err := s.reads.NewRaw("SELECT import_number, rev, name FROM before_customer_records").Scan(ctx, &image); err != nil {
			t.Fatal(err)
		}
		want(t, "before-image", fmt.Sprint(image), fmt.Sprintf("{%d 1 Bob}", m.Number))
		views, err := s.Customers(ctx, "b")
		if err != nil || len(views) != 1 {
			t.Fatalf("Customers = %v, %v", views, err)
		}
		v := views[0]
		if v.Rev != 2 || v.Changed.Import != m.Number || v.Changed.Line != 3 || v.Created.Import == m.Number || v.Created.File != "leads.csv" || len(v.Notes) != 1 {
			t.Errorf("Customers(b) = %+v", v)
		}
		want(t, "export", exported(t, s, crm.Customer), exportHead(crm.Customer)+
			"a|Ann|||||||2024-01-02T03:04:05.678Z||New Lead|||[\"x\",\"y\"]|{\"n\":1,\"plan\":\"pro\"}|\n"+
			"b|Bobby|||||||||New Lead|||||\nc|Cy|||||||||New Lead|||||\n")
	})
}

func exportHead(e crm.Entity) string {
	var names []string
	for _, f := range crm.Fields(e) {
		names = append(names, f.Name)
	}
	return strings.Join(names, "|") + "\n"
}

func TestModesRejectWhatTheyMust(t *testing.T) {
	for _, tt := range []struct {
		mode     crm.Mode
		outcomes string
		accepted int64
	}{
		{crm.Upsert, "nc cc", 2},
		// The row of a is rejected whole; b's is new.
		{crm.CreateOnly, "Ec sc", 1},
		{crm.UpdateOnly, "sA AA", 0},
	} {
		t.Run(string(tt.mode), func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				m := begin(t, s, crm.Rules{}, "")
				m.write(testRow{line: 2, customer: person("a", "Ann")})
				m.end(crm.Done)
				m = begin(t, s, crm.Rules{}, tt.mode)
				counts := m.write(
					testRow{line: 2, customer: person("a", "Ann"), contact: fields{"email": "a@x.org"}},
					testRow{line: 3, customer: person("b", "Bob"), contact: fields{"email": "b@x.org"}})
				want(t, "outcomes", m.outcomes(0), tt.outcomes)
				if counts.Accepted != tt.accepted || counts.Rejected != 2-tt.accepted || !counts.Balanced() {
					t.Errorf("counts = %+v, want %d accepted", counts, tt.accepted)
				}
				counted, err := s.Recount(context.Background(), m.Number)
				if err != nil {
					t.Fatal(err)
				}
				if counted[0].Created != counts.Customers.Created || counted[1].Created != counts.Contacts.Created {
					t.Errorf("Recount = %+v, counts = %+v", counted, counts)
				}
			})
		})
	}
}

func TestCollisionRules(t *testing.T) {
	rule := func(r crm.Rule) (rules crm.Rules) {
		rules[crm.Customer] = make([]crm.Rule, len(crm.Fields(crm.Customer)))
		for i := range rules[crm.Customer] {
			rules[crm.Customer][i] = r
		}
		return rules
	}
	for _, tt := range []struct {
		name             string
		rule             crm.Rule
		status, name2    string
		city, zip, extra string
	}{
		{"overwrite", crm.Rule{}, "Working Lead", "New", "Oldtown", "222", `{"a":9,"b":2,"c":3}`},
		{"overwrite and erase", crm.Rule{Collision: crm.Overwrite, Erase: true}, "Working Lead", "New", "", "222", `{"a":9,"c":3}`},
		{"fill blank", crm.Rule{Collision: crm.FillBlank}, "Qualified Lead", "Old", "Oldtown", "222", `{"a":1,"b":2,"c":3}`},
		{"never", crm.Rule{Collision: crm.Never}, "Qualified Lead", "Old", "Oldtown", "", `{"a":1,"b":2}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *Store) {
				m := begin(t, s, crm.Rules{}, "")
				m.write(testRow{line: 2, customer: fields{"external_id": "k", "name": "Old", "city": "Oldtown", "status": "Qualified Lead", "custom": `{"a":1,"b":2}`}})
				m.end(crm.Done)
				newer := testRow{line: 2, customer: fields{"external_id": "k", "name": "New", "zip": "222", "status": "Working Lead", "custom": `{"a":9,"c":3}`}}
				m = begin(t, s, rule(tt.rule), "")
				m.write(newer)
				want(t, "export", exported(t, s, crm.Customer), exportHead(crm.Customer)+
					fmt.Sprintf("k|%s|||||%s|%s|||%s||||%s|\n", tt.name2, tt.city, tt.zip, tt.status, tt.extra))
				m.end(crm.Done)
				m = begin(t, s, rule(tt.rule), "")
				m.write(newer)
				want(t, "outcome of the same again", m.outcomes(0), "n")
			})
		})
	}
}

func TestASparedCustomerTakesItsContactsAlong(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "Ann"), contact: fields{"email": "c@x.org"}})
		m.end(crm.Done)
		m = begin(t, s, crm.Rules{}, crm.CreateOnly)
		// b is new, but its row brings a contact that exists; the contact of
		// the next row hangs on b.
		m.write(testRow{line: 2, customer: person("b", "Bob"), contact: fields{"email": "c@x.org"}, of: "a"},
			testRow{line: 3, contact: fields{"email": "d@x.org"}, of: "b"})
		want(t, "outcomes", m.outcomes(0), "s Ew")
	})
}

func TestAnEndedImportFencesWritersOut(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		m.end(crm.Failed)
		in, p := m.stage(testRow{line: 2, customer: person("a", "Ann")})
		_, err := s.Write(context.Background(), in, p.open)
		if crm.TypeOf(err) != crm.FailFenced {
			t.Errorf("Write = %v, want fenced", err)
		}
		if _, in, _ := s.Written(context.Background(), m.Number, 0); in {
			t.Error("the batch is in the ledger")
		}
		if err := s.Mark(context.Background(), m.Number, crm.Paused, "kim"); crm.TypeOf(err) != crm.FailFenced {
			t.Errorf("Mark = %v, want fenced", err)
		}
	})
}

func TestFaultyVerdictsAreCaught(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "Ann")})
		for name, spoil := range map[string]func() (crm.WriteBatch, parts){
			"another row of this import": func() (crm.WriteBatch, parts) { return m.stage(testRow{line: 3, customer: person("a", "Ann")}) },
			"two of one key": func() (crm.WriteBatch, parts) {
				return m.stage(testRow{line: 4, customer: person("b", "Bob")}, testRow{line: 5, customer: person("b", "Bob")})
			},
			"too short": func() (crm.WriteBatch, parts) {
				in, p := m.stage(testRow{line: 6, customer: person("c", "C")}, testRow{line: 7, customer: person("d", "D")})
				in.Preset[0] = in.Preset[0][:1]
				return in, p
			},
			"an outcome that is none": func() (crm.WriteBatch, parts) {
				return m.stage(testRow{line: 8, customer: person("c", "C"), preset: [3]crm.Outcome{'?'}})
			},
			"fewer rows than records": func() (crm.WriteBatch, parts) {
				in, p := m.stage(testRow{line: 9, customer: person("c", "C")})
				in.Batch.Customers.Records = 2
				in.Preset[0] = nil
				return in, p
			},
			"other rows under a number": func() (crm.WriteBatch, parts) {
				in, p := m.stage(testRow{line: 10, customer: person("c", "C")})
				in.Batch.Number = 0
				return in, p
			},
		} {
			in, p := spoil()
			if _, err := s.Write(context.Background(), in, p.open); crm.TypeOf(err) != crm.FailUnbalanced {
				t.Errorf("%s: Write = %v, want unbalanced", name, err)
			}
		}
		want(t, "export", exported(t, s, crm.Customer), exportHead(crm.Customer)+"a|Ann|||||||||New Lead|||||\n")
	})
}

func TestAPoisonRecordIsRefusedAndTheRestWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		var rows []testRow
		for i := range 40 {
			rows = append(rows, testRow{line: int64(i + 2), customer: person(fmt.Sprint("k", i), "N"), contact: fields{"email": "a@x.org"}})
		}
		rows[7].customer["status"] = "canary-value"
		rows[30].contact["position"] = "canary-value"
		rows[31].customer["custom"] = "canary-value"
		rows[39].customer["external_id"] = ""
		rows[39].of = "k1"
		rows[39].contact["email"] = "other@x.org"
		in, p := m.stage(rows...)
		counts, err := s.Write(context.Background(), in, p.open)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "counts", counts, crm.Counts{Read: 40, Rejected: 4, Accepted: 36, Customers: crm.Tally{Records: 36, Created: 36}, Contacts: crm.Tally{Records: 36, Created: 36}})
		outcomes := m.outcomes(0)
		if outcomes[7] != byte(crm.Refused) || outcomes[41+7] != byte(crm.Spared) || outcomes[30] != byte(crm.Spared) || outcomes[41+30] != byte(crm.Refused) {
			t.Errorf("outcomes = %s", outcomes)
		}
	})
}

func TestNoCellValueInErrors(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		const canary = "canary-value"
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person(canary, "Ann")})
		in, p := m.stage(testRow{line: 3, customer: person("b", "Bob")})
		for _, statement := range []string{
			"INSERT INTO sources (slug, title, kind, time_zone, region, created_at) VALUES ('leads', '" + canary + "', '', '', '', '2024-01-01')",
			"UPDATE customer_records SET status = '" + canary + "'",
			"UPDATE customer_records SET created_import = '" + canary + "'",
			"INSERT INTO customer_records (id, source_id) VALUES ('" + canary + "', 1)",
			"SELECT '" + canary + "' FROM nowhere",
		} {
			_, err := s.db.ExecContext(ctx, statement)
			if err == nil {
				t.Errorf("%s: no error", statement)
				continue
			}
			if text := wrap("try", err).Error(); strings.Contains(text, canary) {
				t.Errorf("the error %q holds a value", text)
			}
		}
		var n int
		if text := fmt.Sprint(wrap("try", s.db.NewRaw("SELECT name FROM customer_records").Scan(ctx, &n))); strings.Contains(text, "Ann") {
			t.Errorf("the error %q holds a value", text)
		}
		p[0] = append(p[0][:len(p[0])-1], []byte("\t"+canary+"\n")...)
		counts, err := s.Write(ctx, in, p.open)
		if err != nil || counts.Rejected != 1 {
			t.Errorf("Write of a line with a value too many = %+v, %v; want it refused", counts, err)
		}
	})
}

func TestWriteCanBeCancelled(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, "")
		in, p := m.stage(testRow{line: 2, customer: person("a", "Ann")})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := s.Write(ctx, in, p.open); !errors.Is(err, context.Canceled) {
			t.Errorf("Write = %v, want cancelled", err)
		}
		if _, err := s.Write(context.Background(), in, p.open); err != nil {
			t.Errorf("Write after a cancelled one = %v", err)
		}
	})
}

func TestSomebodyElsesWriteRunsTheTransactionAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, "")
		m.write(testRow{line: 2, customer: person("a", "Ann")})
		m.end(crm.Done)
		m = begin(t, s, crm.Rules{}, "")
		in, p := m.stage(testRow{line: 2, customer: person("a", "Ann B"), contact: fields{"email": "a@x.org"}})
		a := &attempt{s: s, in: &in, open: p.open}
		var err error
		if a.preset, err = completePreset(&in); err != nil {
			t.Fatal(err)
		}
		// A customer changes between judge and apply.
		err = s.inSession(ctx, func(tx session) error {
			a.tx = tx
			if err := errors.Join(a.aim(ctx), a.readAll(ctx)); err != nil {
				return err
			}
			a.begin()
			if err := a.look(ctx); err != nil {
				return err
			}
			if _, err := a.judge(); err != nil {
				return err
			}
			db := s.db.ExecContext
			if s.db != s.reads {
				db = tx.ExecContext // SQLite has one writer
			}
			if _, err := db(ctx, "UPDATE customer_records SET rev = rev + 1, name = 'Edited'"); err != nil {
				return err
			}
			return a.apply(ctx)
		})
		if !errors.Is(err, errRace) {
			t.Fatalf("apply after a foreign write = %v, want errRace", err)
		}
		if counts, err := s.Write(ctx, in, p.open); err != nil || counts.Customers.Updated != 1 {
			t.Errorf("Write = %+v, %v", counts, err)
		}
	})
}
