package mapping

import "sluice/internal/crm"

// A Spec is a mapping file: what its owner wrote. The zero Spec leaves every
// decision to the header.
//
//	version: 1
//	mode: upsert          # or create_only, update_only
//	match: external_id    # or email, domain: what customers are known by
//	unknown: ignore       # or custom, refuse: what to do with columns nobody mapped
//	only: [contacts]      # customers are referred to, not created
//	bad_cells: reject     # or blank: leave out what does not fit, with a warning
//	date_order: dmy       # or mdy, ymd; otherwise found from each whole column
//	delimiter: ";"        # and every other key of crm.Reading, under its name there
//	columns:
//	  Customer ID: customer.external_id
//	  Mail: {to: [customer.email, contact.email], required: true}
//	  Contact person: contact.name       # a full name, divided where it says where
//	  Score: {to: customer.custom.score, type: decimal, decimal: ","}
//	  Size: {to: customer.custom.size, type: choice, values: [small, large]}
//	  Stage: {to: customer.status, values: {Fresh: New Lead}, bad_cells: blank}
//	  Interests: {to: customer.tags, separator: "/"}
//	  Internal: ignore
//	fields:
//	  customer.name: {join: [Given name, Surname], collision: fill_blank}
//	  customer.owner: {default: sales@example.com}
//	  customer.status: {value: New Lead}
//	  contact.phone: {first_of: [Mobile, Phone], required: true}
//
// A column that first_of or join names may go to a field of its own as well.
// Where it goes to none, its settings stand beside "to: ignore".
type Spec struct {
	Version   int // 1; 0 means 1
	Mode      crm.Mode
	Unknown   Unknown
	Only      []crm.Entity // nil: all; without crm.Customer, customers are only referred to
	DateOrder DateOrder    // of the columns that say none

	// Match is how customers are found among those that exist; "" means by
	// their external id, or where no column holds one by the key made of their
	// e-mail address.
	Match crm.Match

	// BadCells is for the columns that say nothing of it themselves.
	BadCells BadCells

	// Reading is how the file is read, for the caller: this package does not
	// read files.
	Reading crm.Reading

	Columns []ColumnSpec // in the order of the file
	Fields  []FieldSpec
}

// A ColumnSpec says what becomes of one column.
type ColumnSpec struct {
	Column    string    // header text; outer white space does not matter
	To        []string  // fields, such as "customer.email"; none: the column is ignored
	Type      Type      // of custom attributes; "" means [String]
	Required  bool      // a blank cell rejects its row
	DateOrder DateOrder // "": as the Spec's

	// Separator divides a cell of tags into tags; "" means that a comma, a
	// semicolon or a bar does.
	Separator string

	// Decimal is the character before the fraction of a number, "." or ",";
	// "" means ".".
	Decimal string

	BadCells BadCells // "": as the Spec's

	// Values replaces whole cells before they are read, without regard to
	// case. A blank replacement leaves the cell out.
	Values map[string]string
}

// BadCells is what becomes of a cell that does not fit its field, where the
// field is not required and not what customers are known by. The empty
// BadCells means RejectRow.
type BadCells string

// The ways to treat bad cells.
const (
	RejectRow BadCells = "reject" // its row is rejected
	BlankCell BadCells = "blank"  // the cell counts as blank, with the reason as a warning
)

// A FieldSpec says how a field is treated, whatever column fills it.
//
// Value, FirstOf and Join fill the field without a column that goes to it; only
// one of them may be set.
type FieldSpec struct {
	Field     string // such as "customer.name"; "customer.custom" stands for all its attributes
	Required  bool   // as in [ColumnSpec]
	Collision crm.Collision
	Erase     bool   // a blank cell erases what the record has
	Default   string // where the cell is blank or no column fills the field

	Value   string   // the same for every row
	FirstOf []string // header texts: the first of these columns that is not blank
	Join    []string // header texts: what of these columns is not blank, put together
	With    string   // what stands between the parts of Join; "" means a space
}

// Unknown is what to do with a column that nobody mapped.
type Unknown string

// The ways to treat unknown columns. The empty Unknown means IgnoreUnknown.
const (
	IgnoreUnknown Unknown = "ignore" // and say so in a decision
	CustomUnknown Unknown = "custom" // make it a custom attribute of the customer
	RefuseUnknown Unknown = "refuse" // refuse the file
)

// DateOrder is how dates in digits are written. Dates that begin with the year
// are read under every order.
type DateOrder string

// The orders. The empty DateOrder is one not known yet.
const (
	DMY DateOrder = "dmy"
	MDY DateOrder = "mdy"
	YMD DateOrder = "ymd" // only dates that begin with the year are dates
)

const ignore = "ignore"
