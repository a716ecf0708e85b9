// Package embedded is what Sluice runs on when it has been given no servers: a
// Temporal server in a child process, Redis in this one, and one directory that
// holds the databases, the stage and the logs.
//
//	Open(dir) ─▶ StartTemporal ─▶ StartRedis ─▶ Publish(addresses)
//	   │              │               │              │
//	  lock       child process     miniredis    address.json, for the
//	             and its SQLite                 commands that come second
//
// It knows ports, processes and files, and nothing of imports: no SDK, no SQL,
// no CRM. What it starts is reached by address, as a server would be.
//
// Whoever opens the directory owns it until it closes it or dies. A second
// process is told so by a [LockedError], which carries the addresses to attach
// to. Nothing started here outlives the process that started it, even if that
// is killed.
package embedded
