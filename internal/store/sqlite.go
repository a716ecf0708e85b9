package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"sluice/internal/crm"
)

// sqliteDialect is that of SQLite, 3.44 or later, which is linked in.
type sqliteDialect struct {
	writes *bun.DB
	reads  *bun.DB
	path   string
}

// readers is how many may read the file at once, beside the one who writes.
const readers = 4

func openSQLite(path string) (*Store, error) {
	if len(path) > 2 && path[2] == ':' { // sqlite:///C:/…
		path = path[1:]
	}
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%w: write sqlite:/// and an absolute path", crm.ErrInvalid)
	}
	// SQLite gives its other files the mode of this one.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// Transactions take the write lock as they begin: one that read first and
	// wants to write then is refused if somebody else wrote in between.
	db, err := sqliteDB(path, 1, "_txlock=immediate&_pragma=cache_size(-32000)&_pragma=temp.cache_size(-32000)")
	if err != nil {
		return nil, err
	}
	reads, err := sqliteDB(path, readers, "_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{db: db, reads: reads, dialect: &sqliteDialect{db, reads, path}}, nil
}

func sqliteDB(path string, conns int, more string) (*bun.DB, error) {
	name := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	db, err := sql.Open(sqliteshim.ShimName, name+"?_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=automatic_index(0)&"+more)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return bun.NewDB(db, sqlitedialect.New()), nil
}

func (l *sqliteDialect) name() string { return "sqlite" }

func (l *sqliteDialect) version(ctx context.Context) (version string, err error) {
	err = l.reads.NewRaw("SELECT sqlite_version()").Scan(ctx, &version)
	return "SQLite " + version, err
}

func (l *sqliteDialect) hasTable(ctx context.Context, table string) (there bool, err error) {
	err = l.reads.NewRaw("SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?", table).Scan(ctx, &there)
	return there, err
}

// alone runs do in one transaction, on a connection of its own that has the
// write lock. bun/migrate, which begins no transaction for these migrations,
// does not notice.
func (l *sqliteDialect) alone(ctx context.Context, do func(db *bun.DB) error) error {
	db, err := sqliteDB(l.path, 1, "")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := do(db); err != nil {
		return err // closing rolls back
	}
	_, err = db.ExecContext(ctx, "COMMIT")
	return err
}

// settled has nothing to wait for: a migration is one transaction, which others
// see whole or not at all.
func (l *sqliteDialect) settled(context.Context) error { return nil }

func (l *sqliteDialect) types() columnTypes {
	return columnTypes{place: "INTEGER PRIMARY KEY", primary: "INTEGER PRIMARY KEY", integer: "INTEGER", uuid: "TEXT", key: "TEXT",
		of:  []string{crm.Text: "TEXT", crm.Time: "TEXT", crm.Int: "INTEGER", crm.Tags: "TEXT", crm.Attributes: "TEXT"},
		end: " STRICT"}
}

// checkEvery is how many rows go in between two looks at the context. Looking
// at each would start a goroutine in the driver for each.
const checkEvery = 500

// insert binds what differs from row to row and nothing else: to bind a value
// costs no less than to store it.
func (l *sqliteDialect) insert(ctx context.Context, tx session, r *rows) (n int64, err error) {
	statement, repeated := l.insertOne(r)
	insert, err := tx.Tx.PrepareContext(ctx, statement)
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	values := make([]any, len(r.own)+len(repeated))
	var row []byte
	for i := range r.count {
		row = r.append(row[:0], i)
		if err := bind(values[:len(r.own)], r.own, row); err != nil {
			return n, err
		}
		for to, from := range repeated {
			values[len(r.own)+to] = values[from]
		}
		if i%checkEvery == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
		if _, err := insert.ExecContext(context.WithoutCancel(ctx), values...); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// insertOne inserts one row: its own columns, and then those of them that are
// repeated. The places have no numbers, since the driver compares a number that
// a place has with those of all values, in text, for every row.
func (l *sqliteDialect) insertOne(r *rows) (statement string, repeated []int) {
	values := slices.Repeat([]string{"?"}, len(r.own))
	for _, s := range r.shared {
		switch {
		case s.of >= 0:
			values = append(values, "?")
			repeated = append(repeated, s.of)
		case s.number:
			values = append(values, s.value)
		default:
			values = append(values, string(l.writes.Dialect().AppendString(nil, s.value)))
		}
	}
	return "INSERT INTO " + r.table + " (" + strings.Join(r.columns(), ", ") + ") VALUES (" + strings.Join(values, ", ") + ")", repeated
}

// bind fills in the values of a row. Whether a text is JSON, SQLite itself does
// not look.
func bind(values []any, columns []string, row []byte) error {
	for i, column := range columns {
		if row == nil {
			return &fault{text: "a line of too few values", data: true}
		}
		var value []byte
		value, row = crm.CutCopy(row)
		if values[i] = nil; isNull(value) {
			continue
		}
		text := crm.CopyValue(value)
		if (column == "tags" || column == "custom") && !json.Valid([]byte(text)) {
			return &fault{text: "a value is no JSON", data: true}
		}
		values[i] = text
	}
	if row != nil {
		return &fault{text: "a line of too many values", data: true}
	}
	return nil
}

func (l *sqliteDialect) read(ctx context.Context, tx session, query string, do func(values [][]byte) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	raw, into, values := make([]sql.RawBytes, len(columns)), make([]any, len(columns)), make([][]byte, len(columns))
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i := range raw {
			values[i] = raw[i]
		}
		if err := do(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// lookUp: a cross join is done in the order in which it is written. SQLite would
// otherwise choose which table to walk without knowing their sizes.
func (l *sqliteDialect) lookUp(of []string, from string, columns []string, table, where string) string {
	return "SELECT " + strings.Join(of, ", ") + ", " + strings.Join(columns, ", ") + " FROM " + from + " CROSS JOIN " + table + " AS t WHERE " + where
}

func (l *sqliteDialect) keys() string { return "(SELECT value AS key FROM json_each(?0)) AS k" }

func (l *sqliteDialect) list(keys []string) any {
	text, _ := json.Marshal(keys) // strings are always JSON
	return string(text)
}

func (l *sqliteDialect) lookUps(context.Context, session) error { return nil }

// seek has nothing to do: SQLite takes an index where it has one.
func (l *sqliteDialect) seek(context.Context, bun.IDB, bool) error { return nil }

// makeIndex keeps others from writing meanwhile, for as long as it takes to
// sort the table's rows.
func (l *sqliteDialect) makeIndex(ctx context.Context, name, table, columns string) error {
	_, err := l.writes.ExecContext(ctx, "CREATE INDEX IF NOT EXISTS "+name+" ON "+table+" ("+columns+")")
	return err
}

// share and lock have nothing to add: whoever may write is alone.
func (l *sqliteDialect) share() string { return "" }

func (l *sqliteDialect) lock() string { return "" }

func (l *sqliteDialect) time(column string) string { return column }

func (l *sqliteDialect) stamp(text string) string { return text }

func (l *sqliteDialect) patch(a, b string) string { return "json_patch(" + a + ", " + b + ")" }

func (l *sqliteDialect) noNulls(object string) string { return "json_patch('{}', " + object + ")" }

func (l *sqliteDialect) uuid(text string) string { return text }

func (l *sqliteDialect) one(id string) string { return "min(" + id + ")" }

func (l *sqliteDialect) lower(column string) string { return "lower(" + column + ")" }

// host cuts at what ends a host; char(63) is a question mark, which bun takes
// for a place to put a value.
func (l *sqliteDialect) host(column string) string {
	rest := "substr(" + l.lower(column) + ", instr(" + column + " || '://', '://') + 3)"
	for _, end := range []string{"':'", "'#'", "char(63)"} {
		rest = "replace(" + rest + ", " + end + ", '/')"
	}
	host := "substr(" + rest + ", 1, instr(" + rest + " || '/', '/') - 1)"
	return "rtrim(CASE WHEN substr(" + host + ", 1, 4) = 'www.' THEN substr(" + host + ", 5) ELSE " + host + " END, '.')"
}
