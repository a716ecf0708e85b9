package source

import (
	"context"
	"fmt"
	"unicode/utf8"

	"sluice/internal/crm"
)

// A sqlPage is a page while it is read.
type sqlPage struct {
	*sqlReading
	most  database
	rows  []Row
	bytes int
	keys  map[string]bool

	last   sqlCursor
	behind *sqlCursor // the first that the page does not hold; nil: there is none
}

func (d database) page(ctx context.Context, s sqlSession, r *sqlReading, at *sqlCursor) (Page, error) {
	p := &sqlPage{sqlReading: r, most: d, keys: map[string]bool{}}
	if at != nil && at.Rows > 0 {
		p.most.rows = min(at.Rows, d.rows)
	}
	if err := r.read(ctx, s, r.page(at, p.most.rows+1), p.add); err != nil {
		return Page{}, err
	}
	if p.behind == nil {
		return Page{Rows: p.rows}, nil
	}
	next := p.last
	switch {
	case p.bytes >= d.bytes: // the next page asks for no more than will do
		next.Rows = len(p.rows)
	case p.most.rows < d.rows && p.bytes < d.bytes/4:
		next.Rows = 2 * p.most.rows
	case p.most.rows < d.rows:
		next.Rows = p.most.rows
	}
	if apart := r.changed.exact && next.Changed != p.behind.Changed; !apart && !r.key.exact {
		if err := p.addPeers(ctx, s); err != nil {
			return Page{}, err
		}
	}
	c, err := cursor(next)
	return Page{Rows: p.rows, Next: c}, err
}

// add takes a row, unless the page is full: then it only notes what lies
// behind.
func (p *sqlPage) add(values []sqlValue) error {
	if p.behind != nil {
		return nil
	}
	at, err := p.place(values)
	if err != nil {
		return err
	}
	if p.keys[at.Key] {
		return p.notUnique()
	}
	if len(p.rows) == p.most.rows || p.bytes >= p.most.bytes {
		p.behind = &at
		return nil
	}
	p.last = at
	return p.take(at, values)
}

// addPeers takes the rows that the database does not tell from the last one,
// whose texts differ nonetheless, in case or in a closing zero. They would be
// neither on this page nor behind it.
func (p *sqlPage) addPeers(ctx context.Context, s sqlSession) error {
	peers := map[string]bool{}
	return p.read(ctx, s, p.peers(p.last, maxSQLPeers), func(values []sqlValue) error {
		at, err := p.place(values)
		if err != nil {
			return err
		}
		if peers[at.Key] || len(peers) == maxSQLPeers-1 {
			return p.notUnique()
		}
		peers[at.Key] = true
		if p.keys[at.Key] {
			return nil
		}
		return p.take(at, values)
	})
}

// maxSQLPeers bounds how many rows a database may take for one.
const maxSQLPeers = 1000

func (p *sqlPage) notUnique() error {
	return fmt.Errorf("%w: column %q cannot be the key: several rows have the same value there", crm.ErrInvalid, p.key.name)
}

// take adds a row to the page.
func (p *sqlPage) take(at sqlCursor, values []sqlValue) error {
	p.keys[at.Key] = true
	var row Row
	var err error
	if row.ID, err = p.key.cell(values[len(p.columns)]); err != nil {
		return err
	}
	for i, c := range p.columns {
		text, err := c.cell(values[i])
		if err != nil {
			return err
		}
		row.Extra.Set(c.name, text)
		p.bytes += len(text)
	}
	p.rows = append(p.rows, row)
	return nil
}

// place is where a row stands in the order.
func (r *sqlReading) place(values []sqlValue) (at sqlCursor, err error) {
	key := values[len(r.columns)]
	at = sqlCursor{Key: key.text, KeyType: firstOf(r.key.typ, key.typ)}
	switch {
	case key.typ == "real" || key.typ == "blob":
		return at, fmt.Errorf("%w: column %q cannot be the key: it holds values that are neither integers nor texts", crm.ErrInvalid, r.key.name)
	case len(key.text) > maxSQLKey:
		return at, fmt.Errorf("%w: column %q cannot be the key: a value is longer than %d bytes", crm.ErrInvalid, r.key.name, maxSQLKey)
	case !utf8.ValidString(key.text):
		return at, fmt.Errorf("%w: column %q cannot be the key: a value is not UTF-8", crm.ErrInvalid, r.key.name)
	}
	if r.changed.name != "" {
		changed := values[len(r.columns)+1]
		at.Changed, at.ChangedType = changed.text, firstOf(r.changed.typ, changed.typ)
	}
	return at, nil
}
