package crm

import "strings"

// Identity returns what makes two records of one import the same, for
// [ClaimKey] and [MatchKey]; values are in the order of [Fields].
//
// A customer is known by its external id. A contact is known by its external
// id, else its e-mail address without regard to case, else its name and phone;
// a note by its type, given time and text. Contacts and notes are known within
// their customer: for a claim, put the customer's external id in front.
func Identity(e Entity, values []string) []string { return AppendIdentity(nil, e, values) }

// AppendIdentity appends what [Identity] returns to dst.
func AppendIdentity(dst []string, e Entity, values []string) []string {
	switch e {
	case Customer:
		return append(dst, values[customerKey])
	case Contact:
		if id := values[contactID]; id != "" {
			return append(dst, "id", id)
		}
		if email := values[contactEmail]; email != "" {
			return append(dst, "email", strings.ToLower(email))
		}
		return append(dst, "name", values[contactFirst], values[contactLast], values[contactPhone])
	}
	return append(dst, values[noteType], values[noteCreated], values[noteText])
}

// Identified reports whether a contact's values say who it is. Customers and
// notes always do.
func Identified(e Entity, values []string) bool {
	if e != Contact {
		return true
	}
	return values[contactID] != "" || values[contactEmail] != "" || values[contactFirst] != "" || values[contactLast] != ""
}

var (
	customerKey  = FieldIndex(Customer, "external_id")
	contactID    = FieldIndex(Contact, "external_id")
	contactEmail = FieldIndex(Contact, "email")
	contactFirst = FieldIndex(Contact, "first_name")
	contactLast  = FieldIndex(Contact, "last_name")
	contactPhone = FieldIndex(Contact, "phone")
	noteType     = FieldIndex(Note, "type")
	noteCreated  = FieldIndex(Note, "created_at")
	noteText     = FieldIndex(Note, "text")
)
