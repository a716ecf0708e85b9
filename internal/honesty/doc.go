// Package honesty makes damaged files and judges how they are read. It serves
// tests alone.
//
// A [Case] is a small table written in some dialect, with one thing wrong at
// one place, and the knowledge of what its owner meant. A reading of it is
// honest if every row that the damage does not touch is there, exactly as
// written and at its line; if every row that it touches is there exactly or is
// reported at one of its lines; and if nothing else is there. A file whose
// header is hit may be refused as a whole instead.
//
// [Corpus] makes each kind of damage at each position. It is the same for the
// same seed: the seed only varies what stands in the cells.
package honesty

import "sluice/internal/crm"

// A Case is one file and what its owner meant by it.
type Case struct {
	Name    string      // kind of damage and where, as the name of a subtest
	File    []byte      // never empty
	Reading crm.Reading // what the owner says about the file; mostly nothing

	Header []string
	Rows   []Row // in the order of the file

	// Refuse says whether the file may, must or must not be refused.
	Refuse Refuse
}

// Refuse is what may become of a whole file.
type Refuse int

// The ways to take a file. The zero Refuse is Never.
const (
	Never Refuse = iota // every row untouched must come through
	May                 // the damage leaves the file without a sure meaning
	Must                // reading it would be a guess
)

// A Row is a row as its owner meant it.
type Row struct {
	Line    int64 // where it starts
	Last    int64 // where it ends, inclusive
	Cells   []string
	Touched bool // the damage is in it: it may be reported instead

	// Parts is what a part of the row may pass for, provided that another part
	// of it is reported. It is for one damage alone: a line end that is not
	// quoted, in the first or the last column, leaves a line that has as many
	// cells as it should, and nobody can tell that it is not a row.
	Parts [][]string
}

// A Result is what a reader made of a file.
type Result struct {
	Refused error // nil if the file was read
	Header  []string
	Rows    []crm.Row // with their Fault, if they have one; cells as own copies
}
