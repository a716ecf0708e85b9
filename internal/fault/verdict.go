//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// verdict reads everything back and returns what does not hold.
func (s *scene) verdict(ctx context.Context) ([]string, error) {
	var shown struct {
		ID      string
		State   string
		EndedAt time.Time `json:"ended_at"`
		Request struct {
			Files []struct{ Object struct{ Key string } }
		}
		Report *struct {
			counts
			Failure *struct{ Type, Message string }
		}
	}
	a, err := s.must(ctx, "imports", "show", s.id, "-o", "json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(a.out), &shown); err != nil {
		return nil, err
	}
	c := &checker{rows: s.rows, before: s.before, loose: s.loose, done: shown.State == "done", partial: s.partial}
	want := s.state
	if want == "" {
		want = "done"
	}
	if shown.State != want || shown.Report == nil {
		c.fault("I9", "the import is %s, want %s, report %v", shown.State, want, shown.Report)
		return c.faults, nil
	}
	if f := shown.Report.Failure; s.failure != "" && (f == nil || f.Type != s.failure) {
		c.fault("I9", "the failure is %+v, want %s", f, s.failure)
	}
	c.report = shown.Report.counts
	text, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	if len(shown.Request.Files) != 1 || shown.Request.Files[0].Object.Key != "files/"+hex.EncodeToString(sum[:]) {
		c.fault("I5", "what was staged is not the file")
	}
	if c.lists, err = s.lists(ctx); err != nil {
		return nil, err
	}
	if c.after, err = readTables(ctx, s.db, news); err != nil {
		return nil, err
	}
	if s.unread {
		c.rows = nil
	}
	others := s.others
	if s.data == "" {
		others, err = fingerprint(ctx, s.db, other)
	}
	if err == nil && others != s.others {
		c.fault("I11", "the records of another source changed")
	}
	if s.smtp != nil {
		s.mails(ctx, c, shown.ID, shown.State, shown.EndedAt)
	}
	if err == nil && s.data == "" {
		err = s.bounds(ctx, c)
	}
	return c.check(), err
}

// mostMemory is what a worker may hold, in bytes.
const mostMemory = 256 << 20

// mostConnections is how many connections a worker may have: one for each of
// its steps, twice as many as there are processors and at least four, and eight
// that it keeps.
func mostConnections() int { return max(4, 2*runtime.NumCPU()) + 8 }

// bounds: no worker takes more of the machine and of the database than it needs.
func (s *scene) bounds(ctx context.Context, c *checker) error {
	running := 0
	for _, w := range s.workers {
		peak, err := w.peak()
		if err != nil {
			continue // it has been stopped
		}
		running++
		if peak > mostMemory {
			c.fault("I10", "a worker held %d MB", peak>>20)
		}
	}
	open := 0
	err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sluice'").Scan(&open)
	if most := mostConnections() * running; open > most {
		c.fault("I10", "%d workers have %d connections, want at most %d", running, open, most)
	}
	return err
}

// mails: whoever is to be told of the end is told, after it, under one id.
func (s *scene) mails(ctx context.Context, c *checker, id, state string, ended time.Time) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := until(ctx, "a mail has come", func() (bool, error) { return len(s.post.Taken()) > 0, nil })
	if err != nil {
		c.fault("I6", "no mail came")
		return
	}
	ids := map[string]bool{}
	for _, m := range s.post.Taken() {
		ids[m.Header("Message-ID")] = true
		if m.At.Before(ended.Add(-time.Millisecond)) {
			c.fault("I6", "a mail came before the import had ended")
		}
		if !strings.Contains(m.Text, strings.ReplaceAll(state, "_", " ")) {
			c.fault("I6", "a mail does not say that the import is %s", state)
		}
	}
	if len(ids) != 1 {
		c.fault("I6", "mails of one import have %d ids", len(ids))
	}
}

// lists asks the product what became of each row.
func (s *scene) lists(ctx context.Context) (out lists, err error) {
	out = lists{accepted: map[int][]outcome{}, rejected: map[int]rejected{}, unprocessed: map[int][]string{}}
	err = s.list(ctx, "accepted", func(raw []byte) error {
		var r struct {
			Line    int
			Records []struct{ Entity, Outcome, ID string }
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return err
		}
		if _, twice := out.accepted[r.Line]; twice {
			out.twice = append(out.twice, r.Line)
		}
		list := []outcome{}
		for _, o := range r.Records {
			list = append(list, outcome{o.Entity, o.Outcome, o.ID})
		}
		out.accepted[r.Line] = list
		return nil
	})
	type aside struct {
		Line   int
		Faults []struct{ Reason string }
		Cells  map[string]string
	}
	take := func(raw []byte) (r aside, cells []string, err error) {
		err = json.Unmarshal(raw, &r)
		for _, name := range header {
			cells = append(cells, r.Cells[name])
		}
		return r, cells, err
	}
	if err == nil {
		err = s.list(ctx, "rejects", func(raw []byte) error {
			r, cells, err := take(raw)
			if _, twice := out.rejected[r.Line]; twice {
				out.twice = append(out.twice, r.Line)
			}
			bad := rejected{cells: cells}
			for _, f := range r.Faults {
				bad.reasons = append(bad.reasons, f.Reason)
			}
			out.rejected[r.Line] = bad
			return err
		})
	}
	if err == nil {
		err = s.list(ctx, "unprocessed", func(raw []byte) error {
			r, cells, err := take(raw)
			if _, twice := out.unprocessed[r.Line]; twice {
				out.twice = append(out.twice, r.Line)
			}
			out.unprocessed[r.Line] = cells
			return err
		})
	}
	return out, err
}

// list calls each for the objects that a list of the import has.
func (s *scene) list(ctx context.Context, which string, each func(raw []byte) error) error {
	a, err := s.must(ctx, "imports", which, s.id, "-o", "json")
	if err != nil {
		return err
	}
	for line := range strings.Lines(a.out) {
		if err := each([]byte(line)); err != nil {
			return fmt.Errorf("list of %s rows: %w", which, err)
		}
	}
	return nil
}
