package tabular

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// latinCharsets are the encodings of Latin letters that are tried, each with
// how much more common the first one is among tables, as a natural logarithm.
// An encoding that reads every letter as a better one does is not told apart
// from it, and need not be.
var latinCharsets = []struct {
	name  string
	rarer float64
}{
	{"windows-1252", 0}, {"windows-1250", 3}, {"macintosh", 3}, {"windows-1254", 3}, {"windows-1257", 4},
	{"iso-8859-2", 4}, {"iso-8859-15", 4}, {"ibm850", 5}, {"ibm437", 5}, {"ibm852", 6},
}

// latinLetters are the letters beyond ASCII of the languages written in them,
// each from the most frequent to the rarest.
var latinLetters = []string{
	"üäößé",             // German
	"éèêàçîôûâïëùœü",    // French
	"óíáñéúü",           // Spanish
	"ãçáéíóêõâúàô",      // Portuguese
	"àèòùìé",            // Italian
	"ëéïöüèá",           // Dutch
	"äåöéü",             // Swedish, Finnish
	"øåæéöüó",           // Danish, Norwegian
	"áðíéóöúþæý",        // Icelandic
	"àéíèóçòúïü",        // Catalan
	"łąężóśćńź",         // Polish
	"íáéěžřšýčůúóťďň",   // Czech
	"áíýéčšžúľťóôňäďŕĺ", // Slovak
	"áéöóőíüúű",         // Hungarian
	"ăîşţâ",             // Romanian
	"čšžćđ",             // Croatian, Slovene
	"ıüşğçöâîû",         // Turkish
	"ėųįšūžąčę",         // Lithuanian
	"āīēšūņļķģžč",       // Latvian
	"äõüöšž",            // Estonian
	"ëç",                // Albanian
}

// How likely a character beyond ASCII is that is no letter of its language.
const (
	foreignLetter = 0.002  // a letter of another language
	placedSign    = 0.4    // a sign that stands where writers put it
	aloneSign     = 0.02   // a sign that stands outside words in many texts
	rareSign      = 0.002  // one that few texts have
	withinWord    = 0.0001 // one within a word
	wrongCase     = 0.05   // of a letter's: a capital behind a small letter
	loneLetter    = 0.05   // of a letter's: no letter beside it
)

// aloneSigns are signs that ordinary tables have.
const aloneSigns = "\u00A0€£§°©®™«»“”„‘’‚–—…·¿¡ºª²³½¼×•"

// latinCandidates rates the sample as Latin letters in each encoding; the
// likeliest first, none in which it is not text.
func latinCandidates(sample []byte) []candidate {
	type rated struct {
		candidate
		likelihood float64
		odd, n     int
	}
	var list []rated
	for _, c := range latinCharsets {
		text := soundText(c.name, sample)
		if text == nil || slices.ContainsFunc(list, func(r rated) bool { return string(r.text) == string(text) }) {
			continue
		}
		seen := letters(string(text))
		l := rated{candidate: candidate{name: c.name, text: text}, likelihood: seen.likelihood() - c.rarer, odd: seen.odd, n: seen.n}
		list = append(list, l)
	}
	slices.SortStableFunc(list, func(a, b rated) int { return cmp.Compare(b.likelihood, a.likelihood) })
	out := make([]candidate, 0, len(list))
	for i, r := range list {
		if r.n == 0 {
			continue
		}
		rival := math.Inf(-1)
		if i > 0 {
			rival = list[0].likelihood
		} else if len(list) > 1 {
			rival = list[1].likelihood
		}
		// The odds are halved: languages are mixed, and their tables rough.
		r.score = math.Pow(1-float64(r.odd)/float64(r.n), 3) / (1 + math.Exp((rival-r.likelihood)/2))
		r.why = fmt.Sprintf("of %d letters and signs beyond ASCII %d are out of place", r.n, r.odd)
		out = append(out, r.candidate)
	}
	return out
}

// seen is what characters beyond ASCII there are in a text.
type seen struct {
	n, odd int              // all of them; those within words or in the wrong case
	small  map[rune]float64 // letters, in small, and how often
	signs  float64          // the likelihood of what is no letter, as a logarithm
}

func letters(text string) seen {
	s := seen{small: make(map[rune]float64)}
	var before rune
	for i, r := range text {
		if r < utf8.RuneSelf {
			before = r
			continue
		}
		s.n++
		after, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
		switch inside := unicode.IsLetter(before) && unicode.IsLetter(after); {
		case unicode.IsLetter(r) && !strings.ContainsRune("ºªƒ", r):
			s.small[unicode.ToLower(r)]++
			if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
				s.signs += math.Log(loneLetter)
			}
			if unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsLetter(before) && unicode.IsLower(after)) {
				s.odd++
				s.signs += math.Log(wrongCase)
			}
		case inPlace(before, r, after):
			s.signs += math.Log(placedSign)
		case inside && !strings.ContainsRune("’·–—\u00A0", r), unicode.IsMark(r):
			s.odd++
			s.signs += math.Log(withinWord)
		case strings.ContainsRune(aloneSigns, r):
			s.signs += math.Log(aloneSign)
		default:
			s.signs += math.Log(rareSign)
		}
		before = r
	}
	return s
}

// inPlace reports whether a sign stands where writers put it: an apostrophe
// within a word, quotes around words, a dash between blanks, a currency beside
// a number.
func inPlace(before, r, after rune) bool {
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	switch r {
	case '’':
		return word(before)
	case '“', '„', '«', '‘', '‚', '¿', '¡':
		return !word(before) && word(after)
	case '”', '»':
		return !unicode.IsSpace(before) && !word(after)
	case '–', '—':
		return unicode.IsSpace(before) == unicode.IsSpace(after)
	case '…':
		return word(before)
	case '€', '£', '¥', '§', '°':
		return unicode.IsSpace(before) || unicode.IsDigit(before) || unicode.IsDigit(after)
	case '®', '™', '©':
		return !word(after)
	}
	return false
}

// likelihood returns how likely the characters are, as a logarithm: in the
// language that fits them best, or in a mixture of all, which must fit better by
// as much as it is less likely.
func (s seen) likelihood() float64 {
	small := make([]rune, 0, len(s.small))
	for r := range s.small {
		small = append(small, r)
	}
	slices.Sort(small) // sums of floats depend on their order
	best := s.mixture(small) - mixed
	for language := range latinLetters {
		total := 0.0
		for _, r := range small {
			total += s.small[r] * math.Log(frequency(language, r))
		}
		best = max(best, total)
	}
	return best + s.signs
}

// mixed is how much less likely a mixture of languages is, as a logarithm.
const mixed = 4

// mixture returns how likely the letters are in the mixture of languages that
// fits them best, found by expectation and maximisation, which settles soon.
func (s seen) mixture(small []rune) float64 {
	mix := make([]float64, len(latinLetters))
	for i := range mix {
		mix[i] = 1 / float64(len(mix))
	}
	total := 0.0
	for range 30 {
		next := make([]float64, len(mix))
		weight := 0.0
		total = 0
		for _, r := range small {
			p := 0.0
			for i, m := range mix {
				p += m * frequency(i, r)
			}
			for i, m := range mix {
				next[i] += s.small[r] * m * frequency(i, r) / p
			}
			weight += s.small[r]
			total += s.small[r] * math.Log(p)
		}
		if weight == 0 {
			return 0
		}
		for i := range next {
			mix[i] = next[i] / weight
		}
	}
	return total
}

// frequency returns how large a part of a language's letters beyond ASCII r is,
// about: the second letter is half as frequent as the first, the third a third.
func frequency(language int, r rune) float64 {
	letters := latinLetters[language]
	at := strings.IndexRune(letters, r)
	if at < 0 {
		return foreignLetter
	}
	n, rank, sum := utf8.RuneCountInString(letters), utf8.RuneCountInString(letters[:at])+1, 0.0
	for i := 1; i <= n; i++ {
		sum += 1 / float64(i)
	}
	return 1 / float64(rank) / sum
}
