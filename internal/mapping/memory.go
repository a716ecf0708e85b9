package mapping

import "unsafe"

// A memory holds what converters make of the cells of one row, so that a row
// costs no allocation for each. Nil is the heap, for texts to keep.
type memory struct{ text []byte }

// keptMemory is how much one row may leave to the next, in bytes.
const keptMemory = 1 << 16

// string returns b as a text, valid until reset.
func (m *memory) string(b []byte) string {
	if m == nil {
		return string(b)
	}
	from := len(m.text)
	m.text = append(m.text, b...)
	v := m.text[from:]
	return unsafe.String(unsafe.SliceData(v), len(v))
}

func (m *memory) reset() {
	if m.text = m.text[:0]; cap(m.text) > keptMemory {
		m.text = nil
	}
}
