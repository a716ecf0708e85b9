// Command peers keeps package fakesaas, and the connectors that are tested
// against it, honest by others' software. It is run on demand:
//
//	go run ./internal/fakesaas/peers -o docs/sources.md
//
// It does three things. The official libraries for Node page through everything
// that the made-up providers show, and must find every record of the world, each
// once, and no other. What the connectors ask the made-up providers for is then
// asked of servers that others have built from the vendors' own descriptions of
// their APIs, which must accept it. Where no description is to be had, the
// vendor's library is told to ask for the same, and must send the same request.
//
// It needs Go, Node 20 or later and npm, and it fetches the rest, in versions
// that are pinned, into a folder of its own: the libraries and prism from npm,
// without running any of their install scripts, and stripe-mock as a Go module. All traffic stays on the loopback interface.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	into := flag.String("o", "", "also write the table to this Markdown `file`, between its markers")
	dir := flag.String("dir", "", "keep others' software in this `folder`, for the next run; else it is removed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr, *dir, *into); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// errDiffers says that the table tells of something that must be mended.
var errDiffers = errors.New("something differs, see above")

// run fetches the peers, asks them all, and writes the table of what they say to
// out. The table is also written when something differs.
func run(ctx context.Context, out, log io.Writer, dir, into string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "sluice-peers-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	box := &toolbox{dir: dir, log: log}
	if err := box.fetch(ctx); err != nil {
		return err
	}
	rows := make([]row, 0, 2*len(vendors))
	for _, do := range []func(context.Context, *toolbox, vendor) (row, error){pageThrough, askFor} {
		for _, v := range vendors {
			fmt.Fprintln(log, "asking about", v.title)
			r, err := do(ctx, box, v)
			if err != nil {
				return fmt.Errorf("%s: %w", v.title, err)
			}
			rows = append(rows, r)
		}
	}
	result := table(rows, time.Now())
	fmt.Fprint(out, result)
	if into != "" {
		if err := insert(into, result); err != nil {
			return err
		}
	}
	for _, r := range rows {
		for _, d := range r.differs[:min(5, len(r.differs))] { // the others are alike
			fmt.Fprintf(log, "%s: %s\n", r.title, d)
			err = errDiffers
		}
	}
	return err
}
