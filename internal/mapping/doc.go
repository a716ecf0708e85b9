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
// what spoke for it, also one that is ignored; nothing is guessed from a single
// row. [Suggest] writes the Spec by which [Resolve] comes to what it comes to
// without one.
//
// # Where a value comes from
//
// A column goes to a field, or to several. A field may also be filled by a
// value of every row, by the first of several columns that is not blank, or by
// the texts of several together. A contact's whole name is divided into first
// and last where it says where it divides.
//
// A column that the Spec does not name is mapped by its header text: the name
// of a field, a usual or a weak synonym, or one with words beside it that say
// nothing. Each field takes one column, but telephone numbers stand in for one
// another. The first rows are asked too: cells that do not fit speak against a
// name, and where a name says nothing cells that can be but one thing speak for
// it. Vendors' own words for the state of a lead are translated.
//
// # What a row becomes
//
// The customer is known by its external id, and where no column holds one by
// its e-mail address; or by its address or its website's domain if the Spec
// says so. A row that does not say it is rejected. A contact is made where the
// row says who it is: by id, e-mail or name. A row that fills contact columns
// and does not say so is rejected. A note is made where there is text.
//
// Every value leaves in the canonical form of its field (see [crm.Kind]), and
// mapping a canonical value again gives the value itself. A cell that has no
// such form rejects its row, unless the Spec says that it counts as blank and
// neither a required field nor the customer's key stands on it. Reasons that
// only warn (see [crm.Reason.Warns]) never reject: a record is right without
// what they leave out. A warning names its column.
package mapping
