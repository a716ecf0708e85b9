package source

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	lite "modernc.org/sqlite"

	"sluice/internal/crm"
)

// sqlite is the dialect of SQLite, of a file on the worker's own machine. Its
// path is in the settings of a source, which are an administrator's; none comes
// with a request.
type sqlite struct{}

func (sqlite) syntax() sqlSyntax { return sqlSyntax{brackets: true, newline: "\n", places: "?:@$"} }

func (sqlite) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// cell: the driver takes texts for times where the column is declared to hold
// some, and + makes a column an expression, which is declared to hold nothing.
func (sqlite) cell(expr string, _ sqlColumn) string { return "+" + expr }

// during: SQLite has no type for times. One row writes 2026-01-02T03:04:05Z,
// another a blank for the T, and a third seconds since 1970, or milliseconds.
// Rows are ordered by what they write, as an index on the column is; which of
// them lie near the span is seen from that, and which in it by having SQLite
// read it (sqlite.org/lang_datefunc.html). What is no time lies nowhere.
func (d sqlite) during(s *sqlStatement, r *sqlReading, _ bool) {
	expr := r.changedExpr()
	from, to := r.span.From.UTC().Add(-24*time.Hour), r.span.To.UTC().Add(48*time.Hour) // in any zone
	near := func(low, high any) {
		s.WriteString(expr + " >= ? AND " + expr + " < ?")
		s.args = append(s.args, low, high)
	}
	s.WriteString(" AND (")
	near(from.Format(time.DateOnly), to.Format(time.DateOnly))
	s.WriteString(" OR ")
	near(from.Unix(), to.Unix())
	s.WriteString(" OR ")
	near(from.UnixMilli(), to.UnixMilli())
	const form = "strftime('%Y-%m-%d %H:%M:%f', "
	s.WriteString(") AND CASE WHEN typeof(" + expr + ") = 'text' THEN " + form + expr + ")" +
		" WHEN abs(" + expr + ") > 100000000000 THEN " + form + expr + " / 1000.0, 'unixepoch')" +
		" ELSE " + form + expr + ", 'unixepoch') END BETWEEN ? AND ?")
	s.args = append(s.args, r.from, r.to)
}

func (sqlite) pairs() bool { return true }

// bind keeps numbers apart from texts, as SQLite does.
func (sqlite) bind(s *sqlStatement, typ, value string) {
	var arg any = value
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && typ == "integer" {
		arg = n
	} else if n, err := strconv.ParseFloat(value, 64); err == nil && typ == "real" {
		arg = n
	}
	s.args = append(s.args, arg)
	s.WriteString("?")
}

// sqliteColumn: what a value is, each says for itself.
func sqliteColumn(*sql.ColumnType) sqlColumn { return sqlColumn{orders: true, times: sqlWritten} }

func (sqlite) check(dsn *url.URL) error {
	if dsn.Host != "" || dsn.User != nil || dsn.RawQuery != "" || dsn.Fragment != "" || !filepath.IsAbs(sqlitePath(dsn)) {
		return fmt.Errorf("%w: the dsn has to be sqlite:/// and an absolute path", crm.ErrInvalid)
	}
	return nil
}

func sqlitePath(dsn *url.URL) string {
	path := dsn.Path
	if len(path) > 2 && path[2] == ':' { // sqlite:///C:/…
		path = path[1:]
	}
	return filepath.FromSlash(path)
}

func (sqlite) open(ctx context.Context, _ *Access, dsn *url.URL, _ time.Duration) (sqlSession, error) {
	path := sqlitePath(dsn)
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: the dsn names a file that this worker does not have", crm.ErrNotFound)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: this worker may not open the file that the dsn names", crm.ErrDenied)
	case err != nil:
		return nil, errors.New("the file that the dsn names cannot be opened")
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: the dsn names what is no file", crm.ErrInvalid)
	}
	name := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	db, err := sql.Open("sqlite", name+"?mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=trusted_schema(0)")
	if err != nil {
		return nil, sqliteFailure(err)
	}
	s := &stdSession{db: db, column: sqliteColumn, bytes: "blob", failure: sqliteFailure}
	s.about = func(ctx context.Context, conn *sql.Conn) (srv sqlServer, err error) {
		err = conn.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&srv.name)
		srv.name = filepath.Base(path) + " (SQLite " + srv.name + ")"
		return srv, err
	}
	if err := s.begin(ctx, "BEGIN"); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// sqliteFailure is what an error of SQLite means (sqlite.org/rescode.html).
func sqliteFailure(err error) error {
	var said *lite.Error
	if !errors.As(err, &said) {
		return errSQLLost
	}
	code := fmt.Sprintf("SQLite error %d", said.Code())
	switch said.Code() & 0xff {
	case 1: // ERROR: syntax, and names that are not there
		return fmt.Errorf("%w: the database refuses the query: its syntax, or a table or a column that is not there (%s)", crm.ErrInvalid, code)
	case 3, 14, 23: // PERM, CANTOPEN, AUTH
		return fmt.Errorf("%w: this worker may not open the file that the dsn names (%s)", crm.ErrDenied, code)
	case 8: // READONLY
		return sqlFault("25006", code)
	case 9: // INTERRUPT
		return errSQLSlow
	case 18, 20, 25: // TOOBIG, MISMATCH, RANGE
		return fmt.Errorf("%w: the database refuses the query: %s", crm.ErrInvalid, code)
	case 11, 26: // CORRUPT, NOTADB
		return fmt.Errorf("%w: the file that the dsn names is no database of SQLite, or a damaged one (%s)", crm.ErrInvalid, code)
	}
	return fmt.Errorf("the database fails: %s", code)
}
