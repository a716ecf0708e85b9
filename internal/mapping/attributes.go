package mapping

// appendAttribute appends the value of a custom attribute as JSON. Numbers are
// written digit by digit as they are, so that none loses precision.
func appendAttribute(dst []byte, t Type, value string) []byte {
	switch t {
	case Integer, Decimal, Boolean:
		return append(dst, value...)
	}
	return appendJSON(dst, value)
}

// appendJSON appends s as a JSON text, with no more escapes than JSON asks for.
func appendJSON(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
