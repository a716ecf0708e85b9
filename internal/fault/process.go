//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A keeper runs a worker process, and another one whenever it ends, as those do
// who run containers. It runs until it is stopped.
type keeper struct {
	program string
	env     []string
	log     *tail
	ended   chan struct{} // closed when it has been stopped

	mu      sync.Mutex
	cmd     *exec.Cmd // nil between two workers
	starts  int
	stopped bool
}

// restart is how long a keeper waits before it starts another worker.
const restart = 200 * time.Millisecond

func keep(program string, env []string, log *tail) *keeper {
	k := &keeper{program: program, env: env, log: log, ended: make(chan struct{})}
	go k.run()
	return k
}

func (k *keeper) run() {
	defer close(k.ended)
	for k.once() {
		time.Sleep(restart)
	}
}

// once runs one worker to its end, and says whether there is to be another.
func (k *keeper) once() bool {
	cmd := exec.Command(k.program)
	cmd.Env, cmd.Stderr = k.env, k.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	k.mu.Lock()
	if k.stopped {
		k.mu.Unlock()
		return false
	}
	err := cmd.Start()
	if err == nil {
		k.cmd = cmd
		k.starts++
	}
	k.mu.Unlock()
	if err == nil {
		_ = cmd.Wait()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cmd = nil
	return !k.stopped
}

// signal sends the worker a signal, if one is there.
func (k *keeper) signal(s syscall.Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cmd != nil {
		_ = k.cmd.Process.Signal(s)
	}
}

// started says how many workers there have been.
func (k *keeper) started() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.starts
}

// peak is how many bytes of memory the worker that runs has held at the most.
func (k *keeper) peak() (n int64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cmd == nil {
		return 0, errors.New("no worker runs")
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	_, err = fmt.Sscanf(rest, "%d kB", &n)
	return n << 10, err
}

// stop ends the worker by a signal, for good, and waits until it has.
func (k *keeper) stop(s syscall.Signal) {
	k.mu.Lock()
	k.stopped = true
	k.mu.Unlock()
	k.signal(s)
	select {
	case <-k.ended:
	case <-time.After(40 * time.Second):
		k.signal(syscall.SIGKILL)
		<-k.ended
	}
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

// tailSize is how much a tail keeps.
const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	t.end = t.end[max(0, len(t.end)-tailSize):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}

// An answer is what a command printed, and its exit code.
type answer struct {
	out, said string
	code      int
}

// command runs a command to its end.
func command(ctx context.Context, env []string, program string, args ...string) (answer, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = env
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	return answer{out.String(), said.String(), cmd.ProcessState.ExitCode()}, err
}

// environment is that of this process without settings of the product or of
// Temporal, and with those given.
func environment(with ...string) []string {
	var kept []string
	for _, setting := range os.Environ() {
		ours := false
		for _, prefix := range []string{"TEMPORAL_", "DATABASE_URL", "REDIS_URL", "STAGE_URL", "SMTP_URL", "SLUICE_"} {
			ours = ours || strings.HasPrefix(setting, prefix)
		}
		if !ours {
			kept = append(kept, setting)
		}
	}
	return append(kept, with...)
}
