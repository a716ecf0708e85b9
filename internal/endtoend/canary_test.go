package endtoend

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/internal/servertest"
	"sluice/internal/store"
)

// What must not be found where it does not belong: strings planted in cells,
// in the credentials of every setting, and in the path of the file.
const (
	cellCanary   = "zqcell7419"
	secretCanary = "zqsecret7419"
	pathCanary   = "zqpath7419"
)

// cellsOfCanaries is a file in which every cell holds one: in rows that are
// taken, that are rejected for many reasons, and in one that is over-long.
func cellsOfCanaries(rows int) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write([]string{"external_id", "name", "email", "phone", "lead_created_at", "country", "notes", "first_name", "size"})
	for i := range rows {
		id := fmt.Sprintf("%s-%d", cellCanary, i)
		row := []string{id, "Firm " + id, "ann@" + id + ".example.com", "+1 " + id, "2024-01-02", "DE", "a note of " + id, id, id}
		switch i % 7 {
		case 1:
			row[2] = "no address " + id
		case 2:
			row[4] = "2024-13-45 " + id
		case 3:
			row[0] = strings.Repeat(id, 200)
		case 4:
			row = append(row, id)
		case 5:
			row[6] = "with\x00NUL " + id
		}
		w.Write(row)
	}
	w.Flush()
	return b.String() + "\"" + cellCanary + ",never closed\n"
}

// said gathers what programs say, from several goroutines at once.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// silent fails the test if a text holds a canary, and shows what is around it.
func silent(t *testing.T, what, text string) {
	t.Helper()
	for _, canary := range []string{cellCanary, secretCanary, pathCanary} {
		if i := strings.Index(text, canary); i >= 0 {
			t.Errorf("%s: %q got out: …%s…", what, canary, text[max(0, i-300):min(len(text), i+len(canary)+100)])
		}
	}
}

// guarded are real servers whose credentials are canaries.
type guarded struct {
	*cluster
	redis *miniredis.Miniredis
	db    string // where Temporal keeps its own
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	if _, err := embedded.FindTemporal(); err != nil {
		skipOutsideCI(t, "no Temporal server: %v", err)
	}
	database, err := url.Parse(servertest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	g := &guarded{cluster: &cluster{t: t, bin: programs(t)}, redis: miniredis.RunT(t), db: t.TempDir()}
	g.redis.RequireAuth(secretCanary)
	g.temporal, err = embedded.StartTemporal(t.Context(), embedded.TemporalOptions{Namespace: "sluice", Port: embedded.AnyPort,
		DB: filepath.Join(g.db, "temporal.db"), LogFile: filepath.Join(g.db, "temporal.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.temporal.Kill)
	if g.store, err = store.Open(t.Context(), database.String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.store.Close() })
	database.User = url.UserPassword(database.User.Username(), secretCanary) // the server trusts whoever asks
	s3 := servertest.StartS3()
	t.Cleanup(s3.Stop)
	g.env = append(os.Environ(), "TEMPORAL_ADDRESS="+g.temporal.Address, "TEMPORAL_NAMESPACE=sluice", "SLUICE_DATA_DIR="+filepath.Join(t.TempDir(), "unused"),
		"DATABASE_URL="+database.String(), "REDIS_URL=redis://:"+secretCanary+"@"+g.redis.Addr(),
		"STAGE_URL="+s3.URL, "AWS_ACCESS_KEY_ID="+secretCanary, "AWS_SECRET_ACCESS_KEY="+secretCanary,
		"SMTP_URL=smtp://ann:"+secretCanary+"@127.0.0.1:1?from=a@example.com", "SLUICE_LOG_LEVEL=debug", "SLUICE_LOG_FORMAT=json")
	return g
}

// run runs a program with settings of its own to its end, and returns all that
// it says.
func (g *guarded) run(program string, settings []string, args ...string) string {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), filepath.Join(g.bin, program), args...)
	cmd.Env = append(append([]string(nil), g.env...), settings...)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// TestCanariesAreNowhereButInTheStageAndTheDatabase imports on real servers,
// lets imports fail, kills a worker so that it writes down all it was doing,
// and offers settings that cannot work; then it looks everywhere.
func TestCanariesAreNowhereButInTheStageAndTheDatabase(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	var log said
	w := exec.Command(filepath.Join(g.bin, "worker"))
	w.Env, w.Stderr, w.Stdout = g.env, &log, &log
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Process.Kill(); w.Wait() })
	dir := filepath.Join(t.TempDir(), pathCanary)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.csv", cellsOfCanaries(70))
	headless := file("headless.csv", fmt.Sprintf("%[1]s,ann@%[1]s.example.com\nb%[1]s,bob@example.com\n", cellCanary))
	large := file("large.csv", asCSV(someRows(41, 30_000)))
	for _, args := range [][]string{
		{"import", good, "--source", "news", "--batch-rows", "10", "--max-rejected", "100"}, {"import", good, "--source", "news", "--again", "--dry-run"},
		{"import", headless, "--source", "none"}, {"import", good, "--source", "none", "--sheet", "x"},
		{"progress", "news"}, {"imports", "list"}, {"imports", "show", "1"}, {"imports", "rejects", "1", "--groups", "-o", "json"},
		{"imports", "accepted", "1"}, {"doctor"}, {"config"}, {"config", "-o", "json"}, {"sweep"}, {"sources", "list"},
	} {
		out := g.run("starter", nil, args...)
		if args[0] == "imports" && (args[1] == "rejects" || args[1] == "accepted") {
			continue // they are there to show what was in the rows
		}
		if args[0] == "import" { // whoever names a file may see its name
			out = strings.ReplaceAll(out, dir, "")
		}
		if len(args) > 1 && args[1] == headless {
			out = strings.ReplaceAll(out, cellCanary, "") // and its owner what is in its first line
		}
		silent(t, "starter "+strings.Join(args, " "), out)
	}
	row, err := g.store.Import(t.Context(), "news")
	if err != nil || row.Report == nil || row.Report.Rejected == 0 || !strings.Contains(export(t, g.store, "news"), cellCanary) {
		t.Fatalf("nothing was imported, so nothing is shown: %v, import %d is %s, its report is there: %v", err, row.Number, row.State, row.Report != nil)
	}
	if out := g.run("starter", nil, "import", large, "--source", "large", "--detach", "--batch-rows", "100"); !strings.Contains(out, "large") {
		t.Errorf("starter import: %s", out)
	}
	g.until("the worker is at work", func() bool { n, ended := g.batches("large"); return n > 3 || ended })
	if err := w.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	w.Wait()
	if text := log.String(); !strings.Contains(text, "goroutine ") || !strings.Contains(text, "worker runs") {
		t.Errorf("the worker wrote down nothing of what it did: %s", tail(text, 2000))
	}
	silent(t, "the log and the crash output of the worker", log.String())
	silent(t, "Redis", g.redis.Dump())
	if len(g.redis.Keys()) == 0 {
		t.Error("Redis was empty: nothing is shown")
	}
	g.temporal.Kill()
	g.silentFiles("news", row.ID)
}

// silentFiles looks through all that Temporal keeps, which must have heard of
// the imports.
func (g *guarded) silentFiles(has ...string) {
	g.t.Helper()
	var all strings.Builder
	paths, _ := filepath.Glob(filepath.Join(g.db, "*"))
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			g.t.Fatal(err)
		}
		silent(g.t, filepath.Base(path), string(b))
		all.Write(b)
	}
	for _, text := range has {
		if !strings.Contains(all.String(), text) {
			g.t.Errorf("Temporal's files do not have %q: looking through them shows nothing", text)
		}
	}
}

// TestSettingsThatCannotWorkAreNotRepeated gives every URL a password and
// lets it fail in each way it can.
func TestSettingsThatCannotWorkAreNotRepeated(t *testing.T) {
	t.Parallel()
	g := &guarded{cluster: &cluster{t: t, bin: programs(t), env: append(os.Environ(), "SLUICE_LOG_LEVEL=debug",
		"SLUICE_DATA_DIR="+t.TempDir(), "TEMPORAL_ADDRESS=")}}
	for _, setting := range []string{
		"DATABASE_URL=postgres://ann:%s@127.0.0.1:1/x", "DATABASE_URL=postgres://ann:%s@127.0.0.1:1/x?sslmode=%[1]s",
		"DATABASE_URL=postgres://ann:%s@[::1", "DATABASE_URL=mysql://ann:%s@h/x", "DATABASE_URL=postgres://ann:%s%%zz@h/x", "DATABASE_URL=%s",
		"DATABASE_URL=postgres://ann@127.0.0.1:1/x?password=%s",
		"REDIS_URL=redis://:%s@127.0.0.1:1", "REDIS_URL=redis://:%s@127.0.0.1:x", "REDIS_URL=http://:%s@h", "REDIS_URL=redis://:%s%%zz@h", "REDIS_URL=redis://h/0?%s=1",
		"STAGE_URL=s3://bucket?region=%s&endpoint=:", "STAGE_URL=s3://bucket?use_path_style=%s", "DATABASE_URL=postgres:ann:%s@h", "STAGE_URL=ftp://ann:%s@h", "STAGE_URL=s3://b%%zz?x=%s", "STAGE_URL=file:///x?%s",
		"SMTP_URL=smtp://ann:%s@127.0.0.1:1", "SMTP_URL=smtp://ann:%s@h:x?from=a", "SMTP_URL=http://ann:%s@h", "SMTP_URL=smtp://ann:%s%%zz@h", "SMTP_URL=smtp://ann:%s@h?from=%[1]s",
	} {
		setting = fmt.Sprintf(setting, secretCanary)
		for _, run := range [][]string{{"starter", "doctor"}, {"starter", "config"}, {"starter", "sweep"}} {
			if out := g.run(run[0], []string{setting}, run[1:]...); strings.Contains(out, secretCanary) {
				t.Errorf("%s with %s says: %s", strings.Join(run, " "), setting, out)
			}
		}
	}
}

// TestStepThatPanicsTellsNoCell lets a step panic while it has a batch in its
// hands.
func TestStepThatPanicsTellsNoCell(t *testing.T) {
	t.Parallel()
	for _, step := range []string{crm.Parse.Name, crm.Dedupe.Name, crm.Write.Name, crm.Settle.Name, crm.Reconcile.Name} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "", "")
			var log said
			w.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			var once atomic.Bool
			w.wrap = func(r worker.ActivityRegistry) worker.ActivityRegistry {
				return wrapped{r, func(do any, name string) any {
					if name != step {
						return do
					}
					return around(do, func(call func() []reflect.Value, in any) []reflect.Value {
						out := call()
						if once.CompareAndSwap(false, true) {
							var none map[string]any
							none[fmt.Sprint(in, out)] = time.Now() // panics, as our own code would
						}
						return out
					})
				}}
			}
			r := w.run(cellsOfCanaries(21), options{})
			if !strings.Contains(log.String(), "nil map") || r.State != crm.Done {
				t.Errorf("nothing panicked: state %s", r.State)
			}
			silent(t, "the log", log.String())
		})
	}
}

// TestFirstLineThatIsNoHeaderIsNotRepeated is a file without a header, whose
// first row stands where names of columns are looked for. A name of a column
// may be told, and what is none may not.
func TestFirstLineThatIsNoHeaderIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		fmt.Sprintf("ann@%[1]s.example.com,Ann %[1]s\nbob@%[1]s.example.com,Bob %[1]s\n", cellCanary),
		fmt.Sprintf("%[1]s,ann@%[1]s.example.com\nb%[1]s,bob@example.com\n", cellCanary),
		fmt.Sprintf("%[1]s,%[1]s\n", cellCanary),
	} {
		w := newWorld(t, "", "")
		_, err := w.try(file, options{})
		if err == nil {
			t.Errorf("%q was taken", file)
			continue
		}
		silent(t, "the failure of a file without a header", err.Error())
	}
}
