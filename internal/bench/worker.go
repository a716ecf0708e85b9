package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A worker is a worker process.
type worker struct {
	cmd   *exec.Cmd
	log   *workerLog
	ended chan struct{} // closed when the process has ended
}

// startTime is how long a worker may take to be ready.
const startTime = time.Minute

// startWorker returns once the worker takes work. The caller stops it.
func (s *stack) startWorker(ctx context.Context, env []string) (*worker, error) {
	w := &worker{cmd: exec.Command(s.program("worker")), log: &workerLog{ready: make(chan struct{})}, ended: make(chan struct{})}
	w.cmd.Env, w.cmd.Stderr = env, w.log
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = w.cmd.Wait() // what it said says more
		close(w.ended)
	}()
	limit := time.NewTimer(startTime)
	defer limit.Stop()
	var err error
	select {
	case <-w.log.ready:
		return w, nil
	case <-w.ended:
		err = w.fault()
	case <-limit.C:
		err = fmt.Errorf("worker is not ready after %v", startTime)
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.stop()
	return nil, err
}

func (w *worker) pid() int { return w.cmd.Process.Pid }

// stop ends the worker and waits until it has.
func (w *worker) stop() {
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	limit := time.NewTimer(stopTime)
	defer limit.Stop()
	select {
	case <-w.ended:
	case <-limit.C:
		_ = w.cmd.Process.Kill()
		<-w.ended
	}
}

func (w *worker) fault() error {
	return errors.New("worker ended; it said last:\n" + w.log.end())
}

// watched returns a context that also ends when the worker does, of which an
// import would wait for ever.
func (w *worker) watched(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-w.ended:
			cancel(w.fault())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// A workerLog keeps the end of what a worker says, and notices when it runs.
type workerLog struct {
	ready chan struct{}

	mu   sync.Mutex
	tail []byte
	runs bool
}

// Write is called by the process's own copier.
func (l *workerLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-4096):]
	if !l.runs && bytes.Contains(l.tail, []byte("worker runs")) {
		l.runs = true
		close(l.ready)
	}
	return len(p), nil
}

func (l *workerLog) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.tail)
}
