package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"sluice/internal/crm"
)

// An ExportQuery says what to export.
type ExportQuery struct {
	Source string // slug
	Entity crm.Entity

	// Stable leaves out what we mint: ids, numbers of imports, stamps. Two
	// databases into which the same was imported then export the same bytes.
	Stable bool
}

// Export hands over the records of one entity of a source: once the names of
// the columns, then each record's values in their order. The slices are valid
// until the callback returns; an error it returns ends the export and is
// returned as it is. Values are canonical (see [crm.Kind]); "" is blank.
//
// The order is fixed: customers by external id; contacts by their customer's
// external id, then position, those without one last, then the address they
// were created from; notes by their customer's external id and that address.
// Text is ordered by its bytes. Memory does not grow with the export.
//
// No such source wraps [crm.ErrNotFound].
func (s *Store) Export(ctx context.Context, q ExportQuery, columns func([]string) error, row func([]string) error) error {
	operation := fmt.Sprintf("export %s of %s", q.Entity.Plural(), q.Source)
	source, err := sourceBySlug(ctx, s.reads, q.Source, "")
	if err != nil {
		return wrap(operation, err)
	}
	cols := exportColumns(q)
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	if err := columns(names); err != nil {
		return err
	}
	rows, err := s.reads.QueryContext(ctx, exportQuery(s.dialect, q, cols), source.ID)
	if err != nil {
		return wrap(operation, err)
	}
	defer rows.Close()
	cells := make([]sql.NullString, len(cols))
	into := make([]any, len(cols))
	for i := range cells {
		into[i] = &cells[i]
	}
	values := make([]string, len(cols))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return wrap(operation, err)
		}
		for i := range cells {
			if values[i], err = canonical(cols[i].kind, cells[i].String); err != nil {
				return fmt.Errorf("%s: column %s: %w", operation, names[i], err)
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return wrap(operation, rows.Err())
}

// An exportColumn is a column of an export: its name and the SQL behind it.
type exportColumn struct {
	name, from string
	kind       crm.Kind
}

func exportColumns(q ExportQuery) (cols []exportColumn) {
	if q.Entity != crm.Customer {
		cols = append(cols, exportColumn{"customer_external_id", "c.external_id", crm.Text})
	}
	for _, f := range crm.Fields(q.Entity) {
		cols = append(cols, exportColumn{f.Name, "t." + f.Name, f.Kind})
	}
	if q.Stable {
		return cols
	}
	cols = append(cols, exportColumn{"id", "t.id", crm.Text})
	if q.Entity == crm.Customer {
		cols = append(cols, exportColumn{"customer_uuid", "t.customer_uuid", crm.Text})
	}
	for _, name := range []string{"created_import", "changed_import", "rev"} {
		cols = append(cols, exportColumn{name, "t." + name, crm.Int})
	}
	return append(cols, exportColumn{"stored_at", "t.stored_at", crm.Time}, exportColumn{"updated_at", "t.updated_at", crm.Time})
}

func exportQuery(d dialect, q ExportQuery, cols []exportColumn) string {
	list := make([]string, len(cols))
	for i, c := range cols {
		if list[i] = "CAST(" + c.from + " AS text)"; c.kind == crm.Time {
			list[i] = d.time(c.from)
		}
	}
	from, order := "customer_records AS t WHERE t.source_id = ?", "t.external_id"
	if q.Entity != crm.Customer {
		from = tables[q.Entity] + " AS t JOIN customer_records AS c ON c.id = t.customer_id WHERE c.source_id = ?"
		order = "c.external_id, t.created_address, t.match_key"
	}
	if q.Entity == crm.Contact {
		order = "c.external_id, t.position NULLS LAST, t.created_address, t.match_key"
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + from + " ORDER BY " + order
}
