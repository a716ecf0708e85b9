// Package store keeps what imports write: records become rows of SQL tables,
// through bun, on PostgreSQL or SQLite. It also keeps the imports themselves,
// the ledger of what is in, and what changed records were before.
//
// The heart is [Store.Write], which writes one batch in one transaction:
//
//	ledger row ─▶ import's state ─▶ look ─▶ judge ─▶ apply ─▶ counts ─▶ commit
//	 (is it in?)   (may it write?)   │        │        │
//	                    what each record   outcomes  records, before-images
//	                         would meet
//
// Nothing is written before every record of the batch has its outcome, and no
// statement runs once a record. Records are staged in temporary tables and looked
// up by one query an entity, which also compares them: what is as it should be
// is not touched. What is decided, is decided here; see records. Those that are
// new go into the tables as they are, those that change by way of what is
// staged.
//
// A batch of which, as far as a look at some can tell, nothing is there yet, is
// not even staged; see allNew. Should the tables refuse a record of it, the
// transaction runs again the long way. What differs between the two databases
// is in postgres.go and sqlite.go.
//
// A dry run goes the same way and ends it with plan in place of apply: what one
// batch must know of another for the counts to be those of a real run is in the
// table import_customers, until the import ends. There too an import remembers
// which customers it met under a key that is not their own: see matching.
//
// What is in goes out again page by page: [Store.UndoPage] takes back what an
// import wrote, and [Store.RemovePage] all that a source holds. How far that is
// commits with each page.
//
// The package knows nothing of files, mappings, Redis or Temporal. A caller
// must know one thing: an error that wraps none of the kinds in crm is
// passing, and the call may be made again, whatever became of it before.
package store
