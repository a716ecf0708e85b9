package embedded

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// start starts a server for the test, which is skipped where there is none to
// start without building.
func start(t *testing.T, o TemporalOptions) *Server {
	t.Helper()
	if _, err := FindTemporal(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := StartTemporal(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if s.Err() != nil {
		t.Errorf("Err after Stop = %v, want nil", s.Err())
	}
}

func reachable(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func TestServerAnswersUntilStopped(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "temporal.log")
	s := start(t, TemporalOptions{UI: true, Port: AnyPort, UIPort: AnyPort, LogFile: log})
	if !reachable(s.Address) {
		t.Errorf("nobody listens on %s", s.Address)
	}
	if s.Version == "" {
		t.Error("Version is empty")
	}
	for _, path := range []string{"/", "/api/v1/namespaces/sluice"} {
		if err := get(t.Context(), s.UI+path); err != nil {
			t.Error(err)
		}
	}
	stop(t, s)
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Stop")
	}
	if reachable(s.Address) {
		t.Error("a stopped server still listens")
	}
	if _, err := os.Stat(log); err != nil {
		t.Error(err)
	}
}

// startWorkflow starts a workflow that no worker will ever run, through the UI.
func startWorkflow(t *testing.T, s *Server, id string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.UI+"/api/v1/namespaces/sluice/workflows/"+id,
		strings.NewReader(`{"workflowType":{"name":"Import"},"taskQueue":{"name":"sluice"}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("start workflow %s: %s", id, resp.Status)
	}
}

func TestHistoryOutlivesStopAndKill(t *testing.T) {
	t.Parallel()
	o := TemporalOptions{
		DB: filepath.Join(t.TempDir(), "with space #1%.db"),
		UI: true, Port: AnyPort, UIPort: AnyPort,
	}
	first := start(t, o)
	startWorkflow(t, first, "stopped")
	stop(t, first)

	second := start(t, o)
	startWorkflow(t, second, "killed")
	second.Kill()
	if second.Err() != nil {
		t.Errorf("Err after Kill = %v, want nil", second.Err())
	}

	third := start(t, o)
	for _, id := range []string{"stopped", "killed"} {
		if err := get(t.Context(), third.UI+"/api/v1/namespaces/sluice/workflows/"+id+"/history"); err != nil {
			t.Error(err)
		}
	}
	if get(t.Context(), third.UI+"/api/v1/namespaces/sluice/workflows/absent/history") == nil {
		t.Error("a workflow that never was has a history")
	}
	stop(t, third)
}

func TestServerDiesWithAKilledParent(t *testing.T) {
	t.Parallel()
	if _, err := FindTemporal(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	var s Server
	kill := play(t, "serve", filepath.Join(t.TempDir(), "temporal.db"), &s)
	if !reachable(s.Address) {
		t.Fatalf("nobody listens on %s", s.Address)
	}
	kill()
	eventually(t, "the orphan is gone", func() bool { return !reachable(s.Address) })
}

func TestServerThatDiesSaysWhy(t *testing.T) {
	t.Parallel()
	s := start(t, TemporalOptions{Port: AnyPort})
	if err := kill(s.cmd.Process); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "temporal server ended") {
		t.Errorf("Err = %v, want the end of the server", err)
	}
	stopped := s.Stop(context.Background())
	if stopped != nil {
		t.Errorf("Stop of a dead server = %v, want nil", stopped)
	}
}

func TestStartThatFailsQuotesTheLog(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	db, log := filepath.Join(folder, "not.db"), filepath.Join(folder, "temporal.log")
	if err := os.WriteFile(db, []byte(strings.Repeat("this is no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FindTemporal(); err != nil {
		start(t, TemporalOptions{}) // skips or fails
	}
	s, err := StartTemporal(t.Context(), TemporalOptions{DB: db, LogFile: log, Port: AnyPort})
	if err == nil {
		s.Kill()
		t.Fatal("a server started on a file that is no database")
	}
	for _, want := range []string{log, "file is not a database"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
}

func TestTakenPorts(t *testing.T) {
	busy, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().(*net.TCPAddr).Port

	t.Run("usual one gives way and says so", func(t *testing.T) {
		var said []string
		got, err := choosePort("the server", 0, taken, 1, func(line string) { said = append(said, line) })
		if err != nil || got == taken || got <= 0 {
			t.Errorf("choosePort = %d, %v, want another than %d", got, err, taken)
		}
		if len(said) != 1 || !strings.Contains(said[0], strconv.Itoa(taken)) {
			t.Errorf("said %q, want the port that is taken", said)
		}
	})
	t.Run("named one is an error", func(t *testing.T) {
		_, err := StartTemporal(t.Context(), TemporalOptions{Port: taken})
		if err == nil || !strings.Contains(err.Error(), strconv.Itoa(taken)) {
			if _, missing := FindTemporal(); missing != nil {
				start(t, TemporalOptions{}) // skips or fails
			}
			t.Errorf("StartTemporal on port %d = %v, want an error naming it", taken, err)
		}
	})
	t.Run("one taken in between is tried elsewhere", func(t *testing.T) {
		path, err := FindTemporal()
		if err != nil {
			start(t, TemporalOptions{}) // skips or fails
		}
		_, err = program{path: path}.start(t.Context(), TemporalOptions{Namespace: "sluice"}, taken, -1)
		if err == nil || !portTaken(err) {
			t.Errorf("start on a taken port = %v, want an error known as such", err)
		}
	})
}
