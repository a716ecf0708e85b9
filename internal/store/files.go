package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// fileRow is a row of the table import_files.
type fileRow struct {
	bun.BaseModel `bun:"table:import_files,alias:f"`

	ImportNumber int64 `bun:",pk"`
	File         int   `bun:",pk"`
	Mode         crm.Mode
	Rules        string
	Inspected    string
	MatchedBy    crm.Match
}

func (r *fileRow) fileRow() (row crm.FileRow, err error) {
	return row, json.Unmarshal([]byte(r.Inspected), &row)
}

// SaveFile keeps what was decided about a file of an import, and how its
// records are held against those that exist when they are written. Saving a
// file of the same number again replaces it. A match that is none wraps
// [crm.ErrInvalid].
//
// The first file that is matched by another field than the external id makes
// that field's index, which takes as long as sorting the records does.
func (s *Store) SaveFile(ctx context.Context, number int64, row crm.FileRow, how crm.Writing) error {
	operation := fmt.Sprintf("save file %d of import %d", row.File.Number, number)
	by, err := matchingBy(how.Match)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if by != nil {
		if err := by.makeIndex(ctx, s.dialect); err != nil {
			return wrap(operation, err)
		}
	}
	mode := how.Mode
	if mode == "" {
		mode = crm.Upsert
	}
	inspected, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	ruled, err := json.Marshal(how.Rules)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	_, err = s.db.NewInsert().
		Model(&fileRow{ImportNumber: number, File: row.File.Number, Mode: mode, Rules: string(ruled), Inspected: string(inspected), MatchedBy: how.Match}).
		On("CONFLICT (import_number, file) DO UPDATE").
		Set("mode = EXCLUDED.mode").Set("rules = EXCLUDED.rules").Set("inspected = EXCLUDED.inspected").
		Set("matched_by = EXCLUDED.matched_by").Exec(ctx)
	return wrap(operation, err)
}

// File returns what was decided about a file of an import. A file that has not
// been saved wraps [crm.ErrNotFound].
func (s *Store) File(ctx context.Context, number int64, file int) (crm.FileRow, error) {
	var row fileRow
	err := s.reads.NewSelect().Model(&row).Where("import_number = ?", number).Where("file = ?", file).Scan(ctx)
	if err != nil {
		return crm.FileRow{}, wrap(fmt.Sprintf("file %d of import %d", file, number), err)
	}
	return row.fileRow()
}
