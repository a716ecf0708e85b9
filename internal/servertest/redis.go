package servertest

import (
	"os/exec"
	"strconv"
	"testing"
)

// Redis starts a Redis server of the test's own, keeping nothing on disk, and
// returns its URL. The server ends with the test.
func Redis(t testing.TB) string {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, "Redis (redis-server)")
	}
	dir, err := home("redis")
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	s, err := start(dir, "eady to accept connections", port, binary,
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	t.Cleanup(s.stop)
	return "redis://127.0.0.1:" + strconv.Itoa(port) + "/0"
}
