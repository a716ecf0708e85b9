// Package source reads records from where they are kept: billing systems, CRMs,
// spreadsheets on the web, databases. One file holds one connector.
//
//	settings ──Check──▶ whose they are, how many there are
//	span ──────Plan───▶ partitions ──Read, page by page──▶ rows
//
// A connector keeps nothing between two calls. What it reads next is in the
// cursor that it returned last, which is plain data: any worker goes on from
// there, after any crash. So every row comes at least once, and some come twice;
// telling what is new from what is known is not the business of this package.
//
// It knows nothing of workflows, of the stage and of the database. It reaches
// out through what it is given, which bounds where to and how often.
//
// # What a row is
//
// A row has the fields of one record of each entity, named as package crm names
// them, as the source writes their values; what each connector takes for which
// field stands in its file. What else the source has of them is in Extra, for a
// mapping to name.
//
// # Errors
//
// What the source refuses is marked by its kind: [crm.ErrDenied] for credentials
// that do not hold or lack a permission, [crm.ErrInvalid] for settings that make
// no sense, [crm.ErrNotFound] for a thing that is not there, [Throttled] for a
// source that asks to wait, [crm.ErrCursorLost] for a cursor that it forgot. All
// else is passing. No error repeats a secret, nor what an answer held.
package source
