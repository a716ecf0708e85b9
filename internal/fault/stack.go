//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"sluice/internal/embedded"
	"sluice/internal/servertest"
	"sluice/internal/store"
	"sluice/workflows"
)

// base is the database that those of all faults are copies of: it holds what
// was imported before.
const base = "base"

// A stack is the servers of all faults, each a process of its own on loopback,
// and the two programs, built from the checkout around us.
type stack struct {
	dir      string
	postgres *servertest.Server
	redis    *servertest.Server
	temporal *embedded.Server
	closers  []func()
	copies   int
	old      string // the commit that the program worker-old is built from; "": there is none
}

// startStack starts the servers. The caller closes the stack, which ends all
// and removes what they wrote.
func startStack(ctx context.Context) (k *stack, err error) {
	k = &stack{}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if k.dir, err = os.MkdirTemp("", "sluice-fault-"); err != nil {
		return k, err
	}
	k.onClose(func() { _ = os.RemoveAll(k.dir) })
	if err := os.Chmod(k.dir, 0o755); err != nil { // PostgreSQL is another user's
		return k, err
	}
	for _, name := range []string{"worker", "starter"} {
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", k.program(name), "sluice/"+name).CombinedOutput(); err != nil {
			return k, fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	if k.postgres, err = servertest.StartPostgres(k.dir, "max_connections=200"); err != nil {
		return k, fmt.Errorf("start PostgreSQL: %w", err)
	}
	k.onClose(func() { k.postgres.Stop() })
	if k.redis, err = servertest.StartRedis(k.dir); err != nil {
		return k, fmt.Errorf("start Redis: %w", err)
	}
	k.onClose(func() { k.redis.Stop() })
	if err := k.startTemporal(ctx); err != nil {
		return k, err
	}
	k.onClose(func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		_ = k.temporal.Stop(stop)
	})
	return k, k.makeBase(ctx)
}

// buildOld builds the worker of another commit of the repository around us.
func (k *stack) buildOld(ctx context.Context, commit string) error {
	dir := filepath.Join(k.dir, "old")
	run := func(argv ...string) error {
		if out, err := exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("build the worker of %s: %s: %w\n%s", commit, argv[0], err, out)
		}
		return nil
	}
	if err := run("git", "worktree", "add", "--detach", dir, commit); err != nil {
		return err
	}
	k.old = commit
	return errors.Join(run("go", "build", "-C", dir, "-o", k.program("worker-old"), "./worker"), run("git", "worktree", "remove", "--force", dir))
}

// startTemporal starts a Temporal server on the database of the one before.
func (k *stack) startTemporal(ctx context.Context) (err error) {
	k.temporal, err = embedded.StartTemporal(ctx, embedded.TemporalOptions{DB: filepath.Join(k.dir, "temporal.db"), Namespace: "sluice",
		LogFile: filepath.Join(k.dir, "temporal.log"), Port: embedded.AnyPort})
	return err
}

// forgetTemporal removes the database of a server that has ended.
func (k *stack) forgetTemporal() error {
	<-k.temporal.Done()
	files, err := filepath.Glob(filepath.Join(k.dir, "temporal.db*"))
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

func (k *stack) onClose(f func()) { k.closers = append(k.closers, f) }

// close ends everything, last first.
func (k *stack) close() {
	for _, f := range slices.Backward(k.closers) {
		f()
	}
	k.closers = nil
}

func (k *stack) program(name string) string { return filepath.Join(k.dir, "bin", name) }

// makeBase imports what is in the database before every fault.
func (k *stack) makeBase(ctx context.Context) error {
	database, err := k.migrated(ctx, k.postgres, base)
	if err != nil {
		return err
	}
	stage := filepath.Join(k.dir, "base-stage")
	env := environment("TEMPORAL_ADDRESS="+k.temporal.Address, "TEMPORAL_NAMESPACE=sluice", "DATABASE_URL="+database,
		"REDIS_URL="+k.redis.URL, "STAGE_URL=file://"+stage, "SLUICE_DATA_DIR="+filepath.Join(k.dir, "unused"))
	file := filepath.Join(k.dir, "old.csv")
	if err := os.WriteFile(file, []byte(asCSV(oldRows())), 0o600); err != nil {
		return err
	}
	w := keep(k.program("worker"), env, &tail{})
	defer w.stop(syscall.SIGTERM)
	for _, source := range []string{news, other} {
		a, err := command(ctx, env, k.program("starter"), "import", file, "--source", source, "--no-progress")
		if err != nil || a.code != 0 {
			return fmt.Errorf("first import of %s exits %d: %w\n%s\n%s", source, a.code, err, a.said, w.log)
		}
	}
	return nil
}

// The sources: the one that every fault imports into, and one that none may
// touch.
const (
	news  = "news"
	other = "other"
)

// database makes a database and returns its URL.
func (k *stack) database(ctx context.Context, server *servertest.Server, name, template string) (string, error) {
	statement := "CREATE DATABASE " + name + " TEMPLATE " + template
	if template == "template0" {
		statement = servertest.CreateDatabase(name)
	}
	return server.Database(name), execute(ctx, server.URL, statement)
}

// migrated makes an empty database with the product's tables.
func (k *stack) migrated(ctx context.Context, server *servertest.Server, name string) (string, error) {
	address, err := k.database(ctx, server, name, "template0")
	if err != nil {
		return "", err
	}
	db, err := store.Open(ctx, address)
	if err != nil {
		return "", err
	}
	return address, errors.Join(db.Migrate(ctx), db.Close())
}

// copy makes a database of its own for one fault.
func (k *stack) copy(ctx context.Context) (name, url string, err error) {
	k.copies++
	name = fmt.Sprintf("fault%d", k.copies)
	url, err = k.database(ctx, k.postgres, name, base)
	return name, url, err
}

// mend makes the servers fit for the next fault when one went wrong: they run,
// and no import is open.
func (k *stack) mend() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := execute(ctx, k.postgres.URL, "SELECT 1"); err != nil {
		_ = k.postgres.Again()
	}
	if err := syscall.Kill(k.redis.PID, 0); err != nil {
		_ = k.redis.Again()
	}
	if k.temporal == nil || ended(k.temporal) {
		_ = k.startTemporal(ctx)
	}
	c, err := client.DialContext(ctx, client.Options{HostPort: k.temporal.Address, Namespace: "sluice",
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return // and the next fault says why
	}
	defer c.Close()
	_ = c.TerminateWorkflow(ctx, workflows.ImportID(news), "", "its fault is over") // most have ended
}

func ended(s *embedded.Server) bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

func (k *stack) drop(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = execute(ctx, k.postgres.URL, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") // it goes with the stack at the latest
}

// execute runs one statement on a connection of its own.
func execute(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}
