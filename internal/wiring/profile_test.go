package wiring

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/crm"
)

// served starts the profiles at an address and returns where they are and what
// was logged.
func served(t *testing.T, address string) (s *Stack, at, said string) {
	t.Helper()
	var log bytes.Buffer
	s = &Stack{}
	if err := s.profiles(Config{PprofAddress: address}, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	said = log.String()
	if _, at, _ = strings.Cut(said, "address="); at != "" {
		_, port, err := net.SplitHostPort(strings.Trim(strings.TrimSpace(at), `"`))
		if err != nil {
			t.Fatalf("logged %q: %v", said, err)
		}
		at = "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	return s, at, said
}

func status(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestProfilesAreServedOnAMuxOfTheirOwn(t *testing.T) {
	t.Parallel()
	http.HandleFunc("/anything-else", func(http.ResponseWriter, *http.Request) {})
	_, at, _ := served(t, "127.0.0.1:0")
	for path, want := range map[string]int{
		"/debug/pprof/":                  http.StatusOK,
		"/debug/pprof/heap":              http.StatusOK,
		"/debug/pprof/trace?seconds=.01": http.StatusOK,
		"/debug/pprof/cmdline":           http.StatusNotFound, // it may hold a password
		"/anything-else":                 http.StatusNotFound, // of the default mux
		"/":                              http.StatusNotFound,
	} {
		if got := status(t, at+path); got != want {
			t.Errorf("GET %s = %d, want %d", path, got, want)
		}
	}
}

func TestProfilesEndWithTheStack(t *testing.T) {
	t.Parallel()
	s, at, _ := served(t, "127.0.0.1:0")
	if got := status(t, at+"/debug/pprof/heap"); got != http.StatusOK {
		t.Fatalf("before: status %d", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get(at + "/debug/pprof/heap"); err == nil {
		resp.Body.Close()
		t.Errorf("after: status %d, want no answer", resp.StatusCode)
	}
}

func TestProfilesBeyondThisMachineAreWarnedOf(t *testing.T) {
	t.Parallel()
	for address, warned := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, ":0": true, "0.0.0.0:0": true} {
		if _, _, said := served(t, address); strings.Contains(said, "level=WARN") != warned {
			t.Errorf("%s: logged %q; warned should be %v", address, said, warned)
		}
	}
	if _, at, said := served(t, ""); at != "" || said != "" {
		t.Errorf("without an address: logged %q, want nothing", said)
	}
}

func TestProfileAddressThatCannotWorkIsInvalid(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"6060", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:65536", "http://127.0.0.1:6060"} {
		_, err := Config{PprofAddress: address, DataDir: t.TempDir()}.Resolve()
		if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "SLUICE_PPROF_ADDRESS") {
			t.Errorf("Resolve(%q) = %v, want invalid with the variable's name", address, err)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var s Stack
	err = s.profiles(Config{PprofAddress: taken.Addr().String()}, slog.New(slog.DiscardHandler))
	if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "SLUICE_PPROF_ADDRESS") {
		t.Errorf("a port that is taken: %v, want invalid with the variable's name", err)
	}
}
