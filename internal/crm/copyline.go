package crm

import "bytes"

// CutCopy returns the first value of a line that [AppendCopy] wrote, or of the
// rest of one, and what follows it. Both are as they stand, undecoded; the line
// is without its newline. Rest is nil behind the last value.
func CutCopy(line []byte) (value, rest []byte) {
	if i := bytes.IndexByte(line, '\t'); i >= 0 {
		return line[:i], line[i+1:]
	}
	return line, nil
}

// CopyValue decodes a value that [CutCopy] returned; "" stands for \N.
func CopyValue(value []byte) string { return copyValue(value) }

// AppendCopyValue appends one value as [AppendCopy] writes it.
func AppendCopyValue(dst []byte, v string) []byte { return appendCopyValue(dst, v) }
