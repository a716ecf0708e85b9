package mapping

import "sluice/internal/crm"

// Mapped is what one row came to. It belongs to one caller, who hands it to
// [Mapper.Map] again and again: its slices and maps are reused.
type Mapped struct {
	// Records is what the row carries; all nil if it has any fault. Values are
	// valid until the next call, and no longer than the row's own cells.
	Records crm.Records

	// CustomerKey is the external id of the row's customer, also when the
	// mapping makes no customer records. "" only if the row has a fault.
	CustomerKey string

	Faults   []crm.Rejection // every fault of the row; none if it can be imported
	Warnings int             // values kept or left out that their owner may want to look at
}

// A Mapper maps rows by a [Mapping]. It is safe for concurrent use, each
// caller with a [Mapped] of its own.
type Mapper struct{}

func (m *Mapper) Map(row *crm.Row, out *Mapped) {}

func (m *Mapping) Mapper() (*Mapper, error) { return nil, nil }

func (m *Mapping) Survey() *Survey { return nil }

type Survey struct{}

func (s *Survey) Observe(cells []string) {}

func (s *Survey) Decide(m *Mapping) ([]crm.Decision, error) { return nil, nil }

func ParseSpec(text []byte) (*Spec, error) { return nil, nil }

func Resolve(header []string, spec *Spec, o Options) (*Mapping, []crm.Decision, error) {
	return nil, nil, nil
}

func Suggest(header []string, samples [][]string, o Options) (*Spec, []crm.Decision) { return nil, nil }

func sortedKeys(m map[string]string) []string { return nil }
