package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// pages is how far the partitions of a source are read.
type pages struct {
	// Split is what is read before the rest of the request's partitions: those
	// that took the place of one that proved too big, or the statuses. The first
	// is at hand. Next is how many of the request's have been begun with.
	Split []crm.Partition `json:"split,omitempty"`
	Next  int             `json:"next,omitempty"`

	Cursor crm.Object `json:"cursor,omitzero"` // of the partition at hand: where the next segment begins
	Lost   int        `json:"lost,omitempty"`  // how often the source has forgotten where we were
	Since  time.Time  `json:"since,omitzero"`  // when it was begun with, or resumed; zero before the first
	Tempo  crm.Tempo  `json:"tempo,omitzero"`
	Folded bool       `json:"folded,omitempty"` // the statuses of customers are among the partitions

	// Ahead is the segment that was fetched while the one before it was
	// written.
	Ahead *crm.Fetched `json:"ahead,omitempty"`
}

// maxLost is how often a partition is begun again because the source has
// forgotten where we were.
const maxLost = 3

// readPages takes the partitions of a source one after the other, segment by
// segment, each through the pipeline as a file of its own; the next segment is
// fetched meanwhile. It returns with m.continuing set when this run's history
// is long enough.
func (m *importing) readPages(ctx workflow.Context) error {
	for {
		if m.at.File == nil {
			if more, err := m.nextSegment(ctx); err != nil || !more {
				return err
			}
		}
		fetched := m.fetchAhead(ctx)
		err := m.pipeline(ctx)
		if ahead := fetched(ctx, err != nil); err == nil {
			err = ahead
		}
		if err != nil || m.continuing {
			return err
		}
		m.at.FileNumber, m.at.File = m.at.FileNumber+1, nil
		if m.full(ctx) {
			m.continuing = true
			return nil
		}
	}
}

// nextSegment makes the next segment that has rows the file at hand; false if
// there is none.
//
// A record may come in several segments, as the source changes while it is
// read. Then the last one counts, so claims hold within a segment alone.
func (m *importing) nextSegment(ctx workflow.Context) (more bool, err error) {
	for {
		f := m.at.Pages.Ahead
		m.at.Pages.Ahead = nil
		if f == nil {
			m.fold()
			if m.reading() == nil {
				return false, nil
			}
			m.phase(ctx, phaseFetch)
			if f, err = m.fetch(ctx, m.at.FileNumber); err != nil {
				return false, err
			}
		}
		if f.Rows > 0 {
			m.at.Claims = crm.Claims{Since: m.at.Batch}
			m.at.Progress.BytesTotal += f.Object.Size
			return true, m.look(ctx, f.File, f.Object.Size)
		}
	}
}

// reading is the partition at hand; nil if all are read.
func (m *importing) reading() *crm.Partition {
	if at := &m.at.Pages; len(at.Split) > 0 {
		return &at.Split[0]
	} else if at.Next < len(m.request.Reads) {
		return &m.request.Reads[at.Next]
	}
	return nil
}

// turn leaves the partition at hand for those that are to be read in its place,
// or for the one behind it.
func (m *importing) turn(now time.Time, instead []crm.Partition) {
	at := &m.at.Pages
	if len(instead) == 0 {
		at.Tempo.Add(now.Sub(at.Since))
	}
	at.Since = now
	if len(at.Split) > 0 {
		at.Split = at.Split[1:]
	} else {
		at.Next++
	}
	at.Split = slices.Concat(instead, at.Split)
	at.Lost = 0
	m.at.Progress.Partitions += len(instead)
	m.at.Progress.PartitionsRead++
}

// left is about how long the partitions take that are not read; 0 if that is
// unknown. The statuses are counted only when their turn comes: they are short.
func (p *pages) left(pr *crm.Progress, now time.Time) time.Duration {
	return p.Tempo.Left(pr.Partitions-pr.PartitionsRead, now.Sub(p.Since))
}

// fold adds what subscriptions make of their customers to the partitions, once
// all others are written.
func (m *importing) fold() {
	if m.reading() != nil || m.at.Pages.Folded || !m.request.Statuses {
		return
	}
	m.at.Pages.Folded = true
	m.at.Pages.Split = []crm.Partition{{ID: crm.StreamStatuses, Stream: crm.StreamStatuses}}
	m.at.Progress.Partitions++
}

// fetch reads the next segment of the partition at hand. A partition that is read
// to its end gives way to the next, or to those that are to be read instead.
func (m *importing) fetch(ctx workflow.Context, number int) (*crm.Fetched, error) {
	for {
		if err := m.gate(ctx); err != nil {
			return nil, err
		}
		p := *m.reading()
		if m.at.Pages.Since.IsZero() {
			m.at.Pages.Since = workflow.Now(ctx)
		}
		f, err := run(ctx, crm.Fetch, m.tuning, fmt.Sprintf("%s, segment %d", p.ID, number+1), crm.FetchInput{
			Import: m.at.Import, Number: number, Segment: &crm.Segment{Partition: p, Cursor: m.at.Pages.Cursor,
				Rows: m.tuning.BatchRows, Bytes: m.tuning.BatchBytes}})
		if err != nil && failureOf(err).Type == crm.FailCursorLost && !m.at.Pages.Cursor.IsZero() && m.at.Pages.Lost < maxLost {
			m.at.Pages.Cursor, m.at.Pages.Lost = crm.Object{}, m.at.Pages.Lost+1
			continue
		}
		if err != nil {
			return nil, err
		}
		m.at.Pages.Cursor = f.Cursor
		if f.Done {
			m.turn(workflow.Now(ctx), f.Instead)
		}
		f.Instead = nil // they need not cross to the next run twice
		return &f, nil
	}
}

// fetchAhead begins to read the segment after the one at hand. The function that
// it returns waits for it, or gives it up.
//
// Statuses are not read ahead: they follow from what is written.
func (m *importing) fetchAhead(ctx workflow.Context) (wait func(ctx workflow.Context, giveUp bool) error) {
	if p := m.reading(); m.at.Pages.Ahead != nil || p == nil || p.Stream == crm.StreamStatuses {
		return func(workflow.Context, bool) error { return nil }
	}
	ctx, stop := workflow.WithCancel(ctx)
	wg := workflow.NewWaitGroup(ctx)
	wg.Add(1)
	var failed error
	workflow.GoNamed(ctx, "fetch", func(ctx workflow.Context) {
		defer wg.Done()
		m.at.Pages.Ahead, failed = m.fetch(ctx, m.at.FileNumber+1)
	})
	return func(ctx workflow.Context, giveUp bool) error {
		if giveUp {
			stop()
		}
		wg.Wait(ctx)
		stop()
		return failed
	}
}
