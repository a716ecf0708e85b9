//go:build linux

package main

import (
	"context"
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
			s.stack.temporal.Kill()
			s.temporal.down()
			s.pass(ctx, 0, 3*time.Second)
			if err := s.startTemporal(ctx); err != nil {
				return err
			}
			s.temporal.flow()
			s.temporal.to(s.stack.temporal.Address)
		}
		return s.end(ctx)
	},
}}

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
