package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// scheduleRow is a row of the table schedules.
type scheduleRow struct {
	bun.BaseModel `bun:"table:schedules,alias:s"`

	Source   string `bun:",pk"`
	Asked    string
	Failures int
	Failure  *string
	LastAt   instant
	GoodAt   instant
	FullAt   instant
	MadeAt   instant
}

func (r *scheduleRow) schedule() (out crm.ScheduleRow, err error) {
	if err = json.Unmarshal([]byte(r.Asked), &out.Schedule); err == nil && r.Failure != nil {
		err = json.Unmarshal([]byte(*r.Failure), &out.Failure)
	}
	out.Failures, out.LastAt, out.GoodAt, out.FullAt, out.MadeAt = r.Failures, r.LastAt.Time, r.GoodAt.Time, r.FullAt.Time, r.MadeAt.Time
	return out, err
}

// SaveSchedule keeps a schedule in the place of the one its source has, with
// what became of that. One that is no longer paused begins anew: what failed
// before is forgotten.
func (s *Store) SaveSchedule(ctx context.Context, in crm.Schedule) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	row := scheduleRow{Source: in.Source, Asked: string(text), MadeAt: instant{now()}}
	err = s.inTx(ctx, func(tx bun.Tx) error {
		had, err := scheduleOf(ctx, tx, in.Source, s.dialect.lock())
		if errors.Is(err, crm.ErrNotFound) {
			_, err = tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx)
			return err
		}
		if err != nil {
			return err
		}
		old, err := had.schedule()
		if err != nil {
			return err
		}
		q := tx.NewUpdate().Table("schedules").Set("asked = ?", row.Asked).Where("source = ?", in.Source)
		if old.Paused && !in.Paused {
			q = q.Set("failures = 0").Set("failure = NULL").Set("made_at = ?", row.MadeAt)
		}
		_, err = q.Exec(ctx)
		return err
	})
	return wrap("save schedule of "+in.Source, err)
}

func scheduleOf(ctx context.Context, db bun.IDB, source, locking string) (*scheduleRow, error) {
	var rows []scheduleRow
	err := db.NewRaw("SELECT * FROM schedules WHERE source = ?"+locking, source).Scan(ctx, &rows)
	if err == nil && len(rows) == 0 {
		err = crm.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &rows[0], nil
}

// Schedule returns the schedule of a source. One that has none wraps
// [crm.ErrNotFound].
func (s *Store) Schedule(ctx context.Context, source string) (crm.ScheduleRow, error) {
	row, err := scheduleOf(ctx, s.reads, source, "")
	if err != nil {
		return crm.ScheduleRow{}, wrap("schedule of "+source, err)
	}
	out, err := row.schedule()
	return out, wrap("schedule of "+source, err)
}

// Schedules lists the schedules by source.
func (s *Store) Schedules(ctx context.Context) ([]crm.ScheduleRow, error) {
	var rows []scheduleRow
	if err := s.reads.NewSelect().Model(&rows).Order("source").Scan(ctx); err != nil {
		return nil, wrap("schedules", err)
	}
	out := make([]crm.ScheduleRow, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].schedule(); err != nil {
			return nil, wrap("schedules", err)
		}
	}
	return out, nil
}

// RemoveSchedule removes the schedule of a source, if it has one.
func (s *Store) RemoveSchedule(ctx context.Context, source string) error {
	_, err := s.db.NewDelete().Table("schedules").Where("source = ?", source).Exec(ctx)
	return wrap("remove schedule of "+source, err)
}

// EndScheduled notes how a sync that a schedule began has ended, and returns the
// schedule with that. The same sync may be noted again. A source without a
// schedule wraps [crm.ErrNotFound].
func (s *Store) EndScheduled(ctx context.Context, in crm.EndScheduledInput) (crm.ScheduleRow, error) {
	var out crm.ScheduleRow
	err := s.inTx(ctx, func(tx bun.Tx) error {
		row, err := scheduleOf(ctx, tx, in.Source, s.dialect.lock())
		if err != nil {
			return err
		}
		at := in.At.UTC().Truncate(time.Millisecond) // as it is kept: else the same sync would count again
		if row.LastAt.Time.Before(at) {              // else it is noted
			row.LastAt.Time = at
			if in.Failure == nil {
				row.Failures, row.Failure, row.GoodAt.Time = 0, nil, at
				if in.Full {
					row.FullAt.Time = at
				}
			} else {
				text, err := json.Marshal(in.Failure)
				if err != nil {
					return err
				}
				failure := string(text)
				row.Failures, row.Failure = row.Failures+1, &failure
			}
			_, err = tx.NewUpdate().Model(row).Column("failures", "failure", "last_at", "good_at", "full_at").Where("source = ?", in.Source).Exec(ctx)
			if err != nil {
				return err
			}
		}
		out, err = row.schedule()
		return err
	})
	return out, wrap(fmt.Sprintf("end of a sync of %s", in.Source), err)
}
