package store

import (
	"bytes"

	"sluice/internal/crm"
)

// newFields returns what appends the fields of a record as it is created: see
// newValue.
func newFields(e crm.Entity) func(dst, fields []byte) []byte {
	status, custom := -1, crm.FieldIndex(e, "custom")
	if e == crm.Customer {
		status = crm.FieldIndex(e, "status")
	}
	if status < 0 && custom < 0 {
		return func(dst, fields []byte) []byte { return append(dst, fields...) }
	}
	return func(dst, fields []byte) []byte {
		for i := 0; fields != nil; i++ { // however many there are: the database counts them
			var value []byte
			value, fields = crm.CutCopy(fields)
			switch {
			case i == status && isNull(value):
				value = []byte(defaultStatus)
			case i == custom && (bytes.Contains(value, []byte("null")) || string(value) == "{}"):
				value = withoutNulls(value)
			}
			dst = append(append(dst, value...), '\t')
		}
		return dst[:len(dst)-1]
	}
}

// withoutNulls returns an object without the members that are null, and NULL if
// nothing is left. What is no object stays as it is: the database refuses it.
func withoutNulls(value []byte) []byte {
	object, err := decode(crm.CopyValue(value))
	if err != nil {
		return value
	}
	strip(object)
	if m, ok := object.(map[string]any); ok && len(m) == 0 {
		return null
	}
	return crm.AppendCopyValue(nil, string(appendJSON(nil, object)))
}

func strip(value any) {
	switch v := value.(type) {
	case []any:
		for _, member := range v {
			strip(member)
		}
	case map[string]any:
		for k, member := range v {
			if member == nil {
				delete(v, k)
			}
			strip(member)
		}
	}
}
