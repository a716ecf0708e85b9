package crm

import (
	"fmt"
	"strings"
)

// UndoRows is how many records of an import are reversed in one transaction.
const UndoRows = 5_000

// A Why says for what reason a record was not reversed. Whys are API.
type Why string

// The whys.
const (
	WhyChangedSince   Why = "changed_since"     // somebody else changed it after the import
	WhyOthersHangOnIt Why = "others_hang_on_it" // a contact or a note that stays hangs on the customer
	WhyGone           Why = "gone"              // somebody removed it after the import
	WhyRefused        Why = "refused"           // the database does not let it be reversed
)

// An UndoneRecord says what an undo did with one record.
type UndoneRecord struct {
	File    int    `json:"file,omitempty"` // number of the file within the import that is undone
	Line    int64  `json:"line,omitempty"` // of the row that created or changed it; 0 if nobody knows any more
	Entity  string `json:"entity"`         // "customer", "contact" or "note"
	Outcome string `json:"outcome"`        // "removed", "restored", "kept" or "errored"
	Why     Why    `json:"why,omitempty"`  // of what was kept or errored
	ID      string `json:"id"`
}

// The outcomes of an [UndoneRecord].
const (
	Removed  = "removed"  // created by the import, and no more
	Restored = "restored" // changed by the import, and as it was before
	Kept     = "kept"
	Errored  = "errored"
)

// An UndoTally says what an undo did with the records of an entity that the
// import created, or with those that it changed.
type UndoTally struct {
	Records     int64 `json:"records"` // by the ledger of the import, once the undo has ended; until then, those met
	Reversed    int64 `json:"reversed"`
	Kept        int64 `json:"kept"`
	Errored     int64 `json:"errored"`
	Earlier     int64 `json:"earlier,omitempty"`     // reversed by an undo before that did not get through
	Gone        int64 `json:"gone,omitempty"`        // created, and removed by somebody else since
	Unprocessed int64 `json:"unprocessed,omitempty"` // after a cancel or a failure
}

// Balanced reports whether every record is accounted for (invariant 1).
func (t UndoTally) Balanced() bool {
	return t.Gone >= 0 && t.Unprocessed >= 0 && t.Records == t.Reversed+t.Kept+t.Errored+t.Earlier+t.Gone+t.Unprocessed
}

func (t *UndoTally) add(o UndoTally) {
	t.Records += o.Records
	t.Reversed += o.Reversed
	t.Kept += o.Kept
	t.Errored += o.Errored
	t.Earlier += o.Earlier
	t.Gone += o.Gone
	t.Unprocessed += o.Unprocessed
}

// UndoneEntity is what an undo did with the records of one entity.
type UndoneEntity struct {
	Created UndoTally `json:"created"`
	Changed UndoTally `json:"changed"`
}

// UndoCounts says what an undo did with the records of an import.
type UndoCounts struct {
	Customers UndoneEntity `json:"customers"`
	Contacts  UndoneEntity `json:"contacts"`
	Notes     UndoneEntity `json:"notes"`

	Whys map[Why]int64 `json:"why,omitempty"` // how many records were kept or errored, by why
}

// Of returns what was done with the records of entity e.
func (c *UndoCounts) Of(e Entity) *UndoneEntity {
	return [...]*UndoneEntity{&c.Customers, &c.Contacts, &c.Notes}[e]
}

// Total adds up the tallies of all entities.
func (c *UndoCounts) Total() (t UndoTally) {
	for _, e := range Entities {
		t.add(c.Of(e).Created)
		t.add(c.Of(e).Changed)
	}
	return t
}

// Add adds o to c.
func (c *UndoCounts) Add(o UndoCounts) {
	for _, e := range Entities {
		c.Of(e).Created.add(o.Of(e).Created)
		c.Of(e).Changed.add(o.Of(e).Changed)
	}
	for why, n := range o.Whys {
		c.Because(why, n)
	}
}

// Because counts n more records of which why is the reason.
func (c *UndoCounts) Because(why Why, n int64) {
	if n == 0 {
		return
	}
	if c.Whys == nil {
		c.Whys = map[Why]int64{}
	}
	c.Whys[why] += n
}

// An UndoneReport is what the [Report] of an undo says of it.
type UndoneReport struct {
	ImportID string `json:"import_id"` // of the import that is undone
	Number   int64  `json:"number"`
	UndoCounts
}

// UndoPhases is how many phases an undo has. First what the import changed
// becomes what it was: customers, contacts, notes. Then what it created goes:
// notes, contacts, and last the customers that they hung on.
const UndoPhases = 6

// An UndoPlace is a place between two records of an import that is undone.
type UndoPlace struct {
	Phase int    `json:"phase"`           // from 0; [UndoPhases] is the end
	After string `json:"after,omitempty"` // id of the last record of the phase that is behind; "" if none is
}

// Entity returns whose records the phase is about, and whether those that were
// created.
func (p UndoPlace) Entity() (e Entity, created bool) {
	if p.Phase < 3 {
		return Entities[p.Phase], false
	}
	return Entities[UndoPhases-1-p.Phase], true
}

// End reports whether nothing is left.
func (p UndoPlace) End() bool { return p.Phase >= UndoPhases }

// An UndoPage asks for some records to be reversed, in one transaction.
type UndoPage struct {
	Import int64 // number of the undo
	Page   int   // pages are numbered from 0, in the order in which they are reversed
	From   UndoPlace
	Rows   int // at the most
}

// An UndonePage says what became of a page.
type UndonePage struct {
	Counts UndoCounts `json:"counts"`
	Next   UndoPlace  `json:"next"`
}

// UndoSum is all that is known of an undo when its records are behind it.
type UndoSum struct {
	Target  ImportRow  // the import that is undone, with its counts
	Pages   int        // of this undo
	Counts  UndoCounts // of these
	Earlier UndoCounts // of the pages of undos of the same import that did not get through
	Left    Recount    // what the import created and changed, and is still as it left it or is known to be kept
}

// Complete returns the counts of the whole undo, held against the ledger of the
// import that it undoes; done says that it got through all records. fault says
// what does not add up (invariant 1), "" if all does. Of an import that did not
// add up itself nothing can be asked.
func (s *UndoSum) Complete(done bool) (c UndoCounts, fault string) {
	c = s.Counts
	ledger := s.Target.counted()
	doubtful := s.Target.Report != nil && s.Target.Report.Failure != nil && s.Target.Report.Failure.Type == FailUnbalanced
	for _, e := range Entities {
		of, earlier, was := c.Of(e), s.Earlier.Of(e), ledger.Of(e)
		for _, k := range []struct {
			tally                 *UndoTally
			earlier, ledger, left int64
			created               bool
		}{
			{&of.Created, earlier.Created.Reversed, was.Created, s.Left[e].Created, true},
			{&of.Changed, earlier.Changed.Reversed, was.Updated, s.Left[e].Updated, false},
		} {
			k.tally.Earlier, k.tally.Records = k.earlier, k.ledger
			missing := k.ledger - k.earlier - k.tally.Reversed - k.tally.Kept - k.tally.Errored
			switch {
			case doubtful:
				k.tally.Records -= missing
			case !done:
				k.tally.Unprocessed = missing
			case k.created:
				k.tally.Gone = missing
			}
			switch {
			case !k.tally.Balanced():
				fault = fmt.Sprintf("the import wrote %d %s, and %d more than were met are not accounted for", k.ledger, e.Plural(), missing)
			case done && k.left > k.tally.Kept+k.tally.Errored:
				fault = fmt.Sprintf("%d %s of the import are left, and %d were kept", k.left, e.Plural(), k.tally.Kept+k.tally.Errored)
			}
		}
		c.Because(WhyGone, of.Created.Gone)
	}
	return c, fault
}

// Undoable returns an error that wraps [ErrInvalid] unless an import can be
// undone; retries are the imports that retried its rejected rows. One that is
// open is refused by whoever knows that it is running: its workflow may be gone.
func Undoable(row ImportRow, retries []ImportRow) error {
	why := ""
	switch {
	case row.Kind == KindUndo:
		why = "it is an undo itself"
	case row.Request.Plan:
		why = "it was a dry run and wrote nothing"
	case row.State == AlreadyImported:
		why = "an earlier import did its work; undo that one"
	case row.State == Undone || row.UndoneBy != 0:
		why = fmt.Sprintf("it is undone already, by import %d", row.UndoneBy)
	default:
		why = retriesFirst(retries)
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("import %d of %s cannot be undone: %w: %s", row.Number, row.Source, ErrInvalid, why)
}

// retriesFirst names the retries that would have to be undone first, the latest
// first; "" if there are none.
func retriesFirst(retries []ImportRow) string {
	var names []string
	for _, r := range retries {
		if r.wrote() && r.State != Undone && r.UndoneBy == 0 {
			names = append(names, fmt.Sprint(r.Number))
		}
	}
	if names == nil {
		return ""
	}
	for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
		names[i], names[j] = names[j], names[i]
	}
	return "its rejected rows were retried, by import " + strings.Join(names, ", then ") + "; undo that first"
}

// wrote reports whether an import may have written something.
func (r ImportRow) wrote() bool {
	if r.Request.Plan || r.State == AlreadyImported {
		return false
	}
	return r.State.Open() || r.Written() > 0
}

// counted returns the final counts, or those of what is written so far.
func (r ImportRow) counted() Counts {
	if r.Report != nil {
		return r.Report.Counts
	}
	return r.Totals
}

// Written returns how many records an import created or changed.
func (r ImportRow) Written() (n int64) {
	c := r.counted()
	for _, e := range Entities {
		n += c.Of(e).Created + c.Of(e).Updated
	}
	return n
}

// ReverseInput asks for the next pages of an undo.
type ReverseInput struct {
	Import Import    `json:"import"` // the undo
	Page   int       `json:"page"`   // number of the first
	From   UndoPlace `json:"from"`
	Pages  int       `json:"pages"` // at the most
	Rows   int       `json:"rows"`  // a page
}

// Reversed is what reversing some pages came to; the same for every attempt.
type Reversed struct {
	Page   int        `json:"page"` // number of the next
	Next   UndoPlace  `json:"next"`
	Counts UndoCounts `json:"counts"`
}

// UndoOpened is what OpenUndo answers.
type UndoOpened struct {
	Import  Import `json:"import"`  // the undo
	Records int64  `json:"records"` // how many there are to reverse, by the ledger of the import
}

// The kinds of an import; see [ImportRow].
const (
	KindImport   = "import"
	KindRetry    = "retry"
	KindUndo     = "undo"
	KindSync     = "sync"     // reads pages of a source
	KindBackfill = "backfill" // of workflows; its imports are of the kinds above
)
