package source

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"sluice/internal/crm"
)

// mySQL is the dialect of MySQL and MariaDB.
type mySQL struct{}

func (mySQL) syntax() sqlSyntax {
	return sqlSyntax{backslash: true, hash: true, dashSpace: true, newline: "\n", places: "?"}
}

func (mySQL) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (mySQL) cell(expr string, _ sqlColumn) string { return expr }

func (mySQL) during(s *sqlStatement, r *sqlReading, whole bool) { r.during(s, whole) }

// pairs: for (a, b) > (?, ?) MySQL reads the whole index
// (dev.mysql.com/doc/refman/8.4/en/row-constructor-optimization.html).
func (mySQL) pairs() bool { return false }

// bind gives the server values of the column's own type. It would compare a
// number with a text as floating-point numbers, of which 2^53 and 2^53 + 1 are
// one (dev.mysql.com/doc/refman/8.4/en/type-conversion.html).
func (mySQL) bind(s *sqlStatement, typ, value string) {
	var arg any = value
	place := "?"
	switch mysqlSort(typ) {
	case "integer":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			arg = n
		} else if n, err := strconv.ParseUint(value, 10, 64); err == nil {
			arg = n
		}
	case "decimal":
		_, fraction, _ := strings.Cut(value, ".")
		place = fmt.Sprintf("CAST(? AS DECIMAL(65, %d))", min(len(fraction), 38))
	case "time":
		arg, place = strings.TrimSuffix(value, "Z"), "CAST(? AS DATETIME(6))"
	case "day":
		place = "CAST(? AS DATE)"
	}
	s.args = append(s.args, arg)
	s.WriteString(place)
}

// mysqlSort is the sort of type that the driver names.
func mysqlSort(typ string) string {
	switch strings.TrimPrefix(typ, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR":
		return "integer"
	case "DECIMAL":
		return "decimal"
	case "DATETIME", "TIMESTAMP":
		return "time"
	case "DATE":
		return "day"
	case "CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT":
		return "text"
	case "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY", "VECTOR":
		return "binary"
	}
	return ""
}

// mysqlColumn says what a column is good for. An ENUM orders by place and
// compares by name, and so is no key.
func mysqlColumn(t *sql.ColumnType) sqlColumn {
	c := sqlColumn{typ: t.DatabaseTypeName()}
	switch mysqlSort(c.typ) {
	case "integer", "decimal":
		c.orders, c.exact = true, true
	case "text":
		c.orders = true
	case "time":
		c.orders, c.exact, c.times = true, true, sqlClock
		if c.typ == "TIMESTAMP" {
			c.times = sqlInstant
		}
	case "day":
		c.orders, c.exact, c.times = true, true, sqlDay
	case "binary":
		c.kind = sqlBinary
	}
	switch c.typ {
	case "BIT":
		c.kind = sqlBits
	case "BINARY": // so is NULL where it is written out
		c.kind = sqlNulls
	}
	return c
}

// check allows one option. Others of the driver let a server have files of
// ours, or the password unencrypted.
func (mySQL) check(dsn *url.URL) error {
	if err := checkServer(dsn, "tls"); err != nil {
		return err
	}
	if tls := dsn.Query().Get("tls"); !slices.Contains([]string{"", "true", "false", "preferred", "skip-verify"}, tls) {
		return fmt.Errorf("%w: the option tls of the dsn is true, false, preferred or skip-verify", crm.ErrInvalid)
	}
	return nil
}

func (mySQL) config(dsn *url.URL) *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.DBName = dsn.User.Username(), dsn.Path[1:]
	c.Passwd, _ = dsn.User.Password()
	c.Net, c.Addr = "tcp", net.JoinHostPort(dsn.Hostname(), firstOf(dsn.Port(), "3306"))
	c.TLSConfig = firstOf(dsn.Query().Get("tls"), "preferred")
	c.Timeout = sqlConnect
	c.Logger = &mysql.NopLogger{} // what goes wrong is returned
	_ = c.Apply(mysql.Charset("utf8mb4", ""))
	return c
}

func (d mySQL) open(ctx context.Context, a *Access, dsn *url.URL, timeout time.Duration) (sqlSession, error) {
	out := &sqlDial{a: a}
	config := d.config(dsn)
	config.DialFunc = out.dial
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("%w: the dsn makes no sense", crm.ErrInvalid)
	}
	s := &stdSession{db: sql.OpenDB(connector), column: mysqlColumn, bytes: "text", about: mysqlServer}
	s.failure = func(err error) error {
		if s.conn == nil && !errors.As(err, new(*mysql.MySQLError)) {
			return mysqlGreeting(out, err)
		}
		return mysqlFailure(err)
	}
	err = s.begin(ctx, "SET SESSION time_zone = '+00:00', lock_wait_timeout = 30, innodb_lock_wait_timeout = 30, max_sort_length = 16384")
	if err == nil {
		err = s.limit(ctx, timeout)
	}
	if err == nil {
		err = s.exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY")
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// limit bounds how long a statement may take: MySQL counts milliseconds, and
// MariaDB seconds (mariadb.com/kb/en/aborting-statements/).
func (s *stdSession) limit(ctx context.Context, timeout time.Duration) error {
	var version string
	if err := s.conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return s.failure(err)
	}
	if strings.Contains(version, "MariaDB") {
		return s.exec(ctx, fmt.Sprintf("SET SESSION max_statement_time = %.3f", timeout.Seconds()))
	}
	return s.exec(ctx, fmt.Sprintf("SET SESSION max_execution_time = %d", timeout.Milliseconds()))
}

func mysqlServer(ctx context.Context, conn *sql.Conn) (sqlServer, error) {
	var database, version, clock, name, cipher string
	err := conn.QueryRowContext(ctx, "SELECT COALESCE(DATABASE(), ''), VERSION(), UTC_TIMESTAMP(6)").Scan(&database, &version, &clock)
	if err == nil {
		err = conn.QueryRowContext(ctx, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher)
	}
	if err != nil {
		return sqlServer{}, err
	}
	product := "MySQL "
	if strings.Contains(version, "MariaDB") {
		product = ""
	}
	at, _ := time.Parse(sqlStamp, clock)
	return sqlServer{name: database + " (" + product + version + ")", clock: at, plain: cipher == ""}, nil
}

// mysqlGreeting is what went wrong before the server let anybody in.
func mysqlGreeting(out *sqlDial, err error) error {
	for _, e := range []error{mysql.ErrCleartextPassword, mysql.ErrNativePassword, mysql.ErrOldPassword, mysql.ErrUnknownPlugin} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: the database wants the password in a way that is not safe, or not known here", crm.ErrDenied)
		}
	}
	if errors.Is(err, mysql.ErrNoTLS) {
		return fmt.Errorf("%w: the database does not encrypt, as the dsn wants it to", crm.ErrInvalid)
	}
	return out.failure(err)
}

// mysqlFailure is what an error of MySQL or MariaDB means
// (dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html,
// mariadb.com/kb/en/mariadb-error-code-reference/).
func mysqlFailure(err error) error {
	var said *mysql.MySQLError
	if !errors.As(err, &said) {
		return errSQLLost
	}
	state, code := string(said.SQLState[:]), fmt.Sprintf("error %d", said.Number)
	switch said.Number {
	case 3024, 1969: // max_execution_time, max_statement_time
		return errSQLSlow
	case 1044, 1142, 1143, 1227, 1370, 1410: // a right is missing
		state = "42501"
	case 1045, 1130, 1251, 1698, 1820, 1862, 3118, 4151: // no such user, or not so
		state = "28000"
	case 1040, 1203, 1226: // too many of us
		state = "53300"
	case 1049:
		state = "3D000"
	case 1064:
		state = "42601"
	case 1792:
		state = "25006"
	case 1267, 1270, 1271: // collations that do not go together
		state = "42000"
	}
	return sqlFault(state, code)
}
