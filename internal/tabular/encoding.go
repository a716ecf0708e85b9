package tabular

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"

	"sluice/internal/crm"
)

const utf8Name = "utf-8"

// Byte order marks. That of UTF-32 LE begins with that of UTF-16 LE.
const (
	bom8    = "\xEF\xBB\xBF"
	bom16LE = "\xFF\xFE"
	bom16BE = "\xFE\xFF"
	bom32LE = "\xFF\xFE\x00\x00"
	bom32BE = "\x00\x00\xFE\xFF"
)

// findEncoding finds out the encoding of a text that begins with head; cut says
// that the text goes on behind it.
func findEncoding(head []byte, cut bool, named string) (string, crm.Decision, error) {
	d := crm.Decision{About: "encoding", Score: 1}
	var err error
	switch {
	case named != "":
		d.Choice, err = encodingNamed(named)
		d.Evidence = "as set"
		if mark := markOf(head); mark == "utf-16be" && strings.EqualFold(strings.TrimSpace(named), "utf-16") {
			d.Choice = mark // the name leaves the order of the bytes to the mark
		}
	case markOf(head) != "":
		d.Choice, d.Evidence = markOf(head), "begins with its byte order mark"
	case wideOf(head) != "":
		d.Choice, d.Score = wideOf(head), 0.9
		d.Evidence = "zero bytes stand where its characters have them"
	default:
		err = weigh(&d, head, cut)
	}
	return d.Choice, d, err
}

// dosCharsets are those of DOS, which the WHATWG Encoding Standard leaves out
// and old systems still export in.
var dosCharsets = map[string]*charmap.Charmap{
	"ibm437": charmap.CodePage437, "ibm850": charmap.CodePage850, "ibm852": charmap.CodePage852,
}

// encodingNamed returns the canonical name of an encoding.
func encodingNamed(name string) (string, error) {
	lower := strings.ToLower(strings.TrimSpace(name))
	switch lower {
	case "utf-32le", "utf-32be":
		return lower, nil
	case "cp437", "cp850", "cp852":
		lower = "ibm" + lower[2:]
	}
	if dosCharsets[lower] != nil {
		return lower, nil
	}
	e, err := htmlindex.Get(lower)
	if err == nil {
		lower, err = htmlindex.Name(e)
	}
	if err != nil || lower == "replacement" || lower == "x-user-defined" {
		return "", invalid("encoding %q is not known; use a name such as utf-8 or windows-1252", name)
	}
	return lower, nil
}

// markOf returns the encoding whose byte order mark head begins with.
func markOf(head []byte) string {
	for _, m := range []struct{ mark, name string }{
		{bom8, utf8Name}, {bom32LE, "utf-32le"}, {bom32BE, "utf-32be"},
		{bom16LE, "utf-16le"}, {bom16BE, "utf-16be"},
	} {
		if strings.HasPrefix(string(head[:min(len(head), 4)]), m.mark) {
			return m.name
		}
	}
	return ""
}

// wideOf recognises UTF-32 and UTF-16 without a mark. The upper bytes of a
// character of UTF-32 are zero. In a table of UTF-16, delimiters, digits and
// line ends are a tenth at least, and one byte of each is zero, always the same.
func wideOf(head []byte) string {
	var zero [4]int
	pairs := [2]int{} // zeros at even and odd places beside a byte that is no control character
	for i, c := range head {
		if c != 0 {
			continue
		}
		zero[i%4]++
		if i^1 < len(head) && isPlain(head[i^1]) {
			pairs[i%2]++
		}
	}
	quads := len(head) / 4
	even, odd := zero[0]+zero[2], zero[1]+zero[3]
	switch {
	case quads >= 2 && zero[3] >= quads && zero[2]*10 > quads*9 && zero[0]*10 < quads:
		return "utf-32le"
	case quads >= 2 && zero[0] >= quads && zero[1]*10 > quads*9 && zero[3]*10 < quads:
		return "utf-32be"
	case len(head) >= 4 && odd*20 > len(head) && even*20 < odd && pairs[1]*10 >= odd*9 && isWide(odd, len(head)):
		return "utf-16le"
	case len(head) >= 4 && even*20 > len(head) && odd*20 < even && pairs[0]*10 >= even*9 && isWide(even, len(head)):
		return "utf-16be"
	}
	return ""
}

// isWide asks for more than a few zeros where they are not many of the bytes.
func isWide(zeros, size int) bool { return zeros >= 4 || zeros*5 > size }

func isPlain(c byte) bool {
	return c >= ' ' && c != 0x7F || c == '\t' || c == '\n' || c == '\r'
}

// decoded returns b as UTF-8, with noText for what is no text in the encoding.
func decoded(name string, b []byte) ([]byte, error) {
	t, err := decoderOf(name)
	if err != nil || t == nil {
		return b, err
	}
	text, _, err := transform.Bytes(t, b)
	return text, err
}

// highBytes is what the bytes beyond ASCII look like.
type highBytes struct {
	runes int // characters of UTF-8
	bad   int // bytes that are part of none
}

func countHigh(b []byte, cut bool) highBytes {
	var n highBytes
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r != utf8.RuneError || size > 1:
			n.runes++
		case cut && !utf8.FullRune(b[i:]):
			return n
		default:
			n.bad++
		}
		i += size
	}
	return n
}

// weigh decides between UTF-8 and the encodings of one or two bytes a letter,
// or asks. Characters of UTF-8 do not come about by chance: where they are as
// many as the bytes that are none, it is UTF-8 with damaged rows.
func weigh(d *crm.Decision, head []byte, cut bool) error {
	n := countHigh(head, cut)
	switch {
	case n.bad == 0 && n.runes == 0 && bytes.Contains(head, []byte("\x1B$")):
		// Escape sequences, as of ISO-2022-JP.
	case n.bad == 0:
		d.Choice = utf8Name
		d.Evidence = fmt.Sprintf("valid, with %d characters beyond ASCII", n.runes)
		return nil
	case n.runes >= n.bad:
		d.Choice = utf8Name
		d.Score = float64(n.runes) / float64(n.runes+n.bad)
		d.Evidence = fmt.Sprintf("%d characters beyond ASCII are valid, %d bytes are not", n.runes, n.bad)
		return nil
	}
	list := candidates(foreignLines(head, cut))
	if len(list) == 0 || list[0].score < sureEncoding {
		return doubtful(list)
	}
	d.Choice, d.Score = list[0].name, list[0].score
	d.Evidence = "not UTF-8; " + list[0].why
	return nil
}

// sureEncoding is how sure an encoding must be to be taken unasked. A wrong one
// shows in no count, only in people's names.
const sureEncoding = 0.7

// doubtful is the error for a text that may be in any of the encodings.
func doubtful(list []candidate) error {
	if len(list) == 0 {
		return invalid("the encoding is not UTF-8, and no other fits; name it in the encoding setting")
	}
	names := fmt.Sprintf("%s (%.0f%%)", list[0].name, 100*list[0].score)
	if len(list) > 1 {
		names += fmt.Sprintf(" or %s (%.0f%%)", list[1].name, 100*list[1].score)
	}
	return invalid("the encoding is not UTF-8, and no other is plain; name it in the encoding setting, perhaps %s", names)
}
