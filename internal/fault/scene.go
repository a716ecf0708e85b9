//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"sluice/internal/servertest"
)

// A scene is one import with one fault: a database of its own, links to all
// servers, workers, and a file. Its fault's functions play in it, one after the
// other, and nobody else.
type scene struct {
	*stack
	dir    string
	random *rand.Rand // of the schedule: the same seed gives the same
	played []string   // the schedule, for people
	light  bool       // of the short set: less of what takes long

	postgres, redis, temporal, smtp *link
	post                            *servertest.MailServer
	s3                              *servertest.S3 // nil: the stage is a directory
	server                          *servertest.Server
	databaseURL                     string // without the link
	data                            string // directory of the edition without servers; "": there are servers
	db                              *sql.DB
	env                             []string // of workers and commands
	workers                         []*keeper
	log                             tail

	file string
	rows []row
	id   string // of the import

	before  tables // what the source held
	others  string // what the other one held
	loose   map[string]bool
	state   string // that the import must end in; "" is done
	failure string // the failure type it must have
	unread  bool   // the file is never read, so no row has an outcome
	partial bool   // the file was lost on the way: rows that nobody came to are in no list
	closers []func()
}

// pace is what every message to and from PostgreSQL is delayed by, so that an
// import lasts long enough to be met by a fault.
const pace = 2 * time.Millisecond

// newScene sets everything up; no worker runs yet. The caller closes.
func newScene(ctx context.Context, k *stack, f *fault, seed uint64, light bool) (s *scene, err error) {
	name := fnv.New64()
	_, _ = name.Write([]byte(f.id))
	seeded := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, name.Sum64()+n)) }
	s = &scene{stack: k, random: seeded(0), light: light, server: k.postgres, before: tables{}, loose: map[string]bool{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp(k.dir, strings.ToLower(f.id)+"-"); err != nil {
		return s, err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return s, err
	}
	n := f.rows
	if n == 0 {
		n = 3000
	}
	if f.setup != nil {
		if err := f.setup(ctx, s); err != nil {
			return s, err
		}
	}
	if s.databaseURL == "" {
		name, address, err := k.copy(ctx)
		if err != nil {
			return s, err
		}
		s.databaseURL = address
		s.onClose(func() { k.drop(name) })
	}
	if err := s.write(someRows(seeded(1), n)); err != nil {
		return s, err
	}
	if s.db, err = openTables(s.databaseURL); err != nil {
		return s, err
	}
	s.onClose(func() { _ = s.db.Close() })
	if s.data != "" {
		s.env = environment("SLUICE_DATA_DIR=" + s.data)
		return s, nil
	}
	if err := s.connect(seeded); err != nil {
		return s, err
	}
	if s.before, err = readTables(ctx, s.db, news); err == nil {
		s.others, err = fingerprint(ctx, s.db, other)
	}
	return s, err
}

// write writes the file.
func (s *scene) write(rows []row) error {
	s.rows, s.file = rows, filepath.Join(s.dir, "rows.csv")
	return os.WriteFile(s.file, []byte(asCSV(rows)), 0o600)
}

// connect puts a link in front of every server, and sets the environment.
func (s *scene) connect(seeded func(uint64) *rand.Rand) (err error) {
	if s.post, err = servertest.StartMail(); err != nil {
		return err
	}
	s.onClose(s.post.Stop)
	database, err := url.Parse(s.databaseURL)
	if err != nil {
		return err
	}
	claims, err := url.Parse(s.stack.redis.URL)
	if err != nil {
		return err
	}
	for i, l := range []struct {
		link   **link
		target string
	}{{&s.postgres, database.Host}, {&s.redis, claims.Host}, {&s.temporal, s.stack.temporal.Address}, {&s.smtp, s.post.Address}} {
		if *l.link, err = newLink(l.target, seeded(uint64(10+i))); err != nil {
			return err
		}
		s.onClose((*l.link).close)
	}
	s.postgres.slow(pace, 0, 0)
	claims.Host = s.redis.Address
	through, err := throughLink(s.databaseURL, s.postgres)
	if err != nil {
		return err
	}
	stage := "file://" + filepath.Join(s.dir, "stage")
	if s.s3 != nil {
		stage = s.s3.URL
	}
	s.env = environment("TEMPORAL_ADDRESS="+s.temporal.Address, "TEMPORAL_NAMESPACE=sluice", "DATABASE_URL="+through,
		"REDIS_URL="+claims.String(), "STAGE_URL="+stage, "SLUICE_DATA_DIR="+filepath.Join(s.dir, "unused"),
		"SMTP_URL=smtp://"+s.smtp.Address+"?from=sluice@example.com", "SLUICE_MAIL_TO=ops@example.com")
	return nil
}

// throughLink returns the address of a database by way of a link.
func throughLink(address string, l *link) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.Host = l.Address
	return u.String(), nil
}

func (s *scene) onClose(f func()) { s.closers = append(s.closers, f) }

func (s *scene) close() {
	for _, w := range s.workers {
		w.stop(syscall.SIGKILL)
	}
	s.mend()
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

// say notes what is done, and when by the schedule.
func (s *scene) say(format string, args ...any) {
	s.played = append(s.played, fmt.Sprintf(format, args...))
}

// worker starts a worker, and another whenever it ends.
func (s *scene) worker() *keeper { return s.workerOf("worker") }

// workerOf is worker with another program.
func (s *scene) workerOf(program string) *keeper {
	w := keep(s.program(program), s.env, &s.log)
	s.workers = append(s.workers, w)
	return w
}

// command runs a command of the starter past the links, so that what is seen
// is not harmed.
func (s *scene) command(ctx context.Context, args ...string) (answer, error) {
	return command(ctx, s.direct(), s.program("starter"), args...)
}

// direct is the environment of commands that go past the links.
func (s *scene) direct() []string {
	if s.data != "" {
		return s.env
	}
	return append(slices.Clone(s.env), "TEMPORAL_ADDRESS="+s.stack.temporal.Address, "DATABASE_URL="+s.databaseURL)
}

// must runs a command that must succeed.
func (s *scene) must(ctx context.Context, args ...string) (answer, error) {
	a, err := s.command(ctx, args...)
	if err == nil && a.code != 0 {
		err = fmt.Errorf("starter %s exits %d: %s", strings.Join(args, " "), a.code, a.said)
	}
	return a, err
}

// begin starts the import, to go on by itself.
func (s *scene) begin(ctx context.Context, flags ...string) error {
	a, err := s.must(ctx, append(s.importArgs(), flags...)...)
	s.took(a)
	return err
}

func (s *scene) importArgs() []string {
	return []string{"import", s.file, "--source", news, "--detach", "--batch-rows", "50", "--heartbeat", "2s"}
}

// took notes which import a command started.
func (s *scene) took(a answer) { s.id = strings.TrimSpace(a.out) }

// batches says how many batches of the import are in, and whether it has ended.
// A database that does not answer knows of none.
func (s *scene) batches(ctx context.Context) (n int, ended bool) {
	var state string
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if s.id == "" { // of a command that goes on
		_ = s.db.QueryRowContext(ctx, "SELECT id FROM imports ORDER BY number DESC LIMIT 1").Scan(&s.id) // none yet
	}
	err := s.db.QueryRowContext(ctx, `SELECT i.state, (SELECT count(*) FROM import_batches AS b WHERE b.import_number = i.number)
		FROM imports AS i WHERE i.id = $1`, s.id).Scan(&state, &n)
	if err != nil {
		return 0, false
	}
	switch state {
	case "queued", "running", "paused", "waiting", "needs_attention":
		return n, false
	}
	return n, true
}

// errEnded says that an import ended before its fault.
var errEnded = errors.New("the import ended before the fault: it is too small to test with")

// until looks fifty times a second whether a condition holds.
func until(ctx context.Context, what string, is func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := is()
		if yes || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %w", what, ctx.Err())
		}
	}
}

// in waits until so many batches of the import are in.
func (s *scene) in(ctx context.Context, batches int) error {
	return until(ctx, fmt.Sprintf("%d batches are in", batches), func() (bool, error) {
		n, ended := s.batches(ctx)
		if ended {
			return false, errEnded
		}
		return n >= batches, nil
	})
}

// pass lets a seeded time pass.
func (s *scene) pass(ctx context.Context, least, most time.Duration) {
	d := least
	if most > least {
		d += time.Duration(s.random.Int64N(int64(most - least)))
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// end waits for the end of the import.
func (s *scene) end(ctx context.Context) error {
	return until(ctx, "the import has ended", func() (bool, error) {
		_, ended := s.batches(ctx)
		return ended, nil
	})
}

// sees waits until the progress that an operator asks for speaks of something.
func (s *scene) sees(ctx context.Context, words ...string) error {
	last := ""
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	err := until(ctx, "the progress says so", func() (bool, error) {
		a, err := s.command(ctx, "progress", news, "-o", "json")
		if err != nil {
			return false, nil // out of time
		}
		last = a.out
		for _, w := range words {
			if !strings.Contains(last, w) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("no progress says %q; the last one: %s", words, strings.TrimSpace(last))
	}
	return nil
}
