package servertest

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// Redis starts a Redis server of the test's own, keeping nothing on disk, and
// returns its URL. The server ends with the test.
func Redis(t testing.TB) string {
	t.Helper()
	s, err := StartRedis("")
	if errors.Is(err, exec.ErrNotFound) {
		missing(t, "Redis (redis-server)")
	}
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	t.Cleanup(s.Stop)
	return s.URL
}

// StartRedis starts a Redis server that keeps nothing on disk, for programs
// that are no tests. Parent is as for [StartPostgres]. The caller stops it.
// Where Redis is not installed the error is [exec.ErrNotFound].
func StartRedis(parent string) (*Server, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, err
	}
	dir, err := home(parent, "redis")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s, err := start(dir, "eady to accept connections", port, binary,
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	s.URL = "redis://127.0.0.1:" + strconv.Itoa(port) + "/0"
	return s, nil
}
