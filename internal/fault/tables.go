//go:build linux

package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // pgx
	_ "modernc.org/sqlite"             // sqlite
)

// openTables connects to a database without the product's code. The caller
// closes.
func openTables(url string) (*sql.DB, error) {
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		return sql.Open("sqlite", "file:"+path+"?mode=rw&_pragma=busy_timeout(60000)")
	}
	return sql.Open("pgx", url)
}

// recordQueries give the records of a source: id, what identifies the record,
// and the values of the file's columns.
var recordQueries = map[string]string{
	customer: `SELECT CAST(c.id AS text), c.external_id, '', coalesce(c.company, ''), coalesce(c.email, '')
		FROM customer_records AS c JOIN sources AS s ON s.id = c.source_id WHERE s.slug = $1`,
	contact: `SELECT CAST(t.id AS text), c.external_id, coalesce(t.email, ''), coalesce(t.first_name, ''), ''
		FROM contacts AS t JOIN customer_records AS c ON c.id = t.customer_id JOIN sources AS s ON s.id = c.source_id WHERE s.slug = $1`,
	note: `SELECT CAST(t.id AS text), c.external_id, coalesce(t.text, ''), '', ''
		FROM notes AS t JOIN customer_records AS c ON c.id = t.customer_id JOIN sources AS s ON s.id = c.source_id WHERE s.slug = $1`,
}

// readTables reads all that a source holds. Two records of one identity are an
// error.
func readTables(ctx context.Context, db *sql.DB, source string) (tables, error) {
	out := tables{}
	for entity, query := range recordQueries {
		rows, err := db.QueryContext(ctx, query, source)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var id, key, more, a, b string
			if err := rows.Scan(&id, &key, &more, &a, &b); err != nil {
				return nil, err
			}
			name, e := keyOf(entity, key), entry{id: id}
			switch entity {
			case customer:
				e.values = []string{a, b}
			case contact:
				name, e.values = keyOf(entity, key, more), []string{a}
			case note:
				name = keyOf(entity, key, more)
			}
			if _, twice := out[name]; twice {
				return nil, fmt.Errorf("I2: the tables hold one %s twice", entity)
			}
			out[name] = e
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fingerprint is all that identifies the state of a source's records, to compare.
func fingerprint(ctx context.Context, db *sql.DB, source string) (string, error) {
	rows, err := db.QueryContext(ctx, `SELECT CAST(c.id AS text), c.rev, c.changed_import FROM customer_records AS c
		JOIN sources AS s ON s.id = c.source_id WHERE s.slug = $1 ORDER BY 1`, source)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next() {
		var id string
		var rev, by int64
		if err := rows.Scan(&id, &rev, &by); err != nil {
			return "", err
		}
		fmt.Fprintln(&b, id, rev, by)
	}
	return b.String(), rows.Err()
}
