package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// subscriptionRow is a row of the table subscriptions.
type subscriptionRow struct {
	bun.BaseModel `bun:"table:subscriptions,alias:t"`

	SourceID        int64
	ExternalID      string
	Customer        string
	State           crm.SubscriptionState
	Deleted         bool
	TrialStartedAt  instant
	SourceUpdatedAt instant
	ChangedImport   int64
}

// SaveSubscriptions keeps what an import learns of its source's subscriptions.
// One that is older than what is known of it is passed over, and one that has
// not changed stays as it is, so saving them twice is harmless. An import that
// has ended wraps [crm.ErrFenced].
func (s *Store) SaveSubscriptions(ctx context.Context, number int64, all []crm.Subscription) error {
	operation := fmt.Sprintf("subscriptions of import %d", number)
	err := s.inTx(ctx, func(tx bun.Tx) error {
		var imp importRow
		err := tx.NewRaw("SELECT source_id, state FROM imports WHERE number = ?"+s.dialect.share(), number).Scan(ctx, &imp.SourceID, &imp.State)
		if err != nil {
			return err
		}
		if !imp.State.Open() {
			return crm.ErrFenced
		}
		rows := subscriptionRows(imp.SourceID, number, all)
		for chunk := range slices.Chunk(rows, 500) {
			if err := saveSubscriptions(ctx, tx, chunk); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(operation, err)
}

// subscriptionRows makes rows of subscriptions, in the order of their ids so
// that two who save the same do not wait for one another, each id once: the last
// one counts.
func subscriptionRows(source, number int64, all []crm.Subscription) []subscriptionRow {
	byID := make(map[string]subscriptionRow, len(all))
	for _, s := range all {
		byID[s.ID] = subscriptionRow{SourceID: source, ExternalID: s.ID, Customer: s.Customer, State: s.State, Deleted: s.Deleted,
			TrialStartedAt: instant{s.TrialStartedAt}, SourceUpdatedAt: instant{s.UpdatedAt}, ChangedImport: number}
	}
	rows := make([]subscriptionRow, 0, len(byID))
	for _, row := range byID {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b subscriptionRow) int { return strings.Compare(a.ExternalID, b.ExternalID) })
	return rows
}

func saveSubscriptions(ctx context.Context, tx bun.Tx, rows []subscriptionRow) error {
	var set, differ []string
	for _, c := range []string{"customer", "state", "deleted", "trial_started_at"} {
		set = append(set, c+" = EXCLUDED."+c)
		differ = append(differ, "t."+c+" IS DISTINCT FROM EXCLUDED."+c)
	}
	_, err := tx.NewInsert().Model(&rows).On("CONFLICT (source_id, external_id) DO UPDATE").
		Set(strings.Join(set, ", ") + ", source_updated_at = COALESCE(EXCLUDED.source_updated_at, t.source_updated_at), changed_import = EXCLUDED.changed_import").
		Where("(" + strings.Join(differ, " OR ") + ")").
		Where("(t.source_updated_at IS NULL OR EXCLUDED.source_updated_at IS NULL OR EXCLUDED.source_updated_at >= t.source_updated_at)").
		Returning("NULL").Exec(ctx)
	return err
}

// Subscribers returns, in the order of their ids, the customers of an import's
// source that have subscriptions, and of which the import has changed the one or
// the other, with all their subscriptions: those behind the id after, limit at
// the most.
func (s *Store) Subscribers(ctx context.Context, number int64, after string, limit int) ([]crm.Subscriber, error) {
	operation := fmt.Sprintf("subscribers of import %d", number)
	var source int64
	if err := s.reads.NewSelect().Table("imports").Column("source_id").Where("number = ?", number).Scan(ctx, &source); err != nil {
		return nil, wrap(operation, err)
	}
	var ids []string
	err := s.reads.NewRaw(`SELECT c.external_id FROM customer_records AS c WHERE c.source_id = ?0 AND c.external_id > ?1 AND (
			EXISTS (SELECT 1 FROM subscriptions AS t WHERE t.source_id = c.source_id AND t.customer = c.external_id AND t.changed_import = ?2)
			OR c.changed_import = ?2 AND EXISTS (SELECT 1 FROM subscriptions AS t WHERE t.source_id = c.source_id AND t.customer = c.external_id))
		ORDER BY c.external_id LIMIT ?3`, source, after, number, limit).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return nil, wrap(operation, err)
	}
	var rows []subscriptionRow
	err = s.reads.NewSelect().Model(&rows).Where("source_id = ?", source).Where("customer IN (?)", bun.In(ids)).Order("customer", "external_id").Scan(ctx)
	if err != nil {
		return nil, wrap(operation, err)
	}
	out := make([]crm.Subscriber, 0, len(ids))
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].Customer != r.Customer {
			out = append(out, crm.Subscriber{Customer: r.Customer})
		}
		last := &out[len(out)-1]
		last.Subscriptions = append(last.Subscriptions, crm.Subscription{ID: r.ExternalID, Customer: r.Customer, State: r.State,
			TrialStartedAt: r.TrialStartedAt.Time, UpdatedAt: r.SourceUpdatedAt.Time, Deleted: r.Deleted})
	}
	return out, nil
}
