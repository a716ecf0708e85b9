package loop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun/driver/sqliteshim"

	"sluice/activities"
	"sluice/internal/crm"
	"sluice/workflows"
)

// prepareRemoval removes a source that has been read twice, page by page. It is
// cancelled on the way, and gone on with: then everything is as it was before
// there was the source.
func prepareRemoval(w *world) course {
	w.bring(before)
	was := w.everything()
	w.addBilling()
	if err := w.store.SaveSchedule(w.t.Context(), crm.Schedule{Source: billing, Every: time.Hour}); err != nil {
		w.t.Fatal(err)
	}
	var v verdict
	p := w.provide(10, 3)
	w.sync(p, time.Time{}, &v)
	for n := range 5 {
		p.Change(n)
		p.ChangeSubscription(n)
	}
	mark := p.Clock().Now().Add(-lag)
	p.Clock().Move(time.Hour)
	w.sync(p, mark, &v)
	if len(v) > 0 {
		w.t.Fatal(strings.Join(v, "\n"))
	}
	r := crm.Request{Version: crm.RequestVersion, ID: "removal", Source: billing, Removes: true, AskedAt: saasNow, Tuning: crm.Tuning{BatchRows: 3}}
	return func(w *world) (any, []string) {
		var v verdict
		w.steps.Store = &stumblingStore{Store: w.steps.Store}
		report, err := w.run(r, command{workflows.UpdateCancel, time.Second / 2}) // before another attempt
		if err != nil || report.State != crm.Cancelled {
			return nil, []string{fmt.Sprintf("the removal that is cancelled is %s, %v", report.State, err)}
		}
		goesOn := r
		goesOn.ID = "goes on"
		if report, err = w.run(goesOn); err != nil {
			return nil, []string{err.Error()}
		}
		if report.State != crm.Done || report.Removed == nil || report.Removed.Gone != report.Removed.Total {
			v.fail("the removal is %s: %+v", report.State, report.Removed)
		}
		if _, err := w.store.Source(w.t.Context(), billing); !errors.Is(err, crm.ErrNotFound) {
			v.fail("the source is still there: %v", err)
		}
		if diff := cmp.Diff(was, w.everything()); diff != "" {
			v.fail("the tables are not as they were before there was the source (-before +now):\n%s", diff)
		}
		if w.other.removed[billing] == 0 || len(w.other.removed) > 1 {
			v.fail("schedules of the server that were removed: %v", w.other.removed)
		}
		w.checkPost(0, &v)
		return report.Removed.Gone, v
	}
}

// stumblingStore is a store that fails to remove the third page the first time.
type stumblingStore struct {
	activities.Store
	once sync.Once
}

func (s *stumblingStore) RemovePage(ctx context.Context, in crm.RemovePage) (at crm.Removal, err error) {
	if in.Page == 2 {
		s.once.Do(func() { err = errInjected })
	}
	if err != nil {
		return at, err
	}
	return s.Store.RemovePage(ctx, in)
}

// everything is each row of each table of SQLite, as text.
func (w *world) everything() map[string][]string {
	w.t.Helper()
	db, err := sql.Open(sqliteshim.ShimName, "file:"+strings.TrimPrefix(w.at.database, "sqlite://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	out := map[string][]string{}
	for _, name := range w.rows(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'") {
		out[name] = w.rows(db, "SELECT * FROM "+name)
		slices.Sort(out[name])
	}
	return out
}

// rows reads rows as lines of text.
func (w *world) rows(db *sql.DB, query string) (lines []string) {
	w.t.Helper()
	rows, err := db.QueryContext(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	for err == nil && rows.Next() {
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err = rows.Scan(into...); err == nil {
			lines = append(lines, strings.TrimSuffix(fmt.Sprintln(cells...), "\n"))
		}
	}
	if err = errors.Join(err, rows.Err()); err != nil {
		w.t.Fatal(err)
	}
	return lines
}
