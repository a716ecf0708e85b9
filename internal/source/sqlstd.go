package source

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// A stdSession is a session by way of database/sql.
type stdSession struct {
	db      *sql.DB
	conn    *sql.Conn
	column  func(*sql.ColumnType) sqlColumn
	bytes   string // the type of values that are bytes
	failure func(error) error
	about   func(context.Context, *sql.Conn) (sqlServer, error)
}

// begin connects and carries out what begins a transaction. The session is to
// be closed in any case.
func (s *stdSession) begin(ctx context.Context, statements ...string) (err error) {
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return s.failure(err)
	}
	return s.exec(ctx, statements...)
}

func (s *stdSession) exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return s.failure(err)
		}
	}
	return nil
}

// close ends the transaction with the connection.
func (s *stdSession) close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	_ = s.db.Close()
}

func (s *stdSession) server(ctx context.Context) (sqlServer, error) {
	srv, err := s.about(ctx, s.conn)
	if err != nil {
		err = s.failure(err)
	}
	return srv, err
}

func (s *stdSession) describe(ctx context.Context, query string) ([]sqlColumn, error) {
	rows, err := s.conn.QueryContext(ctx, "SELECT * FROM "+sqlWrapped(query)+" LIMIT 0")
	if err != nil {
		return nil, s.failure(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, s.failure(err)
	}
	columns := make([]sqlColumn, len(types))
	for i, t := range types {
		columns[i] = s.column(t)
		columns[i].name = t.Name()
	}
	if err := rows.Err(); err != nil {
		return nil, s.failure(err)
	}
	return columns, nil
}

// read prepares the statement even if no values go with it: MySQL would send
// numbers otherwise in another form.
func (s *stdSession) read(ctx context.Context, st *sqlStatement, do func([]sqlValue) error) error {
	prepared, err := s.conn.PrepareContext(ctx, st.String())
	if err != nil {
		return s.failure(err)
	}
	defer prepared.Close()
	rows, err := prepared.QueryContext(ctx, st.args...)
	if err != nil {
		return s.failure(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return s.failure(err)
	}
	raw, into, values := make([]any, len(columns)), make([]any, len(columns)), make([]sqlValue, len(columns))
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return s.failure(err)
		}
		for i, v := range raw {
			values[i] = s.value(v)
		}
		if err := do(values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return s.failure(err)
	}
	return nil
}

func (s *stdSession) value(v any) sqlValue {
	switch v := v.(type) {
	case nil:
		return sqlValue{null: true}
	case int64:
		return sqlValue{text: strconv.FormatInt(v, 10), typ: "integer"}
	case float32:
		return sqlValue{text: strconv.FormatFloat(float64(v), 'f', -1, 32), typ: "real"}
	case float64:
		return sqlValue{text: strconv.FormatFloat(v, 'f', -1, 64), typ: "real"}
	case []byte:
		return sqlValue{text: string(v), typ: s.bytes}
	}
	return sqlValue{text: fmt.Sprint(v), typ: "text"}
}
