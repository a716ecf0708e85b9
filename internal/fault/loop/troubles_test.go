package loop

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"sluice/activities"
	"sluice/internal/crm"
)

// lateStore is a store that fails to write the first batch the first time. It
// is tried again when nothing else is left to do.
type lateStore struct {
	activities.Store
	once sync.Once
}

func (s *lateStore) Write(ctx context.Context, in crm.WriteBatch, open crm.PartOpener) (c crm.Counts, err error) {
	if in.Batch.Number == 0 {
		s.once.Do(func() { err = errInjected })
	}
	if err != nil {
		return c, err
	}
	return s.Store.Write(ctx, in, open)
}

// parkingStore is a store that does not write the second batch until somebody
// has decided about it.
type parkingStore struct {
	activities.Store
	decided atomic.Bool
}

func (s *parkingStore) Write(ctx context.Context, in crm.WriteBatch, open crm.PartOpener) (crm.Counts, error) {
	if in.Batch.Number == 1 && !s.decided.Load() {
		return crm.Counts{}, fmt.Errorf("%w: %w", crm.ErrParked, errInjected)
	}
	return s.Store.Write(ctx, in, open)
}

func (s *parkingStore) Unpark(ctx context.Context, number int64) ([]crm.ParkedBatch, error) {
	s.decided.Store(true)
	return s.Store.Unpark(ctx, number)
}

// forgettingJudge is a judge whose claims are lost once.
type forgettingJudge struct {
	activities.Judge
	forget func()
	once   sync.Once
}

func (j *forgettingJudge) Batch(ctx context.Context, importID string, claims crm.Claims, number int, keys *crm.BatchKeys,
	earlier func(ctx context.Context, batch int) (*crm.BatchKeys, error)) (crm.Claims, error) {
	if number == 2 {
		j.once.Do(j.forget)
	}
	return j.Judge.Batch(ctx, importID, claims, number, keys, earlier)
}
