//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

var commandFaults = []*fault{{
	id: "F25", name: "the same file twice", rows: 1000,
	how:   "the import is started twice at the same moment, and once more when it is done",
	holds: "I2: one import",
	seen:  "the same id; afterwards `already_imported`, exit code 0, the earlier id",
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.startTwice(ctx); err != nil {
			return err
		}
		if err := s.end(ctx); err != nil {
			return err
		}
		a, err := s.must(ctx, "import", s.file, "--source", news, "-o", "json", "--no-progress")
		var report struct{ State, Earlier string }
		if err == nil {
			err = json.Unmarshal([]byte(a.out), &report)
		}
		if err == nil && (report.State != "already_imported" || report.Earlier != s.id) {
			err = fmt.Errorf("I2: the third start is %s of %s, want already_imported of %s", report.State, report.Earlier, s.id)
		}
		return err
	},
}, {
	id: "F26", name: "two imports of one source at once", rows: 2000,
	how:   "another file is started while the import runs",
	holds: "I2 I11: a source has one writer at a time",
	seen:  "exit code 4, with the id of the one that runs",
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		file := filepath.Join(s.dir, "second.csv")
		if err := os.WriteFile(file, []byte(asCSV(oldRows())), 0o600); err != nil {
			return err
		}
		if err := s.in(ctx, 1); err != nil {
			return err
		}
		a, err := s.command(ctx, "import", file, "--source", news, "--no-progress")
		if err == nil && a.code != 4 {
			err = fmt.Errorf("I2: a second import exits %d: %s", a.code, a.said)
		}
		return errors.Join(err, s.end(ctx))
	},
}, {
	id: "F29", name: "the mail server is down, then asks to wait", rows: 1000,
	how:   "connections are refused until the import has ended; then 451 to the first senders",
	holds: "I6: the import is done whatever becomes of its mail; it comes once",
	seen:  "the state is `done`",
	play: func(ctx context.Context, s *scene) error {
		s.smtp.down()
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.end(ctx); err != nil {
			return err
		}
		s.post.Answer("451 4.7.1 come back later")
		s.smtp.flow()
		err := until(ctx, "the mail server is asked", func() (bool, error) { return s.post.Refused() > 0, nil })
		if err != nil {
			return err
		}
		s.post.Answer("")
		err = until(ctx, "a mail has come", func() (bool, error) { return len(s.post.Taken()) > 0, nil })
		if n := len(s.post.Taken()); err == nil && n != 1 {
			err = fmt.Errorf("I6: %d mails came", n)
		}
		return err
	},
}, {
	id: "F31", name: "cancelled at any moment, and again", short: true,
	how:   "cancel at a seeded moment, a second time at once, and a third time when it has ended",
	holds: "I1 I2 I8: ended within 30 s, between batches; the rows that were not written are listed",
	seen:  "the state is `cancelled`; `unprocessed` counts the rest",
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		at := s.random.IntN(25)
		s.say("cancel after batch %d", at)
		if err := s.in(ctx, at); err != nil {
			return err
		}
		s.pass(ctx, 0, 300*time.Millisecond)
		s.state = "cancelled"
		if _, err := s.must(ctx, "imports", "cancel", news); err != nil {
			return err
		}
		if _, err := s.command(ctx, "imports", "cancel", news); err != nil {
			return err
		}
		if err := s.within(ctx, 30*time.Second); err != nil {
			return err
		}
		a, err := s.command(ctx, "imports", "cancel", news)
		if err == nil && a.code == 0 {
			err = errors.New("I8: a cancel of an import that has ended says that it did something")
		}
		return err
	},
}}

// within waits for the end of the import, which must come soon.
func (s *scene) within(ctx context.Context, limit time.Duration) error {
	asked := time.Now()
	err := s.end(ctx)
	if took := time.Since(asked); err == nil && took > limit {
		err = fmt.Errorf("I8: it ended after %v, want at most %v", took, limit)
	}
	return err
}

// startTwice starts the import twice at the same moment. One of the two may
// find the other one running.
func (s *scene) startTwice(ctx context.Context) error {
	var both errgroup.Group
	var answers [2]answer
	for i := range answers {
		both.Go(func() (err error) {
			answers[i], err = s.command(ctx, s.importArgs()...)
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return err
	}
	ids := map[string]bool{}
	for _, a := range answers {
		if a.code == 0 {
			s.took(a)
			ids[s.id] = true
		}
	}
	if len(ids) != 1 {
		return fmt.Errorf("I2: two starts gave %d imports: %+v", len(ids), answers)
	}
	return nil
}
