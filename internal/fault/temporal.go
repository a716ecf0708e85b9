//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"time"
)

var temporalFaults = []*fault{{
	id: "F6", name: "the Temporal server is killed",
	how:   "SIGKILL of the server, which keeps its state in a file; it starts again after a seeded while; twice",
	holds: "I1 I2 I3 I9",
	seen:  "commands that need Temporal exit with 4 and name it; then the import goes on",
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		at := 0
		for range 2 {
			at += 2 + s.random.IntN(8)
			s.say("kill after batch %d", at)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			if err := s.restartTemporal(ctx); err != nil {
				return err
			}
		}
		return s.end(ctx)
	},
}, {
	id: "F7", name: "what the Temporal server knew is lost", rows: 6000,
	how: "SIGKILL of the server at a seeded moment; its database is removed, and it starts again, empty, with another worker; then an " +
		"operator imports the file once more",
	holds: "I1 I2 I3 I9: what was written stays, and the same file makes the rest",
	seen:  "`progress` says `interrupted`, and once another import of the source has begun `imports show` does",
	play: func(ctx context.Context, s *scene) error {
		w, at := s.worker(), 2+s.random.IntN(20)
		if err := s.begin(ctx); err != nil {
			return err
		}
		s.say("lost after batch %d", at)
		if err := s.in(ctx, at); err != nil {
			return err
		}
		lost := s.id
		s.stack.temporal.Kill()
		s.temporal.down()
		w.stop(syscall.SIGKILL)
		if err := s.forgetTemporal(); err != nil {
			return err
		}
		if err := s.resumeTemporal(ctx); err != nil {
			return err
		}
		s.worker()
		if err := s.sees(ctx, "interrupted"); err != nil {
			return err
		}
		var err error
		if s.before, err = readTables(ctx, s.db, news); err != nil {
			return err
		}
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.end(ctx); err != nil {
			return err
		}
		return s.shows(ctx, lost, "interrupted")
	},
}}

// restartTemporal kills the server and starts it after a seeded while.
func (s *scene) restartTemporal(ctx context.Context) error {
	s.stack.temporal.Kill()
	s.temporal.down()
	s.pass(ctx, 0, 3*time.Second)
	return s.resumeTemporal(ctx)
}

func (s *scene) resumeTemporal(ctx context.Context) error {
	if err := s.startTemporal(ctx); err != nil {
		return err
	}
	s.temporal.flow()
	s.temporal.to(s.stack.temporal.Address)
	return nil
}

// shows makes sure of the state in which an import is shown.
func (s *scene) shows(ctx context.Context, id, want string) error {
	a, err := s.must(ctx, "imports", "show", id, "-o", "json")
	var shown struct{ State string }
	if err == nil {
		err = json.Unmarshal([]byte(a.out), &shown)
	}
	if err == nil && shown.State != want {
		err = fmt.Errorf("I9: the lost import is shown as %s, want %s", shown.State, want)
	}
	return err
}

// networkFaults harm every link.
var networkFaults = []*fault{{
	id: "F23", name: "a slow and a parted network", rows: 1500,
	how: "every link delayed by 50 to 100 ms; then all stopped for ten seconds; then stopped one by one and let flow one by one, " +
		"in seeded orders",
	holds: "I1 I2 I3 I9",
	seen:  "slower; steps that ran into their heartbeat timeout have a second attempt",
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		links := []*link{s.postgres, s.redis, s.temporal}
		for _, l := range links {
			l.slow(50*time.Millisecond, 50*time.Millisecond, 0)
		}
		if err := s.in(ctx, 1+s.random.IntN(3)); err != nil {
			return err
		}
		for _, l := range links {
			l.slow(0, 0, 0)
			l.stop()
		}
		s.pass(ctx, 10*time.Second, 10*time.Second)
		for _, l := range links {
			l.flow()
		}
		s.postgres.slow(pace, 0, 0)
		s.random.Shuffle(len(links), func(i, j int) { links[i], links[j] = links[j], links[i] })
		for _, l := range links {
			l.stop()
			s.pass(ctx, 500*time.Millisecond, 2*time.Second)
		}
		s.random.Shuffle(len(links), func(i, j int) { links[i], links[j] = links[j], links[i] })
		for _, l := range links {
			l.flow()
			s.pass(ctx, 500*time.Millisecond, 2*time.Second)
		}
		return s.end(ctx)
	},
}}
