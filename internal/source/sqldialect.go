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
	"sync"
	"time"
	"unicode/utf8"

	"sluice/internal/crm"
)

// A sqlDialect is what the databases do each in their own way.
type sqlDialect interface {
	// check makes sure that a dsn says what it has to and nothing that would
	// make us do more than to read.
	check(dsn *url.URL) error

	// open connects and begins a read-only transaction. Each statement may take
	// as long as given.
	open(ctx context.Context, a *Access, dsn *url.URL, timeout time.Duration) (sqlSession, error)

	syntax() sqlSyntax
	quote(name string) string

	// cell is what selects the values of a column, given what names it.
	cell(expr string, c sqlColumn) string

	// during keeps to the rows that changed in the span of a reading; unless
	// whole is true, it reads behind a place in it.
	during(s *sqlStatement, r *sqlReading, whole bool)

	// bind writes a value of a type, given as the database wrote it.
	bind(s *sqlStatement, typ, value string)

	// pairs is true where two columns are best compared as one.
	pairs() bool
}

// sqlDialects are those of the schemes that a dsn may have.
var sqlDialects = map[string]sqlDialect{
	"postgres": postgres{}, "postgresql": postgres{}, "mysql": mySQL{}, "mariadb": mySQL{}, "sqlite": sqlite{},
}

// A sqlSession is a connection on which all statements see the same rows. It is
// used by one goroutine.
type sqlSession interface {
	// describe says what columns a query has.
	describe(ctx context.Context, query string) ([]sqlColumn, error)

	// read calls do with the values of each row, which it may use until it
	// returns. An error of do ends the reading and is returned as it is.
	read(ctx context.Context, s *sqlStatement, do func([]sqlValue) error) error

	server(ctx context.Context) (sqlServer, error)
	close()
}

// A sqlServer is what a session is connected to.
type sqlServer struct {
	name  string    // the database's, and what it runs on
	clock time.Time // zero: it is this machine's
	plain bool      // what is said can be read on the way
}

// A sqlValue is one as the database writes it.
type sqlValue struct {
	text string
	null bool
	typ  string // its own, where values of a column may differ in that
}

// A sqlColumn is one that a query has.
type sqlColumn struct {
	name   string
	typ    string // as the database calls it; "": each value has its own
	kind   sqlKind
	times  sqlTimes
	orders bool // it can be the key
	exact  bool // the database takes two values for equal only if their texts are
}

// A sqlKind says how the values of a column become text.
type sqlKind int

// The kinds of column.
const (
	sqlAsIs   sqlKind = iota
	sqlBool           // t is true
	sqlList           // JSON that the database makes
	sqlBits           // bytes that are a number
	sqlBinary         // not at all
	sqlNulls          // not at all, but there may be none
)

// sqlTimes says what the values of a column tell of time.
type sqlTimes int

// What columns tell of time.
const (
	sqlNoTime  sqlTimes = iota
	sqlInstant          // an instant, in UTC
	sqlClock            // what a clock showed
	sqlDay              // what a calendar did
	sqlWritten          // whatever somebody wrote, in UTC
)

// cell is a value as a row has it.
func (c sqlColumn) cell(v sqlValue) (string, error) {
	switch {
	case v.null:
		return "", nil
	case v.typ == "blob", c.kind == sqlBinary, c.kind == sqlNulls:
		return "", c.binary()
	case c.kind == sqlBits:
		var n uint64
		for _, b := range []byte(v.text) {
			n = n<<8 | uint64(b)
		}
		return strconv.FormatUint(n, 10), nil
	case !utf8.ValidString(v.text):
		return "", fmt.Errorf("%w: column %q holds text that is not UTF-8", crm.ErrInvalid, c.name)
	case c.kind == sqlBool:
		return strconv.FormatBool(v.text == "t"), nil
	case c.times == sqlInstant, c.times == sqlClock, c.times == sqlDay:
		return sqlRFC3339(v.text, c.times == sqlInstant), nil
	}
	return v.text, nil
}

// binary is the error of a column that holds bytes.
func (c sqlColumn) binary() error {
	return fmt.Errorf("%w: column %q is binary; leave it out of the query, or have the query write it as text", crm.ErrInvalid, c.name)
}

// sqlConnect is how long it may take until a connection stands.
const sqlConnect = 15 * time.Second

// sqlDial is what drivers connect with, and keeps what went wrong: they would
// wrap it in what the dsn says. PostgreSQL's connects once more, on its own, to
// cancel what is left behind.
type sqlDial struct {
	a *Access

	mu  sync.Mutex
	err error
}

func (d *sqlDial) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	if d.a.Dial != nil {
		conn, err = d.a.Dial(ctx, host, uint16(n))
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	return conn, err
}

// failure is what went wrong while connecting, where the server did not say.
func (d *sqlDial) failure(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var certificate *tls.CertificateVerificationError
	switch {
	case d.err != nil:
		return d.err
	case errors.As(err, &certificate):
		return fmt.Errorf("%w: the database's certificate does not hold", crm.ErrInvalid)
	}
	return errors.New("connect: the database does not answer as it should; see whether it wants TLS, and whether the dsn says so")
}

// checkServer makes sure that a dsn names a server, a user and a database, and
// no more than the options given. A path to a socket is none of these.
func checkServer(dsn *url.URL, options ...string) error {
	if dsn.Hostname() == "" || strings.ContainsAny(dsn.Host, ",/%()") || dsn.User.Username() == "" || len(dsn.Path) < 2 || dsn.Fragment != "" {
		return fmt.Errorf("%w: the dsn has to name a user, one host and a database: %s://user:password@host/database", crm.ErrInvalid, dsn.Scheme)
	}
	for name := range dsn.Query() {
		if !slices.Contains(options, name) {
			return fmt.Errorf("%w: the dsn may have the options %v and no other", crm.ErrInvalid, options)
		}
	}
	return nil
}

// errSQLSlow is passing: what makes a database slow may end.
var errSQLSlow = errors.New("the database takes longer than the timeout of the source; an index on the key, or on the updated column and the key, would help")

// errSQLLost is the error of a connection that ended.
var errSQLLost = errors.New("the connection to the database was lost")

// sqlFault is the error of a database that refuses, by its own code and never
// in its own words, which repeat values. States are those of the standard
// (postgresql.org/docs/current/errcodes-appendix.html); code is what to name.
func sqlFault(state, code string) error {
	if why := sqlStates[state]; why != "" {
		code = why + " (" + code + ")"
	}
	class := state[:min(2, len(state))]
	switch {
	case class == "28", state == "42501":
		return fmt.Errorf("%w: the database does not let us in, or not that far: %s", crm.ErrDenied, code)
	case slices.Contains([]string{"0A", "21", "22", "2F", "3D", "3F", "42", "54"}, class), state == "25006":
		return fmt.Errorf("%w: the database refuses the query: %s", crm.ErrInvalid, code)
	}
	return fmt.Errorf("the database fails: %s", code)
}

// sqlStates says what the states mean that are met most.
var sqlStates = map[string]string{
	"25006": "it would write", "2F002": "it would write", "28P01": "the password is wrong", "3D000": "there is no such database",
	"42501": "a permission is missing", "42601": "its syntax", "42703": "there is no such column", "42883": "there is no such function",
	"42P01": "there is no such table", "42S02": "there is no such table", "42S22": "there is no such column", "42S21": "two columns have one name",
}
