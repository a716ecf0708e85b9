package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// sourceRow is a row of the table sources.
type sourceRow struct {
	bun.BaseModel `bun:"table:sources,alias:src"`

	ID        int64 `bun:",pk"`
	Slug      string
	Title     string
	Kind      string
	TimeZone  string
	Region    string
	Mapping   string
	Watermark string
	CreatedAt instant
	Settings  string
	Secrets   []byte
	Removal   *string // NULL while nobody removes it
}

func (r *sourceRow) source() (crm.Source, error) {
	s := crm.Source{Slug: r.Slug, Title: r.Title, Kind: r.Kind, TimeZone: r.TimeZone, Region: r.Region,
		Mapping: r.Mapping, CreatedAt: r.CreatedAt.Time}
	if err := json.Unmarshal([]byte(r.Settings), &s.Settings); err != nil {
		return s, err
	}
	at, err := r.removal()
	if err != nil {
		return s, err
	}
	if at != nil {
		s.Removing = &at.Removal
	}
	var mark instant
	if r.Watermark != "" {
		err = mark.Scan(r.Watermark)
		s.Watermark = mark.Time
	}
	return s, err
}

// AddSource adds a source. A source of the same slug and kind that is there
// already is left as it is; one of another kind, or that is being removed, wraps
// [crm.ErrInvalid], and so does a slug that is none. A blank title is the slug, a blank kind
// [crm.KindFile], a blank time zone UTC.
func (s *Store) AddSource(ctx context.Context, src crm.Source) error {
	if err := crm.CheckSlug(src.Slug); err != nil {
		return fmt.Errorf("add source: %w", err)
	}
	orElse := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	orElse(&src.Title, src.Slug)
	orElse(&src.Kind, crm.KindFile)
	orElse(&src.TimeZone, "UTC")
	if src.CreatedAt.IsZero() {
		src.CreatedAt = now()
	}
	settings, err := json.Marshal(src.Settings)
	if err != nil {
		return err
	}
	if src.Settings == nil {
		settings = []byte("{}")
	}
	row := sourceRow{Slug: src.Slug, Title: src.Title, Kind: src.Kind, TimeZone: src.TimeZone, Region: src.Region,
		Mapping: src.Mapping, CreatedAt: instant{src.CreatedAt}, Settings: string(settings)}
	_, err = s.db.NewInsert().Model(&row).ExcludeColumn("id").On("CONFLICT (slug) DO NOTHING").Returning("NULL").Exec(ctx)
	if err != nil {
		return wrap("add source "+src.Slug, err)
	}
	there, err := s.Source(ctx, src.Slug)
	if err == nil && there.Kind != src.Kind {
		err = fmt.Errorf("add source %s: %w: it is there already and is of kind %q, not %q; choose another name",
			src.Slug, crm.ErrInvalid, there.Kind, src.Kind)
	}
	if err == nil {
		err = there.Takes()
	}
	return err
}

// Source returns a source by its slug. No such source wraps
// [crm.ErrNotFound].
func (s *Store) Source(ctx context.Context, slug string) (crm.Source, error) {
	row, err := sourceBySlug(ctx, s.reads, slug, "")
	if err != nil {
		return crm.Source{}, wrap("source "+slug, err)
	}
	src, err := row.source()
	return src, wrap("source "+slug, err)
}

// Configure changes what a source's connector has to be told. secrets is sealed
// by the caller; nil leaves those that are there. No such source wraps
// [crm.ErrNotFound].
func (s *Store) Configure(ctx context.Context, slug string, settings map[string]string, secrets []byte) error {
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	q := s.db.NewUpdate().Table("sources").Set("settings = ?", string(text)).Where("slug = ?", slug)
	if secrets != nil {
		q = q.Set("secrets = ?", secrets)
	}
	res, err := q.Exec(ctx)
	if err == nil {
		if n, _ := res.RowsAffected(); n == 0 {
			err = crm.ErrNotFound
		}
	}
	return wrap("configure "+slug, err)
}

// Secrets returns what is sealed of a source's settings; nil if nothing is. No
// such source wraps [crm.ErrNotFound].
func (s *Store) Secrets(ctx context.Context, slug string) ([]byte, error) {
	row, err := sourceBySlug(ctx, s.reads, slug, "")
	if err != nil {
		return nil, wrap("source "+slug, err)
	}
	return row.Secrets, nil
}

func sourceBySlug(ctx context.Context, db bun.IDB, slug, locking string) (*sourceRow, error) {
	// A slug comes from people: what cannot be one is not looked for, nor
	// repeated to the database.
	if crm.CheckSlug(slug) != nil {
		return nil, crm.ErrNotFound
	}
	row := new(sourceRow)
	q := db.NewSelect().Model(row).Where("slug = ?", slug)
	if locking != "" {
		q = q.For(locking)
	}
	return row, q.Scan(ctx)
}

// SaveMapping keeps a mapping file, as YAML text, as the one that holds for a
// source when an import brings none; "" forgets it. No such source wraps
// [crm.ErrNotFound].
func (s *Store) SaveMapping(ctx context.Context, slug, yaml string) error {
	res, err := s.db.NewUpdate().Table("sources").Set("mapping = ?", yaml).Where("slug = ?", slug).Exec(ctx)
	if err == nil {
		if n, _ := res.RowsAffected(); n == 0 {
			err = crm.ErrNotFound
		}
	}
	return wrap("save mapping of "+slug, err)
}

// Sources lists the sources by slug, with how many records each has and its
// latest import. It counts the records, so it takes as long as that does.
func (s *Store) Sources(ctx context.Context) ([]crm.SourceStatus, error) {
	var rows []sourceRow
	err := s.reads.NewSelect().Model(&rows).Order("slug").Scan(ctx)
	if err != nil {
		return nil, wrap("sources", err)
	}
	var counted [3]map[int64]int64
	for _, e := range crm.Entities {
		if counted[e], err = s.countBySource(ctx, e); err != nil {
			return nil, wrap("sources", err)
		}
	}
	latest, err := s.latestImports(ctx)
	if err != nil {
		return nil, wrap("sources", err)
	}
	out := make([]crm.SourceStatus, len(rows))
	for i := range rows {
		id := rows[i].ID
		src, err := rows[i].source()
		if err != nil {
			return nil, wrap("sources", err)
		}
		out[i] = crm.SourceStatus{Source: src, Customers: counted[crm.Customer][id],
			Contacts: counted[crm.Contact][id], Notes: counted[crm.Note][id], Latest: latest[rows[i].Slug]}
	}
	return out, nil
}

func (s *Store) countBySource(ctx context.Context, e crm.Entity) (map[int64]int64, error) {
	from := "customer_records AS c"
	if e != crm.Customer {
		from += " JOIN " + tables[e] + " AS t ON t.customer_id = c.id"
	}
	var rows []struct{ SourceID, Records int64 }
	err := s.reads.NewRaw("SELECT c.source_id, count(*) AS records FROM "+from+" GROUP BY c.source_id").Scan(ctx, &rows)
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r.SourceID] = r.Records
	}
	return out, err
}

func (s *Store) latestImports(ctx context.Context) (map[string]*crm.ImportRow, error) {
	var rows []importRow
	err := s.selectImports(&rows).Where("i.number IN (SELECT max(number) FROM imports GROUP BY source_id)").Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*crm.ImportRow, len(rows))
	for i := range rows {
		row, err := s.importOf(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		out[row.Source] = &row
	}
	return out, nil
}
