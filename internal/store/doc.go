// Package store keeps what imports write: records become rows of SQL tables,
// through bun, on PostgreSQL or SQLite. It also keeps the imports themselves,
// the ledger of what is in, and what changed records were before.
//
// The heart is [Store.Write], which writes one batch in one transaction:
//
//	ledger row ─▶ import's state ─┬────────── straight ──────────┬─▶ counts ─▶ commit
//	 (is it in?)   (may it write?) └─▶ load ─▶ judge ─▶ apply ────┘
//	                                    │       │        │
//	                                  staged  outcomes  records, before-images
//
// Nothing is written before every record of the batch has its outcome. Where
// nothing in the tables can meet a record of the batch, all are new, and go
// straight in; see straight. Should the tables refuse one, the transaction runs
// again the long way: the records are loaded into temporary tables, and no
// statement runs once a record: the rest is the same set-based SQL on both
// databases. What differs between the two is in postgres.go and sqlite.go.
//
// A dry run goes the same way and ends it with plan in place of apply: what one
// batch must know of another for the counts to be those of a real run is in the
// table import_customers, until the import ends. There too an import remembers
// which customers it met under a key that is not their own: see matching.
//
// The package knows nothing of files, mappings, Redis or Temporal. A caller
// must know one thing: an error that wraps none of the kinds in crm is
// passing, and the call may be made again, whatever became of it before.
package store
