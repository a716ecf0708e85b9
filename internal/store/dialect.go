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

	// prepare makes the temporary table of e, empty, and load fills it.
	prepare(ctx context.Context, tx session, e crm.Entity) error
	load(ctx context.Context, tx session, e crm.Entity, from *loader) error

	// create puts new records into their table, and returns how many.
	create(ctx context.Context, tx session, from *creator) (int64, error)

	// customersOf selects key, id and created_import of the customers of source
	// ?1 that have the keys ?0, which is made by list. It looks each of them up,
	// whatever the planner thinks of the table.
	customersOf() string
	list(keys []string) any

	// release gives back what the temporary table of e holds, if the end of
	// the transaction does not.
	release(ctx context.Context, tx session, e crm.Entity) error

	// small lets the planner join temporary tables with each other as it
	// likes; without it every table is looked up by its index, however few
	// rows the planner thinks it has.
	small(ctx context.Context, tx session, on bool) error

	// index makes the customers that are loaded quick to find by their keys.
	index(ctx context.Context, tx session) error

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
	gather(value string) string   // one string of the values of all rows s, by ord
	image(e crm.Entity) string    // row t as JSON
	patch(a, b string) string     // object a with the members of object b
	noNulls(object string) string // object without members that are null
	uuid(text string) string      // a text as the tables keep an id
	one(id string) string         // of a group of rows, the id of any
	lower(column string) string   // text with the letters A to Z in lower case
	host(column string) string    // the host of a web address, without "www."

	// find sets columns of the staged rows s from the row t of table that
	// meets where, if there is one. Only rows for which only holds need be
	// looked at.
	find(staged, table string, columns, values []string, where, only string) string
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

// staged names the temporary table that an entity's records are loaded into.
func staged(e crm.Entity) string { return "staged_" + e.Plural() }

// statuses lists the words of a customer's status. The tables check it too;
// the temporary table does so before anything else happens. It compares one
// word after the other: for IN, SQLite builds an index, once a row.
var statuses = []string{defaultStatus, "Working Lead", "Qualified Lead", "Unqualified Lead", "Active", "Past Due", "Cancelled"}

// defaultStatus is that of a customer that is created without one.
const defaultStatus = "New Lead"

// stagedTable returns the definition of an entity's temporary table: the
// columns of a batch between the record's place and what is found out about
// it. A value that a table would refuse is refused here first, where every
// record stands for itself and a fault is the fault of one record.
//
//	ord          place of the record in its batch, from 0
//	customer_id  contacts and notes: the customer they hang on; NULL if there is none
//	fresh        contacts and notes: 1 if this batch creates their customer, else NULL
//	target, rev  the record that is there already; NULL if there is none
//	found        'n' if it is there and as it should be, 'u' if it changes, 'C' if it
//	             would, but changed since the import that is retried, '!' if this
//	             import wrote it from another row, 'M' if its customer's key hits
//	             several; NULL if it is not there, or 'c' if its customer is not
//	             there in a dry run, and will be
func stagedTable(e crm.Entity, t columnTypes) string {
	cols := []string{"ord " + t.ord, "address " + t.integer + " NOT NULL", "id " + t.uuid + " NOT NULL"}
	if e != crm.Customer {
		cols = append(cols, "customer_key "+t.key+" NOT NULL", "match_key "+t.uuid+" NOT NULL",
			"customer_id "+t.uuid, "fresh "+t.integer)
	}
	for _, f := range crm.Fields(e) {
		col := f.Name + " " + strings.ReplaceAll(t.of[f.Kind], "$", f.Name)
		switch {
		case e == crm.Customer && f.Name == "external_id":
			col = f.Name + " " + t.key + " NOT NULL"
		case e == crm.Customer && f.Name == "status":
			col += " CHECK (status = '" + strings.Join(statuses, "' OR status = '") + "')"
		}
		cols = append(cols, col)
	}
	cols = append(cols, "target "+t.uuid, "rev "+t.integer, "found "+t.of[crm.Text])
	return "CREATE TEMP TABLE IF NOT EXISTS " + staged(e) + " (" + strings.Join(cols, ", ") + ")"
}

// columnTypes names the types of a temporary table's columns.
type columnTypes struct {
	ord, integer, uuid string
	key                string   // text that is compared byte by byte
	of                 []string // by crm.Kind; $ stands for the column's name
}

// keyColumns is how many of a batch's columns say who a record is: its place,
// and its external id, or its customer's key and its own.
var keyColumns = [...]int{crm.Customer: 3, crm.Contact: 4, crm.Note: 4}

// loadColumns lists the columns of the temporary table that are loaded.
func loadColumns(e crm.Entity) string {
	return "ord, " + strings.Join(crm.BatchColumns(e), ", ")
}
