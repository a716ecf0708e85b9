// Command worker runs the workflows and activities of Sluice on real servers.
// As many as are wanted may run; each takes what the task queue offers.
//
// It reads its settings from the environment: TEMPORAL_ADDRESS and Temporal's
// other variables, DATABASE_URL, REDIS_URL and STAGE_URL are needed. SIGTERM
// and SIGINT let the batches in hand finish, for 30 seconds at the most. It
// exits with 0 after that, 1 on a failure, 2 on settings that cannot work, and
// 4 when a server does not answer.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"sluice/internal/crm"
	"sluice/internal/wiring"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
	}
	os.Exit(code(err))
}

func run(ctx context.Context, args []string) error {
	var c wiring.Config
	parser, err := kong.New(&c, kong.Name("worker"), kong.Description("Runs the steps of imports on real servers."))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", crm.ErrInvalid, err)
	}
	if c, err = c.Resolve(); err != nil {
		return err
	}
	return wiring.Work(ctx, c, c.Logger(os.Stderr))
}

func code(err error) int {
	var unreachable *wiring.ConnectError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &unreachable), errors.Is(err, crm.ErrDenied):
		return 4
	case errors.Is(err, crm.ErrInvalid):
		return 2
	}
	return 1
}
