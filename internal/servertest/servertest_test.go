package servertest

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

func TestPostgresGivesAFreshDatabaseEachTime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for range 2 {
		conn, err := pgx.Connect(ctx, Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "CREATE TABLE here (id int)"); err != nil {
			t.Errorf("the database is not fresh: %v", err)
		}
	}
}

func TestRedisEndsWithTheTest(t *testing.T) {
	t.Parallel()
	var address string
	t.Run("running", func(t *testing.T) {
		address = strings.TrimSuffix(strings.TrimPrefix(Redis(t), "redis://"), "/0")
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	})
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Errorf("a server still listens on %s", address)
	}
}
