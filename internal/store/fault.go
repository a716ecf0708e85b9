package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"sluice/internal/crm"
)

// A fault is what a database said, less its words: PostgreSQL repeats values in
// the detail of its errors, and sometimes in the message (invariant 4).
type fault struct {
	text string // such as "postgres 23514 on customer_records_status_check"

	denied bool // credentials or permissions are refused
	data   bool // some record's value is not taken
	busy   bool // somebody else has the file
	outage bool // the database is not there, has no room or no time: it will be
	race   bool // somebody else wrote in between; the transaction may run again at once
}

func (f *fault) Error() string { return f.text }

// Is makes a refusal crm.ErrDenied.
func (f *fault) Is(target error) bool { return f.denied && target == crm.ErrDenied }

// A passing error has no cell value in it and is returned as it is.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

// wrap says which operation failed, and drops what must not leave the
// database. A nil error stays nil.
func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, clean(err))
}

func clean(err error) error {
	var own passing
	var f *fault
	switch {
	case errors.As(err, &own), crm.TypeOf(err) != "":
		return err
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.Is(err, sql.ErrNoRows):
		return crm.ErrNotFound
	}
	if f = faultOf(err); f != nil {
		return f
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		return errors.New("the connection to the database is lost")
	}
	// Errors of database/sql and bun quote the value they could not convert:
	// all that can be told is what kind of error it is.
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return fmt.Errorf("database: %T", err)
}

// waits reports whether an error goes away by itself: no database spoke, since
// the caller stops, what is read is not of it or the connection broke; or it said
// that it is not there for the moment. Every other one says something about what
// was asked of it.
func waits(err error) bool {
	f := faultOf(err)
	return f == nil || f.outage || f.busy
}

// faultOf returns what a database said in err, or nil if no database spoke.
func faultOf(err error) *fault {
	var f *fault
	var pg *pgconn.PgError
	var refused *pgconn.ConnectError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &pg):
		return postgresFault(pg)
	case errors.As(err, &refused):
		return &fault{text: "postgres: cannot connect", outage: true}
	case errors.As(err, &lite):
		return sqliteFault(lite.Code())
	}
	return nil
}

// hints says in words what some SQLSTATEs mean (PostgreSQL manual, appendix A).
var hints = map[string]string{
	"28000": "not allowed", "28P01": "wrong password", "42501": "not allowed",
	"3D000": "no such database", "42P01": "no such table; run the migrations", "42703": "no such column; run the migrations",
	"53100": "disk full", "53300": "too many connections", "55P03": "lock timeout", "40P01": "deadlock",
	"57P01": "server is shutting down", "57P03": "server is starting up", "25P03": "idle in transaction for too long",
}

func postgresFault(pg *pgconn.PgError) *fault {
	f := &fault{text: "postgres " + pg.Code}
	on := pg.ConstraintName
	if on == "" {
		on = strings.TrimSuffix(pg.TableName+"."+pg.ColumnName, ".")
	}
	if on != "" {
		f.text += " on " + on
	}
	if hint := hints[pg.Code]; hint != "" {
		f.text += ": " + hint
	}
	switch class := pg.Code[:2]; {
	case class == "28" || pg.Code == "42501":
		f.denied = true
	case class == "22" || class == "54" || pg.Code == "23502" || pg.Code == "23514":
		// 54: too long for an index or a row.
		f.data = true
	case pg.Code == "23505" || pg.Code == "23503":
		f.race = true
	case class == "08" || class == "53" || class == "57" || class == "58" || class == "40" || class == "55" || class == "25":
		// No connection, no room, somebody stops the server or the statement, a
		// fault of its disk, another transaction in the way.
		f.outage = true
	}
	return f
}

// SQLite's result codes (sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteReadOnly   = 8
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteMismatch   = 20
	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
)

var sqliteWords = map[int]string{
	1: "error in SQL, or the migrations have not run", 5: "busy", 6: "locked", 8: "read only", 9: "interrupted",
	10: "disk error", 11: "the file is damaged", 13: "disk full", 14: "cannot open the file", 26: "not a database",
	275: "check", 787: "foreign key", 1299: "not null", 1555: "primary key", 2067: "unique", 3091: "type",
}

// sqliteOutages are locked, interrupted, a fault of the disk, disk full, and a
// file that cannot be opened.
var sqliteOutages = map[int]bool{6: true, 9: true, 10: true, 13: true, 14: true}

func sqliteFault(code int) *fault {
	f := &fault{text: fmt.Sprintf("sqlite %d", code)}
	word := sqliteWords[code]
	if word == "" {
		word = sqliteWords[code&0xff]
	}
	if word != "" {
		f.text += ": " + word
	}
	switch {
	case code == sqliteForeignKey || code == sqlitePrimaryKey || code == sqliteUnique:
		f.race = true
	case code&0xff == sqliteConstraint || code&0xff == sqliteMismatch || code == sqliteTooBig:
		f.data = true
	case code&0xff == sqliteReadOnly:
		f.denied = true
	case code&0xff == sqliteBusy:
		f.busy = true
	case sqliteOutages[code&0xff]:
		f.outage = true
	}
	return f
}
