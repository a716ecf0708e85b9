//go:build linux

package main

import (
	"bytes"
	"context"
	"sync/atomic"
	"syscall"
	"time"
)

var workerFaults = []*fault{{
	id: "F1", name: "the worker is killed, again and again", short: true, rows: 6000,
	how:   "SIGKILL of the worker process at 20 seeded moments (2 in the short set); another one starts at once",
	holds: "I1 I2 I3 I4 I6 I9",
	seen:  "attempts rise; the counts are those of an undisturbed import",
	play: func(ctx context.Context, s *scene) error {
		w, kills, at := s.worker(), 20, 0
		if s.light {
			kills = 2
		}
		if err := s.begin(ctx); err != nil {
			return err
		}
		for range kills {
			at += 1 + s.random.IntN(4)
			s.say("kill after batch %d", at)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			s.pass(ctx, 0, 150*time.Millisecond)
			w.signal(syscall.SIGKILL)
		}
		return s.end(ctx)
	},
}, {
	id: "F2", name: "the worker is killed between commit and answer", short: true,
	how:   "the link holds back what PostgreSQL answers to a COMMIT, and all that goes to Temporal; then SIGKILL; three times",
	holds: "I2 I3",
	seen:  "nothing: the ledger answers the second attempt",
	play: func(ctx context.Context, s *scene) error {
		w, at := s.worker(), 0
		if err := s.begin(ctx); err != nil {
			return err
		}
		for range 3 {
			at += 2 + s.random.IntN(8)
			s.say("kill at the commit after batch %d", at)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			if err := s.killAtCommit(ctx, w); err != nil {
				return err
			}
		}
		return s.end(ctx)
	},
}, {
	id: "F3", name: "a deploy: SIGTERM with a second worker there",
	how:   "a second worker starts, the first gets SIGTERM and ends; three times over",
	holds: "I1 I2 I3 I6 I9",
	seen:  "nothing: batches in hand are finished; no mail speaks of a failure",
	play: func(ctx context.Context, s *scene) error {
		old, at := s.worker(), 0
		if err := s.begin(ctx); err != nil {
			return err
		}
		for range 3 {
			at += 2 + s.random.IntN(8)
			s.say("deploy after batch %d", at)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			next := s.worker()
			s.pass(ctx, 0, time.Second)
			old.stop(syscall.SIGTERM)
			old = next
		}
		return s.end(ctx)
	},
}, {
	id: "F5", name: "two versions of the worker, there and back", rows: 6000,
	how: "the worker of another commit (`-old`) begins; this one's joins it, and the other one gets SIGTERM; then the same the other way " +
		"round, at seeded moments",
	holds: "I1 I2 I3 I9: neither stumbles over what the other one began",
	seen:  "nothing",
	play: func(ctx context.Context, s *scene) error {
		if s.old == "" {
			return skipped{"it needs the commit of another version: -old"}
		}
		versions := []string{"worker-old", "worker", "worker-old"}
		w, at := s.workerOf(versions[0]), 0
		if err := s.begin(ctx); err != nil {
			return err
		}
		for _, v := range versions[1:] {
			at += 2 + s.random.IntN(25)
			s.say("%s joins after batch %d", v, at)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			next := s.workerOf(v)
			at += 2 + s.random.IntN(25)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			w.stop(syscall.SIGTERM)
			w = next
		}
		return s.end(ctx)
	},
}}

// killAtCommit kills the worker when a transaction of its has committed and it
// has not heard of it.
func (s *scene) killAtCommit(ctx context.Context, w *keeper) error {
	var hit atomic.Bool
	gone := make(chan struct{})
	s.postgres.on(func(to direction, b []byte) verdict {
		if to == toClient && bytes.Contains(b, []byte("COMMIT\x00")) && hit.CompareAndSwap(false, true) {
			s.temporal.stop()
			<-gone
		}
		return pass
	})
	err := until(ctx, "a transaction commits", func() (bool, error) { return hit.Load(), nil })
	w.signal(syscall.SIGKILL)
	s.postgres.on(nil)
	close(gone)
	s.temporal.cut()
	s.temporal.flow()
	return err
}
