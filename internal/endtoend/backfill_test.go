package endtoend

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/store"
)

// hubspotOf is what a store is to hold of a world after HubSpot was read.
func hubspotOf(world *fakesaas.World) holdings {
	want := holdings{crm.Customer: {}, crm.Contact: {}}
	for _, c := range world.Customers(nil) {
		if c.Company != "" {
			want[crm.Customer][fakesaas.HubSpotCompany(c.N)] = c.Company + " " + c.City
		}
		for _, p := range c.Contacts {
			id := fakesaas.HubSpotContact(p.N)
			want[crm.Contact][id] = p.First + " " + p.Last + " " + p.Email
			if c.Company == "" {
				want[crm.Customer]["contact:"+id] = p.First + " " + p.Last + " " + c.City
			}
		}
	}
	return want
}

// number reads how large a test is to be.
func number(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestABackfillBesideALiveSyncLosesNothing brings a HubSpot account in by a
// backfill, within its limits, while records change, a sync comes in between, the
// worker is killed five times and the backfill is paused for an hour by the
// account's clock, in which the token runs out. Behind it a sync brings what has
// changed since the one in between. Then a schedule keeps it up to date while
// records change underneath. In the end the store is what the account is.
//
// SLUICE_CUSTOMERS says how many customers there are (190,000 have some 250,000
// contacts), and SLUICE_SYNC_SECONDS for how long they change.
func TestABackfillBesideALiveSyncLosesNothing(t *testing.T) {
	t.Parallel()
	customers := number(t, "SLUICE_CUSTOMERS", 1500)
	c := newCluster(t)
	world, server, address := c.saas(customers)
	c.env = append(c.env, "SLUICE_SOURCE_CLIENT_SECRET="+fakesaas.Key, "SLUICE_SOURCE_REFRESH_TOKEN="+fakesaas.Key)
	c.must(0, "sources", "add", "hubspot", "--name", "crm", "--set", "api="+address, "--set", "client_id=app", "--set", "share=100", "--set", "lag_minutes=0")
	server.Set(func(t *fakesaas.Traps) { t.Limits, t.Expires, t.ChangeEvery = true, 20*time.Minute, 3 })
	kill := c.worker()
	c.must(0, "backfill", "crm", "--from", "2015-01-01", "--detach", "--batch-rows", strconv.Itoa(max(200, customers/100)), "--heartbeat", "2s")
	id := strings.TrimSpace(c.must(0, "backfill", "list", "-o", "json"))
	if !strings.Contains(id, `"running"`) {
		t.Errorf("the list says %s", id)
	}
	rows := func() int64 {
		if row, err := c.store.Import(t.Context(), "crm"); err == nil {
			return row.Number*1e9 + c.read(row.Number)
		}
		return 0
	}
	for n := range 5 {
		was := rows()
		c.until(fmt.Sprintf("something is written before kill %d", n+1), func() bool { return rows() > was || c.backfilled() })
		kill()
		kill = c.worker()
		if n == 1 {
			c.must(0, "sync", "crm", "--detach")
		}
	}
	server.Set(func(t *fakesaas.Traps) { t.ChangeEvery = 0 })
	if !c.backfilled() {
		if out, errs, code := c.starter("backfill", "pause"); code == 0 {
			world.Clock().Move(time.Hour)
			c.must(0, "backfill", "resume")
		} else if !c.backfilled() {
			t.Errorf("pause exits %d:\n%s%s", code, out, errs)
		}
	}
	c.must(0, "backfill", "watch")
	all, refused := server.Requests("hubspot")
	t.Logf("%d requests, of which %d refused", all, refused)

	// An hour of pausing that only the account has lived through is over.
	world.Clock().Move(-time.Hour)
	server.Set(func(t *fakesaas.Traps) { t.Expires = 0 })
	c.must(0, "sync", "crm") // reaches the one in between, if that is still running
	c.must(0, "sync", "crm")
	if list := c.differ("crm", hubspotOf(world)); list != nil {
		t.Errorf("after the backfill and a sync: %s", strings.Join(list, "; "))
	}
	c.must(0, "schedule", "create", "crm", "--every", "3s")
	end := time.Now().Add(time.Duration(number(t, "SLUICE_SYNC_SECONDS", 8)) * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	changes := 0
	for n := 0; time.Now().Before(end); n++ {
		<-tick.C
		world.Change(n * 7919 % customers)
		if changes++; n%20 == 0 {
			world.Add()
		}
	}
	t.Logf("%d changes", changes)
	var list []string
	c.until("the source and the store are the same", func() bool {
		list = c.differ("crm", hubspotOf(world))
		return list == nil
	})
	c.must(0, "schedule", "delete", "crm")
}

// read is how many rows of an import are written.
func (c *cluster) read(number int64) (n int64) {
	c.t.Helper()
	for row, err := range c.store.Ledger(c.t.Context(), number, 0) {
		if err != nil {
			c.t.Fatal(err)
		}
		n += row.Counts.Read
	}
	return n
}

// backfilled reports whether the latest backfill has ended.
func (c *cluster) backfilled() bool {
	c.t.Helper()
	all, err := c.store.Backfills(c.t.Context(), 1)
	if err != nil {
		c.t.Fatal(err)
	}
	return len(all) == 1 && !all[0].EndedAt.IsZero()
}

// A year of monthly files, one of which is broken, and two services at once:
// what is said of each adds up, and the broken one keeps nobody from the rest.
func TestABackfillOfFilesAndServicesAddsUp(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	world, _, address := c.saas(300)
	c.env = append(c.env, "SLUICE_SOURCE_ACCESS_TOKEN="+fakesaas.Key)
	c.must(0, "sources", "add", "stripe", "--name", "billing", "--set", "api="+address, "--set", "share=100")
	c.must(0, "sources", "add", "hubspot", "--name", "crm", "--set", "api="+address, "--set", "share=100", "--set", "lag_minutes=0")
	c.worker()
	dir := t.TempDir()
	for month := 1; month <= 12; month++ {
		path := filepath.Join(dir, fmt.Sprintf("2025-%02d", month))
		var err error
		switch {
		case month == 7:
			err = os.WriteFile(path+".csv", []byte("nobody,knows,these\n1,2,3\n"), 0o600)
		case month%2 == 0:
			rows, _ := csv.NewReader(strings.NewReader(people(100*month, 20))).ReadAll()
			err = os.WriteFile(path+".xlsx", []byte(workbook(t, rows)), 0o600)
		default:
			err = os.WriteFile(path+".csv", []byte(people(100*month, 20)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plan := filepath.Join(dir, "plan.yaml")
	if err := os.WriteFile(plan, []byte(`sources:
  - source: billing
    from: 2025-06-01
  - source: crm
    from: 2015-01-01
  - source: months
    files: ["2025-*"]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must(0, "backfill", "--plan", plan, "--detach")
	counts := map[string]crm.BackfillCounts{}
	c.until("only the broken file is left", func() bool {
		counts = c.partitions()
		if n := counts["months"].All(); n != 12 && n != 0 {
			t.Fatalf("of twelve files %d are told of: %+v", n, counts["months"])
		}
		all := crm.BackfillCounts{}
		for _, of := range counts {
			all.Add(of)
		}
		return len(counts) == 3 && all.Left+all.Running == 0 && all.Parked > 0
	})
	if m := counts["months"]; m.Parked != 1 || m.Done != 11 || m.Rows != 220 {
		t.Errorf("of the months there are %+v, want 11 done with 220 rows, and one parked", m)
	}
	for _, name := range []string{"billing", "crm"} {
		if total := c.sourceRows(name); total != counts[name].Rows || total == 0 {
			t.Errorf("%s: %d rows by the backfill, %d by its imports", name, counts[name].Rows, total)
		}
	}
	c.until("the broken file was tried once more, and can be given up", func() bool {
		_, _, code := c.starter("backfill", "skip", "--source", "months")
		return code == 0
	})
	if out := c.must(0, "backfill", "watch"); !strings.Contains(out, "done") {
		t.Errorf("in the end it says:\n%s", out)
	}
	if m := c.partitions()["months"]; m.Skipped != 1 {
		t.Errorf("in the end there are %+v, want one skipped", m)
	}
	if list := append(c.differ("billing", stripeOf(world, time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)), "status"), c.differ("crm", hubspotOf(world))...); list != nil {
		t.Error(strings.Join(list, "; "))
	}
}

// partitions counts those of the latest backfill, by source, as the command line
// lists them.
func (c *cluster) partitions() map[string]crm.BackfillCounts {
	c.t.Helper()
	out, _, _ := c.starter("backfill", "show", "-o", "json")
	all := map[string]crm.BackfillCounts{}
	for line := range strings.Lines(out) {
		var p struct {
			Source string `json:"source"`
			crm.BackfillPartition
		}
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			c.t.Fatalf("%v: %s", err, line)
		}
		of := all[p.Source]
		of.Count(p.BackfillPartition)
		all[p.Source] = of
	}
	return all
}

// sourceRows adds up what the imports of a source have read.
func (c *cluster) sourceRows(source string) (n int64) {
	c.t.Helper()
	all, err := c.store.Imports(c.t.Context(), store.ImportQuery{Source: source, Limit: 1000})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, row := range all {
		n += row.Report.Read
	}
	return n
}
