package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/crm"
)

// sql runs statements in the cluster's database.
func (c *cluster) sql(statements string) {
	c.t.Helper()
	for _, v := range c.env {
		address, found := strings.CutPrefix(v, "DATABASE_URL=")
		if !found {
			continue
		}
		conn, err := pgx.Connect(c.t.Context(), address)
		if err != nil {
			c.t.Fatal(err)
		}
		defer conn.Close(c.t.Context())
		if _, err := conn.Exec(c.t.Context(), statements); err != nil {
			c.t.Fatal(err)
		}
	}
}

// refuse makes the database refuse a customer for a reason that is neither an
// outage nor the value of a column, as a trigger of somebody else's may.
func (c *cluster) refuse(customer string) {
	c.t.Helper()
	if err := c.store.Migrate(c.t.Context()); err != nil { // the worker may not have yet
		c.t.Fatal(err)
	}
	c.sql(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not while the moon is full: %', NEW.company; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON customer_records FOR EACH ROW WHEN (NEW.external_id = '` + customer + `') EXECUTE FUNCTION refuse()`)
}

// TestBatchThatCannotBeWrittenWaitsForADecision has a trigger refuse one
// customer: the batch is parked, its siblings are written, and it is written
// later, or given up.
func TestBatchThatCannotBeWrittenWaitsForADecision(t *testing.T) {
	t.Parallel()
	rows := someRows(23, 1_000)
	calm := newWorld(t, "", "")
	want := calm.run(asCSV(rows), options{})
	file := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(file, []byte(asCSV(rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCluster(t)
	c.worker()
	start := func(source string) (said string) {
		said = c.must(1, "import", file, "--source", source, "--batch-rows", "100", "--no-progress")
		c.until("its row says so", func() bool {
			row, err := c.store.Import(t.Context(), source)
			return err == nil && row.State == crm.NeedsAttention
		})
		if n, _ := c.batches(source); n != 9 {
			t.Errorf("%d of 10 batches are in beside the parked one, want 9", n)
		}
		return said
	}
	c.refuse(rows[250].customer)

	said := start("news")
	if !strings.Contains(said, "starter imports retry news") || !strings.Contains(said, "starter imports skip news") || strings.Contains(said, "Company") {
		t.Errorf("the command says:\n%s", said)
	}
	if out := c.must(0, "progress", "news"); !strings.Contains(out, "starter imports skip news") {
		t.Errorf("progress says:\n%s", out)
	}
	if out := c.must(0, "imports", "show", "news"); !strings.Contains(out, "postgres P0001") || !strings.Contains(out, "parked batch") {
		t.Errorf("imports show says:\n%s", out)
	}
	c.must(1, "imports", "watch", "news") // it would wait for ever
	c.sql("DROP TRIGGER refuse ON customer_records")
	c.must(0, "imports", "retry", "news")
	c.must(3, "imports", "watch", "news")
	if export(t, c.store, "news") != calm.export("news") {
		t.Error("after a retry the records differ from those of an undisturbed import")
	}

	c.refuse(rows[250].customer)
	start("other")
	c.must(0, "imports", "skip", "other")
	c.must(1, "imports", "watch", "other") // a later row of the same customer takes its place, and is refused too
	c.must(0, "imports", "skip", "other")
	c.must(3, "imports", "watch", "other")
	row, err := c.store.Import(t.Context(), "other")
	if err != nil || row.Report == nil || row.State != crm.Done {
		t.Fatalf("skipped: %s, %v", row.State, err)
	}
	r := row.Report
	skipped := int64(0)
	for _, g := range r.Rejects {
		if g.Reason == crm.ReasonSkipped {
			skipped = g.Count
		}
	}
	// The rows of the batch that are good, and those of the leftovers that were
	// refused with the one that took its place.
	if !r.Balanced() || r.Rejected != want.Rejected+skipped || skipped < 90 || skipped > 200 {
		t.Errorf("%d rows are skipped of a batch of 100 and its leftovers, %d rejected in all, %d without: %+v", skipped, r.Rejected, want.Rejected, r.Counts)
	}
	if out := c.must(0, "imports", "rejects", "other", "-o", "csv"); strings.Count(out, string(crm.ReasonSkipped)) < int(skipped) {
		t.Errorf("%d rows are skipped, and the list says:\n%s", skipped, tail(out, 2000))
	}
}

// TestFileOfRejectedRowsStopsBeforeItIsWritten imports a file of which half is
// rejected: nothing is written until somebody says so.
func TestFileOfRejectedRowsStopsBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("external_id,email\n")
	for i := range 3_000 {
		fmt.Fprintf(&b, "c%d,%s\n", i, []string{"nobody at home", fmt.Sprintf("p%d@example.com", i)}[i%2])
	}
	l := newLaptop(t)
	file := filepath.Join(t.TempDir(), "half.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	mapping := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(mapping, []byte("columns:\n  external_id: customer.external_id\n  email: {to: customer.email, required: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", file, "--source", "half", "--mapping", mapping}
	_, said, code := l.run(args...)
	if code != 1 || !strings.Contains(said, "starter imports resume half") || !strings.Contains(said, "1500 of 3000") {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	db := l.store()
	customers := func() int { return strings.Count(export(t, db, "half"), "@example.com") }
	if n := customers(); n != 0 {
		t.Errorf("%d customers are written before anybody said so", n)
	}
	_, said, code = l.run("imports", "resume", "half")
	if n := customers(); code != 3 || n != 1_500 {
		t.Errorf("after resume: exit code %d, %d customers, want 3 and 1,500\n%s", code, n, said)
	}
	if r := l.report(3, append(args, "--again", "--max-rejected", "50")...); r.Rejected != 1_500 {
		t.Errorf("with 50 %% allowed: %+v", r.Counts)
	}
}
