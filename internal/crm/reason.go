package crm

import "sort"

// A Reason is a short machine-readable cause of a rejection, such as
// "bad_email". Reasons are API: reports are grouped by them, so one that has
// shipped is never renamed.
type Reason string

// Reasons found in the file's text, before any meaning is given to a cell.
const (
	ReasonTooFewCells  Reason = "too_few_cells"  // fewer cells than the header
	ReasonTooManyCells Reason = "too_many_cells" // more cells than the header, and not only the blank ones that most rows have
	ReasonStrayQuote   Reason = "stray_quote"    // a quote where none may stand, or one that is never closed
	ReasonBadEncoding  Reason = "bad_encoding"   // bytes that are not text in the file's encoding
	ReasonBadCharacter Reason = "bad_character"  // U+0000, which no database keeps as text
	ReasonCellTooLong  Reason = "cell_too_long"  // over 1 MiB, in a sheet over 32,767 characters
	ReasonRowTooLong   Reason = "row_too_long"   // over 16 MiB
	ReasonCellError    Reason = "cell_error"     // a sheet's cell holds an error, such as #N/A
	ReasonBadJSON      Reason = "bad_json"       // a record that is no JSON object, or has a field twice
	ReasonNoValue      Reason = "no_value"       // a sheet's cell says nothing that can be read: a formula never reckoned, a text that is not there
)

// Reasons found in a cell's meaning.
const (
	ReasonRequired    Reason = "required"      // a required cell is blank
	ReasonBadEmail    Reason = "bad_email"     // not an address a CRM can use
	ReasonBadDate     Reason = "bad_date"      // not a date, or not one that exists
	ReasonFutureDate  Reason = "future_date"   // a lead cannot have been created in the future
	ReasonBadCountry  Reason = "bad_country"   // not a country
	ReasonBadURL      Reason = "bad_url"       // not a web address
	ReasonBadStatus   Reason = "bad_status"    // not a lead status
	ReasonBadInteger  Reason = "bad_integer"   // not a whole number
	ReasonBadDecimal  Reason = "bad_decimal"   // not a number
	ReasonBadBoolean  Reason = "bad_boolean"   // neither true nor false
	ReasonBadNoteType Reason = "bad_note_type" // neither note nor call
	ReasonBadChoice   Reason = "bad_choice"    // none of the values that the mapping lists

	// ReasonDamagedNumber is a telephone number or an id of which a
	// spreadsheet has kept the first digits alone, such as 4.15555E+09.
	ReasonDamagedNumber Reason = "damaged_number"

	ReasonTooLong    Reason = "too_long"    // over the field's length
	ReasonNoKey      Reason = "no_key"      // nothing in the row says which customer it is
	ReasonNoIdentity Reason = "no_identity" // a contact with neither id, e-mail nor name
)

// Reasons found when writing.
const (
	ReasonExists         Reason = "exists"           // create_only, and the record exists
	ReasonAbsent         Reason = "absent"           // update_only, and the record does not exist
	ReasonNoSuchCustomer Reason = "no_such_customer" // the contact's or note's customer is not there
	ReasonRefused        Reason = "refused"          // the database does not take the record
	ReasonAmbiguousMatch Reason = "ambiguous_match"  // the match key fits two records
	ReasonChangedSince   Reason = "changed_since"    // a retried row whose record has changed since
	ReasonSkipped        Reason = "skipped"          // its batch was skipped by an operator
	ReasonSuppressed     Reason = "suppressed"       // erased at the person's request
)

// Warnings: what was kept or left out without rejecting anything, since the
// record is right all the same. Where a mapping says that bad cells are left
// blank, the reasons that reject cells are warnings too.
const (
	ReasonPhoneKept     Reason = "phone_kept"     // a telephone number that is none of its country's: kept as written
	ReasonStateLeftOut  Reason = "state_left_out" // a state outside the United States
	ReasonNoteLeftOut   Reason = "note_left_out"  // particulars of a note that has no text
	ReasonMoreAddresses Reason = "more_addresses" // several e-mail addresses in one cell: the first is taken
	ReasonNameNotSplit  Reason = "name_not_split" // a full name that does not say where it divides: kept whole, as the first name
)

// Warns reports whether r keeps or leaves out a value and never rejects a row.
func (r Reason) Warns() bool {
	switch r {
	case ReasonPhoneKept, ReasonStateLeftOut, ReasonNoteLeftOut, ReasonMoreAddresses, ReasonNameNotSplit:
		return true
	}
	return false
}

// Reasons counts rejections by reason. As many entries as there are reasons at
// the most, so it may travel.
type Reasons map[Reason]int64

// Add adds the counts of o. A nil o adds nothing.
func (r Reasons) Add(o Reasons) {
	// Sums do not depend on the order in which they are added up.
	for k, n := range o {
		r[k] += n
	}
}

// Sorted returns the reasons by falling count, equal counts by name.
func (r Reasons) Sorted() []Reason {
	out := make([]Reason, 0, len(r))
	for k := range r {
		out = append(out, k)
	}
	sort.Slice(out, func(i, j int) bool {
		if r[out[i]] != r[out[j]] {
			return r[out[i]] > r[out[j]]
		}
		return out[i] < out[j]
	})
	return out
}
