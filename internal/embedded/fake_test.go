package embedded

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recordVariable names the file in which a fake notes how it was called.
const recordVariable = "EMBEDDED_TEST_RECORD"

// fakes are programs this test binary passes for when it is called by their
// name: what is tested is our side of the conversation.
var fakes = map[string]func(args []string){"temporal": fakeTemporal, "go": fakeGo}

// fakeTemporal answers as Temporal's own command does.
func fakeTemporal(args []string) {
	record(args)
	value := func(name string) string {
		i := slices.Index(args, name)
		if i < 0 {
			return ""
		}
		return args[i+1]
	}
	switch args[0] {
	case "--version":
		fmt.Println("temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)")
	case "operator":
		if !reachable(value("--address")) {
			os.Exit(1)
		}
	case "server":
		go func() { log.Fatal(http.ListenAndServe("127.0.0.1:"+value("--port"), nil)) }()
		log.Fatal(http.ListenAndServe("127.0.0.1:"+value("--ui-port"), http.HandlerFunc(
			func(http.ResponseWriter, *http.Request) {})))
	}
}

// fakeGo writes the file named by -o, or hangs when told to.
func fakeGo(args []string) {
	record(args)
	if os.Getenv("EMBEDDED_TEST_HANG") != "" {
		select {}
	}
	if err := os.WriteFile(args[slices.Index(args, "-o")+1], []byte("a binary"), 0o700); err != nil {
		log.Fatal(err)
	}
}

func record(args []string) {
	f, err := os.OpenFile(os.Getenv(recordVariable), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(f, strings.Join(args, " "))
	_ = f.Close()
}

// pretend makes this test binary the only program on the PATH, under name, and
// returns the function that says how it has been called.
func pretend(t *testing.T, name string) (calls func() string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs symbolic links; run on Unix")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(exe, filepath.Join(folder, name)); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(folder, "calls")
	t.Setenv("PATH", folder+":/bin:/usr/bin")
	t.Setenv(recordVariable, note)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(folder, "cache"))
	t.Setenv("HOME", folder)
	return func() string {
		body, _ := os.ReadFile(note)
		return string(body)
	}
}

func TestTemporalCommandGetsOurSettings(t *testing.T) {
	calls := pretend(t, "temporal")
	db := filepath.Join(t.TempDir(), "temporal-"+TemporalVersion+".db")
	s, err := StartTemporal(t.Context(), TemporalOptions{DB: db, UI: true, Port: AnyPort, UIPort: AnyPort})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	if s.Version != "1.29.1" {
		t.Errorf("Version = %q, want the command's 1.29.1", s.Version)
	}
	if err := get(t.Context(), s.UI); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"server start-dev --ip 127.0.0.1 --port ", "--namespace sluice",
		strings.Replace(db, TemporalVersion, "1.29.1", 1), "journal_mode=wal", "matching.enableFairness=true",
		"operator namespace update --address " + s.Address + " --namespace sluice --retention 720h",
	} {
		if !strings.Contains(calls(), want) {
			t.Errorf("called with\n%s\nlacks %q", calls(), want)
		}
	}
	// It looks at no standard input: the shell around it does.
	stop(t, s)
	if reachable(s.Address) {
		t.Error("a stopped command still listens")
	}
}

func TestTwoBuildersBuildOnce(t *testing.T) {
	calls := pretend(t, "go")
	var wg sync.WaitGroup
	paths := make([]string, 2)
	for i := range paths {
		wg.Go(func() {
			var err error
			if paths[i], err = BuildTemporal(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if paths[0] == "" || paths[0] != paths[1] {
		t.Errorf("built at %q", paths)
	}
	if n := strings.Count(calls(), "build "); n != 1 {
		t.Errorf("compiled %d times, want 1", n)
	}
	if got, err := FindTemporal(); err != nil || got != paths[0] {
		t.Errorf("FindTemporal = %q, %v, want what was built", got, err)
	}
	leavesNothing(t, filepath.Dir(paths[0]), filepath.Base(paths[0]), "build.lock")
}

func TestBuildCutShortLeavesNothing(t *testing.T) {
	calls := pretend(t, "go")
	t.Setenv("EMBEDDED_TEST_HANG", "1")
	if _, err := FindTemporal(); !errors.Is(err, errNotBuilt) {
		t.Errorf("FindTemporal = %v, want that it is not built", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := BuildTemporal(ctx, nil)
		ended <- err
	}()
	eventually(t, "the compiler runs", func() bool { return calls() != "" })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("BuildTemporal = %v, want that it was cancelled", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, filepath.Join(cache, "sluice"), "build.lock")
}

// leavesNothing checks that only the files named are in folder.
func leavesNothing(t *testing.T, folder string, but ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(but, e.Name()) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

func TestVersionIsTheModules(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile(filepath.Join("temporal", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "go.temporal.io/server v" + TemporalVersion + "\n"; !strings.Contains(string(mod), want) {
		t.Errorf("temporal/go.mod does not require %s", want)
	}
}

func TestDatabaseOfAnotherVersionIsAnother(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/d/temporal-1.32.1.db": "/d/temporal-1.29.1.db",
		"/d/mine.db":            "/d/mine-1.29.1.db",
		"mine":                  "mine-1.29.1",
	} {
		if got := databaseOf(in, "1.29.1"); got != want {
			t.Errorf("databaseOf(%q) = %q, want %q", in, got, want)
		}
	}
	if got := databaseOf("mine.db", TemporalVersion); got != "mine.db" {
		t.Errorf("databaseOf with our version = %q, want mine.db", got)
	}
}
