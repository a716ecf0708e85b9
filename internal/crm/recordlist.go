package crm

import (
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends r as a line of a list of rows: byte for byte what
// encoding/json makes of it, and a newline. Lists of rows are long, and a row
// that is merely warned of costs as much as one that is imported.
func (r *RejectedRow) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	if r.File != 0 {
		dst = append(strconv.AppendInt(append(dst, `"file":`...), int64(r.File), 10), ',')
	}
	dst = strconv.AppendInt(append(dst, `"line":`...), r.Line, 10)
	dst = append(dst, `,"faults":`...)
	if r.Faults == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, '[')
		for i, f := range r.Faults {
			dst = append(comma(dst, i), '{')
			if f.Column != "" {
				dst = append(appendJSON(append(dst, `"column":`...), f.Column), ',')
			}
			dst = append(appendJSON(append(dst, `"reason":`...), string(f.Reason)), '}')
		}
		dst = append(dst, ']')
	}
	dst = append(dst, `,"cells":`...)
	if r.Cells == nil {
		return append(dst, "null}\n"...)
	}
	dst = append(dst, '[')
	for i, cell := range r.Cells {
		dst = appendJSON(comma(dst, i), cell)
	}
	return append(dst, "]}\n"...)
}

func comma(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}

// appendJSON appends s as encoding/json writes it: what means something in HTML
// or JavaScript is escaped too, and U+FFFD stands for what is no UTF-8.
func appendJSON(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		if plainInJSON[s[i]] {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		invalid := r == utf8.RuneError && size == 1
		if r >= utf8.RuneSelf && !invalid && r != '\u2028' && r != '\u2029' {
			i += size
			continue
		}
		dst = append(dst, s[from:i]...)
		i += size
		from = i
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', byte(r))
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// plainInJSON are the bytes of ASCII that stand for themselves.
var plainInJSON = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return plain
}()
