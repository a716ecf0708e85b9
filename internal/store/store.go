package store

import (
	"context"
	"fmt"
	"net/url"

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
// "sqlite:///" and the absolute path of a file, which is created, readable by
// its owner alone, if it is not there. The schema is left as it is: see
// [Store.Migrate]. The caller closes.
//
// Another scheme wraps [crm.ErrInvalid], refused credentials wrap
// [crm.ErrDenied]. No error holds the address's password.
func Open(ctx context.Context, address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		// The parser's error quotes the address, and so its password.
		return nil, fmt.Errorf("open store: %w: the database address is not a URL", crm.ErrInvalid)
	}
	var s *Store
	switch u.Scheme {
	case "postgres", "postgresql":
		s, err = openPostgres(address)
	case "sqlite":
		s, err = openSQLite(u)
	default:
		err = fmt.Errorf("%w: unknown database scheme %q; use postgres:// or sqlite:///", crm.ErrInvalid, u.Scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	for _, db := range []*bun.DB{s.db, s.reads} {
		if err := db.PingContext(ctx); err != nil {
			_ = s.Close()
			return nil, wrap("open store", err)
		}
	}
	return s, nil
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
