package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

func (l *sqliteDialect) prepare(ctx context.Context, tx session, e crm.Entity) error {
	_, err := tx.ExecContext(ctx, stagedTable(e, columnTypes{
		ord: "INTEGER PRIMARY KEY", integer: "INTEGER", uuid: "TEXT", key: "TEXT",
		of: []string{crm.Text: "TEXT", crm.Time: "TEXT", crm.Int: "INTEGER", crm.Tags: "TEXT CHECK (json_valid($))",
			crm.Attributes: "TEXT CHECK (json_valid($))"},
	})+" STRICT")
	if err != nil {
		return err
	}
	return l.release(ctx, tx, e)
}

func (l *sqliteDialect) release(ctx context.Context, tx session, e crm.Entity) error {
	if e == crm.Customer {
		if _, err := tx.ExecContext(ctx, "DROP INDEX IF EXISTS temp.staged_customers_key"); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM "+staged(e))
	return err
}

// checkEvery is how many rows go in between two looks at the context. Looking
// at each would start a goroutine in the driver for each.
const checkEvery = 500

func (l *sqliteDialect) load(ctx context.Context, tx session, e crm.Entity, from *loader) error {
	n := len(crm.BatchColumns(e)) + 1
	insert, err := tx.Tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)",
		staged(e), loadColumns(e), strings.TrimSuffix(strings.Repeat("?, ", n), ", ")))
	if err != nil {
		return err
	}
	defer insert.Close()
	row := make([]any, n)
	for i := 0; ; i++ {
		ord, values, err := from.values()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(values) != n-1 {
			return &fault{text: fmt.Sprintf("%s: a line of %d values, want %d", e.Plural(), len(values), n-1), data: true}
		}
		row[0] = ord
		for i, v := range values {
			row[i+1] = any(v)
			if v == "" {
				row[i+1] = nil
			}
		}
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := insert.ExecContext(context.WithoutCancel(ctx), row...); err != nil {
			return err
		}
	}
}

// create binds what differs from row to row and little more: to bind a value
// costs no less than to store it.
func (l *sqliteDialect) create(ctx context.Context, tx session, from *creator) (n int64, err error) {
	insert, err := tx.Tx.PrepareContext(ctx, insertOwn(from))
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	tags, custom := slices.Index(from.own, "tags"), slices.Index(from.own, "custom")
	values := make([]any, len(from.own), len(from.own)+2)
	values = append(values, from.to.by, from.to.started)
	for line := from.record(); line != nil; line = from.record() {
		for i := range from.own {
			if line == nil {
				return n, &fault{text: from.entity.Plural() + ": a line of too few values", data: true}
			}
			var value []byte
			value, line = crm.CutCopy(line)
			if values[i] = nil; !isNull(value) {
				values[i] = crm.CopyValue(value)
			}
			if (i == tags || i == custom) && !sound(value) {
				return n, &fault{text: "a value is no JSON", data: true}
			}
		}
		if line != nil {
			return n, &fault{text: from.entity.Plural() + ": a line of too many values", data: true}
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
		if _, err := insert.ExecContext(context.WithoutCancel(ctx), values...); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// insertOwn inserts one row of a creator: its own columns are numbered, and two
// more values follow, who started the import and when.
func insertOwn(from *creator) string {
	own := len(from.own)
	var values []string
	for i := range own {
		values = append(values, fmt.Sprint("?", i+1))
	}
	for _, c := range from.shared {
		values = append(values, map[string]string{
			"customer_uuid": "?2", "source_id": fmt.Sprint(from.to.source), "changed_address": "?1",
			"created_import": fmt.Sprint(from.number), "changed_import": fmt.Sprint(from.number), "rev": "1",
			"changed_by": fmt.Sprint("?", own+1), "stored_at": fmt.Sprint("?", own+2), "updated_at": fmt.Sprint("?", own+2),
		}[c])
	}
	return "INSERT INTO " + tables[from.entity] + " (" + from.columns() + ") VALUES (" + strings.Join(values, ", ") + ")"
}

func (l *sqliteDialect) customersOf() string {
	return `SELECT k.value AS key, t.id, t.created_import FROM json_each(?0) AS k CROSS JOIN customer_records AS t
		WHERE t.source_id = ?1 AND t.external_id = k.value`
}

func (l *sqliteDialect) list(keys []string) any {
	text, _ := json.Marshal(keys) // strings are always JSON
	return string(text)
}

func (l *sqliteDialect) small(context.Context, session, bool) error { return nil }

// index is made when the table is full, by sorting, and only if somebody asks.
func (l *sqliteDialect) index(ctx context.Context, tx session) error {
	_, err := tx.ExecContext(ctx, "CREATE INDEX IF NOT EXISTS temp.staged_customers_key ON staged_customers (external_id)")
	return err
}

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

func (l *sqliteDialect) gather(value string) string {
	return "COALESCE(group_concat(" + value + ", '' ORDER BY s.ord), '')"
}

func (l *sqliteDialect) image(e crm.Entity) string {
	var members []string
	for _, c := range tableColumns(e) {
		members = append(members, "'"+c+"', t."+c)
	}
	return "json_object(" + strings.Join(members, ", ") + ")"
}

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

// find asks once a row, through the index that where meets: SQLite would
// otherwise choose which table to walk without knowing their sizes.
func (l *sqliteDialect) find(staged, table string, columns, values []string, where, only string) string {
	return "UPDATE " + staged + " AS s SET (" + strings.Join(columns, ", ") + ") = (SELECT " + strings.Join(values, ", ") +
		" FROM " + table + " AS t WHERE " + where + ") WHERE " + only
}
