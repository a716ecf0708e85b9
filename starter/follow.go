package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

// watched is the part of the launcher that following an import needs.
type watched interface {
	Progress(ctx context.Context, source string) (crm.Progress, error)
	Wait(ctx context.Context, s launch.Started) (crm.Report, error)
	Running(ctx context.Context, source string) (launch.Started, error)
}

const (
	pollEvery = 500 * time.Millisecond // by the display, and by attention
	pollLimit = 3 * time.Second        // for one answer
	lineEvery = 10 * time.Second       // where no block can stand
	frameTime = 125 * time.Millisecond

	aliveEvery = 3 * time.Second
	deadAfter  = 4 // calls in a row that do not reach the process that does the work
)

// following says how an import is followed.
type following struct {
	quiet    bool // show nothing
	attached bool // the work is done by another starter, which may end at any time

	bound bound // of the source
}

// follow shows an import until it ends and returns its report. ctx ends the
// watching and not the import; the error is then the context's. A progress
// that cannot be had is no error: the display says so and goes on.
func follow(ctx context.Context, w watched, started launch.Started, p *printer, o following) (crm.Report, error) {
	g, work := errgroup.WithContext(ctx)
	watching, stop := context.WithCancel(work)
	var report crm.Report
	g.Go(func() (err error) {
		defer stop()
		report, err = w.Wait(work, started)
		return err
	})
	if o.attached {
		g.Go(func() error { return alive(watching, w, started.Source) })
	}
	g.Go(func() error { return attention(watching, w, started.Source) })
	if !o.quiet {
		g.Go(func() error {
			newDisplay(p, started.Source, o.bound).run(watching, w)
			return nil
		})
	}
	err := g.Wait()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return report, err
}

// alive returns an error once the process that does the work is gone: its
// Temporal server went with it, and would be waited for without end. A server
// of a cluster comes back; this one does not.
func alive(ctx context.Context, w watched, source string) error {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for missed := 0; missed < deadAfter; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		call, cancel := context.WithTimeout(ctx, pollLimit)
		_, err := w.Running(call, source)
		cancel()
		missed++
		if !unreachable(err) {
			missed = 0
		}
	}
	return coded{fmt.Errorf("the starter that did the work has ended; the import goes on with: starter imports watch %s", source), exitUnreachable}
}

// attention returns an error once the import waits for somebody to decide:
// nothing would come of waiting with it.
func attention(ctx context.Context, w watched, source string) error {
	answers := make(chan answer)
	g, asking := errgroup.WithContext(ctx)
	g.Go(func() error { ask(asking, w, source, answers); return nil })
	g.Go(func() error {
		for {
			select {
			case <-asking.Done():
				return nil
			case a := <-answers:
				if a.err == nil && a.progress.State == crm.NeedsAttention {
					return failed(errors.New(attentionText(a.progress)))
				}
			}
		}
	})
	return g.Wait()
}

// A display shows the progress of one import on a printer.
type display struct {
	p      *printer
	view   *view
	source string

	last    crm.Progress
	known   bool   // last holds an answer
	trouble string // why last is not fresh

	said     time.Time // of the last plain line
	saidWhat string    // phase and state in it
	saidText string
}

func newDisplay(p *printer, source string, b bound) *display {
	return &display{p: p, view: newView(source, b), source: source}
}

// run asks and shows until ctx ends, and then takes the block away.
func (d *display) run(ctx context.Context, w watched) {
	defer d.p.wipe()
	answers := make(chan answer)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { ask(ctx, w, d.source, answers); return nil })
	frame := time.NewTicker(frameTime)
	defer frame.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = g.Wait()
			return
		case a := <-answers:
			d.take(a)
		case <-frame.C:
		}
		d.show(time.Now())
	}
}

// An answer is what one poll came to.
type answer struct {
	progress crm.Progress
	err      error
}

// ask polls until ctx ends. A slow answer delays the next question, so there
// is never more than one.
func ask(ctx context.Context, w watched, source string, answers chan<- answer) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		call, cancel := context.WithTimeout(ctx, pollLimit)
		progress, err := w.Progress(call, source)
		cancel()
		select {
		case <-ctx.Done():
			return
		case answers <- answer{progress, err}:
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (d *display) take(a answer) {
	if a.err != nil {
		d.trouble = "no worker answers"
		if !d.known {
			d.trouble = "no worker has answered yet"
		}
		return
	}
	d.last, d.known, d.trouble = a.progress, true, ""
}

// show paints the block, or writes a line when one is due.
func (d *display) show(now time.Time) {
	if !d.known && d.trouble == "" {
		return
	}
	if d.p.live {
		width, _ := d.p.size()
		d.p.paint(d.view.block(d.last, now, width, d.trouble))
		return
	}
	what, rests := string(d.last.State)+d.last.Phase+d.trouble, false
	if d.last.State == crm.Paused && d.trouble == "" {
		what, rests = string(crm.Paused), true // nothing moves until somebody resumes it
	}
	if what == d.saidWhat && (rests || now.Sub(d.said) < lineEvery) {
		return
	}
	d.said, d.saidWhat = now, what
	if text := d.view.line(d.last, now, d.trouble); text != d.saidText {
		d.saidText = text
		d.p.say("%s", text)
	}
	if rests {
		d.p.say("%s; go on with: starter imports resume %s", pausedBy(d.last), d.source)
	}
}
