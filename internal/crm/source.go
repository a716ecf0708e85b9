package crm

import (
	"fmt"
	"time"
)

// A Source is one system or custom list that customers belong to. Everything
// imported belongs to one.
type Source struct {
	Slug      string    `json:"source"` // immutable; all that ids show: see [CheckSlug]
	Title     string    `json:"title"`
	Kind      string    `json:"kind"`              // the connector that reads it; [KindFile] for uploads
	TimeZone  string    `json:"time_zone"`         // IANA name for dates without a zone; "UTC" if not set
	Region    string    `json:"region"`            // ISO 3166-1 alpha-2, for phone numbers without a country; "" if not set
	Mapping   string    `json:"mapping,omitempty"` // the saved mapping file, as YAML text; "" if none
	CreatedAt time.Time `json:"created_at"`

	// Settings is what the connector has to be told, without what is secret.
	Settings map[string]string `json:"settings,omitempty"`

	// Watermark is up to when changes at the source are in; zero: nobody knows,
	// and the source has to be read whole.
	Watermark time.Time `json:"watermark,omitzero"`

	// Removing is how far its removal has come; nil while nobody removes it.
	Removing *Removal `json:"removing,omitempty"`
}

// KindFile is the kind of a source whose files are uploaded.
const KindFile = "file"

// SourceStatus is a source as lists show it.
type SourceStatus struct {
	Source
	Customers int64      `json:"customers"` // records
	Contacts  int64      `json:"contacts"`
	Notes     int64      `json:"notes"`
	Latest    *ImportRow `json:"latest,omitempty"` // its latest import; nil if it never had one
}

// Standing says how the source stands without a schedule.
func (s SourceStatus) Standing() SourceStanding {
	switch {
	case s.Removing != nil:
		return Leaving
	case s.Latest != nil && (s.Latest.State == Failed || s.Latest.State == Interrupted):
		return InError
	}
	return Unscheduled
}

// CheckSlug returns an error that wraps [ErrInvalid] unless slug is 1 to 64
// characters of a-z, 0-9 and hyphen.
func CheckSlug(slug string) error {
	ok := len(slug) >= 1 && len(slug) <= 64
	for _, c := range []byte(slug) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return fmt.Errorf("source name: %w: use 1 to 64 of a-z, 0-9 and -", ErrInvalid)
	}
	return nil
}
