package endtoend

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/internal/servertest"
	"sluice/internal/store"
)

// cluster is the whole product on real servers: PostgreSQL, Redis, a Temporal
// server, and workers that are processes of their own.
type cluster struct {
	t        *testing.T
	env      []string
	bin      string
	redis    string
	store    *store.Store
	temporal *embedded.Server
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	if _, err := embedded.FindTemporal(); err != nil {
		skipOutsideCI(t, "no Temporal server: %v", err)
	}
	c := &cluster{t: t, bin: programs(t), redis: servertest.Redis(t)}
	database := servertest.Postgres(t)
	var err error
	c.temporal, err = embedded.StartTemporal(t.Context(), embedded.TemporalOptions{Namespace: "sluice",
		LogFile: filepath.Join(t.TempDir(), "temporal.log"), Port: embedded.AnyPort})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		c.temporal.Stop(ctx)
	})
	c.env = append(os.Environ(), "TEMPORAL_ADDRESS="+c.temporal.Address, "TEMPORAL_NAMESPACE=sluice", "DATABASE_URL="+database,
		"REDIS_URL="+c.redis, "STAGE_URL=file://"+t.TempDir(), "SLUICE_DATA_DIR="+filepath.Join(t.TempDir(), "unused"))
	if c.store, err = store.Open(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.store.Close() }) // without tables: the first command makes them
	return c
}

// worker starts a worker process. kill ends it with SIGKILL and waits.
func (c *cluster) worker() (kill func()) {
	c.t.Helper()
	cmd := exec.Command(filepath.Join(c.bin, "worker"))
	cmd.Env = c.env
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	done := false
	kill = func() {
		if !done {
			done = true
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	c.t.Cleanup(func() {
		kill()
		if c.t.Failed() {
			c.t.Logf("worker said:\n%s", tail(log.String(), 4000))
		}
	})
	return kill
}

// starter runs a command and returns what it printed and its exit code.
func (c *cluster) starter(args ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), filepath.Join(c.bin, "starter"), args...)
	cmd.Env = c.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		c.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// batches says how many batches of the source's latest import are in.
func (c *cluster) batches(source string) (n int, ended bool) {
	c.t.Helper()
	row, err := c.store.Import(c.t.Context(), source)
	if err != nil {
		return 0, false
	}
	for _, err := range c.store.Ledger(c.t.Context(), row.Number, 0) {
		if err != nil {
			c.t.Fatal(err)
		}
		n++
	}
	return n, !row.State.Open()
}

// until waits for a condition, looking ten times a second.
func (c *cluster) until(what string, is func() bool) {
	c.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(4 * time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			c.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// flush empties Redis, as an operator might by mistake.
func (c *cluster) flush() {
	c.t.Helper()
	u, err := url.Parse(c.redis)
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "FLUSHALL\r\n")
	answer := make([]byte, 5)
	if _, err := conn.Read(answer); err != nil || !strings.HasPrefix(string(answer), "+OK") {
		c.t.Fatalf("FLUSHALL: %q, %v", answer, err)
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func skipOutsideCI(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// TestKilledWorkersAndEmptiedRedisChangeNothing kills the worker at random
// points of an import, once empties Redis, and compares what is in the end
// with an import that nothing disturbed.
func TestKilledWorkersAndEmptiedRedisChangeNothing(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	rows := someRows(8, 6000)
	calm := newWorld(t, "", "")
	want := calm.run(asCSV(rows), options{})

	c := newCluster(t)
	file := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(file, []byte(asCSV(rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	kill := c.worker()
	_, stderr, code := c.starter("import", file, "--source", "news", "--detach", "--batch-rows", "50", "--heartbeat", "2s")
	if code != 0 {
		t.Fatalf("starter exits %d:\n%s", code, stderr)
	}
	for in, killed := 0, 0; killed < 5; killed++ {
		in += 1 + random.IntN(20)
		ended := false
		c.until(fmt.Sprintf("batch %d is in", in), func() bool {
			var n int
			n, ended = c.batches("news")
			return ended || n >= in
		})
		if ended {
			t.Fatalf("the import ended after %d kills: too small to test with", killed)
		}
		kill()
		if killed == 2 {
			c.flush()
		}
		kill = c.worker()
	}
	c.until("the import has ended", func() bool { _, ended := c.batches("news"); return ended })
	row, err := c.store.Import(t.Context(), "news")
	if err != nil {
		t.Fatal(err)
	}
	if row.State != crm.Done || row.Report == nil || row.Report.Counts != want.Counts {
		t.Errorf("state %s, report %+v\nwant %+v", row.State, row.Report, want.Counts)
	}
	if got := export(t, c.store, "news"); got != calm.export("news") {
		t.Error("the records differ from those of an undisturbed import")
	}
}

// TestTwoAttemptsOfOneWriteAtOnceCountOnce runs every Write twice at the same
// time, as when an attempt that was given up for dead is not.
func TestTwoAttemptsOfOneWriteAtOnceCountOnce(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		calm := newWorld(t, "", "")
		rows := someRows(9, 120)
		want := calm.run(asCSV(rows), options{})
		w := newWorld(t, url, "")
		w.wrap = atOnce(t)
		same(t, calm, want, w, w.run(asCSV(rows), options{tuning: crm.Tuning{BatchRows: 9, Writers: 3}}))
	})
}
