package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"sluice/activities"
	"sluice/internal/crm"
	"sluice/internal/dedupe"
	"sluice/internal/notify"
	"sluice/internal/stage"
	"sluice/internal/store"
	"sluice/workflows"
)

// stopTime is how long a worker that is asked to stop may take to finish the
// batches in hand. Containers must allow more.
const stopTime = 30 * time.Second

// gcPercent is how much garbage a worker lets lie, in per cent of what it uses,
// if GOGC does not say. Go's own 100 takes a third more memory for batches that
// are soon done with, and saves next to no time.
const gcPercent = 60

// Work runs a worker on real servers until ctx ends, then lets the batches in
// hand finish. Settings that are missing wrap [crm.ErrInvalid] and name the
// variables; a part that does not answer is a [ConnectError].
func Work(ctx context.Context, c Config, log *slog.Logger) error {
	o, err := temporal(log)
	if err != nil {
		return err
	}
	if p := c.parts(o); p.any() {
		return fmt.Errorf("worker: %w: set %s; only the starter brings embedded parts", crm.ErrInvalid, p)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	var s Stack
	defer s.Close()
	if err := s.profiles(c, log); err != nil {
		return err
	}
	t, err := s.ready(ctx, c, o)
	if err != nil {
		return err
	}
	start, err := newWorker(ctx, c, t, s.Store, s.Stage, c.RedisURL, log, &s.open)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	if err := start(func(err error) { failed <- err }); err != nil {
		return err
	}
	log.Info("worker runs", "namespace", o.Namespace, "task_queue", workflows.TaskQueue)
	select {
	case <-ctx.Done():
		log.Info("worker stops; batches in hand are finished", "at_most", stopTime)
		return nil
	case err := <-failed:
		return fmt.Errorf("worker: %w", err)
	}
}

// newWorker connects what the steps need and returns how to start the worker.
// What it opens, the worker included, is closed by open.
func newWorker(ctx context.Context, c Config, t client.Client, s *store.Store, g *stage.Stage, redis string,
	log *slog.Logger, open *closers) (start func(fatal func(error)) error, err error) {
	index, err := dedupe.Open(ctx, redis)
	if err != nil {
		return nil, err
	}
	open.add(index.Close)
	a := &activities.Activities{Stage: g, Store: s, Judge: dedupe.NewJudge(index, log), MailTo: c.MailTo, Running: running{t}, Schedules: schedules{t}}
	if a.Sources, err = newSources(c, s, index); err != nil {
		return nil, err
	}
	if c.SMTPURL != "" {
		mailer, err := notify.Open(c.SMTPURL)
		if err != nil {
			return nil, err
		}
		a.Mailer = mailer
	}
	return func(fatal func(error)) error {
		w := worker.New(t, workflows.TaskQueue, worker.Options{
			// The SDK's default of a thousand steps at a time would be a
			// thousand batches in memory.
			MaxConcurrentActivityExecutionSize: max(4, 2*runtime.NumCPU()),
			WorkerStopTimeout:                  stopTime,
			// Else the worker that decides on a step keeps it, and a second one
			// has next to nothing of an import.
			DisableEagerActivities: true,
			// A cancel or a pause reaches a step with a heartbeat that is
			// really sent.
			MaxHeartbeatThrottleInterval: 5 * time.Second,
			// How long an import waits for the worker that knows it when that
			// one is gone, before another reads its history: five seconds unless
			// set, on top of the heartbeat's.
			StickyScheduleToStartTimeout: 2 * time.Second,
			OnFatalError:                 fatal,
		})
		workflows.Register(w)
		activities.Register(w, a)
		if err := w.Start(); err != nil {
			return fmt.Errorf("start worker: %w", err)
		}
		open.add(func() error { w.Stop(); return nil })
		stop, err := sweeping(c, s, g, log)
		if err == nil {
			open.add(stop)
		}
		return err
	}, nil
}

// closers closes what was opened, in reverse.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

func (c *closers) close() error {
	var errs []error
	for i := len(*c) - 1; i >= 0; i-- {
		errs = append(errs, (*c)[i]())
	}
	*c = nil
	return errors.Join(errs...)
}
