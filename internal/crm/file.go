package crm

import "time"

// An Object refers to something kept in the stage. Objects never change: a
// reader that finds another hash or size than this has found damage.
type Object struct {
	Key    string `json:"key"`
	Size   int64  `json:"size"`   // in bytes, as they were put
	BLAKE3 string `json:"blake3"` // of the bytes, as 64 lower-case hex digits
}

// IsZero reports whether o refers to nothing.
func (o Object) IsZero() bool { return o.Key == "" }

// A Listed is one object of a stage, or what a writer left that did not finish.
type Listed struct {
	Key  string    // of an object; else where the file of the writer lies
	Size int64     // of all its bytes, those the stage adds too
	At   time.Time // when it was put, by the clock of the place

	// Unfinished is true for what a writer left, or is writing at the moment:
	// then At is when it last wrote.
	Unfinished bool
}

// MappingKey is the key under which the stage keeps the text of the mapping
// that an import was opened with; empty text if it had none. It is put by key
// and not referred to, since Open answers for it before anything else is known.
func MappingKey(importID string) string { return "imports/" + importID + "/mapping.yaml" }

// A FileRef says where a file of a request is. Local files and standard input
// are staged before the import starts, so that a worker never opens a path
// that came in a request. What lies elsewhere a worker brings into the stage,
// before it reads the first of the files.
type FileRef struct {
	Name   string `json:"name"`            // base name at the source, for people to read
	Object Object `json:"object,omitzero"` // zero while it lies elsewhere

	// Place is where it lies, such as s3://bucket/key; "" for a local file. Of an
	// address on the web it says the host alone, since the rest may be all it
	// takes to read the file: Address refers to the whole in the stage.
	Place   string `json:"place,omitempty"`
	Address Object `json:"address,omitzero"`

	Many bool `json:"many,omitempty"` // Place is a pattern: it stands for every file that matches
}

// Elsewhere reports whether the file is still to be brought into the stage.
func (f FileRef) Elsewhere() bool { return f.Object.IsZero() && f.Place != "" }

// A File refers to a source file that is whole in the stage.
type File struct {
	Number int    `json:"number"` // within the import, from 0
	Name   string `json:"name"`   // base name at the source, for people to read
	Object Object `json:"object"` // never of size 0: an empty file is [ErrInvalid]

	// Sums refers to the checksums of its blocks, by which a reader that begins
	// anywhere notices that the file has changed. Zero in imports that began
	// before there were any.
	Sums Object `json:"sums,omitzero"`
}

// A Position is a place in a UTF-8 text file between two rows, where reading
// can begin.
type Position struct {
	Offset int64 `json:"offset"` // in bytes from the file's first, inclusive
	Line   int64 `json:"line"`   // physical line at Offset; the first line is 1
}

// An Address is where a person finds a row: the number of the file within the
// import, and the line on which the row starts. Addresses order the rows of an
// import as they were read.
type Address int64

// LineBits is how many bits of an address say the line; those above say the
// file.
const LineBits = 40

// At returns the address of a line of a file. Both count as [File.Number] and
// [Position.Line] do.
func At(file int, line int64) Address { return Address(int64(file)<<LineBits | line) }

// File returns the number of the file within the import, from 0.
func (a Address) File() int { return int(a >> LineBits) }

// Line returns the line within the file, from 1.
func (a Address) Line() int64 { return int64(a) & (1<<LineBits - 1) }

// A Decision is something that was found out about a file, or guessed, with
// what spoke for it. It names columns and never quotes cells (invariant 4).
type Decision struct {
	About    string  `json:"about"`              // such as "encoding", "delimiter" or `column "Phone"`
	Choice   string  `json:"choice"`             // such as "utf-8", ";" or "contact.phone"
	Evidence string  `json:"evidence,omitempty"` // a phrase for people
	Score    float64 `json:"score"`              // 0 to 1; 1 is certain or was told
}
