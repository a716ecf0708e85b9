package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"sluice/internal/crm"
)

// postgresDialect is that of PostgreSQL, 15 or later.
type postgresDialect struct{ db *bun.DB }

// migrationLock is the key of the advisory lock that migrations hold: the
// letters "sluice" as a number.
const migrationLock = 0x736c75696365

// idle is how many connections are kept for the next batch: a new one makes its
// temporary tables first.
const idle = 8

func openPostgres(address string) (*Store, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%w: the database address is not one of PostgreSQL", crm.ErrInvalid)
	}
	// bun writes values into the text of a statement, so that no two texts are
	// the same and a cache of prepared statements would only churn.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	for name, value := range map[string]string{
		"application_name": "sluice",
		"timezone":         "UTC",
		// A worker that was thought dead must not hold its successor up for
		// ever, nor wait for ever itself.
		"lock_timeout":                        "30s",
		"idle_in_transaction_session_timeout": "60s",
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxIdleConns(idle)
	pool.SetConnMaxIdleTime(time.Minute)
	db := bun.NewDB(pool, pgdialect.New())
	return &Store{db: db, reads: db, dialect: &postgresDialect{db}}, nil
}

func (p *postgresDialect) name() string { return "postgres" }

func (p *postgresDialect) version(ctx context.Context) (string, error) {
	var version, encoding string
	err := p.db.NewRaw("SELECT current_setting('server_version'), current_setting('server_encoding')").Scan(ctx, &version, &encoding)
	if err == nil && encoding != "UTF8" {
		err = passing{fmt.Errorf("%w: the database's encoding is %s; create it with UTF8", crm.ErrInvalid, encoding)}
	}
	return "PostgreSQL " + version, err
}

func (p *postgresDialect) hasTable(ctx context.Context, table string) (there bool, err error) {
	err = p.db.NewRaw("SELECT to_regclass(?) IS NOT NULL", table).Scan(ctx, &there)
	return there, err
}

// alone holds an advisory lock on one connection and works on others, since
// bun/migrate takes its own.
func (p *postgresDialect) alone(ctx context.Context, do func(db *bun.DB) error) error {
	return p.holding(ctx, func(conn bun.Conn) error {
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(?)", migrationLock); err != nil {
			return err
		}
		return do(p.db)
	})
}

func (p *postgresDialect) settled(ctx context.Context) error {
	return p.alone(ctx, func(*bun.DB) error { return nil })
}

// holding runs do on a connection on which it may take advisory locks, which
// are given back at its end, and wait as long as it takes.
func (p *postgresDialect) holding(ctx context.Context, do func(conn bun.Conn) error) (err error) {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// However long the others take: this wait is no sign of trouble.
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = 0"); err != nil {
		return err
	}
	defer func() {
		_, e := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock_all()")
		_, e2 := conn.ExecContext(context.WithoutCancel(ctx), "RESET lock_timeout")
		if err = errors.Join(err, e, e2); err != nil {
			// A connection that may still hold the lock must not go back.
			_ = conn.Raw(func(c any) error { return c.(*stdlib.Conn).Conn().Close(context.WithoutCancel(ctx)) })
		}
	}()
	return do(conn)
}

// types: a temporary table is made once a connection; a pooler in between may
// change connections from transaction to transaction.
func (p *postgresDialect) types() columnTypes {
	return columnTypes{place: "integer NOT NULL", primary: "integer PRIMARY KEY", integer: "bigint", uuid: "uuid", key: `text COLLATE "C"`,
		of:  []string{crm.Text: "text", crm.Time: "timestamptz(3)", crm.Int: "bigint", crm.Tags: "jsonb", crm.Attributes: "jsonb"},
		end: " ON COMMIT DELETE ROWS"}
}

// insert hands the rows to COPY.
func (p *postgresDialect) insert(ctx context.Context, tx session, r *rows) (n int64, err error) {
	err = tx.conn.Raw(func(c any) error {
		tag, err := c.(*stdlib.Conn).Conn().PgConn().CopyFrom(ctx, &rowReader{rows: r},
			"COPY "+r.table+" ("+strings.Join(r.columns(), ", ")+") FROM STDIN")
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// read has the rows sent as COPY text: for thousands of them, the least work at
// either end.
func (p *postgresDialect) read(ctx context.Context, tx session, query string, do func(values [][]byte) error) error {
	w := &lineWriter{do: do}
	err := tx.conn.Raw(func(c any) error {
		_, err := c.(*stdlib.Conn).Conn().PgConn().CopyTo(ctx, w, "COPY ("+query+") TO STDOUT")
		return err
	})
	if w.err != nil {
		return w.err
	}
	return err
}

// A lineWriter divides COPY text into values. None of those it is given holds
// what COPY escapes.
type lineWriter struct {
	do     func(values [][]byte) error
	part   []byte // of a line
	values [][]byte
	err    error // of do
}

func (w *lineWriter) Write(b []byte) (int, error) {
	n := len(b)
	if len(w.part) > 0 {
		b = append(w.part, b...)
		w.part = nil
	}
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			w.part = append(w.part, b...)
			return n, nil
		}
		w.values = w.values[:0]
		for line := b[:end]; line != nil; {
			var value []byte
			value, line = crm.CutCopy(line)
			w.values = append(w.values, value)
		}
		if w.err = w.do(w.values); w.err != nil {
			return 0, w.err
		}
		b = b[end+1:]
	}
}

// lookUp: OFFSET 0 keeps the planner from walking the table instead. Of a table
// that is being filled for the first time it has no statistics, takes a source
// to have a handful of records, and compares each of them with each staged row.
func (p *postgresDialect) lookUp(of []string, from string, columns []string, table, where string) string {
	return "SELECT " + strings.Join(of, ", ") + ", f.* FROM " + from + " CROSS JOIN LATERAL (SELECT " + strings.Join(columns, ", ") +
		" FROM " + table + " AS t WHERE " + where + " OFFSET 0) AS f"
}

func (p *postgresDialect) keys() string {
	return `(SELECT unnest(CAST(?0 AS text[])) COLLATE "C" AS key) AS k`
}

func (p *postgresDialect) list(texts []string) any { return pgdialect.Array(texts) }

func (p *postgresDialect) lookUps(ctx context.Context, tx session) error {
	_, err := tx.ExecContext(ctx, "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
	return err
}

// seek also keeps the server from compiling: what is off is reckoned to cost so
// much that any statement seems worth it.
func (p *postgresDialect) seek(ctx context.Context, tx bun.IDB, on bool) error {
	_, err := tx.ExecContext(ctx, "SELECT set_config('enable_seqscan', ?0, true), set_config('jit', 'off', true)",
		map[bool]string{false: "on", true: "off"}[on])
	return err
}

func (p *postgresDialect) share() string { return " FOR SHARE" }

func (p *postgresDialect) lock() string { return " FOR UPDATE" }

func (p *postgresDialect) time(column string) string {
	return "to_char(" + column + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

func (p *postgresDialect) stamp(text string) string { return "CAST(" + text + " AS timestamptz)" }

func (p *postgresDialect) patch(a, b string) string { return "(" + a + " || " + b + ")" }

func (p *postgresDialect) noNulls(object string) string { return "jsonb_strip_nulls(" + object + ")" }

func (p *postgresDialect) uuid(text string) string { return "CAST(" + text + " AS uuid)" }

func (p *postgresDialect) one(id string) string { return "(array_agg(" + id + "))[1]" }

func (p *postgresDialect) lower(column string) string { return "lower(" + column + ` COLLATE "C")` }

// host cuts at what ends a host; chr(63) is a question mark, which bun takes
// for a place to put a value.
func (p *postgresDialect) host(column string) string {
	return "rtrim(regexp_replace(split_part(translate(split_part(" + p.lower(column) + ", '://', 2), ':#' || chr(63), '///'), '/', 1), '^www[.]', ''), '.')"
}
