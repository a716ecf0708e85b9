package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// OpenImport enters an import under the id of its request, gives it a number,
// a secret and a start that no other import has, and marks what other imports
// of the source are still open as interrupted: their workflows are gone, since
// a source has one at a time. mapping is the fingerprint of the mapping that
// will be used, "" if the header decides.
//
// An import of the same files, in the same order, with the same sheet, mapping
// and mode that is done and not undone makes this one end at once, as already
// imported, unless the request says again or is a dry run. Opening an id a
// second time answers what it answered first (invariant 3).
//
// An import with a parent is of the kind "retry". One of another parent is not
// the same, even of the same files.
//
// No such source wraps [crm.ErrNotFound]; one that is being removed wraps
// [crm.ErrInvalid], and so does a parent that the source has not had.
func (s *Store) OpenImport(ctx context.Context, r crm.Request, mapping string) (crm.Opened, error) {
	var opened crm.Opened
	err := s.inTx(ctx, func(tx bun.Tx) (err error) {
		opened, err = s.openImport(ctx, tx, r, mapping)
		return err
	})
	if err == nil {
		// Those that were interrupted had nobody to do it.
		err = s.forget(ctx, "i.source_id = (SELECT id FROM sources WHERE slug = ?)", r.Source)
	}
	return opened, wrap("open import "+r.ID, err)
}

func (s *Store) openImport(ctx context.Context, tx bun.Tx, r crm.Request, mapping string) (crm.Opened, error) {
	locking := ""
	if s.dialect.lock() != "" {
		locking = "UPDATE" // two imports of a source are opened one after the other
	}
	source, err := sourceBySlug(ctx, tx, r.Source, locking)
	if err == nil {
		err = source.takes()
	}
	if err != nil {
		return crm.Opened{}, err
	}
	if opened, err := openedBefore(ctx, tx, r, source.ID); !errors.Is(err, sql.ErrNoRows) {
		return opened, err
	}
	row, err := newImport(r, source.ID, mapping)
	if err == nil && r.Parent != "" {
		err = checkParent(ctx, tx, row)
	}
	if err != nil {
		return crm.Opened{}, err
	}
	if !r.Elsewhere() {
		if err := row.recognize(ctx, tx, r); err != nil {
			return crm.Opened{}, err
		}
	}
	if err := insertImport(ctx, tx, row); err != nil {
		return crm.Opened{}, err
	}
	return crm.Opened{Import: crm.Import{ID: r.ID, Number: row.Number, Source: r.Source}, Earlier: row.Earlier}, interruptOthers(ctx, tx, row)
}

// recognize applies the same-file rule.
func (row *importRow) recognize(ctx context.Context, tx bun.Tx, r crm.Request) (err error) {
	if r.Again || r.Plan || r.Paged() {
		return nil
	}
	if row.Earlier, err = earlierImport(ctx, tx, row); row.Earlier != "" {
		row.State, row.EndedAt = crm.AlreadyImported, row.StartedAt
	}
	return err
}

// Recognize enters which files an import has, once those that lay elsewhere are
// in the stage, and then does what [Store.OpenImport] does about an import of the
// same files. A second call answers what the first did. An import that has ended
// otherwise is [crm.ErrFenced].
func (s *Store) Recognize(ctx context.Context, r crm.Request, mapping string) (opened crm.Opened, err error) {
	err = s.inTx(ctx, func(tx bun.Tx) error {
		var row importRow
		err := tx.NewSelect().Model(&row).Where("id = ?", r.ID).Scan(ctx)
		if err != nil {
			return err
		}
		opened = crm.Opened{Import: crm.Import{ID: r.ID, Number: row.Number, Source: r.Source}, Earlier: row.Earlier}
		if row.State == crm.AlreadyImported {
			return nil
		}
		if !row.State.Open() {
			return crm.ErrFenced
		}
		request, err := json.Marshal(r)
		if err != nil {
			return err
		}
		row.Request, row.Fingerprint = string(request), fingerprint(r, mapping)
		if err := row.recognize(ctx, tx, r); err != nil {
			return err
		}
		opened.Earlier = row.Earlier
		_, err = tx.NewUpdate().Model(&row).Column("request", "fingerprint", "earlier", "state", "ended_at").Where("number = ?", row.Number).Exec(ctx)
		return err
	})
	return opened, wrap("recognize import "+r.ID, err)
}

// interruptOthers marks what other imports of the source are still open.
func interruptOthers(ctx context.Context, tx bun.Tx, row *importRow) error {
	_, err := tx.NewUpdate().Table("imports").Set("state = ?", crm.Interrupted).Set("ended_at = ?", row.StartedAt).
		Where("source_id = ?", row.SourceID).Where("number <> ?", row.Number).Where("state IN (?)", bun.In(openStates)).Exec(ctx)
	return err
}

func openedBefore(ctx context.Context, tx bun.Tx, r crm.Request, source int64) (crm.Opened, error) {
	var row importRow
	err := tx.NewSelect().Model(&row).Column("number", "source_id", "earlier").Where("id = ?", r.ID).Scan(ctx)
	if err == nil && row.SourceID != source {
		err = fmt.Errorf("%w: an import of this id belongs to another source", crm.ErrInvalid)
	}
	return crm.Opened{Import: crm.Import{ID: r.ID, Number: row.Number, Source: r.Source}, Earlier: row.Earlier}, err
}

func newImport(r crm.Request, source int64, mapping string) (*importRow, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // it never fails
	return &importRow{ID: r.ID, SourceID: source, Kind: r.Kind(), State: crm.Running, Request: string(request),
		Fingerprint: fingerprint(r, mapping), Dry: r.Plan, Parent: r.Parent, Secret: secret, StartedAt: instant{now()}}, nil
}

func checkParent(ctx context.Context, tx bun.Tx, row *importRow) error {
	there, err := tx.NewSelect().Table("imports").Where("id = ?", row.Parent).Where("source_id = ?", row.SourceID).Exists(ctx)
	if err == nil && !there {
		err = fmt.Errorf("%w: the source has no import %s to retry", crm.ErrInvalid, row.Parent)
	}
	return err
}

// fingerprint stands for what makes two imports of a source the same.
func fingerprint(r crm.Request, mapping string) string {
	mode := r.Mode
	if mode == "" {
		mode = crm.Upsert
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %d", r.Sheet, mapping, mode, len(r.Files))
	for _, f := range r.Files {
		fmt.Fprintf(h, " %q", f.Object.BLAKE3)
	}
	if r.Parent != "" {
		fmt.Fprintf(h, " parent %q", r.Parent)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// earlierImport returns the id of an import that did the same; "" if none did.
func earlierImport(ctx context.Context, tx bun.Tx, row *importRow) (id string, err error) {
	err = tx.NewSelect().Table("imports").Column("id").Where("source_id = ?", row.SourceID).
		Where("fingerprint = ?", row.Fingerprint).Where("state = ?", crm.Done).Where("undone_by IS NULL").
		Where("NOT dry").Order("number DESC").Limit(1).Scan(ctx, &id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

// insertImport enters the row and learns its number. The start moves on by a
// millisecond until no other import has it: ids of records are made from it.
func insertImport(ctx context.Context, tx bun.Tx, row *importRow) error {
	for {
		err := tx.NewInsert().Model(row).ExcludeColumn("number").On("CONFLICT (started_at) DO NOTHING").Returning("number").Scan(ctx)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if row.Number != 0 {
			return nil
		}
		row.StartedAt.Time = row.StartedAt.Add(time.Millisecond)
		if row.State == crm.AlreadyImported {
			row.EndedAt = row.StartedAt
		}
	}
}
