package main

import "time"

// The measures, by the names that -measure takes.
const (
	yardstick  = "y"         // psql \copy of the rows that the import writes
	first      = "first"     // the import into an empty database
	unchanged  = "unchanged" // the same file again
	changed    = "changed"   // then the same rows with other values
	customers  = "customers" // the customers alone into an empty database
	xlsx       = "xlsx"      // the rows as a workbook into an empty database
	serverless = "embedded"  // starter alone: SQLite, and Redis in its process
)

// measures lists them in the order in which they are taken.
var measures = []string{yardstick, first, unchanged, changed, customers, xlsx, serverless}

// The processes, as the report names them.
const (
	postgresProcess = "postgres" // with its backends
	redisProcess    = "redis"
	temporalProcess = "temporal"
	workerProcess   = "worker"
	starterProcess  = "starter" // in the embedded measure with its Temporal server
	psqlProcess     = "psql"
)

var processNames = []string{postgresProcess, redisProcess, temporalProcess, workerProcess, starterProcess, psqlProcess}

// A figure is one measure taken once.
type figure struct {
	Measure string `json:"measure"`
	Round   int    `json:"round"` // from 1

	// Seconds are those that count: of an import from its start to its end, as
	// it reports them; of the yardstick, of all its commands together.
	Seconds float64 `json:"seconds"`

	// CommandSeconds are those of the starter's command, with its own start
	// and the staging of the file.
	CommandSeconds float64 `json:"command_seconds,omitempty"`

	// Parts are the seconds of the yardstick's commands, one a table.
	Parts map[string]float64 `json:"parts,omitempty"`

	// Withheld is the share of the processor time asked for that the host of
	// the machine did not give, from 0 to 1.
	Withheld float64 `json:"withheld"`

	Rows int64 `json:"rows"` // of the file, also those of the yardstick's records

	CPUSeconds map[string]float64 `json:"cpu_seconds"` // by process
	PeakBytes  map[string]int64   `json:"peak_bytes"`  // by process; of several in one the largest

	HistoryEvents int64 `json:"history_events,omitempty"` // of all runs of the workflow
	HistoryBytes  int64 `json:"history_bytes,omitempty"`

	Steps []step `json:"steps,omitempty"`

	// What was held at the most, less what was held before.
	RedisBytes  int64 `json:"redis_bytes,omitempty"`
	StageBytes  int64 `json:"stage_bytes,omitempty"`  // with the file, if it was not there already
	StagedBytes int64 `json:"staged_bytes,omitempty"` // without it

	Keys int64 `json:"keys,omitempty"` // claimed in Redis: one a record that is no duplicate
}

func (f figure) cpu() float64 {
	sum := 0.0
	for _, s := range f.CPUSeconds {
		sum += s
	}
	return sum
}

// results is all that a run of the benchmark saw.
type results struct {
	At       time.Time `json:"at"`
	Machine  machine   `json:"machine"`
	Rows     int       `json:"rows"`
	Seed     uint64    `json:"seed"`
	FileSize int64     `json:"file_bytes"`
	Figures  []figure  `json:"figures"`
	Withheld float64   `json:"withheld_at_most"`  // figures of more do not count; 0: all do
	Profile  *profile  `json:"profile,omitempty"` // nil if none was taken
}

// counts says whether the host let the figure be.
func (r results) counts(f figure) bool { return r.Withheld == 0 || f.Withheld <= r.Withheld }

// of returns the figures of a measure that count, in the order of the rounds.
func (r results) of(measure string) []figure {
	var list []figure
	for _, f := range r.Figures {
		if f.Measure == measure && r.counts(f) {
			list = append(list, f)
		}
	}
	return list
}
