package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/crm"
)

// backfillAsked is the part of the launcher that following a backfill needs.
type backfillAsked interface {
	BackfillProgress(ctx context.Context, id string) (p crm.BackfillProgress, live bool, err error)
	WaitBackfill(ctx context.Context, id string) (crm.BackfillProgress, error)
	Progress(ctx context.Context, source string) (crm.Progress, error)
}

// Imports that are running are asked for their progress now and then, and not
// too many at a time: each answer costs a worker something.
const (
	askImports  = time.Second
	importsMost = 10
)

// A backfillWatch follows one backfill.
type backfillWatch struct {
	asks     backfillAsked
	id       string
	p        *printer
	view     *backfillView
	quiet    bool // show nothing
	attached bool // the work is done by another starter, which may end at any time

	asked  time.Time // when imports were asked last
	round  int       // how often they were
	missed int       // answers in a row that came from the store

	said      time.Time // of the last plain line
	saidText  string
	saidState map[string]crm.State // of each source
}

// followBackfill follows a backfill to its end and says what came of it.
func (s *session) followBackfill(ctx context.Context, k *stack, id string, quiet bool) error {
	view := newBackfillView(func(source string) bound { return s.boundOf(ctx, k.Store, source) })
	w := &backfillWatch{asks: k.Launcher, id: id, p: s.printer, view: view, quiet: quiet, attached: k.Attached}
	p, err := w.run(ctx)
	if ctx.Err() != nil {
		if k.ends() {
			s.say("stopping; batches in hand are finished. Go on with: starter backfill watch")
		} else {
			s.say("detached: the backfill goes on; watch it with: starter backfill watch")
		}
		return end(exitInterrupted)
	}
	if err != nil {
		return err
	}
	if s.json {
		err = s.object(p)
	} else {
		err = s.data(view.text(p, time.Now()))
	}
	return errors.Join(err, end(codeOfBackfill(p)))
}

// run shows a backfill until it ends, or waits for somebody, and says how far it
// is then.
func (w *backfillWatch) run(ctx context.Context) (crm.BackfillProgress, error) {
	defer w.p.wipe()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		now, live, err := w.asks.BackfillProgress(ctx, w.id)
		switch {
		case err != nil:
			return now, err
		case !now.State.Open():
			return w.asks.WaitBackfill(ctx, w.id)
		case now.State == crm.NeedsAttention && settled(now):
			return now, nil
		}
		if err := w.alive(live); err != nil {
			return now, err
		}
		if !w.quiet {
			w.imports(ctx, now)
			w.show(now, time.Now())
		}
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-tick.C:
		}
	}
}

// alive notes whether the workflow has answered. It returns an error once the
// process that does the work is gone: see [alive].
func (w *backfillWatch) alive(live bool) error {
	if live {
		w.missed, w.view.trouble = 0, ""
		return nil
	}
	w.missed++
	w.view.trouble = "no worker answers; this is what the database knows"
	if w.attached && w.missed >= deadAfter {
		return coded{errors.New("the starter that did the work has ended; the backfill goes on with: starter backfill watch"), exitUnreachable}
	}
	return nil
}

// settled reports whether nothing goes on that nobody has to decide about.
func settled(p crm.BackfillProgress) bool {
	return !slices.ContainsFunc(p.Sources, func(s crm.SourceProgress) bool { return s.State == crm.Running || s.State == crm.Queued })
}

// imports asks imports that are running how far they are. Where there are more
// than may be asked at a time, their turn comes one after the other.
func (w *backfillWatch) imports(ctx context.Context, p crm.BackfillProgress) {
	if time.Since(w.asked) < askImports {
		return
	}
	w.asked = time.Now()
	found := askRunning(ctx, w.asks, p, w.round)
	w.round++
	maps.Copy(w.view.imports, found)
}

// askRunning asks imports of a backfill that are running how far they are: ten of
// them, others in each round. It takes no longer than a second. One that does not
// answer is left out.
func askRunning(ctx context.Context, asks backfillAsked, p crm.BackfillProgress, round int) map[string]crm.Progress {
	var running []string
	for _, s := range p.Sources {
		if s.ImportID != "" {
			running = append(running, s.Source)
		}
	}
	if n := len(running); n > importsMost {
		from := round * importsMost % n
		running = slices.Concat(running[from:], running[:from])[:importsMost]
	}
	ctx, cancel := context.WithTimeout(ctx, askImports)
	defer cancel()
	var mu sync.Mutex
	var g errgroup.Group
	found := map[string]crm.Progress{}
	for _, source := range running {
		g.Go(func() error {
			at, err := asks.Progress(ctx, source)
			if err != nil {
				return nil // the table does without it
			}
			mu.Lock()
			defer mu.Unlock()
			found[source] = at
			return nil
		})
	}
	_ = g.Wait()
	return found
}

// show paints the block, or writes lines: of a source that stands otherwise than
// before at once, of the whole now and then if it has changed.
func (w *backfillWatch) show(p crm.BackfillProgress, now time.Time) {
	if w.p.live {
		width, height := w.p.size()
		w.p.paint(w.view.block(p, now, width, height))
		return
	}
	lines := w.view.look(p, now)
	for _, l := range lines {
		if was, ok := w.saidState[l.Source]; l.shown != was && (ok || l.shown != crm.Queued) {
			w.p.say("%s", standingLine(l))
		}
	}
	w.remember(lines)
	if now.Sub(w.said) < lineEvery {
		return
	}
	text := "backfill: " + totalText(lines)
	if left := leftOfBackfill(p, lines); left != "" {
		text += "; " + left
	}
	if w.view.trouble != "" {
		text += "; " + w.view.trouble
	}
	if text != w.saidText {
		w.said, w.saidText = now, text
		w.p.say("%s", text)
	}
}

func (w *backfillWatch) remember(lines []sourceLine) {
	w.saidState = map[string]crm.State{}
	for _, l := range lines {
		w.saidState[l.Source] = l.shown
	}
}

// standingLine says in one line how a source stands.
func standingLine(l sourceLine) string {
	text := fmt.Sprintf("%s: %s, %d of %d partitions done", l.Source, stateText(l.shown), l.Done, l.All())
	if l.Parked > 0 {
		text += fmt.Sprintf(", %d parked", l.Parked)
	}
	text += ", " + count(l.Rows, "row")
	if f := l.Failure; f != nil {
		text += "; " + oneLine(failureText(*f))
	} else if l.LastFailure != nil && l.Parked > 0 {
		text += "; " + oneLine(failureText(*l.LastFailure))
	}
	return text
}

func codeOfBackfill(p crm.BackfillProgress) int {
	if p.State == crm.Done {
		return exitDone
	}
	return exitFailed
}
