package mapping

import "sluice/internal/crm"

// A fieldAbout tells people of a field: what a column for it is called in the
// templates, what its cells hold, and one that does.
type fieldAbout struct {
	field   string
	header  string // "": in no template
	takes   string
	example string
}

// fieldAbouts describes every field that a column can go to, in the order of
// the templates. Templates, the schema and the documents take it from here.
var fieldAbouts = []fieldAbout{
	{"customer.external_id", "Customer ID", "The customer's id in the source, up to 1,024 bytes. Rows with one id are one customer.", "10001"},
	{"customer.name", "Customer name", "A text, such as the name to show.", "Aster Works"},
	{"customer.email", "Email", "An e-mail address; of several the first is taken, with a warning. Where no column holds ids, customers are known by it.", "hello@aster.example.com"},
	{"customer.company", "Company", "The company's name.", "Aster Works Inc."},
	{"customer.country", "Country", "A country: its code of two or three letters, or its name, in English or many other languages.", "US"},
	{"customer.state", "State", "A state of the United States, as a code or a name. Other states are left out with a warning.", "NY"},
	{"customer.city", "City", "A text.", "Albany"},
	{"customer.zip", "Postal code", "A text; zeros at its beginning are kept.", "01067"},
	{"customer.lead_created_at", "Lead created at", "A date, with or without a time, that is not in the future.", "2024-01-15"},
	{"customer.free_trial_started_at", "Free trial started at", "A date, with or without a time.", "2024-02-01 09:30"},
	{"customer.status", "Lead status", "New Lead, Working Lead, Qualified Lead or Unqualified Lead.", "Working Lead"},
	{"customer.owner", "Owner email", "The e-mail address of who looks after the customer.", "sam@sales.example.com"},
	{"customer.website_url", "Website", "A web address, with or without https://.", "https://aster.example.com"},
	{"customer.tags", "Tags", "Tags, divided by commas, semicolons or bars, or by what the column says.", "fair, newsletter"},
	{"customer.source_updated_at", "", "When the source last changed the customer; an older row does not overwrite a newer one.", "2024-03-01T10:00:00Z"},
	{"contact.external_id", "Contact ID", "The contact's id in the source, up to 1,024 bytes.", "20001"},
	{"contact.position", "Contact position", "The contact's place at its customer: a whole number from 1, the first being the main contact.", "1"},
	{"contact.first_name", "First name", "A text.", "Ada"},
	{"contact.last_name", "Last name", "A text.", "Quill"},
	{"contact.name", "", "A whole name. \"Last, First\" and names of two words are divided; others are kept whole as the first name, with a warning.", "Quill, Ada"},
	{"contact.title", "Job title", "A text.", "Head of Operations"},
	{"contact.email", "Contact email", "An e-mail address; of several the first is taken, with a warning.", "ada@aster.example.com"},
	{"contact.phone", "Phone", "A telephone number, best with its country code. One that is none of its country's is kept as written, with a warning.", "+1 212 555 0101"},
	{"contact.linked_in", "LinkedIn", "A text, such as the address of a profile.", "https://linkedin.example.com/in/ada-quill"},
	{"contact.twitter", "Twitter", "A text, such as a handle.", "@adaquill"},
	{"contact.notes", "Contact notes", "A text that stays with the contact.", "Prefers to be written to."},
	{"contact.source_updated_at", "", "When the source last changed the contact; an older row does not overwrite a newer one.", "2024-03-01T10:00:00Z"},
	{"note.text", "Note", "A text. A row with none has no note.", "Asked for a demo."},
	{"note.type", "Note type", "note or call; note where it is blank.", "call"},
	{"note.author_email", "Note author email", "A text, best an e-mail address.", "sam@sales.example.com"},
	{"note.call_duration", "Call duration", "Seconds, or hours, minutes and seconds, such as 1:02:03.", "180"},
	{"note.created_at", "Note created at", "A date, with or without a time.", "2024-02-02 14:00"},
	{"note.source_updated_at", "", "When the source last changed the note.", "2024-03-01T10:00:00Z"},
}

// typeAbouts tells of the types a custom attribute may have.
var typeAbouts = map[Type]string{
	String:    "A text of at most 255 characters.",
	Integer:   "A whole number of 64 bits.",
	Decimal:   "A number, kept to its last digit. The column may say that a comma stands before the fraction.",
	Timestamp: "A date, with or without a time.",
	Boolean:   "true or false, yes or no, t or f, y or n, 1 or 0, on or off, or what spreadsheets write for them in other languages.",
	Choice:    "One of the column's values.",
}

func aboutField(name string) *fieldAbout {
	for i := range fieldAbouts {
		if fieldAbouts[i].field == name {
			return &fieldAbouts[i]
		}
	}
	return nil
}

func (a *fieldAbout) entity() crm.Entity {
	t, _ := parseTarget(a.field)
	return t.Entity
}
