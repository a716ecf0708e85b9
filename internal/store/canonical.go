package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"sort"
	"strings"

	"sluice/internal/crm"
)

// canonical returns the text of a value as crm.Kind says it is written, from
// the text that a database gave. PostgreSQL orders the keys of an object by
// their length, writes numbers without exponents and puts spaces in between;
// SQLite keeps the text of each and appends what is merged.
func canonical(k crm.Kind, text string) (string, error) {
	if text == "" || k != crm.Tags && k != crm.Attributes {
		return text, nil
	}
	value, err := decode(text)
	if err != nil {
		return "", fmt.Errorf("a value of JSON that cannot be read") // the decoder quotes it
	}
	return string(appendJSON(nil, value)), nil
}

// decode reads JSON and keeps the digits of numbers.
func decode(text string) (value any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return value, d.Decode(&value)
}

func appendJSON(dst []byte, value any) []byte {
	switch v := value.(type) {
	case json.Number:
		return append(dst, plainNumber(v.String())...)
	case []any:
		dst = append(dst, '[')
		for i, member := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, member)
		}
		return append(dst, ']')
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		dst = append(dst, '{')
		for i, k := range keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSON(dst, k), ':')
			dst = appendJSON(dst, v[k])
		}
		return append(dst, '}')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // a string, a bool or null
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// plainNumber writes a number without an exponent and zero without a sign.
func plainNumber(n string) string {
	if strings.ContainsAny(n, "eE") {
		if f, ok := new(big.Rat).SetString(n); ok {
			digits, _ := f.FloatPrec()
			n = f.FloatString(digits)
		}
	}
	if strings.HasPrefix(n, "-") && strings.Trim(n, "-0.") == "" {
		n = n[1:]
	}
	return n
}
