package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds every wait in these tests.
const patience = 60 * time.Second

// roleVariable makes this test binary play another process: see roles.
const roleVariable = "EMBEDDED_TEST_ROLE"

// roles are what a second process does. Each prints one line of JSON and then
// lives until its standard input ends or it is killed.
var roles = map[string]func(arg string) (any, error){
	"own": func(arg string) (any, error) {
		d, err := Open(arg)
		if err != nil {
			return nil, err
		}
		a := Address{PID: os.Getpid(), StartedAt: time.Now().UTC(), Temporal: "127.0.0.1:1", Redis: "127.0.0.1:2"}
		return a, d.Publish(a)
	},
	"serve": func(arg string) (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return StartTemporal(ctx, TemporalOptions{DB: arg, Port: AnyPort})
	},
}

// TestMain runs the tests, or plays a program that the tests have put on the
// PATH under another name, or a role.
func TestMain(m *testing.M) {
	if fake, ok := fakes[filepath.Base(os.Args[0])]; ok {
		fake(os.Args[1:])
		os.Exit(0)
	}
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	said, err := role(os.Args[len(os.Args)-1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// play starts this test binary in a role, decodes what it says, and returns the
// function that kills it.
func play(t *testing.T, role, arg string, said any) (kill func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, arg)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			_ = stdin.Close()
		}
	}
	t.Cleanup(kill)
	if err := json.NewDecoder(stdout).Decode(said); err != nil {
		t.Fatalf("role %s said nothing: %v", role, err)
	}
	return kill
}

// eventually waits until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !ok(); {
		select {
		case <-end:
			t.Fatalf("after %s still not so: %s", patience, what)
		case <-tick.C:
		}
	}
}
