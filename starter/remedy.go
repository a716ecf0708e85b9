package main

import "sluice/internal/crm"

// A remedy says what a reason means to the owner of a row, and what mends it.
// The reject file, the report and docs/rejects.md all take it from here.
type remedy struct {
	wrong string // what is wrong, a phrase
	row   string // what to do with one such row where the reject file shows it, its cells as text; a sentence
	all   string // what may mend all such rows at once, without touching them; "" if nothing does
}

// remedies has a remedy for every reason: first those found in the text, then
// those of a cell's meaning, those of writing, and the warnings.
var remedies = map[crm.Reason]remedy{
	crm.ReasonTooFewCells: {"fewer cells than the header has columns",
		"Fill the cells that are missing, or empty the reason cell if they are blank.",
		"short_rows: pad takes the cells that are missing at the end as blank"},
	crm.ReasonTooManyCells: {"more cells than the header, and not only blank ones: most often a delimiter in a text without quotes",
		"Put each cell under its column and take the surplus out.",
		"export again with quotes, or with a delimiter that no text holds"},
	crm.ReasonStrayQuote: {"a quote in the middle of a cell, or one that is never closed",
		"The row is shown as it could be made out: correct its cells, or empty the reason cell to take it as it stands.",
		`if the file writes \" for a quote, import it again with escape: backslash`},
	crm.ReasonBadEncoding: {"bytes that are no text in the file's encoding: often two exports in one file",
		"Type the characters shown as \uFFFD again.",
		"name the file's encoding with encoding: NAME, or save the file as UTF-8"},
	crm.ReasonBadCharacter: {"the character U+0000, which no database keeps as text",
		"Remove the character; it comes from a broken export.", ""},
	crm.ReasonCellTooLong: {"a cell over 1 MiB, or in a sheet over 32,767 characters; in a text, a quote that is never closed is a usual cause",
		"Shorten the cell, or close the quote before it.", ""},
	crm.ReasonRowTooLong: {"a row over 16 MiB; a quote that is never closed is a usual cause",
		"Shorten the row, or close the quote in it.", ""},
	crm.ReasonCellError: {"the sheet's cell holds an error, such as #N/A",
		"Mend the formula, or type the value in its place.",
		"mend the formulas of the column in the workbook"},
	crm.ReasonBadJSON: {"a record in JSON that is no object, is damaged, or has a field twice",
		"Mend the line in your own file: the first cell shows it as it stands.",
		"write one object a line, each with every field once"},
	crm.ReasonNoValue: {"the sheet's cell says nothing that can be read, such as a formula that was never reckoned",
		"Type the value in the formula's place.",
		"open the workbook in a spreadsheet program and save it, so that its formulas are reckoned"},

	crm.ReasonRequired: {"the cell is blank, and it must not be: the customer's id, or a column that the mapping requires",
		"Fill the cell.",
		"drop required from the mapping, where it says so"},
	crm.ReasonBadEmail: {"not one address that a CRM can use: no @, no dot in the domain, an IP address in its place",
		"Keep one plain address, such as ana@example.com.", ""},
	crm.ReasonBadDate: {"not a date, a day that the calendar has not, a year without a month, or a date in another order than the column's",
		"Write the date as 2024-05-31.",
		"date_order: dmy or mdy for the column, if its dates are in another order than was found"},
	crm.ReasonFutureDate: {"a lead cannot have been created after the import was asked for",
		"Correct the date; it is most often the year.",
		"set the source's time zone, if the dates are of today"},
	crm.ReasonBadCountry: {"not a country's name or code",
		"Write its code of two letters, such as DE.", "translate the words with values in the mapping"},
	crm.ReasonBadURL: {"not a web address",
		"Write one address, such as https://example.com.", ""},
	crm.ReasonBadStatus: {"not one of the lead statuses New Lead, Working Lead, Qualified Lead and Unqualified Lead",
		"Write one of New Lead, Working Lead, Qualified Lead or Unqualified Lead.",
		"translate the words with values in the mapping"},
	crm.ReasonBadInteger: {"not a whole number, or one with a fraction",
		"Write digits only.", "change the column's type to decimal, or to string"},
	crm.ReasonBadDecimal: {"not a number, one with an exponent or a currency, or one with a comma that may stand before thousands or before a fraction",
		"Write digits with a point, such as 1234.5.",
		`decimal: "," for the column, if its fractions begin with a comma`},
	crm.ReasonBadBoolean: {"neither true nor false",
		"Write yes or no.", "translate the words with values in the mapping"},
	crm.ReasonBadNoteType: {"neither note nor call",
		"Write note or call.", "translate the words with values in the mapping"},
	crm.ReasonBadChoice: {"none of the values that the mapping lists for the column",
		"Write one of the values that the mapping lists.",
		"add the value to the list in the mapping, or translate it with values"},
	crm.ReasonDamagedNumber: {"a telephone number or an id of which a spreadsheet has kept the first digits alone, such as 4.15555E+09",
		"Write the number in full; its last digits are lost in this file.",
		"format the column as text in the workbook and export again from where the numbers come from"},
	crm.ReasonTooLong: {"over the field's length: 1,024 bytes for an id, 255 characters for an attribute",
		"Shorten the text.", ""},
	crm.ReasonNoKey: {"nothing in the row says which customer it is",
		"Fill the customer's id or e-mail address.",
		"map another column to customer.external_id or customer.email"},
	crm.ReasonNoIdentity: {"the row has something of a contact, such as a telephone number, and neither id, e-mail nor name",
		"Give the contact a name or an address, or empty its cells.",
		"map those columns to the customer, or to ignore"},

	crm.ReasonExists: {"the mode is create_only and the record is there",
		"Leave the row out, or import it with --mode upsert.", "retry with --mode upsert"},
	crm.ReasonAbsent: {"the mode is update_only and the record is not there",
		"Leave the row out, or import it with --mode upsert.", "retry with --mode upsert"},
	crm.ReasonNoSuchCustomer: {"a contact or a note refers to a customer that is not there",
		"Import the customer first, under the same source, or correct its id.",
		"import the customers under the same source, then retry"},
	crm.ReasonRefused: {"the database does not take the record, for instance by a rule that was added to a table",
		"Look at the constraint that the database's log names.",
		"look at the constraint that the database's log names, then retry"},
	crm.ReasonAmbiguousMatch: {"the address or domain that customers are matched by fits two of them",
		"Name the customer's id, or make one of the two unlike the other.",
		"match: external_id, if the file has ids"},
	crm.ReasonChangedSince: {"a retried row whose record was changed by something newer",
		"Compare the two, and import the row by itself if it is right.", ""},
	crm.ReasonSkipped: {"its batch was skipped by an operator",
		"Import the row again.", "retry"},
	crm.ReasonSuppressed: {"erased at the person's request",
		"Leave the row out: it must not come back.", ""},

	crm.ReasonPhoneKept: {"a telephone number that cannot be written in the international form: kept as written",
		"Write it with + and its country's code.",
		"name the country of numbers without a code when the source is made: starter sources add file --name NAME --region DE"},
	crm.ReasonStateLeftOut: {"a state outside the United States, or one that is not known: left out",
		"Nothing, unless it is a state of the United States: then write its two letters.", ""},
	crm.ReasonNoteLeftOut: {"particulars of a note that has no text: left out",
		"Give the note a text.", "map those columns to ignore"},
	crm.ReasonMoreAddresses: {"several e-mail addresses in one cell: the first is taken",
		"Keep the address that counts, first.", ""},
	crm.ReasonNameNotSplit: {"a full name that does not say where it divides: kept whole, as the first name",
		"Write the name as first and last name in two columns, or as Last, First.", ""},
}

// howToFix says what to do with a row, a sentence for each of its reasons.
func howToFix(faults []crm.Rejection) string {
	text := ""
	said := map[crm.Reason]bool{}
	for _, f := range faults {
		if said[f.Reason] {
			continue
		}
		said[f.Reason] = true
		if text != "" {
			text += " "
		}
		text += remedies[f.Reason].row
	}
	return text
}
