package source

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/crm"
	"sluice/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// A lab is a database to try things out with.
type lab struct {
	t    *testing.T
	name string
	dsn  string
	exec func(statements ...string)
}

func postgresLab(t *testing.T) *lab {
	dsn := servertest.Postgres(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return &lab{t, "postgres", dsn, func(statements ...string) {
		for _, s := range statements {
			if _, err := conn.Exec(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}}
}

func mariaLab(t *testing.T) *lab {
	dsn := servertest.MariaDB(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", mySQL{}.config(u).FormatDSN()+"&time_zone=%27%2B00%3A00%27")
	return stdLab(t, "mariadb", dsn, db, err)
}

func sqliteLab(t *testing.T) *lab {
	path := filepath.Join(t.TempDir(), "a b?c.db")
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String()+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(0)")
	return stdLab(t, "sqlite", (&url.URL{Scheme: "sqlite", Path: path}).String(), db, err)
}

func stdLab(t *testing.T, name, dsn string, db *sql.DB, err error) *lab {
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &lab{t, name, dsn, func(statements ...string) {
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}}
}

var labs = map[string]func(*testing.T) *lab{"postgres": postgresLab, "mariadb": mariaLab, "sqlite": sqliteLab}

// inEach tries something out with every database.
func inEach(t *testing.T, do func(t *testing.T, l *lab)) {
	for name, start := range labs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(t, start(t))
		})
	}
}

// access is of a source whose query is all of a table, unless it is told
// otherwise: settings are names and values.
func (l *lab) access(settings ...string) *Access {
	all := map[string]string{"dsn": l.dsn, "query": "SELECT * FROM t", "key": "id"}
	for i := 0; i < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	return &Access{Source: "on-trial", Settings: all, Now: func() time.Time { return start }}
}

// read reads all that there is, or what changed within a span, and calls
// between after each page.
func (l *lab) read(d database, a *Access, w Want, between func(page int)) (rows []Row) {
	l.t.Helper()
	parts, err := d.Plan(l.t.Context(), a, w)
	if err != nil || len(parts) != 1 {
		l.t.Fatalf("plan: %v, %v", parts, err)
	}
	var at Cursor
	for n := 0; n < 1000; n++ {
		page, err := d.Read(l.t.Context(), a, parts[0], at)
		if err != nil {
			l.t.Fatalf("page %d: %v", n, err)
		}
		if page.Next != nil && bytes.Equal(page.Next, at) || len(page.Next) > MaxCursor {
			l.t.Fatalf("page %d goes on at %s", n, page.Next)
		}
		rows = append(rows, page.Rows...)
		if page.Next == nil {
			return rows
		}
		if between != nil {
			between(n)
		} else if n == 1 {
			if again, err := d.Read(l.t.Context(), a, parts[0], at); err != nil || !bytes.Equal(again.Next, page.Next) || !sameRows(again.Rows, page.Rows) {
				l.t.Fatalf("page %d, read again, has other rows: %v", n, err)
			}
		}
		at = page.Next
	}
	l.t.Fatal("the reading has no end")
	return nil
}

// got are the values of a column, sorted.
func got(rows []Row, column string) (values []string) {
	for _, r := range rows {
		values = append(values, r.Extra[column])
	}
	slices.Sort(values)
	return values
}

// numbers are 0 to n-1 as texts, in the order of texts.
func numbers(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint(i))
	}
	slices.Sort(out)
	return out
}

var everything = Want{Span: crm.Span{From: start.Add(-time.Hour), To: start}}

var pageSizes = []int{1, 2, 3, 7}

// insert fills the table t (id, n) with keys that are given as SQL, the last
// one first.
func (l *lab) insert(keys []string) {
	for i := range keys {
		n := len(keys) - 1 - i
		l.exec(fmt.Sprintf("INSERT INTO t VALUES (%s, %d)", keys[n], n))
	}
}

func TestSQLPagesWithEveryTypeOfKey(t *testing.T) {
	t.Parallel()
	texts := []string{`'a'`, `'A'`, `'B'`, `'b'`, `'ä'`, `'it''s ; --'`, `'?$1'`, `'😀'`, `'10'`, `'9'`}
	integers := []string{"-9223372036854775808", "-1", "0", "1", "9007199254740992", "9007199254740993", "9007199254740994", "9223372036854775807"}
	uuids := []string{`'00000000-0000-0000-0000-000000000000'`, `'0190a3f4-0000-7000-8000-000000000001'`, `'0190a3f4-0000-7000-8000-000000000002'`,
		`'ffffffff-0000-1000-8000-000000000000'`, `'10000000-0000-4000-8000-000000000000'`}
	times := []string{`'1969-12-31 23:59:59.999999'`, `'2026-01-02 03:04:05'`, `'2026-01-02 03:04:05.000001'`, `'2026-01-02 03:04:05.000002'`, `'2026-01-02 03:04:05.1'`, `'2026-10-25 01:30:00'`}
	late := append([]string{`'1970-01-02 00:00:00.5'`}, times[1:]...) // MariaDB's TIMESTAMP begins in 1970
	for database, types := range map[string]map[string][]string{
		"postgres": {
			"smallint PRIMARY KEY": {"-32768", "0", "1", "32767"}, "bigint PRIMARY KEY": integers,
			"numeric PRIMARY KEY": {"-1.5", "0", "0.000000000000000000001", "0.1", "0.10000000000000000001", "9007199254740992.5", "9007199254740993", "123456789012345678901234567890"},
			"uuid PRIMARY KEY":    uuids, "text PRIMARY KEY": texts, "text COLLATE \"C\"": texts, "text COLLATE ci": texts,
			"char(3) PRIMARY KEY": {`'a'`, `'ab'`, `'abc'`, `'abd'`, `'b'`, `''`},
			"timestamptz":         times, "timestamp": times, "date": {`'1969-12-31'`, `'2026-01-02'`, `'2026-01-03'`},
			"mood": {`'glad'`, `'sad'`, `'angry'`}, "inet": {`'10.0.0.1'`, `'10.0.0.2'`, `'::1'`},
		},
		"mariadb": {
			"tinyint PRIMARY KEY": {"-128", "0", "127"}, "bigint PRIMARY KEY": integers,
			"bigint unsigned PRIMARY KEY": {"0", "1", "9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551614", "18446744073709551615"},
			"decimal(40,10) PRIMARY KEY":  {"-1.5", "0", "0.0000000001", "0.1", "9007199254740993", "9007199254740993.0000000001", "123456789012345678901234567890"},
			"varchar(40)":                 texts, "varchar(40) COLLATE utf8mb4_bin PRIMARY KEY": texts, "text": texts, "char(10) COLLATE utf8mb4_unicode_ci": texts,
			"varchar(40) CHARACTER SET latin1": {`'a'`, `'A'`, `'ä'`, `'Ä'`, `'z'`}, "uuid PRIMARY KEY": uuids, "char(36) PRIMARY KEY": uuids,
			"datetime(6)": times, "timestamp(6)": late, "date": {`'1969-12-31'`, `'2026-01-02'`, `'2026-01-03'`}, "year": {"1999", "2000", "2026"},
		},
		"sqlite": {
			"INTEGER PRIMARY KEY": integers, "BIGINT": integers, "NUMERIC": integers, "TEXT PRIMARY KEY": texts, "TEXT COLLATE NOCASE": texts,
			"": {"-1", "2", "10", `'a'`, `'1'`, `'B'`, `'b'`}, "DATETIME": times, "UUID": uuids,
		},
	} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			l := labs[database](t)
			if database == "postgres" {
				l.exec("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)", "CREATE TYPE mood AS ENUM ('sad', 'angry', 'glad')")
			}
			for typ, keys := range types {
				l.exec("DROP TABLE IF EXISTS t", "CREATE TABLE t (id "+typ+", n int)")
				l.insert(keys)
				for _, size := range pageSizes {
					rows := l.read(databaseOf(size), l.access(), everything, nil)
					if have := got(rows, "n"); !slices.Equal(have, numbers(len(keys))) {
						t.Errorf("%s, pages of %d: rows %v, want each of %d once", typ, size, have, len(keys))
					}
					for _, r := range rows {
						if r.ID != r.Extra["id"] || database == "sqlite" && strings.Contains(r.ID, "UTC") {
							t.Errorf("%s: row %q has the key %q", typ, r.ID, r.Extra["id"])
						}
					}
				}
			}
		})
	}
}

func databaseOf(rows int) database { return database{rows: rows, bytes: 1 << 20} }

func TestSQLKeysThatDifferOnlyInTheirTextAreOnOnePage(t *testing.T) {
	t.Parallel()
	l := postgresLab(t)
	l.exec("CREATE TABLE t (id numeric, n int)")
	l.insert([]string{"1", "1.0", "1.00", "2", "2.0"})
	if rows := l.read(databaseOf(1), l.access(), everything, nil); !slices.Equal(got(rows, "n"), numbers(5)) {
		t.Errorf("rows %v, want 5", got(rows, "n"))
	}
}

// changesOf are the ways to write when a row changed, with how a time is
// written; the zone is that of the column.
type changesOf struct {
	typ, zone string
	write     func(time.Time) string
}

func written(layout, zone string) func(time.Time) string {
	at, _ := time.LoadLocation(zone)
	return func(t time.Time) string { return "'" + t.In(at).Format(layout) + "'" }
}

var changesIn = map[string][]changesOf{
	"postgres": {
		{"timestamptz", "", written(time.RFC3339Nano, "Asia/Kolkata")},
		{"timestamp", "", written(sqlStamp, "UTC")},
		{"timestamp", "America/New_York", written(sqlStamp, "America/New_York")},
	},
	"mariadb": {
		{"timestamp(6) NULL", "", written(sqlStamp, "UTC")},
		{"timestamp(6) NULL", "America/New_York", written(sqlStamp, "UTC")},
		{"datetime(6)", "", written(sqlStamp, "UTC")},
		{"datetime(6)", "Asia/Kolkata", written(sqlStamp, "Asia/Kolkata")},
	},
	"sqlite": {
		{"TEXT", "", written("2006-01-02 15:04:05.999999", "UTC")},
		{"DATETIME", "", written("2006-01-02T15:04:05.999999Z07:00", "Asia/Kolkata")},
		{"INTEGER", "", func(t time.Time) string { return fmt.Sprint(t.Unix()) }},
		{"INTEGER", "", func(t time.Time) string { return fmt.Sprint(t.UnixMilli()) }},
		{"REAL", "", func(t time.Time) string { return fmt.Sprintf("%.3f", float64(t.UnixMilli())/1000) }},
	},
}

func TestSQLRowsThatComeAndGoMeanwhile(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, l *lab) {
		l.exec("CREATE TABLE t (id int PRIMARY KEY, name varchar(20), updated varchar(30))")
		for i := range 40 {
			l.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, 'old', NULL)", 10*i))
		}
		rows := l.read(databaseOf(3), l.access(), everything, func(page int) {
			l.exec(
				fmt.Sprintf("INSERT INTO t VALUES (%d, 'new', NULL)", 10*page+5), // on both sides of where the reading is
				fmt.Sprintf("INSERT INTO t VALUES (%d, 'new', NULL)", 400-10*page+5),
				fmt.Sprintf("UPDATE t SET name = 'changed' WHERE id = %d", 10*(39-page)),
				fmt.Sprintf("DELETE FROM t WHERE id = %d", 10*page+5),
			)
		})
		have := map[string]int{}
		for _, r := range rows {
			have[r.ID]++
		}
		for i := range 40 {
			if n := have[fmt.Sprint(10*i)]; n != 1 {
				t.Errorf("row %d came %d times, want once", 10*i, n)
			}
		}
	})
}

func TestSQLColumnsWithHostileNames(t *testing.T) {
	t.Parallel()
	names := []string{`a"b`, "a`b", "a'b", "a b", "a?b", "?", "$1", "100%d", "a;b", "a--b", "a/*b", `a\b`, "ключ", ":x", "@y", "[z]", "select", "customer", ") AS q", "q"}
	inEach(t, func(t *testing.T, l *lab) {
		quote := sqlDialects[l.name].quote
		for n, name := range names {
			l.exec("DROP TABLE IF EXISTS t", "CREATE TABLE t ("+quote(name)+" int PRIMARY KEY, "+quote(name+"2")+" int, "+quote("when "+name)+" varchar(30))")
			for i := range 5 {
				l.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, %d, '2026-11-02 12:00:00')", i, i))
			}
			query := []string{"SELECT * FROM t", "SELECT t." + quote(name) + ", t." + quote(name+"2") + " FROM t"}[n%2]
			rows := l.read(databaseOf(4), l.access("key", name, "query", query), everything, nil)
			if have := got(rows, name+"2"); !slices.Equal(have, numbers(5)) || rows[3].ID != "3" {
				t.Errorf("%s: rows %v, want 5", name, have)
			}
			if line, err := json.Marshal(rows[0]); err != nil || !json.Valid(line) {
				t.Errorf("%s: row %s, %v", name, line, err)
			}
			if l.name == "sqlite" {
				w := Want{Span: crm.Span{From: start, To: start.Add(time.Hour)}, Changes: true}
				if rows := l.read(databaseOf(2), l.access("key", name, "updated", "when "+name), w, nil); len(rows) != 5 {
					t.Errorf("%s: %d changes, want 5", name, len(rows))
				}
			}
		}
	})
}

func TestSQLQueriesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, l *lab) {
		l.exec("CREATE TABLE t (id int PRIMARY KEY, name varchar(20))", "INSERT INTO t VALUES (0, 'a;b'), (1, 'it''s')")
		queries := []string{
			"SELECT * FROM t -- all of them", "SELECT * FROM t -- )", "/* of; all */ SELECT * FROM t /* the ( end */", "-- begin\nselect * from t",
			"WITH x AS (SELECT * FROM t) SELECT * FROM x", "SELECT * FROM t WHERE name IN ('a;b', 'it''s')", "SELECT * FROM t ORDER BY name DESC LIMIT 10",
			"SELECT id, max(name) AS \"m;m\" FROM t GROUP BY id", "SELECT id FROM t UNION SELECT id FROM t",
		}
		switch l.name {
		case "postgres":
			queries = append(queries, "SELECT id, $x$;)$x$ AS s, E'it\\';' AS e FROM t /* a /* nested; */ one */", "SELECT id, '{\"a\": 1}'::jsonb ? 'a' AS has FROM t")
		case "mariadb":
			queries = append(queries, "SELECT id, 'it\\';' AS e FROM t # the end", "SELECT id FROM t WHERE id = 1--1 OR id < 2")
		case "sqlite":
			queries = append(queries, "SELECT id AS id, id AS [a;b], id AS `c;d` FROM t")
		}
		for _, query := range queries {
			if rows := l.read(databaseOf(1), l.access("query", query), everything, nil); !slices.Equal(got(rows, "id"), numbers(2)) {
				t.Errorf("%s: rows %v, want 2", query, rows)
			}
		}
	})
}

func TestSQLValuesAsText(t *testing.T) {
	t.Parallel()
	for database, values := range map[string]map[string]string{
		"postgres": {
			"NULL": "", "''": "", "true": "true", "false": "false", "NULL::boolean": "",
			"'2026-01-02 03:04:05.123456+02'::timestamptz": "2026-01-02T01:04:05.123456Z", "'2026-01-02 03:04:05'::timestamp": "2026-01-02T03:04:05",
			"'2026-01-02'::date": "2026-01-02", "'infinity'::timestamptz": "infinity", "'0044-03-15 BC'::date": "0044-03-15 BC", "'12:30'::time": "12:30:00",
			"1.50::numeric(10,2)": "1.50", "123456789012345678901234567890.5::numeric": "123456789012345678901234567890.5",
			"9007199254740993::bigint": "9007199254740993", "0.1::float8": "0.1", "'0190a3f4-0000-7000-8000-000000000001'::uuid": "0190a3f4-0000-7000-8000-000000000001",
			`'{"b":[1, 2],"a":null}'::json`: `{"b":[1, 2],"a":null}`, `'{"b":1}'::jsonb`: `{"b": 1}`,
			"ARRAY[1,NULL,3]": "[1,null,3]", `ARRAY['a,b','"c"']`: `["a,b","\"c\""]`, "ARRAY['2026-01-02 03:04:05+00'::timestamptz]": `["2026-01-02T03:04:05+00:00"]`,
			"ARRAY[[1,2],[3,4]]": "[[1,2],[3,4]]", "interval '1 day 2 hours'": "P1DT2H", "ROW(1,'x')": `{"f1":1,"f2":"x"}`,
		},
		"mariadb": {
			"NULL": "", "''": "", "TRUE": "1", "CAST('2026-01-02 03:04:05.123456' AS DATETIME(6))": "2026-01-02T03:04:05.123456", "CAST('2026-01-02' AS DATE)": "2026-01-02",
			"CAST('0000-00-00' AS DATETIME)": "", "CAST(1.5 AS DECIMAL(10,2))": "1.50", "18446744073709551615": "18446744073709551615", "0.1e0": "0.1", "1e6": "1000000",
			"(SELECT bits FROM v)": "5", "(SELECT stamp FROM v)": "2026-01-02T03:04:05Z", "(SELECT colour FROM v)": "red", "JSON_OBJECT('a', 1)": `{"a": 1}`, "'😀'": "😀",
		},
		"sqlite": {
			"NULL": "", "''": "", "1": "1", "1.5": "1.5", "9007199254740993": "9007199254740993", "'2026-01-02 03:04:05'": "2026-01-02 03:04:05",
			"(SELECT at FROM v)": "2026-01-02 03:04:05.123", "(SELECT day FROM v)": "2026-01-02", "(SELECT yes FROM v)": "1", "'😀'": "😀", "1e6": "1000000",
		},
	} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			l := labs[database](t)
			switch database {
			case "mariadb":
				l.exec("CREATE TABLE v (bits bit(8), stamp timestamp, colour enum ('blue', 'red'))", "INSERT INTO v VALUES (5, '2026-01-02 03:04:05', 'red')")
			case "sqlite":
				l.exec("CREATE TABLE v (at DATETIME, day DATE, yes BOOLEAN)", "INSERT INTO v VALUES ('2026-01-02 03:04:05.123', '2026-01-02', 1)")
			}
			for expr, want := range values {
				rows := l.read(databaseOf(5), l.access("query", "SELECT 7 AS id, "+expr+" AS v"), everything, nil)
				if len(rows) != 1 || rows[0].Extra["v"] != want || rows[0].ID != "7" || rows[0].Extra["id"] != "7" {
					t.Errorf("%s: %v, want %q", expr, rows, want)
				}
				if want == "" && len(rows[0].Extra) != 1 {
					t.Errorf("%s: a blank value is there: %v", expr, rows[0].Extra)
				}
			}
		})
	}
}

func TestSQLPagesAreBoundedByBytes(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, l *lab) {
		l.exec("CREATE TABLE t (id int PRIMARY KEY, note text)")
		for i := range 60 {
			size := 10
			if i >= 8 && i < 20 {
				size = 4000
			}
			l.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, '%s')", i, strings.Repeat("x", size)))
		}
		d := database{rows: 20, bytes: 10_000}
		var sizes []int
		var at Cursor
		ids := map[string]bool{}
		for {
			page, err := d.Read(t.Context(), l.access(), crm.Partition{Stream: sqlRows}, at)
			if err != nil {
				t.Fatal(err)
			}
			size := 0
			for _, r := range page.Rows {
				size += len(r.Extra["note"])
				ids[r.ID] = true
			}
			if size > 10_000+4_000 {
				t.Errorf("a page of %d bytes", size)
			}
			sizes = append(sizes, len(page.Rows))
			if at = page.Next; at == nil {
				break
			}
		}
		if len(ids) != 60 || slices.Max(sizes[2:]) < 12 {
			t.Errorf("%d rows, want 60; pages of %v rows, want them to grow again", len(slices.Collect(maps.Keys(ids))), sizes)
		}
	})
}

func TestSQLPlan(t *testing.T) {
	t.Parallel()
	l := &lab{t: t, dsn: "postgres://u@db.example.com/crm"}
	span := crm.Span{From: start.Add(-time.Hour), To: start}
	for name, c := range map[string]struct {
		a        *Access
		w        Want
		stream   string
		from, to time.Time
	}{
		"all":                         {l.access("updated", "updated"), Want{Span: span}, sqlRows, time.Time{}, time.Time{}},
		"changes":                     {l.access("updated", "updated"), Want{Span: span, Changes: true}, sqlChanges, span.From, span.To},
		"changes that come later":     {l.access("updated", "updated", "lag", "11m"), Want{Span: span, Changes: true}, sqlChanges, span.From.Add(-10 * time.Minute), span.To},
		"changes that nobody records": {l.access(), Want{Span: span, Changes: true}, sqlRows, time.Time{}, time.Time{}},
		"changes since ever":          {l.access("updated", "updated"), Want{Span: crm.Span{To: start}, Changes: true}, sqlRows, time.Time{}, time.Time{}},
	} {
		parts, err := SQL.Plan(t.Context(), c.a, c.w)
		if err != nil || len(parts) != 1 || parts[0].Stream != c.stream || !parts[0].From.Equal(c.from) || !parts[0].To.Equal(c.to) {
			t.Errorf("%s: %+v, %v", name, parts, err)
		}
	}
}

func TestSQLCheckSaysWhatItIs(t *testing.T) {
	t.Parallel()
	names := map[string]string{"postgres": "(PostgreSQL 1", "mariadb": "-MariaDB", "sqlite": "a b?c.db (SQLite 3."}
	inEach(t, func(t *testing.T, l *lab) {
		l.exec("CREATE TABLE t (id int PRIMARY KEY, updated timestamp)")
		a := l.access("updated", "updated")
		a.Now = time.Now
		account, err := SQL.Check(t.Context(), a)
		if err != nil || !strings.Contains(account.Name, names[l.name]) {
			t.Errorf("%+v, %v", account, err)
		}
		notes := strings.Join(account.Notes, "\n")
		for phrase, want := range map[string]bool{"deleted": true, "not encrypted": l.name != "sqlite", "clock": false} {
			if strings.Contains(notes, phrase) != want {
				t.Errorf("notes on %q: %v, want %v", phrase, account.Notes, want)
			}
		}
		if l.name == "sqlite" {
			return
		}
		a.Now = func() time.Time { return time.Now().Add(time.Hour) }
		if account, err := SQL.Check(t.Context(), a); err != nil || !strings.Contains(strings.Join(account.Notes, "\n"), "the database's clock is off by -1h0m0s") {
			t.Errorf("with a clock that is off: %v, %v", account.Notes, err)
		}
	})
}

func TestSQLColumnOfAnotherTypeLosesTheCursor(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"postgres", "mariadb"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			l := labs[database](t)
			l.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)")
			page, err := databaseOf(1).Read(t.Context(), l.access(), crm.Partition{Stream: sqlRows}, nil)
			if err != nil || page.Next == nil {
				t.Fatal(page, err)
			}
			l.exec(map[string]string{"postgres": "ALTER TABLE t ALTER id TYPE text", "mariadb": "ALTER TABLE t MODIFY id varchar(20)"}[database])
			if _, err := databaseOf(1).Read(t.Context(), l.access(), crm.Partition{Stream: sqlRows}, page.Next); !errors.Is(err, crm.ErrCursorLost) {
				t.Errorf("got %v, want ErrCursorLost", err)
			}
		})
	}
}
