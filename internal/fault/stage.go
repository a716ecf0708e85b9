//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"sluice/internal/servertest"
)

var stageFaults = []*fault{{
	id: "F19", name: "the stage is slow, refuses, hangs up, is away",
	how: "of the requests to an S3 one in ten gets 503, one in ten waits for 300 ms, one in twenty is cut off in its answer; " +
		"then all get 503 until an operator has seen it",
	holds: "I1 I2 I3 I5 I9",
	seen:  "the state is `waiting` while it is away",
	rows:  1500,
	setup: bucket,
	play: func(ctx context.Context, s *scene) error {
		if err := s.begin(ctx); err != nil {
			return err
		}
		s.s3.Before(moody(rand.New(rand.NewPCG(s.random.Uint64(), 0))))
		s.worker()
		if err := s.in(ctx, 2+s.random.IntN(8)); err != nil {
			return err
		}
		s.s3.Before(func(w http.ResponseWriter, _ *http.Request) bool { return unavailable(w) })
		if err := s.sees(ctx, "waiting"); err != nil {
			return err
		}
		s.s3.Before(nil)
		return s.end(ctx)
	},
}, {
	id: "F20", name: "the staged file is cut short", short: true,
	how:   "the object loses its second half before a worker reads it",
	holds: "I5: nothing is guessed and nothing written",
	seen:  "the state is `failed`, `source_changed`",
	setup: bucket,
	play: func(ctx context.Context, s *scene) error {
		return s.spoiled(ctx, func(b []byte) []byte { return b[:len(b)/2] })
	},
}, {
	id: "F21", name: "the staged file is another one", short: true,
	how:   "a byte of the object changes before a worker reads it; its length stays",
	holds: "I5: nothing is written",
	seen:  "the state is `failed`, `source_changed`",
	setup: bucket,
	play: func(ctx context.Context, s *scene) error {
		return s.spoiled(ctx, another)
	},
}, {
	id: "F21b", name: "the staged file changes while it is read", rows: 6000,
	how:   "a byte of the object changes when a seeded number of batches is in; its length stays",
	holds: "I2 I5: no row is made of the other bytes; what is in stays, and is in the lists",
	seen:  "the state is `failed`, `source_changed`",
	setup: bucket,
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		at := 1 + s.random.IntN(20)
		s.say("changed after batch %d", at)
		if err := s.in(ctx, at); err != nil {
			return err
		}
		s.spoil(another)
		s.state, s.failure, s.partial = "failed", "source_changed", true
		return s.end(ctx)
	},
}}

// another changes a byte.
func another(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

func bucket(_ context.Context, s *scene) error {
	s.s3 = servertest.StartS3()
	s.onClose(s.s3.Stop)
	return nil
}

// moody answers some requests badly.
func moody(random *rand.Rand) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		n := random.IntN(20)
		mu.Unlock()
		switch {
		case n < 2:
			return unavailable(w)
		case n < 4:
			time.Sleep(300 * time.Millisecond) // this is the fault
		case n < 5:
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte("half of an answer"))
			panic(http.ErrAbortHandler) // which cuts the connection
		}
		return false
	}
}

func unavailable(w http.ResponseWriter) bool {
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte("<Error><Code>SlowDown</Code></Error>"))
	return true
}

// spoiled imports a file whose staged copy is harmed before anybody reads it.
func (s *scene) spoiled(ctx context.Context, how func([]byte) []byte) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.spoil(how)
	s.worker()
	s.state, s.failure, s.unread = "failed", "source_changed", true
	return s.end(ctx)
}

// spoil harms the staged file.
func (s *scene) spoil(how func([]byte) []byte) {
	for _, key := range s.s3.Objects("files/") {
		s.s3.Change(key, how)
	}
}
