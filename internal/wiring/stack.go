package wiring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/internal/launch"
	"sluice/internal/stage"
	"sluice/internal/store"
	"sluice/workflows"
)

// A Stack is what a command that starts or commands imports works with.
type Stack struct {
	Launcher *launch.Launcher
	Store    *store.Store
	Stage    *stage.Stage

	// Embedded is true when this process runs the worker: when it ends, open
	// imports rest until the next command.
	Embedded bool

	// Attached is true when another process owns the data directory, and so
	// runs the worker.
	Attached bool

	DataDir string // "" when nothing is embedded
	UI      string // address of the Temporal Web UI; "" if unknown

	// Resumed are the imports that were open when this process took over, and
	// go on now.
	Resumed []crm.ImportRow

	open closers
}

// Close stops what Start started, batches in hand first.
func (s *Stack) Close() error { return s.open.close() }

// Start connects to what is set and brings what is not, with a worker if
// anything is embedded. say receives lines for a person, such as that a server
// is being built. The caller closes the stack.
//
// A part that does not answer is a [ConnectError]; settings that cannot work,
// such as a data directory that cannot be written, wrap [crm.ErrInvalid]. On
// an error nothing is left running.
func Start(ctx context.Context, c Config, say func(format string, args ...any)) (_ *Stack, err error) {
	s := &Stack{UI: c.TemporalUI}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	log := slog.New(slog.DiscardHandler)
	o, err := temporal(log)
	if err != nil {
		return nil, err
	}
	p := c.parts(o)
	if !p.any() {
		return s, s.connect(ctx, c, o)
	}
	if !p.temporal { // before anything is made for it
		t, err := dial(ctx, o)
		if err != nil {
			return nil, err
		}
		t.Close()
	}
	s.DataDir = c.DataDir
	dir, err := embedded.Open(c.DataDir)
	var locked *embedded.LockedError
	if errors.As(err, &locked) {
		return s, s.attach(ctx, c, o, p, locked)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", crm.ErrInvalid, err)
	}
	s.open.add(dir.Close)
	return s, s.own(ctx, c, o, p, dir, say)
}

// Attach connects to what is running and starts nothing: to real servers, or
// to the stack of the process that owns the data directory. If there is none
// it wraps [crm.ErrNotFound]. The caller closes the stack.
func Attach(ctx context.Context, c Config) (_ *Stack, err error) {
	s := &Stack{UI: c.TemporalUI}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	o, err := temporal(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	p := c.parts(o)
	if !p.any() {
		return s, s.connect(ctx, c, o)
	}
	s.DataDir = c.DataDir
	address, err := embedded.ReadAddress(c.DataDir)
	if err != nil {
		return nil, fmt.Errorf("stack in %s: %w", c.DataDir, crm.ErrNotFound)
	}
	err = s.attach(ctx, c, o, p, &embedded.LockedError{Path: c.DataDir, Address: address})
	var gone *ConnectError
	if p.temporal && errors.As(err, &gone) { // its owner was killed and left the address behind
		err = fmt.Errorf("stack in %s: %w", c.DataDir, crm.ErrNotFound)
	}
	return s, err
}

// connect is the case without embedded parts: the worker is somewhere else.
func (s *Stack) connect(ctx context.Context, c Config, o client.Options) error {
	t, err := s.ready(ctx, c, o)
	if err == nil {
		s.launcher(t, o)
	}
	return err
}

// ready connects to what is there by now, and makes it fit to import into.
func (s *Stack) ready(ctx context.Context, c Config, o client.Options) (client.Client, error) {
	t, err := s.dial(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := register(ctx, t, o.Namespace); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, c); err != nil {
		return nil, err
	}
	return t, s.Store.Migrate(ctx)
}

// attach is the case in which another process has started the parts.
func (s *Stack) attach(ctx context.Context, c Config, o client.Options, p parts, locked *embedded.LockedError) error {
	s.Attached = true
	if p.temporal {
		if locked.Address.Temporal == "" {
			return &ConnectError{"the command that is starting in " + c.DataDir, errors.New("it is not ready yet; try again in a moment")}
		}
		o.HostPort, s.UI = locked.Address.Temporal, locked.Address.TemporalUI
	}
	t, err := s.dial(ctx, o)
	if err != nil {
		return err
	}
	if err := s.keep(ctx, c); err != nil {
		return err
	}
	s.launcher(t, o)
	return nil
}

// own is the case in which this process brings the parts and the worker.
func (s *Stack) own(ctx context.Context, c Config, o client.Options, p parts, dir *embedded.Dir, say func(string, ...any)) error {
	s.Embedded = true
	log, err := s.logTo(dir.Log("worker"), c)
	if err != nil {
		return err
	}
	o.Logger = temporalLog(log)
	if err := s.profiles(c, log); err != nil {
		return err
	}
	redis, address, err := s.bring(ctx, c, &o, p, dir, say)
	if err != nil {
		return err
	}
	t, err := s.ready(ctx, c, o)
	if err != nil {
		return err
	}
	start, err := newWorker(ctx, c.personal(), t, s.Store, s.Stage, redis, log, &s.open)
	if err != nil {
		return err
	}
	s.launcher(t, o)
	if s.Resumed, err = s.Store.Imports(ctx, store.ImportQuery{Open: true}); err != nil {
		return err
	}
	if err := start(func(err error) { log.Error("worker", "error", err) }); err != nil {
		return err
	}
	return dir.Publish(address)
}

// bring starts the servers that are embedded, and says where they and the
// others are.
func (s *Stack) bring(ctx context.Context, c Config, o *client.Options, p parts, dir *embedded.Dir,
	say func(string, ...any)) (redis string, address embedded.Address, err error) {
	redis = c.RedisURL
	address = embedded.Address{PID: os.Getpid(), StartedAt: time.Now().UTC()}
	if p.temporal {
		server, err := embedded.StartTemporal(ctx, embedded.TemporalOptions{DB: dir.TemporalDB(), Namespace: o.Namespace,
			LogFile: dir.Log("temporal"), UI: true, Notify: func(line string) { say("%s", line) }})
		if err != nil {
			return "", address, err
		}
		s.open.add(func() error {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
			defer cancel()
			return server.Stop(stop)
		})
		o.HostPort, s.UI = server.Address, server.UI
		address.Temporal, address.TemporalUI = server.Address, server.UI
	}
	if p.redis {
		server, err := embedded.StartRedis()
		if err != nil {
			return "", address, err
		}
		s.open.add(func() error { server.Close(); return nil })
		redis, address.Redis = "redis://"+server.Addr, server.Addr
	}
	return redis, address, nil
}

func (s *Stack) dial(ctx context.Context, o client.Options) (client.Client, error) {
	t, err := dial(ctx, o)
	if err == nil {
		s.open.add(func() error { t.Close(); return nil })
	}
	return t, err
}

// keep opens the store and the stage.
func (s *Stack) keep(ctx context.Context, c Config) (err error) {
	if s.Store, err = openStore(ctx, c); err != nil {
		return err
	}
	s.open.add(s.Store.Close)
	if s.Stage, err = OpenStage(ctx, c); err != nil {
		return err
	}
	s.open.add(s.Stage.Close)
	return nil
}

func (s *Stack) launcher(t client.Client, o client.Options) {
	namespace := o.Namespace
	if namespace == "" {
		namespace = workflows.Namespace
	}
	s.Launcher = &launch.Launcher{Temporal: t, Store: s.Store, Stage: s.Stage, UI: s.UI, Space: namespace}
	if s.DataDir != "" {
		// The worker is killed with the command, and the next command waits for
		// it to be missed. A cluster's heartbeats have a network to cross.
		s.Launcher.Heartbeat = 10 * time.Second
	}
}

// logTo sends the worker's log to a file: the terminal belongs to the progress
// display.
func (s *Stack) logTo(path string, c Config) (*slog.Logger, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", crm.ErrInvalid, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", crm.ErrInvalid, err)
	}
	s.open.add(f.Close)
	return c.Logger(f), nil
}

// Logger returns a logger that writes to w at the level and in the format that
// are set.
func (c Config) Logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // an unknown level is info
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
