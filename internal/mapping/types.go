package mapping

import (
	"time"

	"sluice/internal/crm"
)

// A converter gives a cell its meaning. The cell is trimmed and not blank. It
// returns the canonical text, and a fault where there is none. A reason that
// only warns comes with a value, which is kept.
type converter func(r *reading, cell string) (value string, fault crm.Reason)

// A reading is what a converter may know beyond the cell.
type reading struct {
	region string         // for telephone numbers
	zone   *time.Location // for dates without one
	order  DateOrder      // of the column
	now    string         // the import's start, canonical; "" if not known
}

var converters = map[Type]converter{
	String:      convertString,
	Integer:     convertInteger,
	Decimal:     convertDecimal,
	Timestamp:   convertTimestamp,
	Boolean:     convertBoolean,
	textType:    convertText,
	keyType:     convertKey,
	emailType:   convertEmail,
	phoneType:   convertPhone,
	countryType: convertCountry,
	stateType:   convertText, // its country decides: see Mapped.state
	pastType:    convertPast,
	urlType:     convertURL,
	tagsType:    convertTags,
	statusType:  convertStatus,
	countType:   convertCount,
	placeType:   convertPlace,
	noteType:    convertNoteType,
}
