package servertest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver
)

// MariaDB returns the URL of a fresh, empty database of a MariaDB server that
// this test binary shares, as a user who may do everything. The database
// compares text without regard to case, as those of most people do. It is
// dropped when the test ends.
//
// The server keeps nothing safe.
func MariaDB(t testing.TB) string {
	t.Helper()
	if !mariaThere() {
		missing(t, "MariaDB (Debian's mariadb-server-core and mariadb-client-core)")
	}
	if err := sharedMaria.start(); err != nil {
		t.Fatalf("servertest: %v", err)
	}
	name := fmt.Sprintf("test%d", mariaDatabases.Add(1))
	sharedMaria.exec(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	t.Cleanup(func() { sharedMaria.exec(t, "DROP DATABASE "+name) })
	return sharedMaria.server.URL + name
}

var (
	sharedMaria    sharedMariaDB
	mariaDatabases atomic.Int64
)

// sharedMariaDB is the one server of this process.
type sharedMariaDB struct {
	once   sync.Once
	server *Server
	err    error
}

func (m *sharedMariaDB) start() error {
	m.once.Do(func() { m.server, m.err = StartMariaDB("") })
	return m.err
}

func (m *sharedMariaDB) exec(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("mysql", fmt.Sprintf("sluice:sluice@tcp(127.0.0.1:%d)/", m.server.port))
	if err != nil {
		t.Fatalf("servertest: %v", err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("servertest: %v", err)
	}
}

// StartMariaDB starts a MariaDB server, for programs that are no tests. Parent
// is as for [StartPostgres]. Its URL ends where the name of a database goes.
// The caller stops it.
func StartMariaDB(parent string) (*Server, error) {
	if !mariaThere() {
		return nil, errors.New("MariaDB is not installed")
	}
	dir, err := home(parent, "mariadb")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	cmd := exec.Command(mariaBinary("mariadb-install-db"), "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	cmd.Dir = dir
	cmd.SysProcAttr = unprivileged()
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	first := filepath.Join(dir, "first.sql")
	if err := os.WriteFile(first, []byte("CREATE USER IF NOT EXISTS sluice@'127.0.0.1' IDENTIFIED BY 'sluice';\n"+
		"GRANT ALL ON *.* TO sluice@'127.0.0.1' WITH GRANT OPTION;\n"), 0o644); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s, err := start(dir, "ready for connections", port, mariaBinary("mariadbd"), "--no-defaults", "--datadir="+data, "--init-file="+first,
			"--bind-address=127.0.0.1", "--port="+strconv.Itoa(port), "--socket="+filepath.Join(dir, "socket"), "--pid-file="+filepath.Join(dir, "pid"),
			"--skip-name-resolve", "--skip-log-bin", "--max-connections=300", "--log-bin-trust-function-creators=1",
			"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--innodb-fast-shutdown=2", "--performance-schema=off")
		if err == nil {
			s.URL = fmt.Sprintf("mysql://sluice:sluice@127.0.0.1:%d/", port)
			return s, nil
		}
		// Somebody else may have taken the port in between.
		if attempt == 3 || !strings.Contains(err.Error(), "in use") {
			os.RemoveAll(dir)
			return nil, err
		}
	}
}

// mariaThere reports whether all is installed that it takes.
func mariaThere() bool {
	// The second calls the third, which is a package of its own.
	return mariaBinary("mariadbd") != "" && mariaBinary("mariadb-install-db") != "" && mariaBinary("my_print_defaults") != ""
}

// mariaBinary looks for a program of MariaDB on PATH and where Debian keeps it;
// "" if there is none.
func mariaBinary(name string) string {
	for _, name := range []string{name, filepath.Join("/usr/sbin", name), filepath.Join("/usr/bin", name)} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
