package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestPartitionsOfABackfillAreTakenOneAfterTheOther(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		b := crm.Backfill{ID: "b1", AtOnce: 3, StartedBy: "kim", StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Sources: []crm.BackfillSource{{Source: "leads", Span: crm.Span{From: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)}}}}
		for range 2 { // entered twice it is there once
			must(s.AddBackfill(ctx, b))
		}
		must(s.AddBackfillSources(ctx, "b1", []crm.BackfillSource{{Source: "other"}, {Source: "leads"}}))
		row, err := s.Backfill(ctx, "")
		must(err)
		want(t, "sources", fmt.Sprint(len(row.Sources), row.Sources[0].Source, row.Sources[1].Source, row.AtOnce, row.StartedBy, row.State), fmt.Sprint(2, "leads", "other", 3, "kim", crm.Running))

		var parts []crm.PlannedPartition
		for _, name := range []string{"one", "two", "three"} {
			parts = append(parts, crm.PlannedPartition{Name: name, Request: crm.Request{Source: "leads", Sheet: name}})
		}
		must(s.PlanBackfill(ctx, "b1", "leads", parts))
		must(s.PlanBackfill(ctx, "b1", "leads", parts[:1])) // planned again it stays as it is
		src, planned, err := s.BackfillSource(ctx, "b1", "leads")
		must(err)
		want(t, "planned", fmt.Sprint(planned, src.Span.From.Year()), "true 2015")

		begin := func(id string) string {
			t.Helper()
			p, r, err := s.BeginPartition(ctx, "b1", "leads", id)
			must(err)
			return fmt.Sprintln(p.Number, p.Name, p.State, p.Tries, r.ID, r.Sheet)
		}
		counts := func() string {
			t.Helper()
			c, err := s.BackfillCounts(ctx, "b1", "leads")
			must(err)
			return fmt.Sprintf("%d done, %d running, %d parked, %d skipped, %d left, %d rows", c.Done, c.Running, c.Parked, c.Skipped, c.Left, c.Rows)
		}
		ending := func(n int, state crm.PartitionState, f *crm.Failure) {
			t.Helper()
			for range 2 {
				must(s.EndPartition(ctx, crm.EndPartitionInput{Backfill: "b1", Source: "leads", Number: n, State: state, Failure: f, Rows: 7}))
			}
		}
		want(t, "the first", begin("i1"), fmt.Sprintln(1, "one", "running", 1, "i1", "one"))
		want(t, "the first once more", begin("i1"), fmt.Sprintln(1, "one", "running", 1, "i1", "one"))
		want(t, "the first anew", begin("i2"), fmt.Sprintln(1, "one", "running", 2, "i2", "one"))
		ending(1, crm.PartitionDone, nil)
		want(t, "the second", begin("i3"), fmt.Sprintln(2, "two", "running", 1, "i3", "two"))
		ending(2, crm.PartitionParked, &crm.Failure{Type: crm.FailInvalid, Message: "broken"})
		ending(2, crm.PartitionDone, nil) // too late: it has ended
		want(t, "the third", begin("i4"), fmt.Sprintln(3, "three", "running", 1, "i4", "three"))
		want(t, "counts", counts(), "1 done, 1 running, 1 parked, 0 skipped, 0 left, 7 rows")
		ending(3, crm.PartitionDone, nil)
		want(t, "none is left", begin("i5"), fmt.Sprintln(0, "", "", 0, "", ""))

		must(s.Requeue(ctx, crm.RequeueInput{Backfill: "b1", Source: "leads", To: crm.PartitionLeft}))
		want(t, "the second again", begin("i6"), fmt.Sprintln(2, "two", "running", 2, "i6", "two"))
		ending(2, crm.PartitionParked, &crm.Failure{Type: crm.FailInvalid, Message: "broken"})
		must(s.Requeue(ctx, crm.RequeueInput{Backfill: "b1", Source: "leads", To: crm.PartitionSkipped}))
		want(t, "counts at the end", counts(), "2 done, 0 running, 0 parked, 1 skipped, 0 left, 14 rows")
		list, err := s.BackfillPartitions(ctx, "b1", "leads")
		must(err)
		want(t, "why the second failed", list[1].Failure.Message, "broken")

		must(s.EndBackfill(ctx, crm.EndBackfillInput{Backfill: "b1", State: crm.Done}))
		must(s.EndBackfill(ctx, crm.EndBackfillInput{Backfill: "b1", State: crm.Failed}))
		all, err := s.Backfills(ctx, 10)
		must(err)
		want(t, "how it ended", fmt.Sprint(len(all), all[0].State, all[0].EndedAt.IsZero()), fmt.Sprint(1, crm.Done, false))
		if _, err := s.Backfill(ctx, "nobody"); crm.TypeOf(err) != crm.FailNotFound {
			t.Errorf("of no such id: %v, want not_found", err)
		}
	})
}
