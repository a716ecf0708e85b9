package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/egress"
)

// readOne reads the first page of all rows.
func (l *lab) readOne(a *Access) (Page, error) {
	return databaseOf(2).Read(l.t.Context(), a, crm.Partition{Stream: sqlRows}, nil)
}

// fails expects an error of a kind (nil: a passing one) that says something,
// and gives nothing away.
func (l *lab) fails(name string, err, kind error, says string) {
	l.t.Helper()
	switch {
	case err == nil:
		l.t.Errorf("%s: no error", name)
		return
	case kind != nil && !errors.Is(err, kind), kind == nil && crm.TypeOf(err) != "":
		l.t.Errorf("%s: %v, want kind %v", name, err, kind)
	case !strings.Contains(err.Error(), says):
		l.t.Errorf("%s: %v, want one that says %q", name, err, says)
	}
	for _, secret := range []string{"sesame", "hidden", "Hidden", "@127.0.0.1", "sluice:", "\n"} {
		if strings.Contains(err.Error(), secret) {
			l.t.Errorf("%s: an error says %q: %v", name, secret, err)
		}
	}
}

func (l *lab) dsnWith(change func(*url.URL)) string {
	u, err := url.Parse(l.dsn)
	if err != nil {
		l.t.Fatal(err)
	}
	change(u)
	return u.String()
}

func TestSQLRefusalsAreKnownByTheirCode(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, l *lab) {
		l.exec("CREATE TABLE t (id int PRIMARY KEY, name varchar(20))", "INSERT INTO t VALUES (1, 'hidden'), (2, 'hidden2'), (3, NULL)")
		type trial struct {
			a    *Access
			kind error
			says string
		}
		trials := map[string]trial{
			"no such table":        {l.access("query", "SELECT * FROM hidden"), crm.ErrInvalid, "table"},
			"no such column":       {l.access("query", "SELECT id, hidden FROM t"), crm.ErrInvalid, "column"},
			"syntax":               {l.access("query", "SELECT 'hidden' FROMM t WHERE"), crm.ErrInvalid, "syntax"},
			"no such key":          {l.access("key", "ID"), crm.ErrInvalid, `no column "ID", only ["id" "name"]`},
			"no such update":       {l.access("updated", "at"), crm.ErrInvalid, `no column "at"`},
			"a key that is blank":  {l.access("key", "name"), crm.ErrInvalid, `without a value in the key "name"`},
			"a key that is double": {l.access("query", "SELECT 7 AS id, name FROM t"), crm.ErrInvalid, "several rows have the same value"},
			"a column that is binary": {l.access("query", map[string]string{"postgres": `SELECT 1 AS id, '\x00'::bytea AS photo`,
				"mariadb": "SELECT 1 AS id, CAST('hidden' AS BINARY) AS photo", "sqlite": "SELECT 1 AS id, x'00' AS photo"}[l.name]), crm.ErrInvalid, `column "photo" is binary`},
			"a key that is too long": {l.access("query", map[string]string{"postgres": "SELECT repeat('hidden', 200) AS id",
				"mariadb": "SELECT repeat('hidden', 200) AS id", "sqlite": "SELECT replace(hex(zeroblob(600)), '00', 'hidden') AS id"}[l.name]), crm.ErrInvalid, "longer than 1000 bytes"},
			"two columns of one name": {l.access("query", "SELECT 1 AS id, 2 AS a, 3 AS a"), crm.ErrInvalid, ""},
			"a second statement":      {l.access("query", "SELECT 1 AS id; DELETE FROM t"), crm.ErrInvalid, "one statement"},
		}
		if l.name == "sqlite" {
			delete(trials, "two columns of one name") // it names the second a:1
			trials["no such file"] = trial{l.access("dsn", "sqlite:///no/such/hidden.db"), crm.ErrNotFound, "file"}
			trials["a folder"] = trial{l.access("dsn", "sqlite://"+t.TempDir()), crm.ErrInvalid, "no file"}
			other := filepath.Join(t.TempDir(), "hidden.csv")
			if err := os.WriteFile(other, []byte(strings.Repeat("hidden,", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			trials["no database"] = trial{l.access("dsn", "sqlite://"+other), crm.ErrInvalid, "no database"}
			trials["a key that is real"] = trial{l.access("query", "SELECT 1.5 AS id"), crm.ErrInvalid, "neither integers nor texts"}
		} else {
			trials["no such database"] = trial{l.access("dsn", l.dsnWith(func(u *url.URL) { u.Path = "/hidden" })), crm.ErrInvalid, "no such database"}
			trials["a key that is real"] = trial{l.access("query", map[string]string{"postgres": "SELECT 1::float8 AS x", "mariadb": "SELECT 1e0 AS x"}[l.name], "key", "x"), crm.ErrInvalid, "no exact order"}
			trials["an update that is no time"] = trial{l.access("updated", "name"), crm.ErrInvalid, "no date or time"}
			trials["a user who is not there"] = trial{l.access("dsn", l.dsnWith(func(u *url.URL) { u.User = url.UserPassword("hidden", "sesame") })), crm.ErrDenied, ""}
			trials["a user without the right"] = trial{l.access("dsn", l.dsnWith(func(u *url.URL) { u.User = url.UserPassword("visitor", "sesame") })), crm.ErrDenied, ""}
		}
		switch l.name {
		case "postgres":
			l.exec("DO $$ BEGIN CREATE ROLE visitor LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
			trials["a value of another type"] = trial{l.access("query", "SELECT id, CAST(name AS int) AS n FROM t"), crm.ErrInvalid, "SQLSTATE 22P02"}
			trials["a key of JSON"] = trial{l.access("query", "SELECT '{}'::json AS id"), crm.ErrInvalid, "no exact order"}
		case "mariadb":
			l.exec("CREATE USER IF NOT EXISTS visitor@'127.0.0.1' IDENTIFIED BY 'sesame'")
			trials["a wrong password"] = trial{l.access("dsn", l.dsnWith(func(u *url.URL) { u.User = url.UserPassword("sluice", "sesame") })), crm.ErrDenied, ""}
			l.exec("CREATE TABLE e (id enum ('hidden', 'a'))")
			l.exec("CREATE TABLE p (id int, photo binary(16))", "INSERT INTO p VALUES (1, UNHEX('00112233445566778899aabbccddeeff'))")
			trials["a column of 16 bytes"] = trial{l.access("query", "SELECT * FROM p"), crm.ErrInvalid, `column "photo" is binary`}
			trials["a key by place"] = trial{l.access("query", "SELECT * FROM e"), crm.ErrInvalid, "no exact order"}
		}
		for name, c := range trials {
			_, err := l.readOne(c.a)
			if c.a.Settings["updated"] != "" {
				_, err = SQL.Check(t.Context(), c.a)
			}
			l.fails(name, err, c.kind, c.says)
		}
	})
}

func TestSQLRowsWithTheSameKeyAreNotLost(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, l *lab) {
		l.exec("CREATE TABLE t (id int, n int)")
		for i := range 6 {
			l.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", max(i, 1), i)) // 1, 1, 2, 3, 4, 5
		}
		for _, size := range pageSizes {
			_, err := databaseOf(size).Read(t.Context(), l.access(), crm.Partition{Stream: sqlRows}, nil)
			l.fails(fmt.Sprintf("pages of %d", size), err, crm.ErrInvalid, "several rows have the same value")
		}
	})
}

func TestSQLWritesAreRefused(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, l *lab) {
		l.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)", "CREATE TABLE w (id int)")
		queries := map[string][]string{}
		switch l.name {
		case "postgres":
			l.exec("CREATE FUNCTION bump() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO w VALUES (2); RETURN 1; END $$", "CREATE SEQUENCE s")
			queries[l.name] = []string{"SELECT id, bump() AS b FROM t", "SELECT nextval('s') AS id", "SELECT id FROM t FOR UPDATE",
				"WITH gone AS (DELETE FROM t RETURNING id) SELECT id FROM gone", "SELECT 1 AS id INTO u"}
		case "mariadb":
			l.exec("CREATE FUNCTION bump() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO w VALUES (2); RETURN 1; END")
			queries[l.name] = []string{"SELECT id, bump() AS b FROM t", "SELECT id FROM t INTO OUTFILE 'x'"}
		}
		for _, query := range queries[l.name] {
			_, err := l.readOne(l.access("query", query))
			l.fails(query, err, crm.ErrInvalid, "")
		}
		// What the check of the query may overlook, the transaction does not.
		u, d, err := parseDSN(l.dsn)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"DELETE FROM t", "INSERT INTO t VALUES (3)", "CREATE TABLE u (id int)"} {
			s, err := d.open(t.Context(), l.access(), u, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			st := new(sqlStatement)
			st.WriteString(statement)
			err = s.read(t.Context(), st, func([]sqlValue) error { return nil })
			s.close()
			if l.name != "mariadb" || !strings.HasPrefix(statement, "CREATE") { // which ends the transaction that would refuse it, and is no SELECT
				l.fails(statement, err, crm.ErrInvalid, "it would write")
			}
		}
		page, err := l.readOne(l.access())
		if err != nil || len(page.Rows) != 1 || page.Rows[0].ID != "1" {
			t.Errorf("the table holds %v, %v", page.Rows, err)
		}
	})
}

func TestSQLStatementsThatTakeTooLongArePassing(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, l *lab) {
		query := map[string]string{
			"postgres": "SELECT 1 AS id, pg_sleep(60) AS v", "mariadb": "SELECT 1 AS id, sleep(60) AS v",
			"sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT count(*) AS id FROM n",
		}[l.name]
		l.exec("CREATE TABLE t (id int)")
		_, err := l.readOne(l.access("query", query, "timeout", "300ms"))
		l.fails("a slow query", err, nil, "timeout")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := SQL.Read(ctx, l.access("query", query), crm.Partition{Stream: sqlRows}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v, want context.Canceled", err)
		}
	})
}

// A cutConn ends after so many bytes from the other side.
type cutConn struct {
	net.Conn
	left atomic.Int64
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b[:min(len(b), max(1, int(c.left.Load())))])
	if c.left.Add(-int64(n)) < 0 {
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

func TestSQLConnectionsThatEndArePassing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := labs[name](t)
			l.exec("CREATE TABLE t (id int PRIMARY KEY, name varchar(100))", "INSERT INTO t VALUES (1, 'hidden'), (2, 'hidden'), (3, 'hidden')")
			a := l.access()
			var cut atomic.Int64
			a.Dial = func(ctx context.Context, host string, port uint16) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
				c := &cutConn{Conn: conn}
				c.left.Store(cut.Load())
				return c, err
			}
			for ; ; cut.Add(61) {
				page, err := l.readOne(a)
				if err == nil {
					if len(page.Rows) != 2 || page.Next == nil {
						t.Errorf("cut at %d: half a page: %+v", cut.Load(), page)
					}
					break
				}
				l.fails(fmt.Sprint("cut at ", cut.Load()), err, nil, "")
			}
			if cut.Load() < 500 {
				t.Errorf("a page is read with %d bytes", cut.Load())
			}
			a.Dial = func(context.Context, string, uint16) (net.Conn, error) { return nil, errors.New("connection refused") }
			_, err := l.readOne(a)
			l.fails("refused", err, nil, "connection refused")
		})
	}
}

func TestSQLReachesOutThroughWhatItIsGiven(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"postgres://u:sesame@db.example.com/crm?sslmode=require", "postgres://u:sesame@[2001:db8::1]:6543/crm", "mysql://u:sesame@db.example.com/crm", "mariadb://u:sesame@db.example.com:4406/crm"} {
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		l := &lab{t: t, dsn: dsn}
		var asked []string
		a := l.access()
		a.Dial = func(_ context.Context, host string, port uint16) (net.Conn, error) {
			asked = append(asked, net.JoinHostPort(host, fmt.Sprint(port)))
			return nil, fmt.Errorf("connect: %w", egress.ErrRefused)
		}
		_, err = l.readOne(a)
		l.fails(dsn, err, egress.ErrRefused, "")
		port := firstOf(u.Port(), map[string]string{"postgres": "5432", "mysql": "3306"}[u.Scheme])
		if want := net.JoinHostPort(u.Hostname(), port); len(asked) == 0 || slices.ContainsFunc(asked, func(a string) bool { return a != want }) {
			t.Errorf("%s: asked for %v, want %s", dsn, asked, want)
		}
	}
}

func TestSQLReachesNoFurtherThanThePolicy(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := labs[name](t)
			l.exec("CREATE TABLE t (id int PRIMARY KEY)")
			for allowed, want := range map[string]error{"127.0.0.1": nil, "": egress.ErrRefused} {
				policy, err := egress.ParsePolicy(allowed, "", "")
				if err != nil {
					t.Fatal(err)
				}
				a := l.access()
				a.Dial = egress.New(policy).Dial
				if _, err := l.readOne(a); !errors.Is(err, want) {
					t.Errorf("with %q allowed: %v, want %v", allowed, err, want)
				}
			}
		})
	}
}

func TestSQLSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"", "db", "oracle://u@h/d", "postgres://u:sesame%@h/d", "postgres:///d", "postgres://u@/d", "postgres://h/d", "postgres://u@h", "postgres://u@h/",
		"postgres://u:sesame@h1,h2/d", "postgres://u@%2Fvar%2Frun/d", "postgres://u@h/d?host=/var/run", "postgres://u@h/d?sslkey=/etc/key", "postgres://u@h/d?service=x", "postgres://u@h/d?passfile=/x", "postgres://u@h/d?servicefile=/x",
		"mysql://u@h/d?allowAllFiles=true", "mysql://u@h/d?allowCleartextPasswords=1", "mysql://u@h/d?multiStatements=true", "mysql://u@h/d?tls=custom", "mysql://u:sesame@unix(/tmp/s)/d",
		"sqlite://relative.db", "sqlite:relative.db", "sqlite:///a.db?mode=rw", "sqlite://u@/a.db", "sqlite://host/a.db", "file:///a.db",
	} {
		l := &lab{t: t, dsn: dsn}
		_, err := SQL.Plan(t.Context(), l.access(), everything)
		l.fails(dsn, err, crm.ErrInvalid, "dsn")
	}
	l := &lab{t: t, dsn: "sqlite:///a.db"}
	for _, settings := range [][]string{{"zone", "Europe/Atlantis"}, {"zone", "Local"}, {"zone", "Europe/Berlin"}, {"lag", "soon"}, {"timeout", "0s"}, {"timeout", "-1m"}, {"query", "SELEKT 1"}} {
		_, err := SQL.Plan(t.Context(), l.access(settings...), everything)
		l.fails(fmt.Sprint(settings), err, crm.ErrInvalid, "")
	}
	for _, s := range SQL.About().Settings {
		if s.Check != nil && s.Default != "" && s.Check(s.Default) != nil {
			t.Errorf("setting %s: its default %q does not do", s.Name, s.Default)
		}
	}
}

// TestSQLTakesNothingOfTheWorkersOwn: the driver reads variables and files as
// programs of PostgreSQL do, and would send a worker's password to a source.
func TestSQLTakesNothingOfTheWorkersOwn(t *testing.T) {
	for name, value := range map[string]string{"PGPASSWORD": "theirs", "PGUSER": "them", "PGHOST": "elsewhere", "PGPORT": "1", "PGDATABASE": "other", "PGOPTIONS": "-c role=x",
		"PGSSLMODE": "disable", "PGSSLCERT": "/no/such", "PGSSLKEY": "/no/such", "PGTARGETSESSIONATTRS": "standby", "PGAPPNAME": "x", "PGTZ": "Asia/Tokyo"} {
		t.Setenv(name, value)
	}
	u, err := url.Parse("postgres://u@db.example.com/crm")
	if err != nil {
		t.Fatal(err)
	}
	c, err := postgres{}.config(u)
	if err != nil {
		t.Fatal(err)
	}
	if c.Password != "" || c.User != "u" || c.Host != "db.example.com" || c.Port != 5432 || c.Database != "crm" || c.ValidateConnect != nil || c.TLSConfig == nil ||
		len(c.RuntimeParams) != 1 || c.RuntimeParams["application_name"] != "sluice" || len(c.TLSConfig.Certificates) != 0 {
		t.Errorf("it takes what is not its own: %+v", c)
	}
}
