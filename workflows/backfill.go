package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
)

// BackfillInput is the input of Backfill: which backfill, and from the second run
// on how far the one before it came. What there is to do lies in the database.
type BackfillInput struct {
	Version   int        `json:"version"` // 1
	ID        string     `json:"id"`
	Sources   []string   `json:"sources"`
	AtOnce    int        `json:"at_once"`
	StartedBy string     `json:"started_by,omitempty"`
	Tuning    crm.Tuning `json:"tuning,omitzero"`

	Carried *CarriedBackfill `json:"carried,omitempty"`
}

// CarriedBackfill is what one run of a backfill hands to the next.
type CarriedBackfill struct {
	Progress crm.BackfillProgress `json:"progress"`
	Retried  []string             `json:"retried,omitempty"` // sources whose parked partitions were tried again by themselves
	Paused   bool                 `json:"paused,omitempty"`
	By       string               `json:"by,omitempty"`
}

// Backfill brings history in: of each source partition by partition, each by an
// Import as a child, several sources at a time. It answers for its progress by
// source, and takes commands: pause, resume, cancel, retry, skip, and sources
// that are added or dropped while it runs.
//
// A partition whose import fails is parked and the others go on; at the end it
// is tried once more, and then waits for somebody. A source that refuses its
// credentials stops by itself, and the others go on. Between two partitions of a
// source a sync of it comes first.
//
// It fails only if a command says so: what is parked is no failure of the rest.
func Backfill(ctx workflow.Context, in BackfillInput) (crm.BackfillProgress, error) {
	b := newBackfilling(ctx, in)
	work, stop := workflow.WithCancel(ctx)
	b.stop = stop
	if err := b.answer(ctx, work); err != nil {
		return b.at.Progress, err
	}
	for i := range b.at.Progress.Sources {
		b.start(work, b.at.Progress.Sources[i].Source)
	}
	err := workflow.Await(ctx, func() bool { return b.running == 0 })
	if err != nil { // cancelled from outside
		b.cancelled = true
		disconnected, _ := workflow.NewDisconnectedContext(ctx)
		stop()
		_ = workflow.Await(disconnected, func() bool { return b.running == 0 })
		ctx = disconnected
	}
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	if b.draining && !b.cancelled {
		return b.at.Progress, b.continueAsNew(ctx)
	}
	return b.end(ctx)
}

// backfilling is the state of one run.
type backfilling struct {
	in     BackfillInput
	tuning crm.Tuning
	at     CarriedBackfill
	turns  workflow.Semaphore

	running   int  // lanes that have not ended
	draining  bool // no partition is begun any more in this run
	cancelled bool
	ending    bool
	stop      workflow.CancelFunc
	lanes     map[string]*lane
	begun     int // partitions of this run
}

// lane is what goes on with one source.
type lane struct {
	source   string
	stop     workflow.CancelFunc
	decision string // about parked partitions: retry or skip
	dropped  bool
	rested   bool // the partition at hand has waited, so its time is no measure
}

func newBackfilling(ctx workflow.Context, in BackfillInput) *backfilling {
	b := &backfilling{in: in, tuning: in.Tuning.WithDefaults(), lanes: map[string]*lane{}, turns: workflow.NewSemaphore(ctx, int64(max(1, in.AtOnce)))}
	if in.Carried != nil {
		b.at = *in.Carried
		b.at.Progress.Sources = roomy(b.at.Progress.Sources)
		return b
	}
	b.at.Progress = crm.BackfillProgress{ID: in.ID, State: crm.Running, AtOnce: in.AtOnce, StartedAt: workflow.Now(ctx), UpdatedAt: workflow.Now(ctx)}
	for _, source := range in.Sources {
		b.at.Progress.Sources = append(b.at.Progress.Sources, crm.SourceProgress{Source: source, State: crm.Queued})
	}
	b.at.Progress.Sources = roomy(b.at.Progress.Sources)
	return b
}

// roomy returns a list to which all sources that a backfill may have can be
// added without moving it: lanes keep hold of their place in it.
func roomy(list []crm.SourceProgress) []crm.SourceProgress {
	return slices.Grow(list, max(0, crm.MaxBackfillSources-len(list)))
}

// of is how far a source is.
func (b *backfilling) of(source string) *crm.SourceProgress {
	i := slices.IndexFunc(b.at.Progress.Sources, func(s crm.SourceProgress) bool { return s.Source == source })
	return &b.at.Progress.Sources[i]
}

// start begins with a source, unless it has ended.
func (b *backfilling) start(ctx workflow.Context, source string) {
	if s := b.of(source).State; s == crm.Done || s == crm.Cancelled || s == crm.Failed {
		return
	}
	ctx, stop := workflow.WithCancel(ctx)
	l := &lane{source: source, stop: stop}
	b.lanes[source] = l
	b.running++
	workflow.GoNamed(ctx, "source-"+source, func(ctx workflow.Context) {
		defer func() { b.running-- }()
		b.follow(ctx, l)
		b.show(ctx)
	})
}

// follow brings one source in, and notes how that ends.
func (b *backfilling) follow(ctx workflow.Context, l *lane) {
	err := b.plan(ctx, l)
	for err == nil && !b.draining {
		err = b.round(ctx, l)
		if s := b.of(l.source); err != nil || s.State == crm.Done {
			break
		}
	}
	s := b.of(l.source)
	switch {
	case err == nil:
	case l.dropped, b.cancelled, temporal.IsCanceledError(err):
		s.State = crm.Cancelled
	default:
		s.State, s.Failure = crm.Failed, failureOf(err)
	}
}

func (b *backfilling) plan(ctx workflow.Context, l *lane) error {
	counts, err := run(ctx, crm.PlanBackfill, b.tuning, l.source, crm.PlanBackfillInput{Backfill: b.in.ID, Source: l.source})
	if err == nil {
		b.of(l.source).BackfillCounts = counts
	}
	return err
}

// round imports what is left of a source, and then asks about what is parked.
func (b *backfilling) round(ctx workflow.Context, l *lane) error {
	if err := b.turns.Acquire(ctx, 1); err != nil {
		return err
	}
	err := b.partitions(ctx, l)
	b.turns.Release(1)
	if err != nil || b.draining {
		return err
	}
	s := b.of(l.source)
	if s.Parked == 0 {
		s.State, s.Failure = crm.Done, nil
		return nil
	}
	if !slices.Contains(b.at.Retried, l.source) && s.Failure == nil {
		b.at.Retried = append(b.at.Retried, l.source)
		return b.requeue(ctx, l, crm.PartitionLeft)
	}
	return b.ask(ctx, l)
}

// partitions imports what is left of a source, one partition after the other.
// It stops early where going on would only fail again: the source's credentials
// do not hold.
func (b *backfilling) partitions(ctx workflow.Context, l *lane) error {
	s := b.of(l.source)
	for {
		if err := workflow.Await(ctx, func() bool { return !b.at.Paused || b.draining }); err != nil {
			return err
		}
		if b.full(ctx) {
			b.draining = true
		}
		if b.draining {
			return nil
		}
		s.State = crm.Running
		next, err := run(ctx, crm.BeginPartition, b.tuning, l.source, crm.NextPartitionInput{Backfill: b.in.ID, Source: l.source})
		if err != nil {
			return err
		}
		s.BackfillCounts = next.Counts
		if next.Number == 0 {
			return nil
		}
		s.Name, s.Number, s.ImportID, s.Since = next.Name, next.Number, next.Request.ID, workflow.Now(ctx)
		l.rested = false
		b.show(ctx)
		denied, err := b.partition(ctx, l, next)
		s.Name, s.Number, s.ImportID, s.Since = "", 0, "", time.Time{}
		if err != nil || denied {
			return err
		}
	}
}

// partition imports one partition. A cancel is an error, and leaves it as one
// that is running; another backfill, or another run of this one, takes it up.
func (b *backfilling) partition(ctx workflow.Context, l *lane, next crm.NextPartition) (denied bool, err error) {
	b.begun++
	s := b.of(l.source)
	next.Request.Tuning = b.in.Tuning
	report, err := b.imported(ctx, next.Request)
	if ctx.Err() != nil || report.State == crm.Cancelled && (b.cancelled || l.dropped) {
		return false, errors.Join(ctx.Err(), workflow.ErrCanceled)
	}
	end := crm.EndPartitionInput{Backfill: b.in.ID, Source: l.source, Number: next.Number, State: crm.PartitionDone, Rows: report.Read}
	if err == nil && report.State == crm.Done && !l.rested {
		s.Tempo.Add(workflow.Now(ctx).Sub(s.Since))
	}
	if err != nil || report.State != crm.Done && report.State != crm.AlreadyImported {
		end.State, end.Failure = crm.PartitionParked, report.Failure
		if err != nil {
			end.Failure = failureOf(err)
		}
		if end.Failure == nil {
			end.Failure = &crm.Failure{Type: crm.FailInvalid, Message: "its import ended as " + string(report.State)}
		}
	}
	ended, err := run(ctx, crm.EndPartition, b.tuning, fmt.Sprintf("%s %d", l.source, next.Number), end)
	if err != nil {
		return false, err
	}
	s.BackfillCounts = ended
	switch {
	case end.Failure != nil:
		s.LastFailure = end.Failure
	case s.Parked == 0:
		s.LastFailure = nil
	}
	denied = end.Failure != nil && end.Failure.Type == crm.FailDenied
	if denied {
		s.Failure = end.Failure
	}
	return denied, nil
}

// imported runs the import of a partition as a child. While another import of
// the source is running it waits.
func (b *backfilling) imported(ctx workflow.Context, r crm.Request) (crm.Report, error) {
	for {
		report, err := imported(ctx, r)
		var running *temporal.ChildWorkflowExecutionAlreadyStartedError
		if !errors.As(err, &running) {
			return report, err
		}
		b.lanes[r.Source].rested = true
		if _, err := run(ctx, crm.AwaitSource, b.tuning, r.Source+": another import is running", crm.AwaitInput{Source: r.Source}); err != nil {
			return crm.Report{}, err
		}
	}
}

func (b *backfilling) requeue(ctx workflow.Context, l *lane, to crm.PartitionState) error {
	counts, err := run(ctx, crm.Requeue, b.tuning, l.source+" · "+string(to), crm.RequeueInput{Backfill: b.in.ID, Source: l.source, To: to})
	if err == nil {
		b.of(l.source).BackfillCounts = counts
	}
	return err
}

// ask waits until somebody decides about the parked partitions of a source.
func (b *backfilling) ask(ctx workflow.Context, l *lane) error {
	s := b.of(l.source)
	s.State = crm.NeedsAttention
	b.show(ctx)
	if err := workflow.Await(ctx, func() bool { return l.decision != "" || b.draining }); err != nil {
		return err
	}
	if l.decision == "" {
		return nil
	}
	to := crm.PartitionLeft
	if l.decision == UpdateSkip {
		to = crm.PartitionSkipped
	}
	l.decision, s.Failure, s.State = "", nil, crm.Running
	return b.requeue(ctx, l, to)
}

// full decides when a run has enough history.
func (b *backfilling) full(ctx workflow.Context) bool {
	return b.begun >= 100 || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

func (b *backfilling) continueAsNew(ctx workflow.Context) error {
	next := b.in
	next.Carried = &b.at
	next.Sources = nil
	return workflow.NewContinueAsNewError(ctx, Backfill, next)
}

// end notes how the backfill has ended.
func (b *backfilling) end(ctx workflow.Context) (crm.BackfillProgress, error) {
	b.ending = true
	b.at.Progress.State = crm.Done
	for _, s := range b.at.Progress.Sources {
		switch {
		case b.cancelled:
			b.at.Progress.State = crm.Cancelled
		case s.State == crm.Failed:
			b.at.Progress.State = crm.Failed
		}
	}
	_, err := run(ctx, crm.EndBackfill, b.tuning, "", crm.EndBackfillInput{Backfill: b.in.ID, State: b.at.Progress.State})
	b.show(ctx)
	return b.at.Progress, err
}

// BackfillID is the ID of the workflow of a backfill.
func BackfillID(id string) string { return "backfill:" + id }
