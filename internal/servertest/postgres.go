package servertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres returns the URL of a fresh, empty database of a PostgreSQL server
// that this test binary shares. The database sorts text by English rules, as
// those of most people do, so that an order that forgot to say COLLATE "C"
// shows. It is dropped when the test ends, with whoever is connected.
//
// The server keeps nothing safe: fsync is off.
func Postgres(t testing.TB) string {
	t.Helper()
	if PostgresBinary("initdb") == "" {
		missing(t, "PostgreSQL")
	}
	if err := shared.start(); err != nil {
		t.Fatalf("servertest: %v", err)
	}
	name := fmt.Sprintf("test%d", databases.Add(1))
	shared.exec(t, CreateDatabase(name))
	t.Cleanup(func() { shared.exec(t, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return shared.server.Database(name)
}

var (
	shared    sharedPostgres
	databases atomic.Int64
)

// sharedPostgres is the one server of this process.
type sharedPostgres struct {
	once   sync.Once
	server *Server
	err    error
}

func (p *sharedPostgres) start() error {
	p.once.Do(func() { p.server, p.err = StartPostgres("", "fsync=off", "max_connections=300") })
	return p.err
}

func (p *sharedPostgres) exec(t testing.TB, statement string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.server.URL)
	if err != nil {
		t.Errorf("servertest: %v", err)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("servertest: %v", err)
	}
}

// CreateDatabase is the statement that creates an empty database which sorts
// as those of [Postgres] do.
func CreateDatabase(name string) string {
	return "CREATE DATABASE " + name + " TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
}

// Database returns the URL of a database of a PostgreSQL server.
//
// The server trusts whoever connects: it listens on loopback alone, and lives
// no longer than this process.
func (s *Server) Database(name string) string {
	return fmt.Sprintf("postgres://sluice@127.0.0.1:%d/%s?sslmode=disable", s.port, name)
}

// StartPostgres starts a PostgreSQL server, for programs that are no tests. Its
// data lie below parent, "" being the place of temporary files; parent must be
// open to every user. Settings are such as "fsync=off"; what they do not name
// is PostgreSQL's own default. The caller stops it.
func StartPostgres(parent string, settings ...string) (*Server, error) {
	initdb := PostgresBinary("initdb")
	if initdb == "" {
		return nil, errors.New("PostgreSQL is not installed")
	}
	dir, err := home(parent, "postgres")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	cmd := exec.Command(initdb, "-D", data, "-U", "sluice", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	cmd.Dir = dir
	cmd.SysProcAttr = unprivileged()
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	for attempt := 0; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		argv := []string{PostgresBinary("postgres"), "-D", data, "-p", strconv.Itoa(port),
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="}
		for _, setting := range settings {
			argv = append(argv, "-c", setting)
		}
		s, err := start(dir, "ready to accept connections", port, argv...)
		if err == nil {
			s.URL = s.Database("postgres")
			return s, nil
		}
		// Somebody else may have taken the port in between.
		if attempt == 3 || !strings.Contains(err.Error(), "in use") {
			os.RemoveAll(dir)
			return nil, err
		}
	}
}

// PostgresBinary looks for a program of PostgreSQL on PATH and where Debian
// keeps it, the greatest version first; "" if there is none.
func PostgresBinary(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return ""
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) < version(found[j]) })
	return found[len(found)-1]
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}
