//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sluice/internal/embedded"
)

// longFaults are played when they are named. Each is one long import that meets
// many faults, and must come to what the same import comes to undisturbed, in a
// time that is in proportion.
var longFaults = []*fault{{
	id: "L1", name: "two million rows, and everything is killed", rows: 2_000_000, limit: time.Hour, compared: true,
	how: "at 28 seeded moments: 20 SIGKILL of the worker, 3 of the Temporal server, 2 immediate shutdowns of PostgreSQL, 2 FLUSHALL, " +
		"and Redis refuses for 20 seconds",
	holds: "the same export and counts as undisturbed, within twice the time, what was away, and 5 s a killed worker",
	seen:  "attempts rise; `waiting` while something is away",
	play:  playLong,
}, {
	id: "L2", name: "the edition without servers, killed ten times", rows: 1_000_000, limit: time.Hour, compared: true,
	how:   "SIGKILL of the command and all its processes at ten seeded moments; `imports watch` after each",
	holds: "the same export and counts as undisturbed",
	seen:  "`imports watch` says which import goes on",
	setup: func(_ context.Context, s *scene) error {
		s.keepIn("undisturbed")
		return nil
	},
	play: playLongEmbedded,
}}

// longBatch is how many rows a batch of a long import has.
const longBatch = 2500

func (s *scene) longArgs() []string {
	return []string{"import", s.file, "--source", news, "--batch-rows", fmt.Sprint(longBatch), "--heartbeat", "2s"}
}

// A longResult is what a long import came to, to compare.
type longResult struct {
	export string // a hash of all records, in the order and form that depends on nothing else
	counts counts
}

func playLong(ctx context.Context, s *scene) error {
	s.postgres.slow(0, 0, 0)
	w := s.worker()
	want, undisturbed, err := s.whole(ctx, nil)
	if err != nil {
		return err
	}
	w.stop(syscall.SIGTERM)
	if undisturbed < 90*time.Second {
		return fmt.Errorf("undisturbed it takes %v, too short to test with", undisturbed)
	}
	if err := s.anew(ctx); err != nil {
		return err
	}
	w = s.worker()
	var away time.Duration
	got, disturbed, err := s.whole(ctx, func() (err error) {
		away, err = s.disturb(ctx, w)
		return err
	})
	if err != nil {
		return err
	}
	limit := 2*undisturbed + away + 20*5*time.Second
	s.say("undisturbed %.1f s, disturbed %.1f s, away %.1f s, limit %.1f s, %d workers", undisturbed.Seconds(),
		disturbed.Seconds(), away.Seconds(), limit.Seconds(), w.started())
	err = want.compare(got)
	if disturbed > limit {
		err = errors.Join(err, fmt.Errorf("I9: it took %v, want at most %v", disturbed, limit))
	}
	return err
}

// compare says what differs.
func (r longResult) compare(got longResult) error {
	var err error
	if got.counts != r.counts {
		err = fmt.Errorf("I1: the counts are %+v, undisturbed %+v", got.counts, r.counts)
	}
	if got.export != r.export {
		err = errors.Join(err, errors.New("I3: the export is not that of the undisturbed import"))
	}
	return err
}

// whole imports the file, with something that happens meanwhile, and says what
// came of it and how long it took.
func (s *scene) whole(ctx context.Context, meanwhile func() error) (r longResult, took time.Duration, err error) {
	began := time.Now()
	a, err := s.must(ctx, append(s.longArgs(), "--detach")...)
	if err != nil {
		return r, 0, err
	}
	s.took(a)
	if meanwhile != nil {
		if err := meanwhile(); err != nil {
			return r, 0, err
		}
	}
	if err := s.end(ctx); err != nil {
		return r, 0, err
	}
	took = time.Since(began)
	r, err = s.result(ctx)
	return r, took, err
}

// result is what the import came to.
func (s *scene) result(ctx context.Context) (r longResult, err error) {
	a, err := s.must(ctx, "imports", "show", s.id, "-o", "json")
	if err != nil {
		return r, err
	}
	var shown struct {
		State  string
		Report *counts
	}
	if err := json.Unmarshal([]byte(a.out), &shown); err != nil {
		return r, err
	}
	if shown.State != "done" || shown.Report == nil {
		return r, fmt.Errorf("I9: the import is %s, want done", shown.State)
	}
	r.counts = *shown.Report
	sum := sha256.New()
	for _, what := range []string{"customers", "contacts", "notes"} {
		cmd := exec.CommandContext(ctx, s.program("starter"), "export", what, "--source", news, "--stable")
		cmd.Env, cmd.Stdout, cmd.Stderr = s.direct(), sum, &s.log
		if err := cmd.Run(); err != nil {
			return r, fmt.Errorf("export of %s: %w", what, err)
		}
	}
	r.export = hex.EncodeToString(sum.Sum(nil))
	return r, nil
}

// anew gives the scene another copy of the database, and another stage.
func (s *scene) anew(ctx context.Context) error {
	name, address, err := s.copy(ctx)
	if err != nil {
		return err
	}
	s.onClose(func() { s.drop(name) })
	through, err := throughLink(address, s.postgres)
	if err != nil {
		return err
	}
	s.env = append(s.env, "DATABASE_URL="+through, "STAGE_URL=file://"+filepath.Join(s.dir, "stage-anew"))
	s.databaseURL = address
	if s.db, err = openTables(address); err == nil {
		db := s.db
		s.onClose(func() { _ = db.Close() })
	}
	return err
}

// disturb does everything at seeded moments, and says how long servers were
// away in all.
func (s *scene) disturb(ctx context.Context, w *keeper) (away time.Duration, err error) {
	c := s.claims()
	defer c.Close()
	type event struct {
		name string
		do   func() error
		away bool // what it takes is time without a server
	}
	var events []event
	for range 20 {
		events = append(events, event{"worker", func() error { w.signal(syscall.SIGKILL); return nil }, false})
	}
	for range 3 {
		events = append(events, event{"Temporal", func() error { return s.restartTemporal(ctx) }, true})
	}
	for range 2 {
		events = append(events, event{"PostgreSQL", func() error { return s.restartPostgres(ctx, syscall.SIGQUIT) }, true},
			event{"FLUSHALL", func() error { return c.FlushAll(ctx).Err() }, false})
	}
	events = append(events, event{"Redis away", func() error {
		s.redis.down()
		s.pass(ctx, 20*time.Second, 20*time.Second)
		s.redis.flow()
		return nil
	}, true})
	s.random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for i, at := range s.moments(len(events)) {
		e := events[i]
		s.say("%s after batch %d", e.name, at)
		if err := s.in(ctx, at); err != nil {
			return away, err
		}
		s.pass(ctx, 0, 150*time.Millisecond)
		began := time.Now()
		if err := e.do(); err != nil {
			return away, fmt.Errorf("%s: %w", e.name, err)
		}
		if e.away {
			away += time.Since(began)
		}
	}
	return away, nil
}

// moments spreads n seeded moments, in batches, over most of the import.
func (s *scene) moments(n int) []int {
	batches := len(s.rows) / longBatch * 9 / 10
	list := make([]int, n)
	for i := range list {
		list[i] = 1 + batches*i/n + s.random.IntN(batches/n)
	}
	return list
}

// keepIn sets the scene up for the edition without servers, in a data directory
// of its own.
func (s *scene) keepIn(name string) {
	s.data = filepath.Join(s.dir, name)
	s.databaseURL = "sqlite://" + (&embedded.Dir{Path: s.data}).Database()
}

func playLongEmbedded(ctx context.Context, s *scene) error {
	began := time.Now()
	if err := s.ownToEnd(ctx, s.longArgs(), nil); err != nil {
		return err
	}
	undisturbed := time.Since(began)
	if undisturbed < 60*time.Second {
		return fmt.Errorf("undisturbed it takes %v, too short to test with", undisturbed)
	}
	want, err := s.result(ctx)
	if err != nil {
		return err
	}
	s.keepIn("disturbed")
	s.id, s.env = "", environment("SLUICE_DATA_DIR="+s.data)
	if s.db, err = openTables(s.databaseURL); err != nil {
		return err
	}
	db := s.db
	s.onClose(func() { _ = db.Close() })
	began = time.Now()
	args := s.longArgs()
	for _, at := range s.moments(10) {
		s.say("kill after batch %d", at)
		if err := s.ownToEnd(ctx, args, func() error { return s.in(ctx, at) }); err != nil {
			return err
		}
		args = []string{"imports", "watch", news}
	}
	if err := s.ownToEnd(ctx, args, nil); err != nil {
		return err
	}
	s.say("undisturbed %.1f s, killed ten times %.1f s", undisturbed.Seconds(), time.Since(began).Seconds())
	got, err := s.result(ctx)
	if err != nil {
		return err
	}
	return want.compare(got)
}

// ownToEnd runs a command that brings everything with it: to its end, or, if
// there is something to wait for, until then, when all its processes are killed
// at once.
func (s *scene) ownToEnd(ctx context.Context, args []string, until func() error) error {
	cmd, err := s.own(append(args, "--no-progress")...)
	if err != nil {
		return err
	}
	if until != nil {
		err := until()
		s.pass(ctx, 0, time.Second)
		for _, pid := range append([]int{cmd.Process.Pid}, childrenOf(cmd.Process.Pid)...) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = cmd.Wait() // it was killed
		return err
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 { // rows are rejected
		err = nil
	}
	if err == nil && s.id == "" {
		s.batches(ctx)
	}
	return err
}
