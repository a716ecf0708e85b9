package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/store"
	"sluice/internal/wiring"
)

// A stack is the running installation as commands see it.
type stack struct {
	*wiring.Stack
	config wiring.Config
}

// start brings or reaches the installation and says what that means for the
// imports in it. The caller closes the stack with [session.stop].
func (s *session) start(ctx context.Context) (*stack, error) {
	k, err := wiring.Start(ctx, s.config, s.say)
	if err != nil {
		return nil, err
	}
	if k.Attached {
		s.say("another starter is running in %s: it does the work, this one watches", k.DataDir)
	}
	for _, row := range k.Resumed {
		s.say("resuming %s", importName(row))
	}
	return &stack{k, s.config}, nil
}

// ends reports whether imports rest when this process ends.
func (k *stack) ends() bool { return k.Embedded && !k.Attached }

// stop closes a stack. When imports rest until the next command, it says which.
func (s *session) stop(k *stack) {
	if k.ends() {
		open, err := k.Store.Imports(context.Background(), store.ImportQuery{Open: true})
		if err == nil {
			for _, row := range open {
				if row.State == crm.Paused {
					continue
				}
				s.say("%s is not at its end: it goes on with the next `starter import …` or `starter imports watch %s`",
					importName(row), row.Source)
			}
		}
	}
	if err := k.Close(); err != nil {
		s.say("starter: stop: %s", plain(err.Error()))
	}
}

// importName is how lines name an import.
func importName(row crm.ImportRow) string {
	return fmt.Sprintf("import %d of %s (%s)", row.Number, row.Source, fileNames(row.Request.Files))
}

func fileNames(files []crm.FileRef) string {
	switch len(files) {
	case 0:
		return "no file"
	case 1:
		return files[0].Name
	}
	return fmt.Sprintf("%s and %d more", files[0].Name, len(files)-1)
}

// aside gathers what can be told beside a report. A UI that stops with this
// process is no place to go to.
func (k *stack) aside(ctx context.Context, started launch.Started, r crm.Report) aside {
	at := asideOf(ctx, r, k.Store, k.Stage)
	at.Database = databaseName(k.config)
	if !k.ends() {
		at.Link = k.Launcher.Link(started)
	}
	return at
}

// databaseName is the database without its password.
func databaseName(c wiring.Config) string {
	for _, s := range c.Settings() {
		if s.Name == "DATABASE_URL" && s.Value != "" {
			return s.Value
		}
	}
	return "SQLite in " + c.DataDir
}

// readStore opens the database alone and starts nothing.
func (s *session) readStore(ctx context.Context) (*store.Store, error) {
	return wiring.OpenStore(ctx, s.config)
}

// writeStore opens the database for a command that writes to it but needs no
// import. Only an installation that has no database yet must be started.
func (s *session) writeStore(ctx context.Context) (*store.Store, func(), error) {
	db, err := s.readStore(ctx)
	if err == nil {
		return db, func() { _ = db.Close() }, nil
	}
	if !errors.Is(err, crm.ErrNotFound) {
		return nil, nil, err
	}
	k, err := s.start(ctx)
	if err != nil {
		return nil, nil, err
	}
	return k.Store, func() { s.stop(k) }, nil
}

// reach connects to an installation that is running. It starts nothing; when
// there is nothing to reach it wraps [crm.ErrNotFound].
func (s *session) reach(ctx context.Context) (*stack, error) {
	k, err := wiring.Attach(ctx, s.config)
	if err != nil {
		return nil, err
	}
	return &stack{k, s.config}, nil
}

// login is the name of who is at the keyboard, for those who look later.
func login() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return os.Getenv("USER")
}
