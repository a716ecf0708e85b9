// Command temporal is the Temporal server that Sluice starts when nobody has
// named another: frontend, history, matching and worker services and the Web
// UI in one process, on SQLite, on the loopback interface only.
//
// It is a Go module of its own, because its dependencies are many times those
// of the product and would decide the product's versions. Package embedded
// builds it once, keeps the binary in the user's cache, and starts it as a
// child. Installed beside the product it is called sluice-temporal.
//
// When everything answers, it prints one line of JSON on standard output and
// nothing else there, ever; the log goes to standard error:
//
//	{"address":"127.0.0.1:7233","ui":"http://127.0.0.1:8233","pid":71,"version":"1.32.1"}
//
// It ends, cleanly, on SIGTERM, on an interrupt, and when its standard input
// ends, which is how it never outlives whoever started it. Started by hand from
// a terminal it therefore runs until Ctrl-D.
//
// It is for one person's machine: one shard, no authentication, no upgrade of
// the database from one server version to the next. The caller names the file
// after the version (see [headers.ServerVersion]) and so never meets an old one.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
)

// startTimeout bounds the time from the services being started to all of them
// answering; an idle machine takes half a second.
const startTimeout = 60 * time.Second

// settings are the command's flags.
type settings struct {
	db        string        // SQLite file; "" keeps everything in memory
	port      int           // of the frontend; 0 chooses a free one
	uiPort    int           // of the Web UI; 0 chooses a free one, -1 leaves it out
	namespace string        // made if absent
	retention time.Duration // how long closed workflows are kept
	logLevel  string        // debug, info, warn or error
}

// ready is the line printed once the server answers.
type ready struct {
	Address string `json:"address"` // host:port of the frontend
	UI      string `json:"ui"`      // URL; "" without the UI
	PID     int    `json:"pid"`
	Version string `json:"version"` // of the server, such as 1.32.1
}

func main() {
	var s settings
	flag.StringVar(&s.db, "db", "", "SQLite `file`; empty keeps everything in memory")
	flag.IntVar(&s.port, "port", 0, "port of the frontend; 0 chooses a free one")
	flag.IntVar(&s.uiPort, "ui-port", 0, "port of the Web UI; 0 chooses a free one, -1 leaves it out")
	flag.StringVar(&s.namespace, "namespace", "sluice", "namespace to make if it is not there")
	flag.DurationVar(&s.retention, "retention", 720*time.Hour, "how long closed workflows are kept")
	flag.StringVar(&s.logLevel, "log-level", "warn", "debug, info, warn or error")
	flag.Parse()

	// Libraries print to os.Stdout as it pleases them; ours is for one line.
	out := os.Stdout
	os.Stdout = os.Stderr

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, out); err != nil {
		fmt.Fprintln(os.Stderr, "temporal:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends or standard input does, and then stops what it
// started, last first.
func run(ctx context.Context, s settings, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()

	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: s.logLevel, Format: "console"}))
	srv, address, err := newServer(s, logger)
	if err != nil {
		return err
	}
	if err := srv.Start(); err != nil {
		return fmt.Errorf("start services: %w", err)
	}
	defer func() { _ = srv.Stop() }()

	starting, done := context.WithTimeout(ctx, startTimeout)
	defer done()
	if err := settle(starting, address, s); err != nil {
		return err
	}
	ui, stopUI, err := startUI(starting, s, address)
	if err != nil {
		return err
	}
	defer stopUI()

	r := ready{Address: address, UI: ui, PID: os.Getpid(), Version: headers.ServerVersion}
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return fmt.Errorf("print address: %w", err)
	}
	<-ctx.Done()
	return nil
}
