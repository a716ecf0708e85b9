package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// removal is the column of that name of the table sources: how far the source's
// removal is, and where it goes on. External ids are cells' values, so the place
// stays here and does not travel.
type removal struct {
	crm.Removal
	Phase removePhase `json:"phase"`
	Table int         `json:"table,omitempty"` // of the import at hand, in importTables
	After string      `json:"after,omitempty"` // key of the last row of the table that is behind; "" if none is
}

// A removePhase is what a removal is at.
type removePhase int

const (
	removeRecords removePhase = iota
	removeSubscriptions
	removeImports
	nothingLeft
)

func (r *sourceRow) removal() (*removal, error) {
	if r.Removal == nil {
		return nil, nil
	}
	out := new(removal)
	return out, json.Unmarshal([]byte(*r.Removal), out)
}

// takes returns why nothing is imported into a source, nil if something may be.
func (r *sourceRow) takes() error {
	src, err := r.source()
	if err == nil {
		err = src.Takes()
	}
	return err
}

// PlanRemoval says what removing a source would come to, and what forbids it at
// the moment. It counts all that the source holds, so it takes as long as that
// does. No such source wraps [crm.ErrNotFound].
func (s *Store) PlanRemoval(ctx context.Context, slug string) (crm.RemovalPlan, error) {
	plan, err := s.planRemoval(ctx, slug)
	return plan, wrap("source "+slug, err)
}

func (s *Store) planRemoval(ctx context.Context, slug string) (crm.RemovalPlan, error) {
	out := crm.RemovalPlan{Source: slug}
	row, err := sourceBySlug(ctx, s.reads, slug, "")
	if err != nil {
		return out, err
	}
	src, err := row.source()
	if err != nil {
		return out, err
	}
	out.Removing, out.Secrets = src.Removing, len(row.Secrets) > 0
	if out.Left, err = s.held(ctx, row.ID); err != nil {
		return out, err
	}
	if out.Schedule, err = s.reads.NewSelect().Table("schedules").Where("source = ?", slug).Exists(ctx); err != nil {
		return out, err
	}
	if out.Backfills, err = s.openBackfills(ctx, slug); err != nil {
		return out, err
	}
	open, err := s.Open(ctx, slug)
	if errors.Is(err, crm.ErrNotFound) {
		err = nil
	}
	out.Open = open.Number
	return out, err
}

// OpenBackfills lists the ids of the backfills that have not ended and that name
// a source, the oldest first.
func (s *Store) OpenBackfills(ctx context.Context, slug string) ([]string, error) {
	ids, err := s.openBackfills(ctx, slug)
	return ids, wrap("open backfills of "+slug, err)
}

func (s *Store) openBackfills(ctx context.Context, slug string) (ids []string, err error) {
	err = s.reads.NewRaw("SELECT b.id FROM backfills AS b WHERE b.ended_at IS NULL AND EXISTS (SELECT 1 FROM backfill_sources AS s"+
		" WHERE s.backfill_id = b.id AND s.source = ?) ORDER BY b.started_at, b.id", slug).Scan(ctx, &ids)
	return ids, err
}

// held counts what a source holds.
func (s *Store) held(ctx context.Context, source int64) (out crm.Holdings, err error) {
	count := func(into *int64, from string) {
		var n int64
		if err == nil {
			err = s.reads.NewRaw("SELECT count(*) FROM "+from, source).Scan(ctx, &n)
		}
		*into += n
	}
	const ofImports = " WHERE import_number IN (SELECT number FROM imports WHERE source_id = ?0)"
	count(&out.Customers, "customer_records WHERE source_id = ?0")
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		count(out.Of(e), tables[e]+" AS t JOIN customer_records AS c ON c.id = t.customer_id WHERE c.source_id = ?0")
	}
	count(&out.Subscriptions, "subscriptions WHERE source_id = ?0")
	count(&out.Imports, "imports WHERE source_id = ?0")
	for _, t := range importTables {
		if t.counts != nil {
			count(t.counts(&out), t.name+ofImports)
		}
	}
	return out, err
}

// OpenRemoval marks a source as being removed, by the request of this id:
// nothing is imported into it from then on, and whoever removed it before is
// shut out. Imports that are still open are marked as interrupted: their
// workflows are gone, since a source has one at a time. A removal that was cut
// short goes on where it was. Opening an id a second time answers what it
// answered first (invariant 3). No such source wraps [crm.ErrNotFound].
func (s *Store) OpenRemoval(ctx context.Context, r crm.Request) (crm.Removal, error) {
	operation := "remove source " + r.Source
	// Counting takes its time, so it is done before anything is locked.
	var total crm.Holdings
	row, err := sourceBySlug(ctx, s.reads, r.Source, "")
	if err == nil && row.Removal == nil {
		total, err = s.held(ctx, row.ID)
	}
	if err != nil {
		return crm.Removal{}, wrap(operation, err)
	}
	var out crm.Removal
	err = s.inTx(ctx, func(tx bun.Tx) error {
		row, at, err := s.removalOf(ctx, tx, r.Source)
		if err != nil {
			return err
		}
		if at == nil {
			at = &removal{Removal: crm.Removal{At: now(), Total: total}}
		}
		if at.ID != r.ID {
			at.ID, at.By = r.ID, r.StartedBy
		}
		out = at.Removal
		if err := saveRemoval(ctx, tx, row.ID, at); err != nil {
			return err
		}
		return interruptOthers(ctx, tx, &importRow{SourceID: row.ID, StartedAt: instant{now()}})
	})
	return out, wrap(operation, err)
}

// errNotAtIt is for a removal that another one has taken over from.
var errNotAtIt = fmt.Errorf("%w: another removal of the source is at it, or none", crm.ErrInvalid)

// Removal says how far the removal of this id has come. A source that another
// one is at, or none, wraps [crm.ErrInvalid].
func (s *Store) Removal(ctx context.Context, source, id string) (crm.Removal, error) {
	operation := "removal of source " + source
	row, err := sourceBySlug(ctx, s.reads, source, "")
	if err != nil {
		return crm.Removal{}, wrap(operation, err)
	}
	at, err := row.removal()
	if err == nil && (at == nil || at.ID != id) {
		err = errNotAtIt
	}
	if err != nil {
		return crm.Removal{}, wrap(operation, err)
	}
	return at.Removal, nil
}

// EndRemoval removes a source of which nothing else is left, with its schedule
// and its secrets. One that is not there any more, and one of the same name that
// was made since, is left alone, so it may be repeated. One of which something
// is left wraps [crm.ErrInvalid].
func (s *Store) EndRemoval(ctx context.Context, in crm.EndRemovalInput) error {
	err := s.inTx(ctx, func(tx bun.Tx) error {
		row, at, err := s.removalOf(ctx, tx, in.Source)
		switch {
		case err != nil && errors.Is(clean(err), crm.ErrNotFound):
			return nil
		case err != nil:
			return err
		case at == nil || at.ID != in.ID:
			return nil
		case !at.Done:
			return fmt.Errorf("%w: records of it are left", crm.ErrInvalid)
		}
		if _, err := tx.NewDelete().Table("schedules").Where("source = ?", in.Source).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewDelete().Table("sources").Where("id = ?", row.ID).Exec(ctx)
		return err
	})
	return wrap("remove source "+in.Source, err)
}

// removalOf locks a source and reads how far its removal is; nil if nobody
// removes it.
func (s *Store) removalOf(ctx context.Context, tx bun.IDB, source string) (*sourceRow, *removal, error) {
	locking := ""
	if s.dialect.lock() != "" {
		locking = "UPDATE"
	}
	row, err := sourceBySlug(ctx, tx, source, locking)
	if err != nil {
		return nil, nil, err
	}
	at, err := row.removal()
	return row, at, err
}

func saveRemoval(ctx context.Context, tx bun.IDB, source int64, at *removal) error {
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Table("sources").Set("removal = ?", string(text)).Where("id = ?", source).Exec(ctx)
	return err
}
