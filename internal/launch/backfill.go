package launch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"sluice/internal/crm"
	"sluice/workflows"
)

// backfillStore is the part of the store that backfills need.
type backfillStore interface {
	AddBackfill(ctx context.Context, b crm.Backfill) error
	AddBackfillSources(ctx context.Context, id string, sources []crm.BackfillSource) error
	storedBackfills
}

// Backfill starts a backfill and returns at once, with its ID filled in. Sources
// of files that do not exist are made. Nothing to bring in, a source twice, and
// files for a source that is read, or none for one of files, wrap
// [crm.ErrInvalid]; a source that does not exist wraps [crm.ErrNotFound].
func (l *Launcher) Backfill(ctx context.Context, b crm.Backfill) (crm.Backfill, error) {
	if len(b.Sources) == 0 || len(b.Sources) > crm.MaxBackfillSources {
		return b, fmt.Errorf("backfill: %w: 1 to %d sources at a time", crm.ErrInvalid, crm.MaxBackfillSources)
	}
	var names []string
	seen := map[string]bool{}
	for _, src := range b.Sources {
		if seen[src.Source] {
			return b, fmt.Errorf("backfill: %w: source %s is named twice; put its files together", crm.ErrInvalid, src.Source)
		}
		seen[src.Source] = true
		if err := l.checkBackfillSource(ctx, src); err != nil {
			return b, err
		}
		names = append(names, src.Source)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return b, err
	}
	b.ID, b.StartedAt, b.Tuning = id.String(), time.Now().UTC().Truncate(time.Millisecond), l.tuned(b.Tuning)
	if b.AtOnce <= 0 {
		b.AtOnce = crm.DefaultAtOnce
	}
	b.AtOnce = min(b.AtOnce, crm.MaxBackfillAtOnce)
	if err := l.Store.AddBackfill(ctx, b); err != nil {
		return b, err
	}
	labels := workflows.BackfillLabels(len(names), b.StartedBy)
	_, err = l.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.BackfillID(b.ID), TaskQueue: workflows.TaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:         labels.Summary,
		StaticDetails:         labels.Details,
		TypedSearchAttributes: labels.Attributes,
		Priority:              labels.Priority,
	}, "Backfill", workflows.BackfillInput{Version: 1, ID: b.ID, Sources: names, AtOnce: b.AtOnce, StartedBy: b.StartedBy, Tuning: b.Tuning})
	if err != nil {
		return b, fmt.Errorf("start backfill: %w", err)
	}
	return b, nil
}

func (l *Launcher) checkBackfillSource(ctx context.Context, b crm.BackfillSource) error {
	if err := crm.CheckSlug(b.Source); err != nil {
		return err
	}
	if len(b.Files) > MaxFiles {
		return fmt.Errorf("backfill of %s: %w: at most %d files at a time", b.Source, crm.ErrInvalid, MaxFiles)
	}
	if len(b.Files) > 0 {
		return l.Store.AddSource(ctx, crm.Source{Slug: b.Source, Title: b.Source, Kind: crm.KindFile})
	}
	src, err := l.Store.Source(ctx, b.Source)
	switch {
	case err != nil:
		return err
	case src.Removing != nil:
		return src.Takes()
	case src.Kind == crm.KindFile:
		return fmt.Errorf("backfill of %s: %w: it is a source of files; name the files", b.Source, crm.ErrInvalid)
	case !b.Span.To.IsZero() && !b.Span.From.Before(b.Span.To):
		return fmt.Errorf("backfill of %s: %w: it ends before it begins", b.Source, crm.ErrInvalid)
	}
	return nil
}

// AddToBackfill brings another source into a backfill that is running.
func (l *Launcher) AddToBackfill(ctx context.Context, id string, src crm.BackfillSource, by string) (crm.BackfillProgress, error) {
	if err := l.checkBackfillSource(ctx, src); err != nil {
		return crm.BackfillProgress{}, err
	}
	if err := l.Store.AddBackfillSources(ctx, id, []crm.BackfillSource{src}); err != nil {
		return crm.BackfillProgress{}, err
	}
	return l.CommandBackfill(ctx, id, workflows.UpdateAddSource, src.Source, by)
}

// The commands to a backfill that is running.
const (
	PauseBackfill  = workflows.UpdatePause
	ResumeBackfill = workflows.UpdateResume
	CancelBackfill = workflows.UpdateCancel
	RetryParked    = workflows.UpdateRetry
	SkipParked     = workflows.UpdateSkip
	DropSource     = workflows.UpdateDropSource
)

// CommandBackfill gives a backfill that is running one of the commands above;
// source is the one it is about, or "". What it refuses wraps
// [crm.ErrInvalid]; no such backfill, or one that has ended, [crm.ErrNotFound].
func (l *Launcher) CommandBackfill(ctx context.Context, id, name, source, by string) (p crm.BackfillProgress, err error) {
	err = l.update(ctx, workflows.BackfillID(id), name, workflows.SourceCommand{Source: source, By: by}, &p)
	if errors.Is(err, crm.ErrNotFound) {
		return p, fmt.Errorf("backfill %s: running backfill: %w", id, crm.ErrNotFound)
	}
	if err != nil {
		return p, fmt.Errorf("%s of the backfill: %w", name, err)
	}
	return p, nil
}

// BackfillProgress says how far a backfill is. It asks the workflow; one that has
// ended, or that no worker answers for, is told from the store, and then live is
// false.
func (l *Launcher) BackfillProgress(ctx context.Context, id string) (p crm.BackfillProgress, live bool, err error) {
	ask, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	v, err := l.Temporal.QueryWorkflow(ask, workflows.BackfillID(id), "", workflows.QueryProgress)
	if err == nil {
		err = v.Get(&p)
	}
	if err == nil {
		return p, true, nil
	}
	if ctx.Err() != nil {
		return p, false, ctx.Err()
	}
	p, err = StoredBackfill(ctx, l.Store, id)
	return p, false, err
}

// askLimit is how long a workflow may take to answer before the store is asked.
const askLimit = 5 * time.Second

// storedBackfills is the part of the store that tells of a backfill.
type storedBackfills interface {
	Backfill(ctx context.Context, id string) (crm.BackfillRow, error)
	BackfillPartitions(ctx context.Context, id, source string) ([]crm.BackfillPartition, error)
}

// StoredBackfill makes a progress of what the store alone says of a backfill:
// which partitions are done, but not how long they took, and of a source that
// could not be planned not why. No such backfill wraps [crm.ErrNotFound].
func StoredBackfill(ctx context.Context, db storedBackfills, id string) (crm.BackfillProgress, error) {
	row, err := db.Backfill(ctx, id)
	if err != nil {
		return crm.BackfillProgress{}, err
	}
	p := crm.BackfillProgress{ID: row.ID, State: row.State, AtOnce: row.AtOnce, StartedAt: row.StartedAt, UpdatedAt: row.EndedAt}
	for _, src := range row.Sources {
		parts, err := db.BackfillPartitions(ctx, id, src.Source)
		if err != nil {
			return p, err
		}
		p.Sources = append(p.Sources, storedSource(row, src.Source, parts))
	}
	return p, nil
}

// storedSource says how far a backfill is with one source.
func storedSource(row crm.BackfillRow, source string, parts []crm.BackfillPartition) crm.SourceProgress {
	s := crm.SourceProgress{Source: source}
	for _, part := range parts {
		s.Count(part)
		switch part.State {
		case crm.PartitionRunning:
			s.Name, s.Number, s.ImportID = part.Name, part.Number, part.ImportID
		case crm.PartitionParked:
			s.LastFailure = part.Failure
		}
	}
	switch {
	case s.All() > 0 && s.Left+s.Running+s.Parked == 0:
		s.State = crm.Done
	case !row.EndedAt.IsZero():
		s.State = row.State
	case s.Left+s.Running == 0 && s.Parked > 0:
		s.State = crm.NeedsAttention
	case s.Left == s.All():
		s.State = crm.Queued
	default:
		s.State = crm.Running
	}
	return s
}

// WaitBackfill waits for a backfill to end and says how far it has come.
func (l *Launcher) WaitBackfill(ctx context.Context, id string) (crm.BackfillProgress, error) {
	var p crm.BackfillProgress
	err := l.Temporal.GetWorkflow(ctx, workflows.BackfillID(id), "").Get(ctx, &p)
	var closed *temporal.WorkflowExecutionError
	if errors.As(err, &closed) {
		return StoredBackfill(ctx, l.Store, id)
	}
	if err != nil {
		return p, fmt.Errorf("wait for the backfill: %w", err)
	}
	return p, nil
}
