package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"sluice/internal/crm"
	"sluice/internal/source"
)

// Sources gives access to what the sources hold.
type Sources interface {
	// Access returns the connector of a source and what it needs to read it.
	Access(ctx context.Context, slug string) (source.Connector, *source.Access, error)

	// Way returns how files are reached that are imported into a source.
	Way(ctx context.Context, slug string) (source.Way, error)
}

// Plan divides what there is to read of a source into partitions, and makes the
// request of an import that reads them. It leaves nothing anywhere, so running
// it twice is harmless.
//
// What is asked for ends where the source shows all that has changed. That end
// is the watermark of the request, fixed before anything is read: what changes
// while it is read is read again by the next one. Where the source no longer
// knows what has changed since its watermark, all there is is read.
func (a *Activities) Plan(ctx context.Context, in crm.PlanInput) (crm.Planned, error) {
	src, err := a.Store.Source(ctx, in.Source)
	if err != nil {
		return crm.Planned{}, err
	}
	c, access, err := a.Sources.Access(ctx, in.Source)
	if err != nil {
		return crm.Planned{}, err
	}
	about, now := source.AboutFor(c, access.Settings), access.Now().UTC()
	out := crm.Planned{Full: in.Full, Request: crm.Request{Version: crm.RequestVersion, Source: in.Source, StartedBy: in.StartedBy,
		AskedAt: now.Truncate(time.Millisecond), Tuning: in.Tuning, Named: !about.Free, Statuses: about.Subscriptions}}
	id, err := uuid.NewV7()
	if err != nil {
		return crm.Planned{}, err
	}
	out.Request.ID = id.String()
	end := now.Add(-about.Lag).Truncate(time.Millisecond)
	want := source.Want{Span: in.Span}
	if in.Span == (crm.Span{}) {
		out.Request.Watermark = end
		want.Span = crm.Span{To: end}
		switch {
		case in.Full:
		case src.Watermark.IsZero():
			out.Full, out.Why = true, "it has never been read whole"
		case about.Increments == source.FullReading:
			out.Full, out.Why = true, "it cannot be asked for changes"
		default:
			want.From, want.Changes = src.Watermark, true
		}
	}
	if want.Changes {
		out.Request.Since = src.Watermark
	}
	out.Request.Reads, err = c.Plan(ctx, access, want)
	if errors.Is(err, crm.ErrCursorLost) && want.Changes {
		out.Full, out.Why = true, "it no longer knows what has changed since the last sync"
		out.Request.Since = time.Time{}
		out.Request.Reads, err = c.Plan(ctx, access, source.Want{Span: crm.Span{To: end}})
	}
	if err == nil && len(out.Request.Reads) > crm.MaxPartitions {
		err = fmt.Errorf("source %s: %w: %d partitions, and a plan has at most %d; ask for a shorter span", in.Source, crm.ErrInvalid, len(out.Request.Reads), crm.MaxPartitions)
	}
	return out, err
}

// segmentTime is how long one call of Fetch reads a partition. A worker that dies
// costs one segment: what the source has been asked for is asked for again.
const segmentTime = time.Minute

// segment is one call of Fetch for pages.
type segment struct {
	a  *Activities
	in crm.FetchInput

	cursor source.Cursor // where the next page begins
	text   bytes.Buffer  // NDJSON
	seen   map[string]bool
	out    crm.Fetched
}

// fetchPages reads pages of a partition until there are enough rows for a
// segment, and leaves them in the stage as one file of NDJSON, with the cursor
// of the page that follows. What it learns of subscriptions it keeps in the
// store.
//
// Another attempt reads the same pages again from the segment's cursor and
// stages them under keys of its own (invariant 3). The source may have changed
// meanwhile: then the segment is what the attempt that answers has read.
//
// A segment ends before a page that brings a record once more: of two in one
// file the first would win, and of two files the second. It ends early too when
// the source fails or asks to wait after a page at least: so a source that fails
// again and again is read all the same, page by page.
func (a *Activities) fetchPages(ctx context.Context, in crm.FetchInput) (crm.Fetched, error) {
	s := &segment{a: a, in: in, seen: map[string]bool{}}
	if !in.Segment.Cursor.IsZero() {
		r, err := a.Stage.Open(ctx, in.Segment.Cursor, 0)
		if s.cursor, err = whole(r, err, source.MaxCursor); err != nil {
			return crm.Fetched{}, err
		}
	}
	read, err := a.reader(ctx, in)
	if err != nil {
		return crm.Fetched{}, err
	}
	if err := s.read(ctx, read); err != nil {
		return crm.Fetched{}, err
	}
	return s.staged(ctx)
}

// whole reads what is short.
func whole(r io.ReadCloser, err error, most int64) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, most))
}

// A pageReader reads one page of the partition at hand.
type pageReader func(ctx context.Context, at source.Cursor) (source.Page, error)

// reader returns what reads the partition: its connector, or, of the statuses
// that follow from subscriptions, the store.
func (a *Activities) reader(ctx context.Context, in crm.FetchInput) (pageReader, error) {
	p := in.Segment.Partition
	if p.Stream == crm.StreamStatuses {
		return func(ctx context.Context, at source.Cursor) (source.Page, error) {
			return a.statuses(ctx, in.Import.Number, at)
		}, nil
	}
	c, access, err := a.Sources.Access(ctx, in.Import.Source)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, at source.Cursor) (source.Page, error) { return c.Read(ctx, access, p, at) }, nil
}

func (s *segment) read(ctx context.Context, read pageReader) error {
	most := s.in.Segment
	pages := 0
	for begun := time.Now(); s.size() < int64(most.Rows) && int64(s.text.Len()) < most.Bytes && time.Since(begun) < segmentTime; pages++ {
		page, err := read(ctx, s.cursor)
		switch {
		case err != nil && pages > 0 && ctx.Err() == nil:
			return nil // what has been read is kept; the next segment meets the error
		case err != nil:
			return err
		case len(page.Instead) > crm.MaxInstead:
			return fmt.Errorf("partition %s: %w: the source would have %d read in its place, and at most %d may be", s.in.Segment.Partition.ID, crm.ErrInvalid, len(page.Instead), crm.MaxInstead)
		case page.Instead != nil:
			s.out.Instead, s.out.Done = page.Instead, true
			return nil
		case page.Next != nil && bytes.Equal(page.Next, s.cursor):
			return fmt.Errorf("partition %s: %w: the source does not go on: its next page begins where this one does", s.in.Segment.Partition.ID, crm.ErrInvalid)
		case s.repeats(page):
			return nil
		}
		if err := s.take(ctx, page); err != nil {
			return err
		}
		if s.cursor = page.Next; page.Next == nil {
			s.out.Done = true
			return nil
		}
	}
	return nil
}

// size is how much the segment has brought: a page of subscriptions has no rows.
func (s *segment) size() int64 { return s.out.Rows + s.out.Subscriptions }

// repeats reports whether a record of the page is in the segment already.
func (s *segment) repeats(p source.Page) bool {
	for _, r := range p.Rows {
		if r.ID != "" && s.seen[r.ID] {
			return true
		}
	}
	return false
}

func (s *segment) take(ctx context.Context, p source.Page) error {
	for _, r := range p.Rows {
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		s.text.Write(append(b, '\n'))
		s.seen[r.ID] = true
	}
	s.out.Rows += int64(len(p.Rows))
	s.out.Subscriptions += int64(len(p.Subscriptions))
	if len(p.Subscriptions) == 0 {
		return nil
	}
	return s.a.Store.SaveSubscriptions(ctx, s.in.Import.Number, p.Subscriptions)
}

func (s *segment) staged(ctx context.Context) (crm.Fetched, error) {
	id, n := s.in.Import.ID, s.in.Number
	var err error
	if !s.out.Done {
		if s.out.Cursor, err = s.a.Stage.Put(ctx, fileKey(id, attempt(ctx), n, "cursor"), bytes.NewReader(s.cursor)); err != nil {
			return crm.Fetched{}, err
		}
	}
	if s.out.Rows == 0 {
		return s.out, nil
	}
	s.out.File = crm.File{Number: n, Name: s.in.Segment.Partition.ID}
	if s.out.File.Object, err = s.a.Stage.Put(ctx, fileKey(id, attempt(ctx), n, "ndjson"), bytes.NewReader(s.text.Bytes())); err != nil {
		return crm.Fetched{}, err
	}
	var sums blockSums
	_, _ = sums.Write(s.text.Bytes()) // it never fails
	s.out.File.Sums, err = s.a.Stage.Put(ctx, fileKey(id, attempt(ctx), n, "sums"), bytes.NewReader(sums.all()))
	return s.out, err
}

// statusesPage is how many customers' statuses are read at a time.
const statusesPage = 1000

// statuses reads what subscriptions say of their customers, of those customers
// of which the import has changed the one or the other.
func (a *Activities) statuses(ctx context.Context, number int64, at source.Cursor) (source.Page, error) {
	after := ""
	if at != nil {
		if err := json.Unmarshal(at, &after); err != nil {
			return source.Page{}, err
		}
	}
	all, err := a.Store.Subscribers(ctx, number, after, statusesPage)
	if err != nil {
		return source.Page{}, err
	}
	var page source.Page
	for _, c := range all {
		status, trial := crm.Fold(c.Subscriptions)
		row := source.Row{ID: c.Customer}
		row.Customer.Set("external_id", c.Customer)
		row.Customer.Set("status", status)
		row.Customer.SetTime("free_trial_started_at", trial)
		page.Rows = append(page.Rows, row)
	}
	if len(all) == statusesPage {
		page.Next, err = json.Marshal(all[len(all)-1].Customer)
	}
	return page, err
}
