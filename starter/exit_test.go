package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/wiring"
)

func TestErrorsBecomeExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing wrong", nil, 0},
		{"wrong usage", usage("no such file"), 2},
		{"wrong setting", fmt.Errorf("open: %w: unknown scheme", crm.ErrInvalid), 2},
		{"refused by the import", failed(fmt.Errorf("pause: %w: paused already", crm.ErrInvalid)), 1},
		{"no such import", fmt.Errorf("import 99: %w", crm.ErrNotFound), 1},
		{"credentials refused", fmt.Errorf("database: %w", crm.ErrDenied), 4},
		{"another import runs", &launch.RunningError{Source: "newsletter"}, 4},
		{"nobody listens", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, 4},
		{"folder that cannot be made", fmt.Errorf("%w: %w", crm.ErrInvalid, &fs.PathError{Op: "mkdir", Path: "x", Err: syscall.ENOTDIR}), 2},
		{"disk full", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 1},
		{"no answer in time", fmt.Errorf("dial: %w", context.DeadlineExceeded), 4},
		{"a part cannot be reached", fmt.Errorf("start: %w", &wiring.ConnectError{Part: "redis", Err: errors.New("EOF")}), 4},
		{"server not available", fmt.Errorf("start: %w", status.Error(codes.Unavailable, "down")), 4},
		{"server at fault", fmt.Errorf("start: %w", status.Error(codes.Internal, "bug")), 1},
		{"interrupted", fmt.Errorf("wait: %w", context.Canceled), 130},
		{"said already", end(3), 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := codeOf(c.err); got != c.want {
				t.Errorf("codeOf(%v) = %d, want %d", c.err, got, c.want)
			}
		})
	}
}

func TestStatesBecomeExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state    crm.State
		rejected int64
		want     int
	}{
		{crm.Done, 0, 0}, {crm.Done, 1, 3}, {crm.AlreadyImported, 0, 0}, {crm.Failed, 0, 1}, {crm.Failed, 7, 1},
		{crm.Cancelled, 0, 1}, {crm.Interrupted, 0, 1},
	} {
		if got := codeOfState(c.state, c.rejected); got != c.want {
			t.Errorf("codeOfState(%s, %d) = %d, want %d", c.state, c.rejected, got, c.want)
		}
	}
}
