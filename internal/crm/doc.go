// Package crm is the vocabulary of an import: what is asked for, what moves
// between the steps, and what is reported at the end. Every other package
// speaks in these words; this one imports nothing but the standard library.
//
// # A row's journey
//
//	Open ─▶ Fetch ─▶ Inspect ─▶ Parse ─▶ Dedupe ─▶ Write ─▶ Settle ─▶ Reconcile ─▶ Notify
//	         File     Plan      Batches  Verdicts   ledger             Report      people
//	                               │         │         │
//	                            rejected  duplicate  before-images
//
// A row changes shape twice, both times inside Parse:
//
//	bytes ─tabular─▶ Row ─mapping─▶ Records (a customer, a contact, a note)
//
// and once more inside Write, where records become rows of SQL tables.
//
// # Rows, records and outcomes
//
// A row is a line of a table, found at an [Address]. It carries up to one
// record of each [Entity]. Rows are rejected, duplicate or accepted; records
// are created, updated, unchanged or duplicate. A row is rejected if any of
// its records is, duplicate only if every record it carries is, else accepted.
// The records of a rejected row are not counted and not written.
//
// # Invariants
//
// Code that upholds one of these names it where it does so.
//
//  1. Every row is accounted for. Read = Rejected + Duplicate + Accepted, plus
//     Unprocessed after a cancel or a failure; blank rows are counted apart.
//     For each entity, Records = Created + Updated + Unchanged + Duplicate,
//     plus Waiting, which is 0 at the end. Both hold per batch and per import,
//     and an import whose recount disagrees has failed.
//  2. No payload grows with the file. Steps exchange references and counts;
//     rows, cursors and reports stay in the stage and the database.
//  3. A step run twice has the effect of being run once. The ledger row of a
//     batch commits in the transaction that writes its records.
//  4. No cell value leaves the stage and the database. Errors, log lines,
//     histories, metrics, ids and Redis keys say where a value is, never what
//     it is.
//  5. The database judges, Redis advises. Losing, emptying or filling Redis at
//     any moment changes the speed, never the result or the counts.
//  6. Deterministic. The same files, mapping and starting database give the
//     same rows and counts, whatever the batch size, the number of workers and
//     the crashes on the way.
package crm
