package endtoend

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/internal/store"
)

// laptop is the product with nothing configured: one command, one directory.
type laptop struct {
	t    *testing.T
	dir  string
	bin  string
	root string // of the checkout
}

func newLaptop(t *testing.T) *laptop {
	t.Helper()
	if _, err := embedded.FindTemporal(); err != nil {
		skipOutsideCI(t, "no Temporal server: %v", err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return &laptop{t: t, dir: filepath.Join(t.TempDir(), "data"), bin: filepath.Join(programs(t), "starter"), root: root}
}

// command prepares a command with nothing set but the data directory.
func (l *laptop) command(args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	cmd = exec.Command(l.bin, args...)
	cmd.Dir = l.root
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case strings.HasPrefix(name, "TEMPORAL_"), strings.HasPrefix(name, "SLUICE_"):
		case name == "DATABASE_URL", name == "REDIS_URL", name == "STAGE_URL":
		default:
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "SLUICE_DATA_DIR="+l.dir)
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// run runs a command to its end.
func (l *laptop) run(args ...string) (stdout, stderr string, code int) {
	l.t.Helper()
	cmd, out, errs := l.command(args...)
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		l.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// report runs an import with -o json and wants the given exit code.
func (l *laptop) report(want int, args ...string) crm.Report {
	l.t.Helper()
	stdout, stderr, code := l.run(append(args, "-o", "json")...)
	if code != want {
		l.t.Fatalf("%v exits %d, want %d:\n%s", args, code, want, stderr)
	}
	var r crm.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		l.t.Fatalf("%v prints no report: %v\n%s", args, err, stdout)
	}
	return r
}

func (l *laptop) answer(name string) (a struct {
	State crm.State `json:"state"`
	crm.Counts
}) {
	l.t.Helper()
	b, err := os.ReadFile(filepath.Join(l.root, "examples", name))
	if err != nil {
		l.t.Fatal(err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		l.t.Fatal(err)
	}
	return a
}

func TestExamplesComeToTheirAnswers(t *testing.T) {
	t.Parallel()
	l := newLaptop(t)
	want := l.answer("leads.answer.json")
	first := l.report(0, "import", "examples/leads.csv", "--source", "newsletter")
	if first.State != crm.Done || first.Counts != want.Counts {
		t.Errorf("leads.csv:\n%s", cmp.Diff(want.Counts, first.Counts))
	}
	second := l.report(0, "import", "examples/leads.csv", "--source", "newsletter")
	if second.State != crm.AlreadyImported || second.Earlier != first.ImportID {
		t.Errorf("the same file again: %s by %s, want already_imported by %s", second.State, second.Earlier, first.ImportID)
	}
	again := l.report(0, "import", "examples/leads.csv", "--source", "newsletter", "--again")
	for _, e := range crm.Entities {
		if got := again.Of(e); got.Created != 0 || got.Updated != 0 || got.Unchanged != want.Of(e).Created {
			t.Errorf("--again: %s %+v, want all %d unchanged", e.Plural(), *got, want.Of(e).Created)
		}
	}
	sheet := l.report(0, "import", "examples/leads.xlsx", "--source", "sheet")
	if sheet.Counts != want.Counts {
		t.Errorf("leads.xlsx:\n%s", cmp.Diff(want.Counts, sheet.Counts))
	}
	messy := l.report(3, "import", "examples/messy.csv", "--source", "messy")
	if diff := cmp.Diff(l.answer("messy.answer.json").Counts, messy.Counts); diff != "" {
		t.Errorf("messy.csv:\n%s", diff)
	}
}

func TestBadInputIsOneLineAndLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLaptop(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.csv", "external_id,name\n1,Ann\n")
	blocked := file("blocked", "")
	for name, c := range map[string]struct {
		args []string
		env  string
		code int
		says string
	}{
		"no such file":      {args: []string{filepath.Join(dir, "absent.csv")}, code: 2, says: "no such file"},
		"a directory":       {args: []string{dir}, code: 2, says: "directory"},
		"an empty file":     {args: []string{file("empty.csv", "")}, code: 2, says: "empty"},
		"a header only":     {args: []string{file("header.csv", "external_id,name\n")}, code: 2, says: "no rows"},
		"a binary file":     {args: []string{file("binary.csv", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\xff\xfe\x00\x00\x00\x00")}, code: 2, says: "binary"},
		"an .xls":           {args: []string{file("old.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"+strings.Repeat("\x00", 600))}, code: 2, says: ".xls"},
		"a missing sheet":   {args: []string{filepath.Join(l.root, "examples/leads.xlsx"), "--sheet", "Absent"}, code: 2, says: "sheet"},
		"a damaged header":  {args: []string{file("damaged.csv", "external_id,\"na\"me\n1,Ann\n")}, code: 2, says: "line 1"},
		"a missing column":  {args: []string{good, "--mapping", file("m.yaml", "version: 1\ncolumns:\n  Absent: customer.name\n")}, code: 2, says: "Absent"},
		"a bad mapping":     {args: []string{good, "--mapping", file("b.yaml", "version: 1\ncolums: {}\n")}, code: 2, says: "line 2"},
		"a bad source name": {args: []string{good, "--source", "News Letter"}, code: 2, says: "source"},
		"an unwritable dir": {args: []string{good}, env: "SLUICE_DATA_DIR=" + filepath.Join(blocked, "data"), code: 2, says: "directory"},
		"no Temporal there": {args: []string{good}, env: "TEMPORAL_ADDRESS=127.0.0.1:1", code: 4, says: "127.0.0.1:1"},
		"a URL":             {args: []string{"gopher://example.com/leads.csv"}, code: 2, says: "only https"},
		"a password":        {args: []string{"https://me:secret@example.com/leads.csv"}, code: 2, says: "settings of the source"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"import"}, c.args...)
			if !strings.Contains(strings.Join(args, " "), "--source") {
				args = append(args, "--source", "news")
			}
			cmd, stdout, stderr := l.command(args...)
			cmd.Env = append(cmd.Env, c.env)
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != c.code {
				t.Errorf("exits %d, want %d", got, c.code)
			}
			said := strings.TrimSpace(stderr.String())
			if strings.Contains(said, "\n") || !strings.Contains(said, c.says) || stdout.Len() > 0 {
				t.Errorf("says %q and prints %q; want one line with %q", said, stdout, c.says)
			}
			if entries, _ := os.ReadDir(l.dir); len(entries) > 0 && c.code == 2 {
				t.Errorf("left %d entries in the data directory", len(entries))
			}
		})
	}
}

// TestKilledLaptopResumesWithTheNextCommand kills everything at once in the
// middle of an import, and lets the next command end it.
func TestKilledLaptopResumesWithTheNextCommand(t *testing.T) {
	t.Parallel()
	rows := someRows(10, 4000)
	calm := newWorld(t, "", "")
	want := calm.run(asCSV(rows), options{})

	l := newLaptop(t)
	file := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(file, []byte(asCSV(rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", file, "--source", "news", "--batch-rows", "50", "--heartbeat", "2s"}
	for _, batches := range []int{5, 15, 30} {
		cmd, _, stderr := l.command(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		l.untilBatches(batches, ended, stderr)
		cmd.Process.Signal(syscall.SIGKILL)
		<-ended
	}
	got := l.report(3, args...)
	if diff := cmp.Diff(want.Counts, got.Counts); diff != "" {
		t.Errorf("counts (-undisturbed +got):\n%s", diff)
	}
	s := l.store()
	if export(t, s, "news") != calm.export("news") {
		t.Error("the records differ from those of an undisturbed import")
	}
}

func (l *laptop) store() *store.Store {
	l.t.Helper()
	s, err := store.Open(l.t.Context(), "sqlite://"+filepath.Join(l.dir, "sluice.db"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { s.Close() })
	return s
}

// untilBatches waits until so many batches are in.
func (l *laptop) untilBatches(n int, ended <-chan struct{}, said *bytes.Buffer) {
	l.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(2 * time.Minute)
	var s *store.Store
	for {
		select {
		case <-ended:
			l.t.Fatalf("the command ended before batch %d:\n%s", n, said)
		case <-limit:
			l.t.Fatalf("batch %d did not come:\n%s", n, said)
		case <-tick.C:
		}
		if s == nil {
			if _, err := os.Stat(filepath.Join(l.dir, "sluice.db")); err != nil {
				continue
			}
			s = l.store()
		}
		row, err := s.Import(l.t.Context(), "news")
		if err != nil {
			continue
		}
		in := 0
		for range s.Ledger(l.t.Context(), row.Number, 0) {
			in++
		}
		if in >= n {
			return
		}
	}
}
