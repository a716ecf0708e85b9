//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/servertest"
)

var postgresFaults = []*fault{{
	id: "F13", name: "PostgreSQL is stopped at once, and killed", short: true,
	how:   "an immediate shutdown and a start; then SIGKILL of the server and all its processes, and a start; at seeded moments",
	holds: "I1 I2 I3 I9",
	seen:  "`waiting` while it is away, with the cause",
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		at := 0
		for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
			at += 2 + s.random.IntN(10)
			s.say("%v after batch %d", signal, at)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			if err := s.restartPostgres(ctx, signal); err != nil {
				return err
			}
		}
		return s.end(ctx)
	},
}, {
	id: "F14", name: "the connection is cut in COMMIT", short: true,
	how:   "a reset at ten seeded commits: before the server has read it, or after, with the answer lost",
	holds: "I2 I3: the ledger says whether a batch is in",
	seen:  "attempts rise",
	play: func(ctx context.Context, s *scene) error {
		var commits atomic.Int64
		cuts := map[int64]verdict{}
		for n, last := 0, int64(0); n < 10; n++ {
			last += 2 + s.random.Int64N(6)
			cuts[last] = cutBefore + verdict(s.random.IntN(2))
		}
		s.say("%v", cuts)
		s.postgres.on(func(to direction, b []byte) verdict {
			if to == toServer && bytes.Contains(bytes.ToLower(b), []byte("commit\x00")) {
				return cuts[commits.Add(1)]
			}
			return pass
		})
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.end(ctx); err != nil {
			return err
		}
		if n := commits.Load(); n < 50 {
			return fmt.Errorf("%d commits were seen, too few to be all", n)
		}
		return nil
	},
}, {
	id: "F15", name: "somebody else updates the same records",
	how:   "transactions that update two customers in either order and hold their locks for a while: lock waits and deadlocks",
	holds: "I1 I2 I3 I9; what the other one wrote stays",
	seen:  "attempts rise",
	play: func(ctx context.Context, s *scene) error {
		return s.meanwhile(ctx, s.update)
	},
}, {
	id: "F16", name: "somebody else creates the same records",
	how:   "inserts of customers of the file, one after the other, while the import goes",
	holds: "I1 I2: counted as updated instead of created, and what the file says is in the tables",
	seen:  "nothing",
	play: func(ctx context.Context, s *scene) error {
		for i := range s.rows {
			s.loose[keyOf(customer, s.rows[i].customer)] = true
		}
		return s.meanwhile(ctx, s.insert)
	},
}, {
	id: "F17", name: "the disk of PostgreSQL is full",
	how:   "the database lies on a small file system that is filled up, until an operator has seen it",
	holds: "I1 I2 I3 I9",
	seen:  "the state is `waiting`; the failure says `disk full`",
	setup: func(ctx context.Context, s *scene) error { return s.smallDisk(ctx) },
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		if err := s.in(ctx, 2+s.random.IntN(8)); err != nil {
			return err
		}
		filler := filepath.Join(s.dir, "disk", "filler")
		if err := fill(filler); err != nil {
			return err
		}
		seen := s.sees(ctx, "waiting", "disk full")
		if err := os.Remove(filler); err != nil {
			return err
		}
		return errors.Join(seen, s.end(ctx))
	},
}, {
	id: "F18", name: "PostgreSQL has no connection left", rows: 6000,
	how: "a server with 12 connections; at seeded moments those of the worker are cut, and others take all, and give them back " +
		"after a few seconds",
	holds: "I1 I2 I3 I9 I10",
	seen:  "attempts rise; at length `waiting` and `too many connections`",
	setup: func(ctx context.Context, s *scene) error {
		return s.ownPostgres(ctx, "max_connections=12", "superuser_reserved_connections=1")
	},
	play: func(ctx context.Context, s *scene) error {
		s.worker()
		if err := s.begin(ctx); err != nil {
			return err
		}
		at := 0
		for range 3 {
			at += 1 + s.random.IntN(6)
			if err := s.in(ctx, at); err != nil {
				return err
			}
			s.postgres.cut()
			s.hoard(ctx)
		}
		return s.end(ctx)
	},
}}

// restartPostgres ends the server by a signal and starts it again. SIGKILL goes
// to all its processes: those of connections would go on without their parent.
func (s *scene) restartPostgres(ctx context.Context, signal syscall.Signal) error {
	all := []int{s.server.PID}
	if signal == syscall.SIGKILL {
		all = append(all, childrenOf(s.server.PID)...)
	}
	for _, pid := range all {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	s.postgres.cut()
	s.pass(ctx, 0, time.Second)
	return until(ctx, "PostgreSQL runs again", func() (bool, error) {
		err := s.server.Again()
		if err != nil && !strings.Contains(err.Error(), "lock file") && !strings.Contains(err.Error(), "shared memory") {
			return false, err
		}
		return err == nil, nil
	})
}

// childrenOf returns the processes that a process has started.
func childrenOf(pid int) (list []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			list = append(list, child)
		}
	}
	return list
}

// meanwhile imports while somebody does something again and again.
func (s *scene) meanwhile(ctx context.Context, do func(ctx context.Context, conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	s.worker()
	if err := s.begin(ctx); err != nil {
		return err
	}
	others, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		var err error
		for others.Err() == nil && err == nil {
			err = do(others, conn)
		}
		if others.Err() != nil {
			err = nil
		}
		ended <- err
	}()
	err = s.end(ctx)
	stop()
	return errors.Join(err, <-ended)
}

// update takes two customers, in either order, and holds them for a while.
func (s *scene) update(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for range 2 {
		row := s.rows[s.random.IntN(len(s.rows))]
		_, err := tx.Exec(ctx, `UPDATE customer_records SET owner = 'somebody', rev = rev + 1, changed_by = 'fault'
			WHERE external_id = $1 AND source_id = (SELECT id FROM sources WHERE slug = $2)`, row.customer, news)
		if err != nil {
			return nil // a deadlock that we lost
		}
		s.pass(ctx, 0, 40*time.Millisecond)
	}
	_ = tx.Commit(ctx) // lost it, or not
	return nil
}

// insert creates a customer of the file, unless it is there.
func (s *scene) insert(ctx context.Context, conn *pgx.Conn) error {
	row := s.rows[s.random.IntN(len(s.rows))]
	_, err := conn.Exec(ctx, `INSERT INTO customer_records (id, source_id, customer_uuid, external_id, company, created_import, created_address,
			changed_import, changed_address, rev, stored_at, updated_at)
		SELECT gen_random_uuid(), id, gen_random_uuid(), $1, 'by hand', 0, 0, 0, 0, 1, now(), now() FROM sources WHERE slug = $2
		ON CONFLICT DO NOTHING`, row.customer, news)
	return err
}

// smallDisk puts the scene's database on a file system of its own.
func (s *scene) smallDisk(ctx context.Context) error {
	disk := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		return skipped{fmt.Sprintf("mounting a small file system is not allowed here: %v", err)}
	}
	s.onClose(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	space := filepath.Join(disk, "space")
	if err := os.Mkdir(space, 0o700); err != nil {
		return err
	}
	homes, _ := filepath.Glob(filepath.Join(s.stack.dir, "sluice-postgres-*"))
	for _, home := range homes { // the server's user
		var st syscall.Stat_t
		if err := syscall.Stat(home, &st); err != nil {
			return err
		}
		if err := os.Chown(space, int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	if err := execute(ctx, s.stack.postgres.URL, "CREATE TABLESPACE small LOCATION '"+space+"'"); err != nil {
		return err
	}
	s.onClose(func() {
		_ = execute(context.WithoutCancel(ctx), s.stack.postgres.URL, "DROP TABLESPACE small")
	})
	if err := execute(ctx, s.stack.postgres.URL, "CREATE DATABASE small TEMPLATE base TABLESPACE small"); err != nil {
		return err
	}
	s.onClose(func() { s.drop("small") })
	s.databaseURL = s.stack.postgres.Database("small")
	return nil
}

// fill writes a file until there is no room.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			return err
		}
	}
	return nil
}

// ownPostgres gives the scene a server of its own, with an empty database.
func (s *scene) ownPostgres(ctx context.Context, settings ...string) (err error) {
	if s.server, err = servertest.StartPostgres(s.dir, settings...); err != nil {
		return err
	}
	s.onClose(func() { s.server.Stop() })
	s.databaseURL, err = s.migrated(ctx, s.server, "own")
	return err
}

// hoard takes all connections that there are, for a few seconds, as others
// give theirs up.
func (s *scene) hoard(ctx context.Context) {
	var taken []*pgx.Conn
	end := time.Now().Add(time.Second + time.Duration(s.random.Int64N(int64(3*time.Second))))
	for time.Now().Before(end) {
		if conn, err := pgx.Connect(ctx, s.databaseURL); err == nil {
			taken = append(taken, conn)
			continue
		}
		s.pass(ctx, 20*time.Millisecond, 20*time.Millisecond)
	}
	for _, conn := range taken {
		_ = conn.Close(ctx)
	}
}
