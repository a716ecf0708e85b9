package store

import (
	"fmt"
	"testing"

	"sluice/internal/crm"
)

// TestTablesOfBeforeImagesHaveTheColumnsOfTheirs holds a migration to the rule
// that it adds a column to both.
func TestTablesOfBeforeImagesHaveTheColumnsOfTheirs(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for _, e := range crm.Entities {
			want(t, before(e), fmt.Sprint(columnsOf(t, s, before(e))), fmt.Sprint(append([]string{"import_number"}, columnsOf(t, s, tables[e])...)))
		}
	})
}

// columnsOf lists a table's columns with their types, in its order.
func columnsOf(t *testing.T, s *Store, table string) (columns []string) {
	t.Helper()
	rows, err := s.reads.QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range types {
		if c.Name() == "import_number" {
			columns = append(columns, c.Name())
			continue
		}
		columns = append(columns, c.Name()+" "+c.DatabaseTypeName())
	}
	return columns
}
