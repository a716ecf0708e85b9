package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sluice/internal/crm"
)

// TestWhatTheFirstSchemaHoldsIsReadAndGoneOnWith migrates a database in which
// an import is under way.
func TestWhatTheFirstSchemaHoldsIsReadAndGoneOnWith(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := begin(t, s, crm.Rules{}, crm.UpdateOnly)
		m.write(testRow{line: 2, customer: person("a", "Ann")})
		down, err := trees.ReadFile("migrations/" + s.dialect.name() + "/" + map[string]string{
			"postgres": "20261122120000_plan.tx.down.sql", "sqlite": "20261122120000_plan.down.sql"}[s.dialect.name()])
		if err != nil {
			t.Fatal(err)
		}
		statements := append(strings.Split(string(down), "--bun:split"), "DELETE FROM schema_migrations WHERE name = '20261122120000'")
		for _, statement := range statements {
			if _, err := s.db.ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		if lines, err := s.Check(ctx); !errors.Is(err, crm.ErrInvalid) {
			t.Fatalf("Check = %q, %v, want a migration pending", lines, err)
		}
		if err := s.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		want(t, "outcomes", m.outcomes(0), "A")
		m.write(testRow{line: 3, customer: person("b", "Bob")})
		want(t, "outcomes of the next batch", m.outcomes(1), "A")
		row, _, err := s.Written(ctx, m.Number, 0)
		if err != nil || row.Changes != nil {
			t.Errorf("Written = %+v, %v, want no changes", row, err)
		}
	})
}

// A command that is started beside the first worker finds all tables or none,
// and never some of them.
func TestTablesAreMadeOrNotAndNeverInPart(t *testing.T) {
	t.Parallel()
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s, err := Open(ctx, address(t))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			done := make(chan error, 1)
			go func() { done <- s.Migrate(ctx) }()
			for made := false; !made; {
				if made, err = s.Made(ctx); err != nil {
					t.Fatal(err)
				}
				if !made {
					continue
				}
				if _, err := s.Sources(ctx); err != nil {
					t.Errorf("the tables are said to be made, and: %v", err)
				}
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}
