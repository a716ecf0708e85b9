package servertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Main runs the tests of a package and exits with their result, after the
// servers they started have ended and atEnd is called.
func Main(m *testing.M, atEnd ...func()) {
	code := m.Run()
	for _, do := range atEnd {
		do()
	}
	if shared.server != nil {
		shared.server.Stop()
	}
	if sharedMaria.server != nil {
		sharedMaria.server.Stop()
	}
	os.Exit(code)
}

// startLimit bounds how long a server may take to be ready.
const startLimit = time.Minute

// watch runs the server given as its arguments until standard input closes.
// It says the server's process id first, and then leaves the output to the
// server, so that it ends with it. $0 is the server's directory, which goes with
// it, unless there is a line to read: then the server was killed, and is seen
// out alone. QUIT makes PostgreSQL end at once; Redis, started in the background
// of a shell, ignores it and heeds TERM.
const watch = `"$@" </dev/null & server=$!
echo "pid $server"
exec >/dev/null 2>&1
if read -r _; then wait $server; exit; fi
kill -QUIT $server 2>/dev/null; kill -TERM $server 2>/dev/null
wait $server; cd /; rm -rf "$0"`

// A Server is a running server. It ends with Stop, or with this process,
// however that ends, and its directory goes with it.
type Server struct {
	PID  int    // of the server itself; PostgreSQL's is that of the postmaster
	URL  string // to connect to; PostgreSQL's names the database postgres
	port int

	dir   string
	ready string // what it says when it is
	argv  []string
	hold  io.WriteCloser
	ended chan struct{} // closed when the server and its watcher have ended
}

// start runs a program that serves dir until the server is stopped. It returns
// once a line of the output contains ready. The directory of a program that ends
// before that is left to the caller.
func start(dir, ready string, port int, argv ...string) (*Server, error) {
	cmd := exec.Command("sh", append([]string{"-c", watch, dir}, argv...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = unprivileged()
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = in, in
	err = cmd.Start()
	_ = in.Close() // the child has its own
	if err != nil {
		_ = out.Close()
		return nil, err
	}
	s := &Server{port: port, dir: dir, ready: ready, argv: argv, hold: hold, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		_ = cmd.Wait()
	}()
	said := make(chan said, 1)
	go listen(out, ready, said)
	select {
	case first := <-said:
		if s.PID = first.pid; first.last == "" {
			return s, nil
		}
		s.leave()
		return nil, fmt.Errorf("%s ended: %s", filepath.Base(argv[0]), first.last)
	case <-time.After(startLimit):
		s.Stop()
		return nil, fmt.Errorf("%s was not ready after %v", filepath.Base(argv[0]), startLimit)
	}
}

// said is what a server's output tells: its process id and, if it ended before
// it was ready, its last lines.
type said struct {
	pid  int
	last string
}

// listen drains a server's output. It passes on what was said as soon as the
// server is ready, or when the output ends.
func listen(out io.ReadCloser, ready string, to chan<- said) {
	defer out.Close()
	var s said
	var last []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if pid, ok := strings.CutPrefix(lines.Text(), "pid "); ok && s.pid == 0 {
			s.pid, _ = strconv.Atoi(pid)
			continue
		}
		if strings.Contains(lines.Text(), ready) {
			to <- s
			_, _ = io.Copy(io.Discard, out)
			return
		}
		last = append(last[max(0, len(last)-9):], lines.Text())
	}
	s.last = "it said: " + strings.Join(last, "\n")
	to <- s
	_, _ = io.Copy(io.Discard, out)
}

// Stop ends the server, waits until it has, and removes its directory.
func (s *Server) Stop() {
	_ = s.hold.Close()
	<-s.ended
}

// Again starts a server whose process was killed once more, on the same port
// and with the data it left. What it did not keep on disk is gone. It is not
// for a server that runs; one that does not start may be tried again.
func (s *Server) Again() error {
	s.leave()
	next, err := start(s.dir, s.ready, s.port, s.argv...)
	if err != nil {
		return err
	}
	s.PID, s.hold, s.ended = next.PID, next.hold, next.ended
	return nil
}

// leave sees a server out that has ended, and keeps its directory.
func (s *Server) leave() {
	_, _ = io.WriteString(s.hold, "leave\n") // or it has been left already
	<-s.ended
}

// home makes a directory in parent ("": that of temporary files) that the
// unprivileged user owns.
func home(parent, name string) (string, error) {
	dir, err := os.MkdirTemp(parent, "sluice-"+name+"-")
	if err != nil {
		return "", err
	}
	return dir, own(dir)
}

// freePort returns a TCP port of the loopback interface that was free a moment
// ago.
func freePort() (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// missing skips the test, or fails it where CI says that nothing may be
// skipped.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and CI is set, so this test may not be skipped", what)
	}
	t.Skipf("SKIPPED: %s is not installed; install it and put its binaries on PATH to run this test", what)
}
