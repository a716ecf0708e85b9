package crm

import (
	"fmt"
	"strings"
	"time"
)

// KindRemove is the kind of a removal, as search attributes say it. A removal
// has no row among the imports: those go with their source.
const KindRemove = "remove"

// RemoveRows is how many customers, and how many of what hangs on them, are
// removed in one transaction.
const RemoveRows = 5_000

// Holdings counts what a source holds, or a part of it.
type Holdings struct {
	Customers     int64 `json:"customers"`
	Contacts      int64 `json:"contacts"`
	Notes         int64 `json:"notes"`
	Subscriptions int64 `json:"subscriptions"`
	Imports       int64 `json:"imports"`       // undos among them
	Batches       int64 `json:"batches"`       // rows of the ledger
	Files         int64 `json:"files"`         // of imports; what the stage holds of them goes by its age
	BeforeImages  int64 `json:"before_images"` // of records that imports changed
}

// All adds everything up: what a removal goes through.
func (h Holdings) All() int64 {
	return h.Customers + h.Contacts + h.Notes + h.Subscriptions + h.Imports + h.Batches + h.Files + h.BeforeImages
}

// Of returns the count of the records of entity e.
func (h *Holdings) Of(e Entity) *int64 {
	return [...]*int64{&h.Customers, &h.Contacts, &h.Notes}[e]
}

// A Removal is how far a source that is being removed has come. It lies with
// the source, and goes with it.
type Removal struct {
	ID    string    `json:"id"` // of the request that is at it, or was last
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at"`    // when the first began
	Total Holdings  `json:"total"` // counted then
	Gone  Holdings  `json:"gone"`

	Page int  `json:"page"`           // pages that are behind it
	Done bool `json:"done,omitempty"` // nothing is left but the source itself
}

// Takes returns an error that wraps [ErrInvalid] if the source is being
// removed: nothing is imported into it any more.
func (s Source) Takes() error {
	if s.Removing == nil {
		return nil
	}
	return fmt.Errorf("source %s: %w: it is being removed; go on with: starter sources remove %s", s.Slug, ErrInvalid, s.Slug)
}

// A RemovalPlan is what removing a source would come to.
type RemovalPlan struct {
	Source    string   `json:"source"`
	Left      Holdings `json:"removes"`
	Schedule  bool     `json:"schedule"`            // it has one, which goes too
	Secrets   bool     `json:"secrets"`             // sealed ones are kept with it, which go too
	Backfills []string `json:"backfills,omitempty"` // open ones that name it, and so forbid it
	Open      int64    `json:"open,omitempty"`      // number of an import that has not ended, which forbids it; 0 if all have
	Removing  *Removal `json:"removing,omitempty"`  // one that was begun and is not at its end
}

// Refused returns an error that wraps [ErrDenied] if the source cannot be
// removed at the moment.
func (p RemovalPlan) Refused() error {
	switch {
	case len(p.Backfills) > 0:
		return fmt.Errorf("source %s cannot be removed: %w: it is named by backfill %s; wait for its end, or end it with: starter backfill cancel %s",
			p.Source, ErrDenied, strings.Join(p.Backfills, " and "), p.Backfills[0])
	case p.Open > 0:
		return fmt.Errorf("source %s cannot be removed: %w: import %d is running; wait for its end, or end it with: starter imports cancel %d",
			p.Source, ErrDenied, p.Open, p.Open)
	}
	return nil
}

// A RemovePage asks for some of what a source holds to be removed, in one
// transaction.
type RemovePage struct {
	Source string
	ID     string // of the removal
	Page   int    // pages are numbered from 0, in the order in which they go
	Rows   int    // of each kind, at the most
}

// RemovePagesInput asks for the next pages of a removal.
type RemovePagesInput struct {
	Source string `json:"source"`
	ID     string `json:"id"`    // of the removal
	Page   int    `json:"page"`  // number of the first
	Pages  int    `json:"pages"` // at the most; 0 only looks how far the removal is
	Rows   int    `json:"rows"`  // a page
}

// EndRemovalInput asks for a source of which nothing is left to go itself.
type EndRemovalInput struct {
	Source string `json:"source"`
	ID     string `json:"id"` // of the removal
}
