package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.temporal.io/sdk/client"

	"sluice/internal/embedded"
	"sluice/internal/servertest"
	"sluice/internal/store"
)

// empty is the database that all others are copies of: migrated, and without a
// row.
const empty = "empty"

// A stack is the servers that are measured, each a process of its own, and the
// two programs, built from the checkout around us.
type stack struct {
	dir      string // of everything
	postgres *servertest.Server
	redis    *servertest.Server
	temporal *embedded.Server
	admin    *pgx.Conn
	claims   *redis.Client
	flows    client.Client

	temporalPID int
	psql        string
	closers     []func()
}

// startStack starts the servers in a new directory below parent. The caller
// closes the stack, which ends all and removes the directory.
func startStack(ctx context.Context, parent string, say func(string, ...any)) (s *stack, err error) {
	s = &stack{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp(parent, "sluice-bench-"); err != nil {
		return s, err
	}
	s.onClose(func() { _ = os.RemoveAll(s.dir) })
	// PostgreSQL refuses to be root's, and so must find its way in as another.
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return s, err
	}
	if err := s.build(ctx, say); err != nil {
		return s, err
	}
	if err := s.startPostgres(ctx); err != nil {
		return s, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.startRedis(ctx); err != nil {
		return s, fmt.Errorf("start Redis: %w", err)
	}
	return s, s.startTemporal(ctx, say)
}

func (s *stack) onClose(f func()) { s.closers = append(s.closers, f) }

// close ends everything, last first.
func (s *stack) close() {
	for _, f := range slices.Backward(s.closers) {
		f()
	}
	s.closers = nil
}

func (s *stack) build(ctx context.Context, say func(string, ...any)) error {
	say("building worker and starter")
	for _, name := range []string{"worker", "starter"} {
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", s.program(name), "sluice/"+name).CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

func (s *stack) program(name string) string { return filepath.Join(s.dir, "bin", name) }

func (s *stack) startPostgres(ctx context.Context) (err error) {
	if s.postgres, err = servertest.StartPostgres(s.dir); err != nil {
		return err
	}
	s.onClose(s.postgres.Stop)
	if s.psql, err = findPsql(); err != nil {
		return err
	}
	if s.admin, err = pgx.Connect(ctx, s.postgres.URL); err != nil {
		return err
	}
	s.onClose(func() { _ = s.admin.Close(context.WithoutCancel(ctx)) })
	if err := s.exec(ctx, servertest.CreateDatabase(empty)); err != nil {
		return err
	}
	db, err := store.Open(ctx, s.postgres.Database(empty))
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// findPsql looks beside the server first: a wrapper on PATH, as Debian has it,
// would cost its own start each time.
func findPsql() (string, error) {
	server, err := filepath.EvalSymlinks(servertest.PostgresBinary("postgres"))
	if err != nil {
		return "", err
	}
	beside := filepath.Join(filepath.Dir(server), "psql")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	if path := servertest.PostgresBinary("psql"); path != "" {
		return path, nil
	}
	return "", errors.New("psql is not installed")
}

func (s *stack) exec(ctx context.Context, statement string) error {
	_, err := s.admin.Exec(ctx, statement)
	return err
}

// database makes a migrated database without a row, and returns its URL.
func (s *stack) database(ctx context.Context, name string) (string, error) {
	return s.postgres.Database(name), s.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+empty)
}

func (s *stack) drop(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// checkpoint has PostgreSQL write out what was done before, so that its cost
// does not fall on what is measured next.
func (s *stack) checkpoint(ctx context.Context) error { return s.exec(ctx, "CHECKPOINT") }

func (s *stack) startRedis(ctx context.Context) (err error) {
	if s.redis, err = servertest.StartRedis(s.dir); err != nil {
		return err
	}
	s.onClose(s.redis.Stop)
	o, err := redis.ParseURL(s.redis.URL)
	if err != nil {
		return err
	}
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	s.claims = redis.NewClient(o)
	s.onClose(func() { _ = s.claims.Close() })
	return s.claims.Ping(ctx).Err()
}

// stopTime is how long a worker or the Temporal server may take to end.
const stopTime = 40 * time.Second

func (s *stack) startTemporal(ctx context.Context, say func(string, ...any)) (err error) {
	s.temporal, err = embedded.StartTemporal(ctx, embedded.TemporalOptions{DB: filepath.Join(s.dir, "temporal.db"), Namespace: "sluice",
		LogFile: filepath.Join(s.dir, "temporal.log"), Port: embedded.AnyPort, Notify: func(line string) { say("%s", line) }})
	if err != nil {
		return err
	}
	s.onClose(func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		_ = s.temporal.Stop(stop)
	})
	if s.flows, err = client.DialContext(ctx, client.Options{HostPort: s.temporal.Address, Namespace: "sluice", Logger: quiet{}}); err != nil {
		return err
	}
	s.onClose(s.flows.Close)
	program, err := embedded.FindTemporal()
	if err != nil {
		return err
	}
	s.temporalPID, err = childNamed(shortName(program))
	return err
}

// shortName is how the system calls a running program.
func shortName(path string) string { return filepath.Base(path)[:min(15, len(filepath.Base(path)))] }

// quiet drops what the Temporal client logs.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// connections are the settings that say where servers are. Others, such as
// SLUICE_WRITERS, are taken over from whoever runs the benchmark.
var connections = []string{"TEMPORAL_", "DATABASE_URL", "REDIS_URL", "STAGE_URL", "SMTP_URL", "SLUICE_DATA_DIR", "SLUICE_MAIL_TO", "SLUICE_SOURCE"}

// environment returns that of this process without its connections, and with
// those given.
func environment(with ...string) []string {
	kept := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		return slices.ContainsFunc(connections, func(c string) bool { return strings.HasPrefix(setting, c) })
	})
	return append(kept, with...)
}

// cluster returns the settings that lead the programs to this stack, a
// database of it and a stage.
func (s *stack) cluster(database, stage string) []string {
	stageURL := url.URL{Scheme: "file", Path: stage}
	return environment("TEMPORAL_ADDRESS="+s.temporal.Address, "TEMPORAL_NAMESPACE=sluice", "DATABASE_URL="+database,
		"REDIS_URL="+s.redis.URL, "STAGE_URL="+stageURL.String(), "SLUICE_DATA_DIR="+filepath.Join(s.dir, "unused"))
}
