package tabular

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wlynxg/chardet"
)

// A candidate is an encoding that a text may be in.
type candidate struct {
	name  string
	score float64 // how sure, from 0 to 1
	why   string
	text  []byte // the sample, decoded
}

// charsetSample is how much is looked at of a text that is not UTF-8, in bytes.
// The detector takes a third of a second for a megabyte.
const charsetSample = 64 << 10

// foreignLines returns the lines of a text that have bytes beyond ASCII, or
// escape sequences; the rest says nothing about its encoding.
func foreignLines(b []byte, cut bool) []byte {
	var out []byte
	for len(b) > 0 && len(out) < charsetSample {
		end := bytes.IndexAny(b, "\r\n") + 1
		if end == 0 {
			if cut && len(out) > 0 {
				break // the end of the line is not there
			}
			end = len(b)
		}
		line := b[:end]
		if slices.ContainsFunc(line, func(c byte) bool { return c >= utf8.RuneSelf || c == 0x1B }) {
			out = append(out, line...)
		}
		b = b[end:]
	}
	return out[:min(len(out), charsetSample)]
}

// candidates returns the encodings that fit the sample, the likeliest first.
//
// Texts in the Latin script are told apart by their letters. The detector does
// not know most of their languages, and takes Polish, Hungarian or Lithuanian
// for the west's. All other scripts are the detector's.
func candidates(sample []byte) []candidate {
	list := latinCandidates(sample)
	if runs(sample) > 0.5 {
		for i := range list {
			list[i].score /= 2
		}
	}
	list = append(list, detected(sample)...)
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	return list
}

// runs returns the part of the bytes beyond ASCII that stand three and more in
// a row: words of other scripts do, and hardly any word with accents.
func runs(sample []byte) float64 {
	n, inRuns, run := 0, 0, 0
	for i, c := range sample {
		if c < utf8.RuneSelf {
			run = 0
			continue
		}
		n++
		run++
		if i+1 == len(sample) || sample[i+1] < utf8.RuneSelf {
			if run > 2 {
				inRuns += run
			}
		}
	}
	return float64(inRuns) / float64(max(n, 1))
}

// charsetNames are the names by which the detector calls encodings that we
// know by another; "" for what is not to be taken from it.
var charsetNames = map[string]string{
	"GB2312": "gb18030", "CP949": "euc-kr", "CP932": "shift_jis", "TIS-620": "windows-874",
	"ISO-8859-1": "", "ISO-8859-2": "", "ISO-8859-9": "", "ISO-8859-13": "", "macintosh": "",
	"Windows-1250": "", "Windows-1252": "", "Windows-1254": "", "Windows-1257": "",
	"US-ASCII": "", "UTF-8": "", "UTF-8-SIG": "", "HZ-GB-2312": "",
}

// detected asks the detector for encodings of scripts other than Latin. Those
// in which the sample is not text, or not one of such a script, lose.
func detected(sample []byte) []candidate {
	var list []candidate
	for _, r := range chardet.DetectAll(sample) {
		name, known := charsetNames[r.Charset]
		if !known {
			var err error
			if name, err = encodingNamed(r.Charset); err != nil {
				continue
			}
		}
		if name == "" || slices.ContainsFunc(list, func(c candidate) bool { return c.name == name }) {
			continue
		}
		if c, ok := crossChecked(name, r.Confidence, sample); ok {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.name, b.name))
	})
	// The detector's figure is how much of a language there is, and tables of
	// names have little. Where letters are pairs of bytes that all fit, and fit
	// no other encoding as well, that says more.
	if len(list) > 0 && pairs[list[0].name] {
		rival := 0.0
		if len(list) > 1 {
			rival = list[1].score
		}
		c := &list[0]
		c.score = max(c.score, min(1, c.score/0.4)*c.score/(c.score+rival)*0.9)
	}
	return list
}

// pairs are the encodings in which a letter beyond ASCII is two bytes or more.
var pairs = map[string]bool{"shift_jis": true, "euc-jp": true, "gb18030": true, "big5": true, "euc-kr": true}

// crossChecked decodes the sample and looks whether letters have come of it.
func crossChecked(name string, confidence float64, sample []byte) (candidate, bool) {
	name, text := windowsFor(name, sample)
	if text == nil {
		return candidate{}, false
	}
	letters, odd := 0, signsWithin(text)
	var before rune
	for _, r := range string(text) {
		switch {
		case r < utf8.RuneSelf:
		case unicode.Is(unicode.Co, r), unicode.Is(unicode.Latin, r), unicode.IsUpper(r) && unicode.IsLower(before):
			odd++
		case unicode.IsLetter(r), unicode.IsMark(r):
			letters++
		}
		before = r
	}
	if letters == 0 || odd*10 > letters {
		return candidate{}, false
	}
	return candidate{
		name: name, score: confidence * (1 - float64(odd)/float64(letters)), text: text,
		why: fmt.Sprintf("%d letters beyond ASCII make sense in it", letters),
	}, true
}

// windowsFor decodes the sample in the encoding named, or in that of Windows
// for the same letters where bytes say so; nil if it is not text in either.
func windowsFor(name string, sample []byte) (string, []byte) {
	names := []string{name}
	if windows := map[string]string{
		"iso-8859-6": "windows-1256", "iso-8859-7": "windows-1253", "iso-8859-8": "windows-1255",
	}[name]; windows != "" {
		names = []string{windows, name}
	}
	best, text, least := name, []byte(nil), math.MaxInt
	for _, n := range names {
		t := soundText(n, sample)
		if t == nil {
			continue
		}
		if within := signsWithin(t); within < least {
			best, text, least = n, t, within
		}
	}
	return best, text
}

// soundText decodes the sample; nil if some of it is no text in the encoding.
func soundText(name string, sample []byte) []byte {
	text, err := decoded(name, sample)
	// The last line may be cut within a character.
	whole := text[:max(len(text)-utf8.UTFMax, 0)]
	if len(sample) < charsetSample {
		whole = text
	}
	if err != nil || bytes.IndexByte(whole, noText) >= 0 || bytes.Contains(whole, []byte("\uFFFD")) {
		return nil
	}
	return bytes.ToValidUTF8(text, nil)
}

// signsWithin counts signs beyond ASCII that touch a letter on the right: an
// accented capital that was read in the wrong encoding.
func signsWithin(text []byte) int {
	n := 0
	var before rune
	for _, r := range string(text) {
		if unicode.IsLetter(r) && before >= utf8.RuneSelf && !unicode.IsLetter(before) && !unicode.IsMark(before) &&
			!strings.ContainsRune("\u00A0«“„‘–—", before) {
			n++
		}
		before = r
	}
	return n
}
