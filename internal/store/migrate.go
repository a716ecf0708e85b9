package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"sluice/internal/crm"
)

//go:embed migrations
var trees embed.FS

// Migrate brings the schema up to what this code needs. Any number of
// processes may call it at once: one works and the others wait. A migration
// that fails is not marked as applied, so the next call tries it again.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.dialect.alone(ctx, func(db *bun.DB) error {
		m, err := s.migrator(db)
		if err != nil {
			return err
		}
		if err := m.Init(ctx); err != nil {
			return err
		}
		_, err = m.Migrate(ctx)
		return err
	})
	return wrap("migrate store", err)
}

// Made reports whether the database has the product's tables, whatever their
// version: [Store.Migrate] makes them. While another process is at that, it
// waits: a part of them is of no use.
func (s *Store) Made(ctx context.Context) (bool, error) {
	there, err := s.dialect.hasTable(ctx, migrationsTable)
	if err == nil && there {
		there, err = s.whole(ctx)
	}
	return there, wrap("look for the tables", err)
}

// whole waits for who makes the tables at the moment, if anybody does.
func (s *Store) whole(ctx context.Context) (bool, error) {
	pending, err := s.pending(ctx)
	if err != nil || pending == 0 {
		return err == nil, err
	}
	if err := s.dialect.settled(ctx); err != nil {
		return false, err
	}
	return s.dialect.hasTable(ctx, "sources") // of the first migration
}

// migrationsTable says which migrations have been applied.
const migrationsTable = "schema_migrations"

// rollback takes the schema back by one group of migrations.
func (s *Store) rollback(ctx context.Context) error {
	return s.dialect.alone(ctx, func(db *bun.DB) error {
		m, err := s.migrator(db)
		if err != nil {
			return err
		}
		_, err = m.Rollback(ctx)
		return err
	})
}

func (s *Store) migrator(db *bun.DB) (*migrate.Migrator, error) {
	all, err := s.migrations()
	return migrate.NewMigrator(db, all,
		migrate.WithTableName(migrationsTable), migrate.WithLocksTableName("schema_migration_locks"),
		migrate.WithMarkAppliedOnSuccess(true)), err
}

func (s *Store) migrations() (*migrate.Migrations, error) {
	tree, err := fs.Sub(trees, "migrations/"+s.dialect.name())
	if err != nil {
		return nil, err
	}
	all := migrate.NewMigrations()
	return all, all.Discover(tree)
}

// Check returns what is worth knowing about the database, a line each: its
// version, and whether the schema is the one this code needs. A schema with
// migrations pending wraps [crm.ErrInvalid] and comes with the lines.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	version, err := s.dialect.version(ctx)
	if err != nil {
		return nil, wrap("check store", err)
	}
	lines := []string{version}
	pending, err := s.pending(ctx)
	switch {
	case err != nil:
		return lines, wrap("check store", err)
	case pending > 0:
		return append(lines, fmt.Sprintf("schema: %d migrations pending", pending)),
			fmt.Errorf("check store: %w: %d migrations are pending; start a worker to apply them", crm.ErrInvalid, pending)
	}
	return append(lines, "schema: up to date"), nil
}

// pending counts the migrations that have not been applied.
func (s *Store) pending(ctx context.Context) (int, error) {
	there, err := s.dialect.hasTable(ctx, migrationsTable)
	if err != nil {
		return 0, err
	}
	if !there {
		all, err := s.migrations()
		return len(all.Sorted()), err
	}
	m, err := s.migrator(s.reads)
	if err != nil {
		return 0, err
	}
	all, err := m.MigrationsWithStatus(ctx)
	return len(all.Unapplied()), err
}
