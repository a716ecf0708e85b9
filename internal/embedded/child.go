package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const (
	endGrace  = 10 * time.Second // from standard input closed to SIGTERM
	termGrace = 5 * time.Second  // from SIGTERM to SIGKILL

	maxLog   = 8 << 20  // in bytes; a longer log is put aside at the next start
	tailSize = 16 << 10 // in bytes; how much of a log's end is remembered
	quoted   = 3        // lines of it that an error quotes
)

// A Server is a Temporal server running as a child of this process.
type Server struct {
	Address string // host:port of the frontend
	UI      string // URL of the Web UI; "" without one
	Version string // of the server, such as 1.32.1

	cmd   *exec.Cmd
	stdin io.Closer
	log   *tail
	line  chan string   // the first line of standard output
	done  chan struct{} // closed once the child has ended and err is set

	mu      sync.Mutex
	stopped bool // whether the end was asked for
	err     error
}

// launch starts cmd as a child that ends with us.
func launch(cmd *exec.Cmd, logFile string) (*Server, error) {
	log, err := openTail(logFile)
	if err != nil {
		return nil, err
	}
	s := &Server{cmd: cmd, log: log, line: make(chan string, 1), done: make(chan struct{})}
	setApart(cmd)
	cmd.Stdout = &firstLine{line: s.line}
	cmd.Stderr = log.stderr()
	cmd.WaitDelay = termGrace
	if s.stdin, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_ = log.Close()
		return nil, err
	}
	go s.wait()
	return s, nil
}

// wait sees the child out.
func (s *Server) wait() {
	err := s.cmd.Wait()
	_ = s.log.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		if err == nil {
			err = errors.New("exit status 0")
		}
		s.err = fmt.Errorf("temporal server ended: %w%s", err, s.log.quote())
	}
	close(s.done)
}

// Done is closed when the child has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says why the child ended: nil while it runs and after Stop or Kill, else
// an error that names the log and quotes its last lines.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stop ends the server and waits for it: it closes the child's standard input,
// on which it ends by itself, and resorts to signals when that takes too long
// or ctx ends. An error means the server had to be killed, from which its
// database recovers. A server that has ended is stopped already.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	_ = s.stdin.Close()
	if s.ends(ctx, endGrace) {
		return nil
	}
	_ = terminate(s.cmd.Process)
	if s.ends(ctx, termGrace) {
		return nil
	}
	s.Kill()
	return errors.New("stop temporal server: killed after its time to end was up")
}

func (s *Server) ends(ctx context.Context, within time.Duration) bool {
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-s.done:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// Kill ends the server with no chance to tidy up, and waits until it is gone.
// It is what a test of durability needs; everybody else wants Stop.
func (s *Server) Kill() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	select {
	case <-s.done: // Its process id may be another's by now.
	default:
		_ = kill(s.cmd.Process)
	}
	<-s.done
}

// A firstLine passes on the first line written to it and drops the rest.
type firstLine struct {
	line chan<- string
	buf  []byte
	sent bool
}

func (f *firstLine) Write(p []byte) (int, error) {
	if f.sent {
		return len(p), nil
	}
	f.buf = append(f.buf, p...)
	if i := bytes.IndexByte(f.buf, '\n'); i >= 0 {
		f.sent = true
		f.line <- string(f.buf[:i])
	}
	return len(p), nil
}

// A tail is a log of which an error can quote the end: a file, or without a
// name the last bytes in memory. The file is the child's own to write, so that
// it can log even while it ends because we were killed.
type tail struct {
	name  string   // of the file; "" if there is none
	file  *os.File // nil if there is none
	start int64    // the file's size before this child

	mu  sync.Mutex
	mem []byte
}

// openTail opens the log at path for appending. One that has grown long is kept
// as path.1, in place of the one before.
func openTail(path string) (*tail, error) {
	if path == "" {
		return &tail{}, nil
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	start, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &tail{name: path, file: f, start: start}, nil
}

// stderr is what the child is to be given.
func (t *tail) stderr() io.Writer {
	if t.file != nil {
		return t.file
	}
	return t
}

// Write keeps the end of what is written. It never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mem = append(t.mem, p...)
	t.mem = t.mem[max(0, len(t.mem)-tailSize):]
	return len(p), nil
}

// Close lets go of the file and keeps its end for quoting.
func (t *tail) Close() error {
	if t.file == nil {
		return nil
	}
	end := t.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.file.Close()
	t.mem, t.file = end, nil
	return err
}

// end returns the last bytes logged.
func (t *tail) end() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return t.mem
	}
	info, err := t.file.Stat()
	if err != nil {
		return nil
	}
	from := max(t.start, info.Size()-tailSize)
	body, _ := io.ReadAll(io.NewSectionReader(t.file, from, tailSize))
	return body
}

// quote returns the last lines as the end of an error's text. Of a stack trace,
// which is two lines a frame and the second indented, it leaves out both: the
// line that says what went wrong stands before it.
func (t *tail) quote() string {
	all := strings.Split(strings.TrimSpace(string(t.end())), "\n")
	var lines []string
	for i, line := range all {
		inner := strings.HasPrefix(line, "\t")
		outer := i+1 < len(all) && strings.HasPrefix(all[i+1], "\t")
		if !inner && !outer && line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines[max(0, len(lines)-quoted):], "\n\t")
	switch {
	case t.name == "" && text == "":
		return ""
	case t.name == "":
		return "; its last lines:\n\t" + text
	case text == "":
		return "; its log is " + t.name
	}
	return "; its log " + t.name + " ends:\n\t" + text
}
