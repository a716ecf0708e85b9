package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// indexLock is the key of the advisory lock under which indexes are made: the
// letters "slindx" as a number.
const indexLock = 0x736c696e6478

// indexPoll is how often those who wait for that lock look again. Waiting in
// the server would be a deadlock: making an index waits for every transaction
// that may still need the table as it was, and so for theirs.
const indexPoll = 250 * time.Millisecond

// makeIndex lets others write meanwhile, and so cannot be in a transaction. An
// index that was not finished is there, but not valid, and is made anew.
func (p *postgresDialect) makeIndex(ctx context.Context, name, table, columns string) error {
	if _, valid, err := indexState(ctx, p.db, name); valid || err != nil {
		return err
	}
	return p.holding(ctx, func(conn bun.Conn) error {
		for held := false; !held; {
			if err := conn.NewRaw("SELECT pg_try_advisory_lock(?)", indexLock).Scan(ctx, &held); err != nil {
				return err
			}
			if !held {
				if err := pause(ctx, indexPoll); err != nil {
					return err
				}
			}
		}
		there, valid, err := indexState(ctx, conn, name)
		if valid || err != nil {
			return err
		}
		// Its statistics tell the planner how few records a look-up finds.
		statements := []string{"CREATE INDEX CONCURRENTLY " + name + " ON " + table + " (" + columns + ")", "ANALYZE " + table}
		if there {
			statements = append([]string{"DROP INDEX CONCURRENTLY " + name}, statements...)
		}
		for _, statement := range statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// indexState says whether an index is there, and whether it may be used.
func indexState(ctx context.Context, db bun.IDB, name string) (there, valid bool, err error) {
	err = db.NewRaw("SELECT count(*) > 0, COALESCE(bool_and(indisvalid), false) FROM pg_index WHERE indexrelid = to_regclass(?)", name).
		Scan(ctx, &there, &valid)
	return there, valid, err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
