package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
)

// model says how long the steps take and what rows are like. The times are
// those of one core that does nothing else.
type model struct {
	Parse    time.Duration // a row
	Dedupe   time.Duration // a key; each record has one
	Write    time.Duration // a record
	Records  float64       // a row
	RowBytes int64         // of the file
	Speed    float64       // divides all times
}

// Rates of the stand-ins' rows: one in 100 is rejected, one in 20 a duplicate.
const (
	rejectEvery    = 100
	duplicateEvery = 20
)

// steps are the stand-ins. They keep a ledger in place of a database's, so
// that an import can be recounted. Safe for concurrent use.
type steps struct {
	model model

	mu      sync.Mutex
	imports map[string]*ledger // by the import's id
}

// ledger is what the batches of one import came to.
type ledger struct {
	written map[int]bool
	again   int // times that a batch was written that was in already
	counts  crm.Counts
}

func newSteps(m model) *steps { return &steps{model: m, imports: map[string]*ledger{}} }

// register makes the stand-ins known under the names of the steps. Notify and
// Mark are not among them: nobody is told, and nobody pauses.
func (s *steps) register(r worker.ActivityRegistry) {
	register(r, crm.Open, s.open)
	register(r, crm.Fetch, s.fetch)
	register(r, crm.Inspect, s.inspect)
	register(r, crm.Parse, s.parse)
	register(r, crm.Dedupe, s.dedupe)
	register(r, crm.Write, s.write)
	register(r, crm.Settle, s.settle)
	register(r, crm.Reconcile, s.reconcile)
}

func register[In, Out any](r worker.ActivityRegistry, s crm.Step[In, Out], do func(context.Context, In) (Out, error)) {
	r.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: s.Name})
}

func (s *steps) open(_ context.Context, in crm.Request) (crm.Opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.imports[in.ID] == nil {
		s.imports[in.ID] = &ledger{written: map[int]bool{}}
	}
	return crm.Opened{Import: crm.Import{ID: in.ID, Number: int64(len(s.imports)), Source: in.Source}}, nil
}

func (s *steps) fetch(_ context.Context, in crm.FetchInput) (crm.Fetched, error) {
	return crm.Fetched{File: crm.File{Number: in.Number, Name: in.File.Name, Object: in.File.Object}}, nil
}

func (s *steps) inspect(_ context.Context, in crm.InspectInput) (crm.Inspected, error) {
	return crm.Inspected{File: in.File, Start: crm.Position{Line: 2}}, nil
}

// parse cuts the rest of the file into batches as the real step would: by rows
// or bytes, whichever is reached first.
func (s *steps) parse(ctx context.Context, in crm.ParseInput) (crm.Parsed, error) {
	out := crm.Parsed{Next: in.From, Rejects: crm.Reasons{}}
	most := min(int64(in.Rows), (in.Bytes+s.model.RowBytes-1)/s.model.RowBytes)
	for n := range in.Batches {
		left := (in.File.Object.Size - out.Next.Offset) / s.model.RowBytes
		rows := min(most, left)
		if rows > 0 {
			b := s.batch(ctx, in.Import.ID, in.Batch+n, out.Next, rows)
			out.Batches = append(out.Batches, b)
			out.Counts.Add(crm.Counts{Read: rows, Rejected: b.Counts.Rejected})
			out.Next = crm.Position{Offset: out.Next.Offset + rows*s.model.RowBytes, Line: out.Next.Line + rows}
		}
		if out.Done = left <= most; out.Done {
			break
		}
	}
	half := out.Counts.Rejected / 2
	out.Rejects.Add(crm.Reasons{crm.ReasonBadEmail: half, crm.ReasonBadDate: out.Counts.Rejected - half})
	return out, s.spend(ctx, s.model.Parse, float64(out.Counts.Read))
}

// batch refers to what nobody staged, in names as long as the real ones.
func (s *steps) batch(ctx context.Context, id string, number int, from crm.Position, rows int64) crm.Batch {
	b := crm.Batch{Number: number, First: from.Line, Last: from.Line + rows - 1, From: from,
		Counts: crm.RowTally{Read: rows, Rejected: rows / rejectEvery}}
	info := activity.GetInfo(ctx)
	run, _, _ := strings.Cut(info.WorkflowExecution.RunID, "-")
	place := fmt.Sprintf("imports/%s/batches/%d/%s-%s-%d/", id, number, run, info.ActivityID, info.Attempt)
	records := s.split(rows - b.Counts.Rejected)
	for _, e := range crm.Entities {
		if records[e] > 0 {
			*b.Part(e) = crm.Part{Object: object(place+e.Plural()+".zst", 40*records[e]), Records: int(records[e])}
		}
	}
	b.Keys = object(place+"keys", 16*(records[0]+records[1]+records[2]))
	if b.Counts.Rejected > 0 {
		b.Rejects = object(place+"rejects.zst", 80*b.Counts.Rejected)
	}
	return b
}

// split says how many customers, contacts and notes so many rows carry: a
// customer each, then contacts, then notes.
func (s *steps) split(rows int64) (records [3]int64) {
	rest := s.model.Records
	for e := range records {
		records[e] = int64(math.Round(float64(rows) * max(0, min(1, rest))))
		rest--
	}
	return records
}

func object(key string, size int64) crm.Object {
	sum := sha256.Sum256([]byte(key))
	return crm.Object{Key: key, Size: size, BLAKE3: hex.EncodeToString(sum[:])}
}

func (s *steps) dedupe(ctx context.Context, in crm.DedupeInput) (crm.Deduped, error) {
	out := crm.Deduped{Claims: in.Claims}
	if out.Claims.Generation == "" {
		out.Claims.Generation = strings.ToUpper(strings.ReplaceAll(in.Import.ID, "-", "")[:26])
	}
	var keys int64
	for _, b := range in.Batches {
		keys += b.Keys.Size / 16
		out.Verdicts = append(out.Verdicts, crm.Verdict{Object: object(
			fmt.Sprintf("imports/%s/verdicts/%d.zst", in.Import.ID, b.Number), b.Keys.Size/160)})
	}
	out.Counts.Duplicate = keys / duplicateEvery
	out.Claims.Size += keys - out.Counts.Duplicate
	return out, s.spend(ctx, s.model.Dedupe, float64(keys))
}

// write enters the batch in the ledger: once, however often it is called.
func (s *steps) write(ctx context.Context, in crm.WriteInput) (crm.Written, error) {
	rows := in.Batch.Counts
	c := crm.Counts{Read: rows.Read, Rejected: rows.Rejected, Accepted: rows.Read - rows.Rejected}
	c.Duplicate = c.Accepted / duplicateEvery
	c.Accepted -= c.Duplicate
	var records int64
	for _, e := range crm.Entities {
		n := int64(in.Batch.Part(e).Records)
		records += n
		*c.Of(e) = crm.Tally{Records: n, Created: n - n/duplicateEvery, Duplicate: n / duplicateEvery}
	}
	if err := s.spend(ctx, s.model.Write, float64(records)); err != nil {
		return crm.Written{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.imports[in.Import.ID]
	if l.written[in.Batch.Number] {
		l.again++
		return crm.Written{Counts: c}, nil
	}
	l.written[in.Batch.Number] = true
	l.counts.Add(c)
	return crm.Written{Counts: c}, nil
}

func (s *steps) settle(context.Context, crm.SettleInput) (crm.Settled, error) {
	return crm.Settled{}, nil
}

func (s *steps) reconcile(_ context.Context, in crm.ReconcileInput) (crm.Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.imports[in.Import.ID]
	return crm.Report{ImportID: in.Import.ID, Number: in.Import.Number, Source: in.Import.Source, State: in.State,
		Failure: in.Failure, Counts: l.counts, Batches: len(l.written)}, nil
}

// repeats says how many batches of an import were written more than once.
func (s *steps) repeats(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.imports[id].again
}

// spend takes the time of n pieces of work.
func (s *steps) spend(ctx context.Context, each time.Duration, n float64) error {
	t := time.NewTimer(time.Duration(float64(each) * n / s.model.Speed))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
