package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// backfillRow is a row of the table backfills.
type backfillRow struct {
	bun.BaseModel `bun:"table:backfills,alias:b"`

	ID        string `bun:",pk"`
	State     crm.State
	AtOnce    int
	StartedBy string
	Tuning    string
	StartedAt instant
	EndedAt   instant
}

// backfillSourceRow is a row of the table backfill_sources.
type backfillSourceRow struct {
	bun.BaseModel `bun:"table:backfill_sources,alias:s"`

	BackfillID string
	Source     string
	Place      int
	Asked      string
	Planned    bool
}

// backfillPartitionRow is a row of the table backfill_partitions.
type backfillPartitionRow struct {
	bun.BaseModel `bun:"table:backfill_partitions,alias:p"`

	BackfillID string
	Source     string
	Number     int
	Name       string
	Asked      string // a crm.Request without what is given when it begins
	State      crm.PartitionState
	ImportID   string
	Tries      int
	Failure    *string
	ReadRows   int64
}

// AddBackfill enters a backfill with its sources. One of the same id that is
// there already stays as it is.
func (s *Store) AddBackfill(ctx context.Context, b crm.Backfill) error {
	tuning, err := json.Marshal(b.Tuning)
	if err != nil {
		return err
	}
	err = s.inTx(ctx, func(tx bun.Tx) error {
		row := backfillRow{ID: b.ID, State: crm.Running, AtOnce: b.AtOnce, StartedBy: b.StartedBy, Tuning: string(tuning), StartedAt: instant{b.StartedAt}}
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT (id) DO NOTHING").Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		return addBackfillSources(ctx, tx, b.ID, 0, b.Sources)
	})
	return wrap("add backfill "+b.ID, err)
}

// AddBackfillSources adds sources to a backfill. One that it has already stays
// as it is.
func (s *Store) AddBackfillSources(ctx context.Context, id string, sources []crm.BackfillSource) error {
	err := s.inTx(ctx, func(tx bun.Tx) error {
		var last sql.NullInt64
		err := tx.NewSelect().Table("backfill_sources").ColumnExpr("max(place)").Where("backfill_id = ?", id).Scan(ctx, &last)
		if err != nil {
			return err
		}
		return addBackfillSources(ctx, tx, id, int(last.Int64)+1, sources)
	})
	return wrap("add to backfill "+id, err)
}

func addBackfillSources(ctx context.Context, tx bun.Tx, id string, place int, sources []crm.BackfillSource) error {
	for i, src := range sources {
		asked, err := json.Marshal(src)
		if err != nil {
			return err
		}
		row := backfillSourceRow{BackfillID: id, Source: src.Source, Place: place + i, Asked: string(asked)}
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT (backfill_id, source) DO NOTHING").Returning("NULL").Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// BackfillSource returns what a backfill is to bring in of a source, and whether
// that is divided into partitions yet. No such source wraps [crm.ErrNotFound].
func (s *Store) BackfillSource(ctx context.Context, id, source string) (src crm.BackfillSource, planned bool, err error) {
	var row backfillSourceRow
	err = s.reads.NewSelect().Model(&row).Where("backfill_id = ?", id).Where("source = ?", source).Scan(ctx)
	if err == nil {
		err = json.Unmarshal([]byte(row.Asked), &src)
	}
	return src, row.Planned, wrap(fmt.Sprintf("source %s of backfill %s", source, id), err)
}

// PlanBackfill enters the partitions of a source of a backfill, in their order.
// When they are there already they stay as they are.
func (s *Store) PlanBackfill(ctx context.Context, id, source string, parts []crm.PlannedPartition) error {
	err := s.inTx(ctx, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Table("backfill_sources").Set("planned = ?", true).
			Where("backfill_id = ?", id).Where("source = ?", source).Where("NOT planned").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return err
		}
		for i, p := range parts {
			asked, err := json.Marshal(p.Request)
			if err != nil {
				return err
			}
			row := backfillPartitionRow{BackfillID: id, Source: source, Number: i + 1, Name: p.Name, Asked: string(asked), State: crm.PartitionLeft}
			if _, err := tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(fmt.Sprintf("plan %s of backfill %s", source, id), err)
}

// BeginPartition takes the next partition of a source to import: one that was
// running when its workflow was lost, else the first that is left. importID is
// the import's, so that a repeated call begins the same import. Its number is 0
// if there is none.
func (s *Store) BeginPartition(ctx context.Context, id, source, importID string) (crm.BackfillPartition, crm.Request, error) {
	var row backfillPartitionRow
	var request crm.Request
	err := s.inTx(ctx, func(tx bun.Tx) error {
		err := tx.NewSelect().Model(&row).Where("backfill_id = ?", id).Where("source = ?", source).
			Where("state IN (?)", bun.In([]crm.PartitionState{crm.PartitionRunning, crm.PartitionLeft})).
			OrderExpr("CASE WHEN state = 'running' THEN 0 ELSE 1 END, number").Limit(1).Scan(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			row = backfillPartitionRow{}
			return nil
		}
		if err != nil {
			return err
		}
		if row.State == crm.PartitionLeft || row.ImportID != importID {
			row.State, row.ImportID, row.Tries = crm.PartitionRunning, importID, row.Tries+1
			_, err = tx.NewUpdate().Model(&row).Column("state", "import_id", "tries").Where("backfill_id = ?", id).Where("source = ?", source).
				Where("number = ?", row.Number).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return json.Unmarshal([]byte(row.Asked), &request)
	})
	if err != nil {
		return crm.BackfillPartition{}, request, wrap(fmt.Sprintf("next of %s in backfill %s", source, id), err)
	}
	p, err := row.partition()
	request.ID = row.ImportID
	return p, request, err
}

func (r *backfillPartitionRow) partition() (crm.BackfillPartition, error) {
	p := crm.BackfillPartition{Number: r.Number, Name: r.Name, State: r.State, ImportID: r.ImportID, Tries: r.Tries, Rows: r.ReadRows}
	if r.Failure == nil {
		return p, nil
	}
	return p, json.Unmarshal([]byte(*r.Failure), &p.Failure)
}

// EndPartition says how the import of a partition has ended. Saying it twice is
// harmless.
func (s *Store) EndPartition(ctx context.Context, in crm.EndPartitionInput) error {
	var failure *string
	if in.Failure != nil {
		b, err := json.Marshal(in.Failure)
		if err != nil {
			return err
		}
		text := string(b)
		failure = &text
	}
	_, err := s.db.NewUpdate().Table("backfill_partitions").Set("state = ?", in.State).Set("read_rows = ?", in.Rows).Set("failure = ?", failure).
		Where("backfill_id = ?", in.Backfill).Where("source = ?", in.Source).Where("number = ?", in.Number).
		Where("state = ?", crm.PartitionRunning).Exec(ctx)
	return wrap(fmt.Sprintf("end partition %d of %s", in.Number, in.Source), err)
}

// Requeue moves the parked partitions of a source to another state.
func (s *Store) Requeue(ctx context.Context, in crm.RequeueInput) error {
	_, err := s.db.NewUpdate().Table("backfill_partitions").Set("state = ?", in.To).Where("backfill_id = ?", in.Backfill).
		Where("source = ?", in.Source).Where("state = ?", crm.PartitionParked).Exec(ctx)
	return wrap("parked partitions of "+in.Source, err)
}

// BackfillCounts counts the partitions of a source of a backfill.
func (s *Store) BackfillCounts(ctx context.Context, id, source string) (crm.BackfillCounts, error) {
	var rows []struct {
		State crm.PartitionState
		N     int
		Rows  int64
	}
	err := s.reads.NewSelect().Table("backfill_partitions").Column("state").ColumnExpr("count(*) AS n").ColumnExpr("CAST(COALESCE(sum(read_rows), 0) AS bigint) AS rows").
		Where("backfill_id = ?", id).Where("source = ?", source).Group("state").Scan(ctx, &rows)
	var c crm.BackfillCounts
	for _, r := range rows {
		switch r.State {
		case crm.PartitionLeft:
			c.Left = r.N
		case crm.PartitionRunning:
			c.Running = r.N
		case crm.PartitionDone:
			c.Done = r.N
			c.Rows = r.Rows
		case crm.PartitionParked:
			c.Parked = r.N
		case crm.PartitionSkipped:
			c.Skipped = r.N
		}
	}
	return c, wrap("partitions of "+source, err)
}

// BackfillPartitions lists the partitions of a source of a backfill, in their
// order.
func (s *Store) BackfillPartitions(ctx context.Context, id, source string) ([]crm.BackfillPartition, error) {
	var rows []backfillPartitionRow
	err := s.reads.NewSelect().Model(&rows).Where("backfill_id = ?", id).Where("source = ?", source).Order("number").Scan(ctx)
	if err != nil {
		return nil, wrap("partitions of "+source, err)
	}
	out := make([]crm.BackfillPartition, len(rows))
	for i := range rows {
		if out[i], err = rows[i].partition(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// EndBackfill says how a backfill has ended. The first time it was said counts.
func (s *Store) EndBackfill(ctx context.Context, in crm.EndBackfillInput) error {
	_, err := s.db.NewUpdate().Table("backfills").Set("state = ?", in.State).Set("ended_at = ?", instant{now()}).
		Where("id = ?", in.Backfill).Where("ended_at IS NULL").Exec(ctx)
	return wrap("end backfill "+in.Backfill, err)
}

// Backfills lists backfills, newest first, with their sources' names and what
// they were asked for.
func (s *Store) Backfills(ctx context.Context, limit int) ([]crm.BackfillRow, error) {
	var rows []backfillRow
	if err := s.reads.NewSelect().Model(&rows).Order("started_at DESC", "id").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, wrap("backfills", err)
	}
	out := make([]crm.BackfillRow, len(rows))
	for i := range rows {
		var err error
		if out[i], err = s.backfillOf(ctx, &rows[i]); err != nil {
			return nil, wrap("backfills", err)
		}
	}
	return out, nil
}

// Backfill returns a backfill by its id; "" means the latest. No such backfill
// wraps [crm.ErrNotFound].
func (s *Store) Backfill(ctx context.Context, id string) (crm.BackfillRow, error) {
	var row backfillRow
	q := s.reads.NewSelect().Model(&row).Order("started_at DESC").Limit(1)
	if id != "" {
		q = q.Where("id = ?", id)
	}
	err := q.Scan(ctx)
	if err != nil {
		return crm.BackfillRow{}, wrap("backfill "+id, err)
	}
	out, err := s.backfillOf(ctx, &row)
	return out, wrap("backfill "+id, err)
}

func (s *Store) backfillOf(ctx context.Context, r *backfillRow) (crm.BackfillRow, error) {
	out := crm.BackfillRow{Backfill: crm.Backfill{ID: r.ID, AtOnce: r.AtOnce, StartedBy: r.StartedBy, StartedAt: r.StartedAt.Time},
		State: r.State, EndedAt: r.EndedAt.Time}
	if err := json.Unmarshal([]byte(r.Tuning), &out.Tuning); err != nil {
		return out, err
	}
	var rows []backfillSourceRow
	err := s.reads.NewSelect().Model(&rows).Where("backfill_id = ?", r.ID).Order("place").Scan(ctx)
	for _, row := range rows {
		var src crm.BackfillSource
		if err := json.Unmarshal([]byte(row.Asked), &src); err != nil {
			return out, err
		}
		out.Sources = append(out.Sources, src)
	}
	return out, err
}
