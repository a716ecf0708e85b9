package store

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"sluice/internal/crm"
)

// A dialect is what differs between PostgreSQL and SQLite. Its strings are
// pieces of SQL; identifiers in them come from crm.Fields and this package.
type dialect interface {
	name() string // also the folder of its migrations
	version(ctx context.Context) (string, error)
	hasTable(ctx context.Context, table string) (bool, error)

	// alone runs do while no other process migrates.
	alone(ctx context.Context, do func(db *bun.DB) error) error

	// settled waits until nobody migrates.
	settled(ctx context.Context) error

	// types are those of a temporary table's columns.
	types() columnTypes

	// insert puts rows into a table, and returns how many.
	insert(ctx context.Context, tx session, r *rows) (int64, error)

	// read calls do with the values of each row that a query selects, as text;
	// they are valid until it returns.
	read(ctx context.Context, tx session, query string, do func(values [][]byte) error) error

	// lookUp selects columns of from, and columns of the row t of table that
	// meets where, for all of from for which there is one. It looks each of them
	// up by an index, whatever the planner thinks of the table.
	lookUp(of []string, from string, columns []string, table, where string) string

	// keys is a list k with the column key, of what list makes of texts.
	keys() string
	list(texts []string) any

	// lookUps has the tables of records be looked up by their indexes from now
	// on, however few rows the planner thinks they have.
	lookUps(ctx context.Context, tx session) error

	// seek keeps the planner from walking a table, whatever it thinks of how
	// many rows a look-up finds.
	seek(ctx context.Context, tx bun.IDB, on bool) error

	// makeIndex makes an index, if it is not there, while others write. It is
	// safe to call from several processes at once, and again after a failure.
	makeIndex(ctx context.Context, name, table, columns string) error

	share() string                // reads a row and keeps others from changing it
	lock() string                 // reads a row and keeps others from sharing it
	time(column string) string    // the canonical text of a time
	stamp(text string) string     // a time of a canonical text
	patch(a, b string) string     // object a with the members of object b
	noNulls(object string) string // object without members that are null
	uuid(text string) string      // a text as the tables keep an id
	one(id string) string         // of a group of rows, the id of any
	lower(column string) string   // text with the letters A to Z in lower case
	host(column string) string    // the host of a web address, without "www."
}

// A session is a transaction and the connection it runs on.
type session struct {
	bun.Tx
	conn bun.Conn
}

// inSession runs do in a transaction that commits if do returns nil.
func (s *Store) inSession(ctx context.Context, do func(tx session) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return do(session{tx, conn}) })
}

// tables names the table of each entity.
var tables = [...]string{crm.Customer: "customer_records", crm.Contact: "contacts", crm.Note: "notes"}

// before names the table of what an entity's records were before an import
// changed them. It has the columns of the entity's own, and the import's number.
func before(e crm.Entity) string { return "before_" + tables[e] }

// staged names the temporary table that an entity's records are staged in, and
// met the one that says which records those of them meet that change.
func staged(e crm.Entity) string { return "staged_" + e.Plural() }
func met(e crm.Entity) string    { return "met_" + e.Plural() }

// statuses lists the words of a customer's status. The tables check it too;
// the temporary table does so before anything else happens. It compares one
// word after the other: for IN, SQLite builds an index, once a row.
var statuses = []string{defaultStatus, "Working Lead", "Qualified Lead", "Unqualified Lead", "Active", "Past Due", "Cancelled"}

// defaultStatus is that of a customer that is created without one.
const defaultStatus = "New Lead"

// stagedTable returns the definition of an entity's temporary table: the place
// of a record in its batch, from 0, and the columns of the batch, with the id of
// its customer, NULL if there is none, for the key. A value that a table would
// refuse is refused here first, where every record stands for itself and a fault
// is the fault of one record.
func stagedTable(e crm.Entity, t columnTypes) string {
	cols := []string{"ord " + t.place, "address " + t.integer + " NOT NULL", "id " + t.uuid + " NOT NULL"}
	if e != crm.Customer {
		cols = append(cols, "customer_id "+t.uuid, "match_key "+t.uuid+" NOT NULL")
	}
	for _, f := range crm.Fields(e) {
		col := f.Name + " " + t.of[f.Kind]
		switch {
		case e == crm.Customer && f.Name == "external_id":
			col = f.Name + " " + t.key + " NOT NULL"
		case e == crm.Customer && f.Name == "status":
			col += " CHECK (status = '" + strings.Join(statuses, "' OR status = '") + "')"
		}
		cols = append(cols, col)
	}
	return temporary(staged(e), cols, t)
}

// metTable returns the definition of a table of the records that others meet:
// the place of one, and the id and rev of the other.
func metTable(e crm.Entity, t columnTypes) string {
	return temporary(met(e), []string{"ord " + t.primary, "target " + t.uuid + " NOT NULL", "rev " + t.integer + " NOT NULL"}, t)
}

func temporary(table string, columns []string, t columnTypes) string {
	return "CREATE TEMP TABLE IF NOT EXISTS " + table + " (" + strings.Join(columns, ", ") + ")" + t.end
}

// columnTypes names the types of a temporary table's columns.
type columnTypes struct {
	place, primary string // of ord, without need of an index and with one
	integer, uuid  string
	key            string   // text that is compared byte by byte
	of             []string // by crm.Kind
	end            string   // of the definition
}
