package mapping

import (
	"time"

	"sluice/internal/crm"
)

// A converter gives a cell its meaning. The cell is trimmed and not blank. It
// returns the canonical text, and a fault where there is none. A reason that
// only warns comes with a value, which is kept. A value that is not part of the
// cell may lie in made.
type converter func(r *reading, made *memory, cell string) (value string, fault crm.Reason)

// A reading is what a converter may know beyond the cell.
type reading struct {
	region string         // for telephone numbers
	zone   *time.Location // for dates without one
	order  DateOrder      // of the column
	now    string         // the import's start, canonical; "" if not known

	separator string            // of the column's tags; "" for any of the usual ones
	decimal   byte              // before the fraction of the column's numbers: '.' or ','; 0 is '.' that nobody named: see plainNumber
	choices   map[string]string // the column's values by their wordKey, and each result by its own
}

var converters = map[Type]converter{
	String:      convertString,
	Integer:     convertInteger,
	Decimal:     convertDecimal,
	Timestamp:   convertTimestamp,
	Boolean:     convertBoolean,
	Choice:      convertChoice,
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
	billedType:  convertBilled,
	countType:   convertSeconds,
	placeType:   convertPlace,
	noteType:    convertNoteType,
}
