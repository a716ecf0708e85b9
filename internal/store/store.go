package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// A Store is a database of sources, imports and records. It is safe for
// concurrent use, and several processes may have one database open.
type Store struct {
	db      *bun.DB // for what may write
	reads   *bun.DB // for what only reads; the same as db on PostgreSQL
	dialect dialect
}

// Open opens the database at address: "postgres://…", "postgresql://…", or
// "sqlite://" and the absolute path of a file, as it is and not escaped, which
// is created, readable by its owner alone, if it is not there. The schema is left as it is: see
// [Store.Migrate]. The caller closes.
//
// Another scheme wraps [crm.ErrInvalid], refused credentials wrap
// [crm.ErrDenied]. No error holds the address's password.
func Open(ctx context.Context, address string) (*Store, error) {
	var s *Store
	var err error
	// Errors name the scheme at most: the rest may hold a password.
	switch scheme, rest, _ := strings.Cut(address, "://"); scheme {
	case "postgres", "postgresql":
		s, err = openPostgres(address)
	case "sqlite":
		s, err = openSQLite(rest)
	default:
		err = fmt.Errorf("%w: unknown kind of database; use postgres:// or sqlite:///", crm.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	for _, db := range []*bun.DB{s.db, s.reads} {
		if err := ping(ctx, db); err != nil {
			_ = s.Close()
			return nil, wrap("open store", err)
		}
	}
	return s, nil
}

// ping connects. A SQLite file is given its journal by the first who opens it,
// and whoever opens it at that moment is told that it is busy, and not made to
// wait.
func ping(ctx context.Context, db *bun.DB) error {
	for tries := 1; ; tries++ {
		err := db.PingContext(ctx)
		if f := faultOf(err); f == nil || !f.busy || tries == 100 {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// Close ends every connection.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.reads != s.db {
		if e := s.reads.Close(); err == nil {
			err = e
		}
	}
	return wrap("close store", err)
}

// inTx runs do in a transaction that commits if do returns nil. On SQLite it
// holds the write lock from its first statement.
func (s *Store) inTx(ctx context.Context, do func(tx bun.Tx) error) error {
	return s.db.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return do(tx) })
}
