package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// A since says, to a retry, which changes of a record it gives way to: those by
// an import newer than its parent that does not retry the same rows.
type since struct {
	parent int64
	family []int64 // the first import and all its retries, and theirs
}

// sinceParent returns nil if the import retries nothing.
func sinceParent(ctx context.Context, tx bun.IDB, parent string) (*since, error) {
	if parent == "" {
		return nil, nil
	}
	var out since
	if err := tx.NewSelect().Table("imports").Column("number").Where("id = ?", parent).Scan(ctx, &out.parent); err != nil {
		return nil, err
	}
	err := tx.NewRaw(`WITH RECURSIVE up (id, parent) AS (
			SELECT id, parent FROM imports WHERE id = ?0
			UNION SELECT i.id, i.parent FROM up JOIN imports AS i ON i.id = up.parent
		), family (number, id) AS (
			SELECT i.number, i.id FROM up JOIN imports AS i ON i.id = up.id
			UNION SELECT i.number, i.id FROM family JOIN imports AS i ON i.parent = family.id AND i.parent <> ''
		) SELECT number FROM family ORDER BY number`, parent).Scan(ctx, &out.family)
	return &out, err
}

// newer is true of a record t that the import gives way to.
func (s *since) newer() string {
	list := make([]string, len(s.family))
	for i, n := range s.family {
		list[i] = fmt.Sprint(n)
	}
	return fmt.Sprintf("t.changed_import > %d AND t.changed_import NOT IN (%s)", s.parent, strings.Join(list, ", "))
}

// Retries lists the imports that retry rows of the import of this id, dry runs
// among them, oldest first, without their files. It is empty for an id that
// nobody has.
func (s *Store) Retries(ctx context.Context, id string) ([]crm.ImportRow, error) {
	var rows []importRow
	err := s.selectImports(&rows).Where("i.parent = ?", id).Where("i.parent <> ''").Where("i.kind = ?", crm.KindRetry).OrderExpr("i.number").Scan(ctx)
	if err != nil {
		return nil, wrap("retries", err)
	}
	out, err := s.importsOf(ctx, rows)
	return out, wrap("retries", err)
}

// FileNames returns the names of the files that the addresses of an import
// mean, by the number of the file in an address. A retry keeps the addresses
// that rows had in its parent, so the names of its parent come first, whatever
// import they are of, and those of its own files follow. No such import wraps
// [crm.ErrNotFound].
func (s *Store) FileNames(ctx context.Context, number int64) ([]string, error) {
	operation := fmt.Sprintf("files of import %d", number)
	from, err := s.lineage(ctx, []int64{number})
	if err == nil && len(from) == 0 {
		err = crm.ErrNotFound
	}
	return from[number].files, wrap(operation, err)
}

// An origin is an import as records refer to it.
type origin struct {
	id, parent string
	files      []string // see FileNames
}

// lineage looks up imports, and of retries all that they retry. Those that
// are not there are left out.
func (s *Store) lineage(ctx context.Context, numbers []int64) (map[int64]origin, error) {
	out, err := s.origins(ctx, "number IN (?)", bun.In(numbers))
	byID := make(map[string]origin)
	for _, o := range out {
		byID[o.id] = o
	}
	var names func(o origin) []string
	names = func(o origin) (files []string) {
		if o.parent == "" || err != nil {
			return o.files
		}
		parent, ok := byID[o.parent]
		if !ok {
			var found map[int64]origin
			found, err = s.origins(ctx, "id = ?", o.parent)
			for _, parent = range found {
				byID[o.parent] = parent
			}
		}
		return slices.Concat(names(parent), o.files)
	}
	for number, o := range out {
		o.files = names(o)
		out[number] = o
	}
	return out, err
}

// origins looks up imports with the names of their own files alone.
func (s *Store) origins(ctx context.Context, where string, arg any) (map[int64]origin, error) {
	var rows []importRow
	err := s.reads.NewSelect().Model(&rows).Column("number", "id", "parent", "request").Where(where, arg).Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]origin, len(rows))
	for _, r := range rows {
		var request crm.Request
		if err := json.Unmarshal([]byte(r.Request), &request); err != nil {
			return nil, err
		}
		o := origin{id: r.ID, parent: r.Parent}
		for _, f := range request.Files {
			o.files = append(o.files, f.Name)
		}
		if request.Paged() {
			if o.files, err = s.segmentNames(ctx, r.Number); err != nil {
				return nil, err
			}
		}
		out[r.Number] = o
	}
	return out, nil
}

// segmentNames returns the names of the files that an import of pages came to.
func (s *Store) segmentNames(ctx context.Context, number int64) (names []string, err error) {
	var rows []fileRow
	err = s.reads.NewSelect().Model(&rows).Column("file", "inspected").Where("import_number = ?", number).Order("file").Scan(ctx)
	for i := range rows {
		f, e := rows[i].fileRow()
		if e != nil {
			return nil, e
		}
		names = append(names, f.File.Name)
	}
	return names, err
}
