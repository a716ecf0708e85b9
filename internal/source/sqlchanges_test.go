package source

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestSQLChangesWithTiesAcrossPages(t *testing.T) {
	t.Parallel()
	span := crm.Span{From: start, To: start.Add(time.Hour)}
	for database, ways := range changesIn {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			l := labs[database](t)
			for _, way := range ways {
				for _, key := range []string{"bigint", "varchar(20)"} {
					l.exec("DROP TABLE IF EXISTS t", "CREATE TABLE t (id "+key+" PRIMARY KEY, updated "+way.typ+")")
					var want []string
					add := func(at time.Time, in bool) {
						id := fmt.Sprint(100 + len(want)*7%50)
						if !in {
							id = fmt.Sprint(at.UnixNano())
						}
						l.exec("INSERT INTO t VALUES ('" + id + "', " + way.write(at) + ")")
						if in {
							want = append(want, id)
						}
					}
					add(span.From.Add(-49*time.Hour), false)
					add(span.From, true)
					for range 7 {
						add(span.From.Add(30*time.Minute), true)
					}
					for range 3 {
						add(span.From.Add(30*time.Minute+time.Second), true)
					}
					add(span.To.Add(-time.Second), true)
					add(span.To, false)
					add(span.To.Add(time.Hour), false)
					l.exec("INSERT INTO t VALUES ('1', NULL)")
					slices.Sort(want)
					for _, size := range pageSizes {
						rows := l.read(databaseOf(size), l.access("updated", "updated", "zone", way.zone), Want{Span: span, Changes: true}, nil)
						if have := got(rows, "id"); !slices.Equal(have, want) {
							t.Errorf("%s, key %s, pages of %d: changes %v, want %v", way.typ, key, size, have, want)
						}
					}
				}
			}
		})
	}
}

func TestSQLChangesAMicrosecondApart(t *testing.T) {
	t.Parallel()
	for database, typ := range map[string]string{"postgres": "timestamptz", "mariadb": "datetime(6)"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			l := labs[database](t)
			l.exec("CREATE TABLE t (id int PRIMARY KEY, updated " + typ + ")")
			for i := range 9 {
				l.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, %s)", i, written(sqlStamp, "UTC")(start.Add(time.Duration(8-i)*time.Microsecond))))
			}
			w := Want{Span: crm.Span{From: start.Add(2 * time.Microsecond), To: start.Add(7 * time.Microsecond)}, Changes: true}
			if have := got(l.read(databaseOf(2), l.access("updated", "updated"), w, nil), "id"); !slices.Equal(have, []string{"2", "3", "4", "5", "6"}) {
				t.Errorf("changes %v, want 2 to 6", have)
			}
		})
	}
}

func TestSQLRowsThatChangeWhileChangesAreRead(t *testing.T) {
	t.Parallel()
	for database, typ := range map[string]string{"postgres": "timestamptz", "mariadb": "datetime(6)", "sqlite": "TEXT"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			l := labs[database](t)
			at := func(minutes int) string {
				return written(sqlStamp, "UTC")(start.Add(time.Duration(minutes) * time.Minute))
			}
			l.exec("CREATE TABLE t (id int PRIMARY KEY, rev int, updated " + typ + ")")
			for i := range 20 {
				l.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, 0, %s)", i, at(i)))
			}
			a := l.access("updated", "updated")
			latest := map[string]string{}
			take := func(rows []Row) {
				for _, r := range rows {
					latest[r.ID] = r.Extra["rev"]
				}
			}
			// Some rows move on within the span, some beyond its end, where the
			// next sync finds them.
			take(l.read(databaseOf(3), a, Want{Span: crm.Span{From: start, To: start.Add(time.Hour)}, Changes: true}, func(page int) {
				if page > 4 {
					return
				}
				l.exec(fmt.Sprintf("UPDATE t SET rev = rev + 1, updated = %s WHERE id = %d", at(30+page), page),
					fmt.Sprintf("UPDATE t SET rev = rev + 1, updated = %s WHERE id = %d", at(60+page), 19-page))
			}))
			take(l.read(databaseOf(3), a, Want{Span: crm.Span{From: start.Add(time.Hour), To: start.Add(2 * time.Hour)}, Changes: true}, nil))
			for _, r := range l.read(databaseOf(100), a, everything, nil) {
				if latest[r.ID] != r.Extra["rev"] {
					t.Errorf("row %s was last seen with revision %q, and has %s", r.ID, latest[r.ID], r.Extra["rev"])
				}
			}
		})
	}
}

func TestSQLChangesOfADayAreReadAgainThatDay(t *testing.T) {
	t.Parallel()
	for database, typ := range map[string]string{"postgres": "date", "mariadb": "date", "sqlite": "TEXT"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			l := labs[database](t)
			l.exec("CREATE TABLE t (id int PRIMARY KEY, updated "+typ+")", "INSERT INTO t VALUES (0, '2026-11-02'), (1, '2026-11-02'), (2, '2026-11-01'), (3, '2026-11-03')")
			a := l.access("updated", "updated")
			for span, want := range map[crm.Span][]string{
				{From: start.Add(123456789), To: start.Add(time.Minute)}:                              {"0", "1"},
				{From: start.Add(-time.Minute), To: start.Add(12 * time.Hour)}:                        {"0", "1"},
				{From: start.Add(-13 * time.Hour), To: start.Add(12*time.Hour + 20*time.Millisecond)}: {"0", "1", "2", "3"},
				{From: start.Add(12 * time.Hour), To: start.Add(12*time.Hour + 20*time.Millisecond)}:  {"3"},
				{From: start.Add(36 * time.Hour), To: start.Add(36*time.Hour + 20*time.Millisecond)}:  nil,
			} {
				if have := got(l.read(databaseOf(1), a, Want{Span: span, Changes: true}, nil), "id"); !slices.Equal(have, want) {
					t.Errorf("%v to %v: %v, want %v", span.From, span.To, have, want)
				}
			}
		})
	}
}

func TestSQLiteTimesOfManyForms(t *testing.T) {
	t.Parallel()
	l := sqliteLab(t)
	l.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, updated)")
	for i, at := range []string{"'2026-11-02 12:30:00'", "'2026-11-02T12:30:00.5Z'", "'2026-11-02T18:00:00+05:30'", "'2026-11-01 22:30:00-14:00'", "'2026-11-03T01:30+13:00'", "'2026-11-02'",
		"1793622600", "1793622600.5", "1793622600500"} {
		l.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, %s)", i, at))
	}
	l.exec("INSERT INTO t VALUES (100, NULL), (101, 'soon'), (102, ''), (103, x'00'), (104, 0), (105, '2026-11-02 13:00:00'), (106, 1793624400), (107, '2026-11-01 23:59:59'), (108, '2027-01-01')")
	for _, size := range pageSizes {
		rows := l.read(databaseOf(size), l.access("updated", "updated", "query", "SELECT id, updated FROM t"), Want{Span: crm.Span{From: start, To: start.Add(time.Hour)}, Changes: true}, nil)
		if have := got(rows, "id"); !slices.Equal(have, numbers(9)) {
			t.Errorf("pages of %d: changes %v, want 0 to 8", size, have)
		}
	}
}

func TestSQLClocksThatArePutBackHideNoChange(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	// At 2026-11-01 06:00 UTC it is 02:00 there, and then 01:00.
	back := time.Date(2026, time.November, 1, 6, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		from, to    time.Duration // since then
		first, last string
	}{
		{-2 * time.Hour, -time.Hour, "2026-11-01 00:00:00", "2026-11-01 01:00:00"},
		{-15 * time.Minute, 15 * time.Minute, "2026-11-01 01:00:00", "2026-11-01 02:00:00"},
		{-90 * time.Minute, 15 * time.Minute, "2026-11-01 00:30:00", "2026-11-01 02:00:00"},
		{-15 * time.Minute, 3 * time.Hour, "2026-11-01 01:00:00", "2026-11-01 04:00:00"},
		{0, time.Hour, "2026-11-01 01:00:00", "2026-11-01 02:00:00"},
		{-time.Hour, 0, "2026-11-01 01:00:00", "2026-11-01 02:00:00"},
	} {
		from, to := sqlClock.bounds(crm.Span{From: back.Add(c.from), To: back.Add(c.to)}, zone)
		if from != c.first || to != c.last {
			t.Errorf("%v to %v: clocks show %s to %s, want %s to %s", c.from, c.to, from, to, c.first, c.last)
		}
	}
}
