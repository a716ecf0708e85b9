package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

const (
	defaultPort   = 7233 // the frontend's, where every Temporal tool looks first
	defaultUIPort = 8233

	// AnyPort asks for a free port, whichever it is.
	AnyPort = -1

	// retention is how long the server keeps closed workflows: 30 days.
	retention = "720h"

	// startAttempts bounds the starts when a port found free is taken by
	// somebody else before the server gets to it.
	startAttempts = 4
)

// TemporalOptions say how a Temporal server is to be started. The zero value is
// a server in memory, without a UI.
type TemporalOptions struct {
	// DB is the server's SQLite file, made if it is not there; "" keeps
	// everything in memory. A temporal command of another server version than
	// [TemporalVersion] gets a file of its own beside it.
	DB string

	Namespace string // made if it is not there; "sluice" if ""
	LogFile   string // appended to; "" keeps only what an error quotes
	UI        bool   // whether to serve the Web UI

	// Port and UIPort are the ports on 127.0.0.1. With 0 they are 7233 and
	// 8233, or others if these are taken; with [AnyPort] they are any.
	Port, UIPort int

	// Notify gets lines for a person, without a line end: a first build and how
	// far it is, ports that were taken. It may be nil.
	Notify func(line string)
}

func (o TemporalOptions) withDefaults() TemporalOptions {
	if o.Namespace == "" {
		o.Namespace = "sluice"
	}
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	return o
}

// A program is a Temporal server that can be started.
type program struct {
	path string
	cli  bool // Temporal's own command, not ours
}

// StartTemporal starts a Temporal server as a child of this process and returns
// once its namespace can be used. The caller stops it; should this process be
// killed, the child ends by itself.
//
// The program is sluice-temporal beside the running executable, else temporal
// on the PATH, else what [BuildTemporal] makes from the source around us, which
// takes minutes the first time. Ctx bounds the start and not the server's life.
func StartTemporal(ctx context.Context, o TemporalOptions) (*Server, error) {
	o = o.withDefaults()
	prog, err := find()
	if errors.Is(err, errNotBuilt) {
		prog = program{}
		prog.path, err = BuildTemporal(ctx, o.Notify)
	}
	if err != nil {
		return nil, fmt.Errorf("start temporal server: %w", err)
	}
	for attempt := 1; ; attempt++ {
		port, uiPort, err := choosePorts(o, attempt)
		if err != nil {
			return nil, fmt.Errorf("start temporal server: %w", err)
		}
		s, err := prog.start(ctx, o, port, uiPort)
		if err == nil {
			return s, nil
		}
		if attempt == startAttempts || ctx.Err() != nil || !portTaken(err) {
			return nil, fmt.Errorf("start temporal server: %w", err)
		}
	}
}

// FindTemporal returns the program StartTemporal would start without building
// anything. Otherwise its error says what to install or to run.
func FindTemporal() (string, error) {
	prog, err := find()
	if err != nil {
		return "", fmt.Errorf("find temporal server: %w", err)
	}
	return prog.path, nil
}

// find looks for a program in the order of preference. It gives errNotBuilt if
// one could be built.
func find() (program, error) {
	if exe, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(exe), binaryName())
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return program{path: beside}, nil
		}
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return program{path: path, cli: true}, nil
	}
	path, err := cached()
	return program{path: path}, err
}

func binaryName() string {
	if runtime.GOOS == "windows" {
		return "sluice-temporal.exe"
	}
	return "sluice-temporal"
}

// choosePorts settles the ports before the server is started, because a server
// that finds its port taken does not return: it ends the process. From the
// second attempt on the usual ports are not tried again.
func choosePorts(o TemporalOptions, attempt int) (port, uiPort int, err error) {
	port, err = choosePort("the Temporal server", o.Port, defaultPort, attempt, o.Notify)
	if err != nil || !o.UI {
		return port, -1, err
	}
	uiPort, err = choosePort("the Temporal UI", o.UIPort, defaultUIPort, attempt, o.Notify)
	return port, uiPort, err
}

func choosePort(what string, want, usual, attempt int, notify func(string)) (int, error) {
	switch {
	case want > 0:
		l, err := listen(want)
		if err != nil {
			return 0, fmt.Errorf("port %d for %s: %w", want, what, err)
		}
		return want, l.Close()
	case want == 0 && attempt == 1:
		if l, err := listen(usual); err == nil {
			return usual, l.Close()
		}
		notify(fmt.Sprintf("port %d is taken; %s gets another", usual, what))
	}
	l, err := listen(0)
	if err != nil {
		return 0, fmt.Errorf("port for %s: %w", what, err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// portTaken reports whether a server ended because of a port, by what it wrote:
// on Unix, and on Windows.
func portTaken(err error) bool {
	text := err.Error()
	return strings.Contains(text, "address already in use") ||
		strings.Contains(text, "Only one usage of each socket address")
}
