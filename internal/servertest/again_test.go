//go:build unix

package servertest

import (
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestKilledServerStartsAgainWithItsData(t *testing.T) {
	t.Parallel()
	if PostgresBinary("initdb") == "" {
		missing(t, "PostgreSQL")
	}
	s, err := StartPostgres("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	run := func(statement string) error {
		conn, err := pgx.Connect(t.Context(), s.URL)
		if err != nil {
			return err
		}
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), statement)
		return err
	}
	if err := run("CREATE TABLE here (id int)"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(s.PID, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := s.Again(); err != nil {
		t.Fatal(err)
	}
	if err := run("INSERT INTO here VALUES (1)"); err != nil {
		t.Errorf("after the kill: %v", err)
	}
}
