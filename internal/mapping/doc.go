// Package mapping turns rows into records: which column is which field, what
// each cell means there, and why a row cannot be imported. It knows nothing of
// where rows come from, of files or of the database.
//
//	header ─┐
//	Spec  ──┴─Resolve─▶ Mapping ─Survey, Decide─▶ Mapping ─Mapper─▶ Map, once a row
//	          columns             date orders               Row ─▶ Mapped
//
// A [Spec] is what an owner wrote, a [Mapping] what was decided for one file:
// it is stored with the import, and every worker and every attempt maps by it.
// Between the two every column is shown to the owner as a [crm.Decision] with
// what spoke for it; nothing is guessed from a single row.
//
// # What a row becomes
//
// The customer is known by its external id, and where no column holds one by
// its e-mail address. A row that says neither is rejected. A contact is made
// where the row says who it is: by id, e-mail or name. A row that fills contact
// columns and does not say so is rejected. A note is made where there is text.
//
// Every value leaves in the canonical form of its field (see [crm.Kind]), and
// mapping a canonical value again gives the value itself. A cell that has no
// such form rejects its row. Three never do and are counted as warnings
// instead, because a record without them is still right: a telephone number
// that cannot be made E.164 is kept as written, a state outside the United
// States is left out, and so are the particulars of a note without text.
package mapping
