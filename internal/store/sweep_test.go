package store

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestImportsAfterGoesThroughAllOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, crm.Upsert)
		m.end(crm.Done)
		for range importsPage + 1 {
			begin(t, s, crm.Rules{}, crm.Upsert)
		}
		number, n := int64(0), 0
		for row, err := range s.ImportsAfter(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Number <= number || len(row.Request.Files) != 1 || (row.Report != nil) != (row.Number == m.Number) {
				t.Fatalf("after import %d comes %+v", number, row)
			}
			number = row.Number
			n++
		}
		want(t, "imports", n, importsPage+2)
		for range s.ImportsAfter(t.Context(), number) {
			t.Error("an import after the last")
		}
	})
}

func TestWhatWasSweptFirstIsRemembered(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := begin(t, s, crm.Rules{}, crm.Upsert)
		first, later := now().Add(-time.Hour), now()
		for i, step := range []struct{ mark, want crm.Swept }{
			{crm.Swept{}, crm.Swept{}},
			{crm.Swept{Batches: first}, crm.Swept{Batches: first}},
			{crm.Swept{Batches: later, Lists: later}, crm.Swept{Batches: first, Lists: later}},
			{crm.Swept{}, crm.Swept{Batches: first, Lists: later}},
		} {
			if err := s.MarkSwept(t.Context(), m.Number, step.mark); err != nil {
				t.Fatal(err)
			}
			got, err := s.Swept(t.Context(), m.Number)
			if err != nil || got != step.want {
				t.Errorf("step %d: Swept = %v, %v, want %v", i, got, err, step.want)
			}
		}
		if got, err := s.Swept(t.Context(), m.Number+1); err != nil || got != (crm.Swept{}) {
			t.Errorf("another import: %v, %v", got, err)
		}
	})
}

func TestOneAtATimeHasAChore(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		var got atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				ok, err := s.Claim(ctx, "sweep", time.Hour, time.Hour)
				if err != nil {
					t.Error(err)
				}
				if ok {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		want(t, "claims of eight at once", got.Load(), 1)
		claim := func(what string, lease, every time.Duration, yes bool) {
			t.Helper()
			ok, err := s.Claim(ctx, "sweep", lease, every)
			if ok != yes || err != nil {
				t.Errorf("%s: %v, %v, want %v", what, ok, err, yes)
			}
		}
		release := func(done bool) {
			t.Helper()
			if err := s.Release(ctx, "sweep", done); err != nil {
				t.Fatal(err)
			}
		}
		claim("of one who was killed", -time.Minute, time.Hour, true)
		release(false)
		claim("not done", time.Hour, time.Hour, true)
		release(true)
		claim("just done", time.Hour, time.Hour, false)
		claim("just done, and wanted at once", time.Hour, 0, true)
		release(true)
	})
}
