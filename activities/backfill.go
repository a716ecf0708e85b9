package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"sluice/internal/crm"
	"sluice/internal/source"
)

// backfillStore is the part of the store that a backfill needs.
type backfillStore interface {
	BackfillSource(ctx context.Context, id, source string) (src crm.BackfillSource, planned bool, err error)
	PlanBackfill(ctx context.Context, id, source string, parts []crm.PlannedPartition) error
	BeginPartition(ctx context.Context, id, source, importID string) (crm.BackfillPartition, crm.Request, error)
	EndPartition(ctx context.Context, in crm.EndPartitionInput) error
	Requeue(ctx context.Context, in crm.RequeueInput) error
	BackfillCounts(ctx context.Context, id, source string) (crm.BackfillCounts, error)
	EndBackfill(ctx context.Context, in crm.EndBackfillInput) error
}

func registerBackfill(r worker.ActivityRegistry, a *Activities) {
	register(r, crm.PlanBackfill, a.PlanBackfill)
	register(r, crm.BeginPartition, a.BeginPartition)
	register(r, crm.EndPartition, a.EndPartition)
	register(r, crm.Requeue, a.Requeue)
	register(r, crm.EndBackfill, a.EndBackfill)
}

// PlanBackfill divides a source of a backfill into partitions, each of which is
// one import, and enters them in the database. Those that are there already stay,
// so running it twice is harmless. A source that nothing can be read from ends
// it.
func (a *Activities) PlanBackfill(ctx context.Context, in crm.PlanBackfillInput) (crm.BackfillCounts, error) {
	src, planned, err := a.Store.BackfillSource(ctx, in.Backfill, in.Source)
	if err != nil {
		return crm.BackfillCounts{}, err
	}
	if !planned {
		parts, err := a.backfillParts(ctx, src)
		if err == nil {
			err = a.Store.PlanBackfill(ctx, in.Backfill, in.Source, parts)
		}
		if err != nil {
			return crm.BackfillCounts{}, err
		}
	}
	return a.Store.BackfillCounts(ctx, in.Backfill, in.Source)
}

func (a *Activities) backfillParts(ctx context.Context, src crm.BackfillSource) (parts []crm.PlannedPartition, err error) {
	r := crm.Request{Version: crm.RequestVersion, Source: src.Source, Mode: src.Mode, Sheet: src.Sheet, Mapping: src.Mapping}
	for _, f := range src.Files {
		files := []crm.FileRef{f}
		if f.Many {
			if files, err = a.find(ctx, src.Source, f); err != nil {
				return nil, err
			}
		}
		for _, f := range files {
			of := r
			of.Files = []crm.FileRef{f}
			parts = append(parts, crm.PlannedPartition{Name: f.Name, Request: of})
		}
	}
	if len(src.Files) > 0 {
		return parts, nil
	}
	c, access, err := a.Sources.Access(ctx, src.Source)
	if err != nil {
		return nil, err
	}
	about := source.AboutFor(c, access.Settings)
	r.Named, r.Statuses = !about.Free, about.Subscriptions
	span := src.Span
	if end := access.Now().Add(-about.Lag).UTC().Truncate(time.Millisecond); span.To.IsZero() || span.To.After(end) {
		span.To = end // what the source does not show yet is for the next sync
	}
	list, err := c.Plan(ctx, access, source.Want{Span: span})
	for _, p := range list {
		of := r
		of.Reads = []crm.Partition{p}
		parts = append(parts, crm.PlannedPartition{Name: p.ID, Request: of})
	}
	return parts, err
}

// BeginPartition takes the next partition of a source, and makes the request of
// its import. A sync of the source that is running comes first: it waits for
// that. Another attempt takes the same partition, and its import has the same
// ID; another call takes a partition that was left in the middle too, and has it
// imported anew.
func (a *Activities) BeginPartition(ctx context.Context, in crm.NextPartitionInput) (crm.NextPartition, error) {
	running, err := a.Running.Sync(ctx, in.Source)
	if running {
		err = later("a sync of " + in.Source + " comes first")
	}
	if err != nil {
		return crm.NextPartition{}, err
	}
	p, r, err := a.Store.BeginPartition(ctx, in.Backfill, in.Source, madeBy(ctx))
	if err != nil {
		return crm.NextPartition{}, err
	}
	counts, err := a.Store.BackfillCounts(ctx, in.Backfill, in.Source)
	if err != nil || p.Number == 0 {
		return crm.NextPartition{Counts: counts}, err
	}
	r.AskedAt = time.Now().UTC().Truncate(time.Millisecond)
	r.StartedBy = fmt.Sprintf("backfill %s", in.Backfill)
	return crm.NextPartition{Number: p.Number, Name: p.Name, Request: r, Counts: counts}, nil
}

// madeBy returns an ID that all attempts at one step have in common, and no other
// step has: not even the same one of a workflow that was reset.
func madeBy(ctx context.Context) string {
	info := activity.GetInfo(ctx)
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(info.WorkflowExecution.RunID+" "+info.ActivityID)).String()
}

// EndPartition notes how the import of a partition has ended.
func (a *Activities) EndPartition(ctx context.Context, in crm.EndPartitionInput) (crm.BackfillCounts, error) {
	if err := a.Store.EndPartition(ctx, in); err != nil {
		return crm.BackfillCounts{}, err
	}
	return a.Store.BackfillCounts(ctx, in.Backfill, in.Source)
}

// Requeue puts the parked partitions of a source back in the row, or gives them
// up. It may be repeated.
func (a *Activities) Requeue(ctx context.Context, in crm.RequeueInput) (crm.BackfillCounts, error) {
	if err := a.Store.Requeue(ctx, in); err != nil {
		return crm.BackfillCounts{}, err
	}
	return a.Store.BackfillCounts(ctx, in.Backfill, in.Source)
}

// EndBackfill notes how a backfill has ended. It may be repeated.
func (a *Activities) EndBackfill(ctx context.Context, in crm.EndBackfillInput) (crm.None, error) {
	return crm.None{}, a.Store.EndBackfill(ctx, in)
}
