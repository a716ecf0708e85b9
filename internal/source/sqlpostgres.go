package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sluice/internal/crm"
)

// postgres is the dialect of PostgreSQL. All values go to and fro as text,
// which PostgreSQL reads back as exactly what it wrote.
type postgres struct{}

func (postgres) syntax() sqlSyntax { return sqlSyntax{dollars: true, nested: true, newline: "\r\n"} }

func (postgres) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (postgres) cell(expr string, c sqlColumn) string {
	if c.kind == sqlList {
		return "pg_catalog.to_json(" + expr + ")"
	}
	return expr
}

func (postgres) during(s *sqlStatement, r *sqlReading, whole bool) { r.during(s, whole) }

func (postgres) pairs() bool { return true }

func (postgres) bind(s *sqlStatement, typ, value string) {
	s.args = append(s.args, value)
	fmt.Fprintf(s, "CAST($%d AS %s)", len(s.args), typ)
}

// pgOptions are what a dsn may say besides. Others name files of ours, or other
// hosts.
var pgOptions = []string{"sslmode", "sslrootcert", "channel_binding", "options", "search_path", "application_name"}

func (postgres) check(dsn *url.URL) error { return checkServer(dsn, pgOptions...) }

// config is how to connect. What the driver would take from the variables and
// files of whoever runs a worker is overruled: a password of theirs is not for
// the servers that sources name.
func (postgres) config(dsn *url.URL) (*pgconn.Config, error) {
	port, password := firstOf(dsn.Port(), "5432"), ""
	if p, ok := dsn.User.Password(); ok {
		password = p
	}
	q := dsn.Query()
	params := map[string]string{"application_name": "sluice"}
	for _, name := range []string{"options", "search_path", "application_name"} {
		if v := q.Get(name); v != "" {
			params[name] = v
		}
		q.Del(name)
	}
	for name, value := range map[string]string{"sslmode": "prefer", "sslcertmode": "disable", "target_session_attrs": "any"} {
		if !q.Has(name) {
			q.Set(name, value)
		}
	}
	whole := url.URL{Scheme: "postgres", User: dsn.User, Host: net.JoinHostPort(dsn.Hostname(), port), Path: dsn.Path, RawQuery: q.Encode()}
	config, err := pgconn.ParseConfig(whole.String())
	if err != nil { // the error would repeat it
		return nil, fmt.Errorf("%w: the dsn makes no sense; see sslmode and sslrootcert", crm.ErrInvalid)
	}
	config.Password, config.RuntimeParams, config.ConnectTimeout = password, params, sqlConnect
	return config, nil
}

// pgBegin fixes how values are written, whatever the settings of the database
// and the user are. It is part of the transaction, so that a pooler in between
// does not mind.
const pgBegin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL client_encoding = 'UTF8'; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO';
SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL extra_float_digits = 1; SET LOCAL standard_conforming_strings = on;
SET LOCAL lock_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL statement_timeout = `

func (d postgres) open(ctx context.Context, a *Access, dsn *url.URL, timeout time.Duration) (sqlSession, error) {
	config, err := d.config(dsn)
	if err != nil {
		return nil, err
	}
	out := &sqlDial{a: a}
	config.DialFunc = out.dial
	// Who dials looks the name up, or could not judge it.
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		var said *pgconn.PgError
		if errors.As(err, &said) {
			return nil, pgFailure(err)
		}
		return nil, out.failure(err)
	}
	s := &pgSession{conn}
	if _, err := conn.Exec(ctx, pgBegin+strconv.FormatInt(timeout.Milliseconds(), 10)).ReadAll(); err != nil {
		s.close()
		return nil, pgFailure(err)
	}
	return s, nil
}

type pgSession struct{ conn *pgconn.PgConn }

func (s *pgSession) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Close(ctx)
}

func (s *pgSession) describe(ctx context.Context, query string) ([]sqlColumn, error) {
	described, err := s.conn.Prepare(ctx, "", "SELECT * FROM "+sqlWrapped(query), nil)
	if err != nil {
		return nil, pgFailure(err)
	}
	var oids []string
	for _, f := range described.Fields {
		oids = append(oids, strconv.FormatUint(uint64(f.DataTypeOID), 10))
	}
	// With a modifier of -1 char(3) is named bpchar: a cast to "character" would
	// cut after the first.
	types := s.conn.ExecParams(ctx, `SELECT oid, pg_catalog.format_type(oid, -1), typcategory, typname
FROM pg_catalog.pg_type WHERE oid = ANY (CAST($1 AS pg_catalog.oid[]))`, [][]byte{[]byte("{" + strings.Join(oids, ",") + "}")}, nil, nil, nil).Read()
	if types.Err != nil {
		return nil, pgFailure(types.Err)
	}
	known := map[string]sqlColumn{}
	for _, t := range types.Rows {
		known[string(t[0])] = pgColumn(string(t[1]), string(t[2]), string(t[3]))
	}
	columns := make([]sqlColumn, len(oids))
	for i, oid := range oids {
		columns[i] = known[oid]
		columns[i].name = described.Fields[i].Name
	}
	return columns, nil
}

// pgColumn says what a type is good for, given how SQL names it, its category
// and its plain name (postgresql.org/docs/current/catalog-pg-type.html).
func pgColumn(typ, category, name string) sqlColumn {
	c := sqlColumn{typ: typ}
	switch category {
	case "A", "C", "P":
		c.kind = sqlList
	case "B":
		c.kind = sqlBool
	case "N", "S", "D", "E", "I":
		c.orders = !slices.Contains([]string{"float4", "float8", "money"}, name)
	}
	switch name {
	case "uuid":
		c.orders, c.exact = true, true
	case "int2", "int4", "int8", "oid":
		c.exact = true
	case "timestamptz":
		c.times, c.exact = sqlInstant, true
	case "timestamp":
		c.times, c.exact = sqlClock, true
	case "date":
		c.times, c.exact = sqlDay, true
	case "bytea":
		c.kind = sqlBinary
	}
	return c
}

func (s *pgSession) read(ctx context.Context, st *sqlStatement, do func([]sqlValue) error) error {
	args := make([][]byte, len(st.args))
	for i, a := range st.args {
		args[i] = []byte(a.(string))
	}
	rows := s.conn.ExecParams(ctx, st.String(), args, nil, nil, nil)
	var values []sqlValue
	for rows.NextRow() {
		values = values[:0]
		for _, v := range rows.Values() {
			values = append(values, sqlValue{text: string(v), null: v == nil})
		}
		if err := do(values); err != nil {
			_, _ = rows.Close()
			return err
		}
	}
	if _, err := rows.Close(); err != nil {
		return pgFailure(err)
	}
	return nil
}

func (s *pgSession) server(ctx context.Context) (sqlServer, error) {
	said := s.conn.ExecParams(ctx, "SELECT current_database(), current_setting('server_version'), extract(epoch FROM clock_timestamp())", nil, nil, nil, nil).Read()
	if said.Err != nil {
		return sqlServer{}, pgFailure(said.Err)
	}
	row := said.Rows[0]
	epoch, _ := strconv.ParseFloat(string(row[2]), 64)
	_, encrypted := s.conn.Conn().(*tls.Conn)
	return sqlServer{name: string(row[0]) + " (PostgreSQL " + string(row[1]) + ")", clock: time.UnixMicro(int64(epoch * 1e6)), plain: !encrypted}, nil
}

// pgFailure is what an error of PostgreSQL means.
func pgFailure(err error) error {
	var said *pgconn.PgError
	switch {
	case !errors.As(err, &said):
		return errSQLLost
	case said.Code == "57014": // query_canceled: by the timeout, as we do not
		return errSQLSlow
	}
	return sqlFault(said.Code, "SQLSTATE "+said.Code)
}
