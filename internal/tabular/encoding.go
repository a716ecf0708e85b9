package tabular

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

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
	case markOf(head) != "":
		d.Choice, d.Evidence = markOf(head), "begins with its byte order mark"
	case wideOf(head) != "":
		d.Choice, d.Score = wideOf(head), 0.9
		d.Evidence = "every other byte is zero"
	default:
		err = weigh(&d, countHigh(head, cut))
	}
	return d.Choice, d, err
}

// encodingNamed returns the canonical name of an encoding.
func encodingNamed(name string) (string, error) {
	lower := strings.ToLower(strings.TrimSpace(name))
	switch lower {
	case "utf-32le", "utf-32be":
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

// wideOf recognises UTF-16 without a mark: in most tables delimiters, digits
// and Latin letters abound, and one byte of each is zero.
func wideOf(head []byte) string {
	var zero [2]int
	for i, c := range head {
		if c == 0 {
			zero[i%2]++
		}
	}
	pairs := len(head) / 2
	if pairs < 2 {
		return ""
	}
	switch {
	case zero[1]*10 > pairs*4 && zero[0]*20 < zero[1]:
		return "utf-16le"
	case zero[0]*10 > pairs*4 && zero[1]*20 < zero[0]:
		return "utf-16be"
	}
	return ""
}

// highBytes is what the bytes beyond ASCII look like.
type highBytes struct {
	runes     int // characters of UTF-8
	bad       int // bytes that are part of none
	alone     int // bad bytes beside ASCII, as accented letters mostly stand
	undefined int // bad bytes that Windows-1252 leaves undefined
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
			if undefined1252(b[i]) {
				n.undefined++
			}
			if (i == 0 || b[i-1] < utf8.RuneSelf) && (i+1 == len(b) || b[i+1] < utf8.RuneSelf) {
				n.alone++
			}
		}
		i += size
	}
	return n
}

// weigh decides between UTF-8 and Windows-1252, or asks. Characters of UTF-8 do
// not come about by chance: where they are as many as the bytes that are none,
// it is UTF-8 with damaged rows. In Windows-1252 nearly every accented letter
// stands between ASCII ones; where they come in runs it is another encoding.
func weigh(d *crm.Decision, n highBytes) error {
	switch {
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
	d.Choice = "windows-1252"
	d.Score = 0.9 * float64(n.alone) / float64(n.bad) * (1 - float64(n.undefined)/float64(n.bad))
	d.Evidence = fmt.Sprintf("not UTF-8; %d of %d bytes beyond ASCII stand alone, %d are undefined",
		n.alone, n.bad, n.undefined)
	if d.Score < 0.45 {
		return invalid("the encoding is neither UTF-8 nor plainly Windows-1252; name it in the encoding setting")
	}
	return nil
}
