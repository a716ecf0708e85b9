package source

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"sluice/internal/crm"
)

// A Connector reads one kind of source. Its methods are safe for concurrent use
// and keep nothing from one call to the next.
type Connector interface {
	// About says what the connector reads and what it has to be told.
	About() About

	// Check makes one cheap request and says whose the credentials are.
	Check(ctx context.Context, a *Access) (Account, error)

	// Plan divides a span into partitions, in the order in which they are read.
	// The same span gives the same partitions while the source stays the same.
	Plan(ctx context.Context, a *Access, w Want) ([]crm.Partition, error)

	// Read reads one page of a partition: the first for a nil cursor. The same
	// cursor gives the same page as long as the source stays the same.
	Read(ctx context.Context, a *Access, p crm.Partition, cursor Cursor) (Page, error)
}

// A Cursor says where in a partition the next page begins. It is JSON of at most
// 4 KiB, the connector's own, and holds no secret.
type Cursor = json.RawMessage

// MaxCursor is how long a cursor may be, in bytes.
const MaxCursor = 4 << 10

// A Page is what one call reads.
type Page struct {
	Rows []Row // may be empty, even when more follow

	// Subscriptions are those of customers, of this page or another.
	Subscriptions []crm.Subscription

	// Next is where the next page begins; nil on the last page. It differs from
	// the cursor that this page was read with.
	Next Cursor

	// Instead are the partitions to read in the place of this one, from their
	// beginnings, because it holds more than the source gives out. The page is
	// empty then.
	Instead []crm.Partition
}

// A Row is one record as the source has it.
type Row struct {
	ID string `json:"-"` // the record's at the source; "" if it has none

	Customer Fields `json:"customer,omitempty"`
	Contact  Fields `json:"contact,omitempty"`
	Note     Fields `json:"note,omitempty"`

	// Extra holds what the source has beyond these fields, for mappings to
	// name: "metadata.plan", for instance.
	Extra Fields `json:"-"`
}

// MarshalJSON writes the row as one object, in which what is extra stands beside
// the entities. The same row gives the same bytes.
func (r Row) MarshalJSON() ([]byte, error) {
	all := make(map[string]any, 3+len(r.Extra))
	for name, value := range r.Extra {
		all[name] = value
	}
	for entity, fields := range map[string]Fields{"customer": r.Customer, "contact": r.Contact, "note": r.Note} {
		if len(fields) > 0 {
			all[entity] = fields
		}
	}
	return json.Marshal(all)
}

// Fields are values by the names of fields. A blank value is left out.
type Fields map[string]string

// Set adds a value unless it is blank.
func (f *Fields) Set(name, value string) {
	if value == "" {
		return
	}
	if *f == nil {
		*f = Fields{}
	}
	(*f)[name] = value
}

// SetTime adds an instant unless it is zero.
func (f *Fields) SetTime(name string, at time.Time) {
	if !at.IsZero() {
		f.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
}

// A Want says what to plan for.
type Want struct {
	crm.Span

	// Changes asks for what was created, changed or deleted within the span;
	// else for what was created in it, and for streams that cannot be asked by
	// time for all there is.
	Changes bool
}

// About is what a connector says of itself.
type About struct {
	Kind     string    // such as "stripe"; what sources of this kind are called
	Title    string    // such as "Stripe"
	Reads    string    // what it reads, a phrase
	Settings []Setting // what it has to be told

	// Free is true where the columns are the owner's own: their names say nothing
	// of fields, and a mapping decides as it does for a file.
	Free bool

	// Subscriptions is true where customers have some: their statuses follow from
	// them.
	Subscriptions bool

	// Increments says what of the changes since the last sync it finds.
	Increments Increments

	// Lag is how far behind the present reading stops, because the source shows
	// what has just changed only after a while.
	Lag time.Duration

	// Reach is how long the source remembers changes; 0: for ever. Changes since
	// before that are not to be had, only all there is.
	Reach time.Duration

	// Every is how often a schedule should sync, at the most; 0: as often as it
	// likes.
	Every time.Duration

	// Quotas bound the requests of each class that the connector makes. The
	// class "" stands for all of them together.
	Quotas map[string]Quota

	// Left reads from an answer's head how many requests are left, and until when
	// that holds; nil where a source does not say.
	Left func(h http.Header, now time.Time) (left int, until time.Time, ok bool)

	// Ceiling is how many rows a second the source gives out at its own limits
	// and full pages; 0: not known. CeilingOf is the class of [About.Quotas] that
	// this follows from.
	Ceiling   int
	CeilingOf string
}

// Increments says which changes a connector finds.
type Increments string

// The increments.
const (
	AllChanges  Increments = "all"     // created, changed and deleted
	NoDeletes   Increments = "changes" // created and changed
	CreatesOnly Increments = "creates" // created: changes need a full reading
	FullReading Increments = "none"    // every reading is of all there is
)

// A Quota is how often requests may be made. The zero Quota sets no bound.
type Quota struct {
	Requests float64 // in the time of Per
	Per      time.Duration
}

// A Setting is something that a source has to be told.
type Setting struct {
	Name     string // a-z and _
	Help     string // a phrase
	Secret   bool   // sealed where it is kept, and never shown
	Required bool
	Default  string
	Check    func(value string) error // nil: anything goes
}

// An Account is whose the records are.
type Account struct {
	Name    string           `json:"name,omitempty"`    // as the source calls it
	Records map[string]int64 `json:"records,omitempty"` // by stream, where counting costs nothing
	Oldest  time.Time        `json:"oldest,omitzero"`   // when its first record was created, where that costs nothing
	Limits  string           `json:"limits,omitempty"`  // how often it may be asked, a phrase
	Notes   []string         `json:"notes,omitempty"`   // what its owner should know, a sentence each
}

// Access is what a connector may use to read a source.
type Access struct {
	Source   string            // slug
	Settings map[string]string // all of [About.Settings] that have a value
	HTTP     Doer
	Now      func() time.Time

	// Dial connects to a server that speaks something else than HTTP; nil:
	// nothing holds it back.
	Dial func(ctx context.Context, host string, port uint16) (net.Conn, error)
}

// Doer makes requests, within the bounds that it knows.
type Doer interface {
	// Do makes a request of a class: see [About.Quotas]. The caller closes the
	// answer's body, which is bounded.
	Do(req *http.Request, class string) (*http.Response, error)
}

// connectors holds every connector by its kind.
var connectors = map[string]Connector{}

// register is called at start-up, once for each connector.
func register(c Connector) Connector {
	kind := c.About().Kind
	if _, twice := connectors[kind]; twice {
		panic("source: two connectors of kind " + kind)
	}
	connectors[kind] = c
	return c
}

// Of returns the connector of a kind. No such kind wraps [crm.ErrInvalid].
func Of(kind string) (Connector, error) {
	c, ok := connectors[kind]
	if !ok {
		return nil, fmt.Errorf("source: %w: no connector is called %q; there are %v", crm.ErrInvalid, kind, Kinds())
	}
	return c, nil
}

// MustOf is Of for a kind that [Kinds] lists.
func MustOf(kind string) Connector { return connectors[kind] }

// AboutFor returns what a connector says of itself with the settings of a source:
// for some, how often they may ask and how far behind they stop depends on them.
func AboutFor(c Connector, settings map[string]string) About {
	if t, ok := c.(interface {
		AboutFor(settings map[string]string) About
	}); ok {
		return t.AboutFor(settings)
	}
	return c.About()
}

// Settings lists all that a connector has to be told: its own settings, and what
// every connector understands.
func Settings(c Connector) []Setting {
	return append(slices.Clone(c.About().Settings), Setting{Name: ShareSetting, Default: "60", Check: checkShare,
		Help: "how much of the source's own limits is made use of, in per cent: other programs need some of them"})
}

// Kinds lists the kinds of source that there are connectors for, sorted.
func Kinds() []string {
	kinds := make([]string, 0, len(connectors))
	for kind := range connectors {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}
