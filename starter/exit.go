package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sluice/internal/crm"
	"sluice/internal/wiring"
)

// The exit codes. They are API: see the package comment.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitRejected    = 3 // done, with rejected rows
	exitUnreachable = 4 // cannot connect, or not allowed
	exitInterrupted = 130
)

// An ending is an exit code that needs no words: all has been said already.
type ending int

func (e ending) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// end returns the error that makes the program exit with a code; nil for 0.
func end(code int) error {
	if code == exitDone {
		return nil
	}
	return ending(code)
}

// A coded error has an exit code of its own, whatever it wraps.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// usage is for arguments and files that are wrong before anything is started.
func usage(format string, args ...any) error {
	return coded{fmt.Errorf(format, args...), exitUsage}
}

// failed gives an error the code of work that was tried and did not succeed.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return coded{err, exitFailed}
}

// codeOf is the one place where errors become exit codes.
func codeOf(err error) int {
	var e ending
	var c coded
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &e):
		return int(e)
	case errors.As(err, &c):
		return c.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, crm.ErrInvalid): // first: an error of the file system may look like one of the network
		return exitUsage
	case errors.Is(err, crm.ErrDenied), unreachable(err):
		return exitUnreachable
	}
	return exitFailed
}

// unreachable reports whether err comes of something that does not answer.
func unreachable(err error) bool {
	var network *net.OpError // and not net.Error: the system's file errors look like one
	var part *wiring.ConnectError
	var call interface{ Status() *status.Status } // what Temporal's errors have
	switch {
	case errors.As(err, &part), errors.Is(err, context.DeadlineExceeded), errors.As(err, &network):
		return true
	}
	code := status.Code(err)
	if errors.As(err, &call) {
		code = call.Status().Code()
	}
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.PermissionDenied, codes.Unauthenticated:
		return true
	}
	return false
}

// codeOfReport is the exit code of an import by its report. A record that an
// undo kept counts as a rejected row does.
func codeOfReport(r crm.Report) int {
	left := r.Rejected
	if r.Undo != nil {
		left += r.Undo.Total().Kept
	}
	return codeOfState(r.State, left)
}

// codeOfState is the exit code of an import by how it ended.
func codeOfState(s crm.State, rejected int64) int {
	switch {
	case s == crm.Done && rejected > 0:
		return exitRejected
	case s == crm.Done, s == crm.AlreadyImported, s == crm.Undone:
		return exitDone
	}
	return exitFailed
}

// plain takes the names of the kinds out of an error's text: to a person,
// "invalid" says nothing that the rest does not.
func plain(text string) string {
	for _, kind := range []error{crm.ErrInvalid, crm.ErrDenied} {
		text = strings.ReplaceAll(text, kind.Error()+": ", "")
	}
	return text
}
