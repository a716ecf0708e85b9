package source

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"sluice/internal/crm"
)

// SQL reads the rows of a query that its owner writes, from PostgreSQL, MySQL,
// MariaDB or SQLite. The query stands in parentheses within ours, so that the
// database itself divides its rows into pages: behind the last row's key, never
// by counting, so that rows which come and go meanwhile shift no others. Keys
// are compared by the database, as its own type and in its own order.
//
// All rows are read in the order of the key. Changes are read in the order of
// the column that says when a row changed, where there is one; rows without
// such a time are found only when all are read, and so is what is deleted: by
// its absence.
//
// A call connects, reads a page in a read-only transaction, and disconnects.
// Nothing of a row is in an error; a cursor holds the last row's key, and is
// kept in the stage as the rows are.
var SQL = register(database{rows: 5000, bytes: 16 << 20})

// database bounds its pages by rows and, about, by the bytes of their values.
type database struct{ rows, bytes int }

// Streams of a query.
const (
	sqlRows    = "rows"    // all there are
	sqlChanges = "changes" // those that changed in a span
)

// What the settings are where they are not set.
const (
	sqlLag     = time.Minute
	sqlTimeout = 2 * time.Minute
)

// maxSQLKey is how long a key may be, in bytes. MySQL looks at no more than the
// first 1,024 when it sorts (max_sort_length).
const maxSQLKey = 1000

func (database) About() About {
	return About{
		Kind: "sql", Title: "SQL database", Reads: "the rows of a query, from PostgreSQL, MySQL, MariaDB or SQLite",
		Settings: []Setting{
			{Name: "dsn", Help: "postgres://user:password@host/database, mysql:// likewise, or sqlite:///path of a file that every worker has; give the user no right but to read",
				Secret: true, Required: true, Check: func(v string) error { _, _, err := parseDSN(v); return err }},
			{Name: "query", Help: "a SELECT with a name for each column", Required: true},
			{Name: "key", Help: "the column that tells the rows apart: an integer, a text, a UUID or a time, and better indexed", Required: true},
			{Name: "updated", Help: "the column that says when a row changed, for syncs; rows without a time are found only when all are read"},
			{Name: "zone", Help: "the time zone of that column, if its type has none", Default: "UTC", Check: func(v string) error { _, err := parseSQLZone(v); return err }},
			{Name: "lag", Help: "how long after that time a row may be committed, clocks included", Default: sqlLag.String(), Check: checkSQLDuration},
			{Name: "timeout", Help: "how long a statement may take", Default: sqlTimeout.String(), Check: checkSQLDuration},
		},
		Increments: NoDeletes, Lag: sqlLag, Free: true,
	}
}

// A sqlJob is what the settings say.
type sqlJob struct {
	dsn                 *url.URL
	dialect             sqlDialect
	query, key, updated string
	zone                *time.Location
	lag, timeout        time.Duration
}

func sqlJobOf(settings map[string]string) (*sqlJob, error) {
	j := &sqlJob{query: settings["query"], key: settings["key"], updated: settings["updated"]}
	var errs [4]error
	j.dsn, j.dialect, errs[0] = parseDSN(settings["dsn"])
	j.zone, errs[1] = parseSQLZone(firstOf(settings["zone"], "UTC"))
	j.lag, errs[2] = parseSQLDuration(firstOf(settings["lag"], sqlLag.String()))
	j.timeout, errs[3] = parseSQLDuration(firstOf(settings["timeout"], sqlTimeout.String()))
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	if j.dsn.Scheme == "sqlite" && j.zone != time.UTC {
		return nil, fmt.Errorf("%w zone: SQLite reckons in UTC; have the query convert the column", crm.ErrInvalid)
	}
	return j, j.dialect.syntax().check(j.query)
}

func parseDSN(text string) (*url.URL, sqlDialect, error) {
	u, err := url.Parse(text)
	if err != nil { // the error would repeat it
		return nil, nil, fmt.Errorf("%w: the dsn is no address; in a password, write %% and two digits for what is none of a-z, A-Z, 0-9, - and _", crm.ErrInvalid)
	}
	d, ok := sqlDialects[u.Scheme]
	if !ok {
		return nil, nil, fmt.Errorf("%w: the dsn has to begin with postgres://, mysql:// or sqlite:///", crm.ErrInvalid)
	}
	return u, d, d.check(u)
}

func parseSQLZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("%w zone: there is no time zone %q", crm.ErrInvalid, name)
	}
	return zone, nil
}

func parseSQLDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Millisecond {
		return 0, fmt.Errorf("%w: %q is no length of time such as 90s or 2m", crm.ErrInvalid, text)
	}
	return d, nil
}

func checkSQLDuration(text string) error { _, err := parseSQLDuration(text); return err }

func (database) Check(ctx context.Context, a *Access) (Account, error) {
	j, err := sqlJobOf(a.Settings)
	if err != nil {
		return Account{}, err
	}
	s, err := j.open(ctx, a)
	if err != nil {
		return Account{}, err
	}
	defer s.close()
	stream := sqlChanges
	if j.updated == "" {
		stream = sqlRows
	}
	if _, err := j.reading(ctx, s, crm.Partition{Stream: stream}); err != nil {
		return Account{}, err
	}
	var server sqlServer
	err = j.within(ctx, func(ctx context.Context) (err error) {
		server, err = s.server(ctx)
		return err
	})
	return Account{Name: server.name, Notes: j.notes(server, a.Now())}, err
}

// notes are what an owner should know.
func (j *sqlJob) notes(s sqlServer, now time.Time) (notes []string) {
	if j.updated == "" {
		notes = append(notes, "every sync reads all rows; name a column that says when a row changed to have it read less")
	} else {
		notes = append(notes, fmt.Sprintf("a sync does not find rows that are deleted, nor rows without a time in %q; a backfill finds the latter", j.updated))
	}
	if s.plain {
		notes = append(notes, "the connection is not encrypted: what the database says can be read on the way")
	}
	if off := s.clock.Sub(now).Round(time.Second); !s.clock.IsZero() && off.Abs() > j.lag/2 {
		notes = append(notes, fmt.Sprintf("the database's clock is off by %s; raise lag to more than that, or a sync overlooks changes", off))
	}
	return notes
}

// Plan reads all at once: the pages follow each other anyway. Changes are read
// from a little before the last sync ended, for what was committed late.
func (database) Plan(_ context.Context, a *Access, w Want) ([]crm.Partition, error) {
	j, err := sqlJobOf(a.Settings)
	if err != nil {
		return nil, err
	}
	if !w.Changes || j.updated == "" || w.From.IsZero() {
		return []crm.Partition{{ID: sqlRows, Stream: sqlRows}}, nil
	}
	if w.To.IsZero() {
		w.To = a.Now().Add(-sqlLag)
	}
	return []crm.Partition{Window(sqlChanges, w.From.Add(-max(0, j.lag-sqlLag)), w.To)}, nil
}

func (d database) Read(ctx context.Context, a *Access, p crm.Partition, c Cursor) (Page, error) {
	j, err := sqlJobOf(a.Settings)
	if err != nil {
		return Page{}, err
	}
	var at *sqlCursor
	if c != nil {
		at = new(sqlCursor)
		if err := readCursor(c, at); err != nil {
			return Page{}, err
		}
	}
	s, err := j.open(ctx, a)
	if err != nil {
		return Page{}, err
	}
	defer s.close()
	r, err := j.reading(ctx, s, p)
	if err != nil {
		return Page{}, err
	}
	if at == nil {
		if err := r.everyRowHasAKey(ctx, s); err != nil {
			return Page{}, err
		}
	} else if firstOf(r.key.typ, at.KeyType) != at.KeyType || firstOf(r.changed.typ, at.ChangedType) != at.ChangedType {
		return Page{}, fmt.Errorf("%w: a column that orders the rows has another type than it had", crm.ErrCursorLost)
	}
	return d.page(ctx, s, r, at)
}

// within bounds what is asked of the database by the timeout.
func (j *sqlJob) within(ctx context.Context, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	err := do(bounded)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case bounded.Err() != nil:
		return errSQLSlow
	}
	return err
}

func (j *sqlJob) open(ctx context.Context, a *Access) (s sqlSession, err error) {
	err = j.within(ctx, func(bounded context.Context) error {
		bounded, cancel := context.WithTimeout(bounded, sqlConnect)
		defer cancel()
		s, err = j.dialect.open(bounded, a, j.dsn, j.timeout)
		return err
	})
	return s, err
}

// reading asks the database what columns the query has, and makes sure that the
// ones which matter will do.
func (j *sqlJob) reading(ctx context.Context, s sqlSession, p crm.Partition) (*sqlReading, error) {
	r := &sqlReading{sqlJob: j}
	err := j.within(ctx, func(ctx context.Context) (err error) {
		r.columns, err = s.describe(ctx, j.query)
		return err
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range r.columns {
		switch {
		case slices.Contains(names, c.name):
			return nil, fmt.Errorf("%w query: two of its columns are called %q", crm.ErrInvalid, c.name)
		case c.kind == sqlBinary:
			return nil, c.binary()
		}
		names = append(names, c.name)
	}
	if r.key, err = r.column(j.key); err != nil {
		return nil, err
	}
	if !r.key.orders {
		return nil, fmt.Errorf("%w: column %q cannot be the key: its type has no exact order (%s)", crm.ErrInvalid, j.key, r.key.typ)
	}
	switch p.Stream {
	case sqlRows:
		return r, nil
	case sqlChanges:
	default:
		return nil, noPartition(p)
	}
	if r.changed, err = r.column(j.updated); err != nil {
		return nil, err
	}
	if r.changed.times == sqlNoTime {
		return nil, fmt.Errorf("%w: column %q does not say when a row changed: it is no date or time (%s)", crm.ErrInvalid, j.updated, r.changed.typ)
	}
	r.span = crm.Span{From: p.From, To: p.To}
	r.from, r.to = r.changed.times.bounds(r.span, j.zone)
	return r, nil
}

func (r *sqlReading) column(name string) (sqlColumn, error) {
	var names []string
	for _, c := range r.columns {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return sqlColumn{}, fmt.Errorf("%w: the query has no column %q, only %q", crm.ErrInvalid, name, names[:min(len(names), 30)])
}

// read carries out a statement.
func (r *sqlReading) read(ctx context.Context, s sqlSession, st *sqlStatement, do func([]sqlValue) error) error {
	return r.within(ctx, func(ctx context.Context) error { return s.read(ctx, st, do) })
}

func (r *sqlReading) everyRowHasAKey(ctx context.Context, s sqlSession) error {
	return r.read(ctx, s, r.keyless(), func([]sqlValue) error {
		return fmt.Errorf("%w: there are rows without a value in the key %q; leave them out of the query, or choose another key", crm.ErrInvalid, r.key.name)
	})
}
