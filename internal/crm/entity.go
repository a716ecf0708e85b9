package crm

// An Entity is a kind of record.
type Entity int

// The entities, in the order in which they are written: contacts and notes
// hang on customers.
const (
	Customer Entity = iota
	Contact
	Note
)

// Entities lists every entity in writing order.
var Entities = []Entity{Customer, Contact, Note}

// String returns the singular name, as mappings write it.
func (e Entity) String() string { return [...]string{"customer", "contact", "note"}[e] }

// Plural returns the name that tables, reports and commands use.
func (e Entity) Plural() string { return e.String() + "s" }

// A Kind is how the values of a field are written and compared.
type Kind int

// The kinds of field, each with the canonical text that batches, tables and
// exports hold. The empty text is a blank and becomes NULL.
const (
	Text       Kind = iota // as given, NFC, trimmed
	Time                   // 2006-01-02T15:04:05.000Z, UTC, milliseconds
	Int                    // decimal digits
	Tags                   // a JSON array of strings, sorted, without repeats
	Attributes             // a JSON object of scalars, keys sorted
)

// A Field is one field of an entity. Names are API.
type Field struct {
	Name string
	Kind Kind
}

// Fields lists the fields of an entity that an import may fill, in the order
// of the tables' columns. The caller must not change the slice.
//
// A customer's external_id is its key within the source and never blank in a
// batch; with no column for it, it is "email:" and the address: see
// [EmailKey].
func Fields(e Entity) []Field { return fields[e] }

var fields = [...][]Field{
	Customer: {
		{"external_id", Text}, {"name", Text}, {"email", Text}, {"company", Text},
		{"country", Text}, {"state", Text}, {"city", Text}, {"zip", Text},
		{"lead_created_at", Time}, {"free_trial_started_at", Time},
		{"status", Text}, {"owner", Text}, {"website_url", Text},
		{"tags", Tags}, {"custom", Attributes}, {"source_updated_at", Time},
	},
	Contact: {
		{"external_id", Text}, {"position", Int}, {"first_name", Text}, {"last_name", Text},
		{"title", Text}, {"email", Text}, {"phone", Text}, {"linked_in", Text}, {"twitter", Text},
		{"notes", Text}, {"custom", Attributes}, {"source_updated_at", Time},
	},
	Note: {
		{"type", Text}, {"text", Text}, {"author_email", Text}, {"call_duration", Int},
		{"created_at", Time}, {"source_updated_at", Time},
	},
}

// FieldIndex returns the place of a field in [Fields], or -1.
func FieldIndex(e Entity, name string) int {
	for i, f := range fields[e] {
		if f.Name == name {
			return i
		}
	}
	return -1
}

// A Row is one line of a table as read, before any meaning is given to it.
type Row struct {
	// Line is where a person finds the row: its number in the sheet (XLSX),
	// or the line of the file on which it starts (CSV). The first line is 1,
	// so the first row below a header is at 2 or later.
	Line int64

	// Cells has one entry per column of the header, as UTF-8, untrimmed. The
	// slice and the strings' backing memory are reused: they are valid until
	// the next call to the reader that returned them.
	Cells []string

	// Fault is why the row cannot be read as its owner wrote it; empty when it
	// can. Cells then holds what could be made out, of any length.
	Fault Reason
}

// Records is what one row carries: up to one record of each entity, as values
// in the order of [Fields]. A nil slice means that the row has no such record.
// Values are canonical (see [Kind]); "" is blank.
type Records [3][]string

// A Rejection says why one row was not imported. It is data, not an error: an
// import with rejections succeeds. It says where the fault is and never what
// the cell held (invariant 4).
type Rejection struct {
	Column string `json:"column,omitempty"` // header text; "" if the whole row is at fault
	Reason Reason `json:"reason"`
}

// A RejectedRow is a rejected row as staged for its owner to mend, or a row
// accepted with warnings. It holds cells, and so never leaves the stage but at
// the owner's request.
//
// In a retry File and Line are where the row stood in the import that is
// retried; see [Request.Parent].
type RejectedRow struct {
	File   int         `json:"file,omitempty"` // number of the file within the import
	Line   int64       `json:"line"`
	Faults []Rejection `json:"faults"` // or warnings; none in the list of unprocessed rows
	Cells  []string    `json:"cells"`
}
