package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// Recount counts what an import did in the tables themselves, whatever the
// ledger says: the records in its range of ids that bear its number, and its
// before-images.
func (s *Store) Recount(ctx context.Context, number int64) (crm.Recount, error) {
	var out crm.Recount
	operation := fmt.Sprintf("recount import %d", number)
	var row importRow
	if err := s.reads.NewSelect().Model(&row).Column("started_at").Where("number = ?", number).Scan(ctx); err != nil {
		return out, wrap(operation, err)
	}
	least, greatest := crm.IDRange(row.StartedAt.Time)
	for _, e := range crm.Entities {
		err := s.reads.NewSelect().Table(tables[e]).ColumnExpr("count(*)").Where("id BETWEEN ? AND ?", least, greatest).
			Where("created_import = ?", number).Scan(ctx, &out[e].Created)
		if err != nil {
			return out, wrap(operation, err)
		}
		err = s.reads.NewSelect().Table(before(e)).ColumnExpr("count(*)").Where("import_number = ?", number).Scan(ctx, &out[e].Updated)
		if err != nil {
			return out, wrap(operation, err)
		}
	}
	return out, nil
}

// outboxRow is a row of the table outbox.
type outboxRow struct {
	bun.BaseModel `bun:"table:outbox,alias:o"`

	ID           int64 `bun:",pk"`
	ImportNumber int64
	Channel      string
	Receiver     string
	Event        string
	Subject      string
	Body         string
	Stable       string
	SentAt       instant
}

// EndImport ends an import in the state of its report and enters what people
// are to be told, in one transaction. It waits for the writers at work, and
// shuts out those that come later. It returns the report as stored, with the
// ids of its messages.
//
// An import that has ended returns the report it ended with, and enters
// nothing (invariant 3). One that was ended by something else, and so has no
// report and another state, wraps [crm.ErrFenced]. A report of fewer or more
// batches than the ledger has by now is refused with an error that is passing:
// count again. After an error the import may have ended: call it again.
func (s *Store) EndImport(ctx context.Context, number int64, report crm.Report, outbox []crm.Message) (crm.Report, error) {
	operation := fmt.Sprintf("end import %d", number)
	if report.State.Open() || report.State == "" {
		return report, fmt.Errorf("%s: %w: state %q does not end an import", operation, crm.ErrInvalid, report.State)
	}
	if report.EndedAt.IsZero() {
		report.EndedAt = now()
	}
	err := s.inTx(ctx, func(tx bun.Tx) error {
		var row importRow
		err := tx.NewRaw("SELECT state, report, source_id, request FROM imports WHERE number = ?"+s.dialect.lock(), number).
			Scan(ctx, &row.State, &row.Report, &row.SourceID, &row.Request)
		switch {
		case err != nil:
			return err
		case row.Report != nil:
			report = crm.Report{}
			return json.Unmarshal([]byte(*row.Report), &report)
		case !row.State.Open() && row.State != report.State:
			return fmt.Errorf("%w: it is %s", crm.ErrFenced, row.State)
		}
		if err := counted(ctx, tx, number, report.Batches); err != nil {
			return err
		}
		if report.Outbox, err = enterMessages(ctx, tx, number, outbox); err != nil {
			return err
		}
		if err := saveWatermark(ctx, tx, &row, report.State); err != nil {
			return err
		}
		text, err := json.Marshal(report)
		if err != nil {
			return err
		}
		_, err = tx.NewUpdate().Table("imports").Set("state = ?", report.State).Set("ended_at = ?", instant{report.EndedAt}).
			Set("report = ?", string(text)).Where("number = ?", number).Exec(ctx)
		return err
	})
	if err == nil {
		err = s.forget(ctx, "i.number = ?", number)
	}
	return report, wrap(operation, err)
}

// saveWatermark notes up to when the source's changes are in, if the import says
// so and is done. A watermark never goes back: an import of an older span says
// nothing of what came after it.
func saveWatermark(ctx context.Context, tx bun.Tx, row *importRow, s crm.State) error {
	var r crm.Request
	if err := json.Unmarshal([]byte(row.Request), &r); err != nil {
		return err
	}
	if r.Watermark.IsZero() || s != crm.Done || r.Plan {
		return nil
	}
	mark := timeText(r.Watermark)
	_, err := tx.NewUpdate().Table("sources").Set("watermark = ?", mark).Where("id = ?", row.SourceID).Where("watermark < ?", mark).Exec(ctx)
	return err
}

func enterMessages(ctx context.Context, tx bun.Tx, number int64, outbox []crm.Message) (ids []int64, err error) {
	for _, m := range outbox {
		row := &outboxRow{ImportNumber: number, Channel: m.Channel, Receiver: m.To, Event: m.Event, Subject: m.Subject,
			Body: m.Body, Stable: m.Stable}
		if err := tx.NewInsert().Model(row).ExcludeColumn("id").Returning("id").Scan(ctx); err != nil {
			return nil, err
		}
		ids = append(ids, row.ID)
	}
	return ids, nil
}

// Message returns a message of the outbox. No such message wraps
// [crm.ErrNotFound].
func (s *Store) Message(ctx context.Context, id int64) (crm.Message, error) {
	var r outboxRow
	if err := s.reads.NewSelect().Model(&r).Where("id = ?", id).Scan(ctx); err != nil {
		return crm.Message{}, wrap(fmt.Sprintf("message %d", id), err)
	}
	return crm.Message{ID: r.ID, Channel: r.Channel, To: r.Receiver, Event: r.Event, Subject: r.Subject, Body: r.Body,
		Stable: r.Stable, SentAt: r.SentAt.Time}, nil
}

// MarkSent notes that a message was sent. The first time it was counts.
func (s *Store) MarkSent(ctx context.Context, id int64, at time.Time) error {
	_, err := s.db.NewUpdate().Table("outbox").Set("sent_at = ?", instant{at}).Where("id = ?", id).
		Where("sent_at IS NULL").Exec(ctx)
	return wrap(fmt.Sprintf("mark message %d", id), err)
}
