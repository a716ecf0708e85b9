package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/crm"
)

// tables are those of the yardstick, in the order in which they refer to each
// other.
var tables = [...]string{crm.Customer: "customer_records", crm.Contact: "contacts", crm.Note: "notes"}

func (b *bench) rowsOf(table string) string { return filepath.Join(b.stack.dir, table+".txt") }

// unload writes the rows of a database to one file a table, in the order of the
// rows that they came from.
func (b *bench) unload(ctx context.Context, database string) error {
	for _, table := range tables {
		_, err := b.copy(ctx, database, fmt.Sprintf(`\copy (SELECT * FROM %s ORDER BY created_address) TO '%s'`, table, b.rowsOf(table)))
		if err != nil {
			return err
		}
	}
	return nil
}

// copy runs psql for one command and returns the seconds of processor time that
// psql took.
func (b *bench) copy(ctx context.Context, database, command string) (cpu float64, err error) {
	cmd := exec.CommandContext(ctx, b.stack.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", command, b.stack.postgres.Database(database))
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("psql: %w: %s", err, said.String())
	}
	return used(cmd), nil
}

// yardstick copies the rows into a new database, table by table.
func (b *bench) yardstick(ctx context.Context, name string) (figure, error) {
	f := figure{Measure: yardstick, Rows: int64(b.rows), Parts: map[string]float64{}, CPUSeconds: map[string]float64{}, PeakBytes: map[string]int64{}}
	if _, err := b.stack.database(ctx, name); err != nil {
		return f, err
	}
	defer func() { _ = b.stack.drop(context.WithoutCancel(ctx), name) }()
	if err := b.stack.checkpoint(ctx); err != nil {
		return f, err
	}
	m, err := startMeter(map[string]int{postgresProcess: b.stack.postgres.PID})
	if err != nil {
		return f, err
	}
	for _, table := range tables {
		begun := time.Now()
		cpu, err := b.copy(ctx, name, fmt.Sprintf(`\copy %s FROM '%s'`, table, b.rowsOf(table)))
		if err != nil {
			return f, err
		}
		took := time.Since(begun).Seconds()
		f.Parts[table] = took
		f.Seconds += took
		f.CPUSeconds[psqlProcess] += cpu
	}
	if err := m.read(&f); err != nil {
		return f, err
	}
	return f, b.copied(ctx, name)
}

// copied counts the rows of a database, which must be as many as an import of
// the data makes records.
func (b *bench) copied(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, b.stack.postgres.Database(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	want := b.data.expected(nothing, false)
	for e, table := range tables {
		var n int64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return err
		}
		if made := want.Of(crm.Entity(e)).Created; n != made {
			return fmt.Errorf("%s has %d rows, and an import makes %d", table, n, made)
		}
	}
	return nil
}
