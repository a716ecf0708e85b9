package mapping

import "golang.org/x/text/unicode/norm"

// ascii reports whether s is ASCII without U+0000: such text is NFC already.
func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i]-1 >= 0x7f { // 0 wraps around
			return false
		}
	}
	return true
}

// foldASCII writes s into buf with its ASCII letters in lower case and without
// other ASCII but digits. It returns nil if s does not fit.
func foldASCII(buf []byte, s string) []byte {
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= 0x80:
		default:
			continue
		}
		if n == len(buf) {
			return nil
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

func letter(b byte) bool { return lower(b)-'a' < 26 }

func lower(b byte) byte {
	if b-'A' < 26 {
		b += 'a' - 'A'
	}
	return b
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' >= 10 {
			return false
		}
	}
	return true
}

// plainText returns the NFKC of a cell, in which digits and spaces of every
// width are those of ASCII; the cell itself if it is ASCII.
func plainText(cell string) string {
	if ascii(cell) {
		return cell
	}
	return norm.NFKC.String(cell)
}
