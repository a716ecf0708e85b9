package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"sluice/internal/crm"
)

// Limits bound one answer. A zero field sets no bound of its kind.
type Limits struct {
	Bytes int64         // of the body; a longer one is an error when the bound is passed
	Idle  time.Duration // without a byte, from the sending of the request on
	Total time.Duration // until the body is read whole
}

// ErrTooLarge says that an answer is longer than [Limits.Bytes]. It wraps
// [crm.ErrInvalid].
var ErrTooLarge = fmt.Errorf("%w: the answer is too large", crm.ErrInvalid)

// What ends a request that takes too long; trying again may help.
var (
	errIdle = errors.New("the other side has been silent for too long")
	errSlow = errors.New("the answer takes too long")
)

// guard ends a request that takes longer than its limits.
type guard struct {
	limits Limits
	cancel context.CancelCauseFunc
	idle   *time.Timer // nil without a limit
	total  *time.Timer
}

func newGuard(cancel context.CancelCauseFunc, l Limits) *guard {
	g := &guard{limits: l, cancel: cancel}
	if l.Idle > 0 {
		g.idle = time.AfterFunc(l.Idle, func() { cancel(errIdle) })
	}
	if l.Total > 0 {
		g.total = time.AfterFunc(l.Total, func() { cancel(errSlow) })
	}
	return g
}

func (g *guard) stop() {
	for _, t := range []*time.Timer{g.idle, g.total} {
		if t != nil {
			t.Stop()
		}
	}
	g.cancel(nil)
}

// watch bounds the body of an answer, or refuses the answer if its head says
// that it is too long.
func (g *guard) watch(res *http.Response) error {
	if g.limits.Bytes > 0 && res.ContentLength > g.limits.Bytes {
		res.Body.Close()
		g.stop()
		return fmt.Errorf("%w: %d bytes, and at most %d are read", ErrTooLarge, res.ContentLength, g.limits.Bytes)
	}
	res.Body = &body{ReadCloser: res.Body, guard: g, ctx: res.Request.Context()}
	return nil
}

// body is a bounded body.
type body struct {
	io.ReadCloser
	guard *guard
	ctx   context.Context
	read  int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if n > 0 && b.guard.idle != nil {
		b.guard.idle.Reset(b.guard.limits.Idle)
	}
	if most := b.guard.limits.Bytes; most > 0 && b.read > most {
		return 0, fmt.Errorf("%w: at most %d bytes are read", ErrTooLarge, most)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.guard.stop()
	return err
}
