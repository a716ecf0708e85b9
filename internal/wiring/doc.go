// Package wiring turns settings into connections, connections into the steps'
// dependencies, and those into a worker. Both mains use it, so that a setting
// means the same to both.
//
// Four parts are needed: a Temporal server, a database, a Redis and a stage.
// Each is set by one URL, and each that is not set falls back, alone, to an
// embedded one in the data directory:
//
//	TEMPORAL_ADDRESS  a Temporal server as a child process
//	DATABASE_URL      SQLite
//	REDIS_URL         Redis in this process
//	STAGE_URL         a directory
//
// With any part embedded the starter runs the worker too, in its own process,
// and one process owns the data directory; a second one attaches to the first.
// The worker command refuses embedded parts.
package wiring
