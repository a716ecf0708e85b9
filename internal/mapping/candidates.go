package mapping

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
)

// A candidate is a field that a header text may stand for.
type candidate struct {
	to    string // "" if the column is better left alone
	score float64
	why   string
	with  []string // folded headers, one of which must be there too; nil: always
	proof bool     // the name promises little: cells must show that they fit
}

const (
	exactScore = 1.0
	usualScore = 0.9
	weakScore  = 0.7

	// A text of which only some words are known scores between these, by how
	// many they are.
	leastLike = 0.4
	mostLike  = 0.7

	exactEvidence = "the name of the field"
)

// synonyms holds every candidate by folded header text.
var synonyms = sync.OnceValue(func() map[string][]candidate {
	byHeader := make(map[string][]candidate, 1600)
	add := func(header string, c candidate) {
		h := folded(header)
		for _, have := range byHeader[h] {
			if have.to == c.to && len(have.with)+len(c.with) == 0 {
				return
			}
		}
		byHeader[h] = append(byHeader[h], c)
	}
	for _, x := range exceptions {
		add(x.header, candidate{to: x.to, score: usualScore, why: x.why, with: foldedList(x.with)})
	}
	for _, name := range targetNames() {
		add(name, candidate{to: name, score: exactScore, why: exactEvidence})
	}
	for e, fields := range bare {
		for _, name := range fields {
			add(name, candidate{to: e.String() + "." + name, score: exactScore, why: exactEvidence})
		}
	}
	for _, field := range targetNames() {
		for header := range strings.SplitSeq(usual[field], ",") {
			add(header, candidate{to: field, score: usualScore, why: "a usual name for it"})
		}
		for header := range strings.SplitSeq(weak[field], ",") {
			add(header, candidate{to: field, score: weakScore, why: "often used for it"})
		}
	}
	for header := range strings.SplitSeq(owners, ",") {
		add(header, candidate{to: "customer.owner", score: weakScore, why: "owners are e-mail addresses", proof: true})
	}
	for _, n := range fieldless {
		for header := range strings.SplitSeq(n.headers, ",") {
			if _, known := byHeader[folded(header)]; !known {
				add(header, candidate{why: n.why})
			}
		}
	}
	delete(byHeader, "")
	return byHeader
})

func foldedList(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		out = append(out, folded(item))
	}
	return out
}

// candidates returns what a header text may stand for beside the others.
func candidates(header string, all map[string]bool) []candidate {
	var plain, special []candidate
	h := folded(header)
	for _, c := range synonyms()[h] {
		if c.with == nil {
			plain = append(plain, c)
			continue
		}
		for _, other := range c.with {
			if all[other] && other != h {
				special = append(special, c)
				break
			}
		}
	}
	switch {
	case special != nil:
		return special
	case plain != nil:
		return plain
	}
	return alike(header)
}

// alike returns what a text may stand for whose words are those of a known one
// and others that say nothing of what a column holds, such as "primary".
func alike(header string) []candidate {
	words := headerWords(header)
	var telling []string
	for _, w := range words {
		if !qualifiers[w] {
			telling = append(telling, w)
		}
	}
	known := strings.Join(telling, "")
	if len(telling) == 0 || len(telling) == len(words) || tooShort[known] {
		return nil
	}
	var list []candidate
	for _, c := range synonyms()[known] {
		if c.with != nil || c.to == "" {
			continue
		}
		c.score = leastLike + (mostLike-leastLike)*float64(len(telling))/float64(len(words))
		c.why = fmt.Sprintf("%d of its %d words are a name for it, and the others say nothing else", len(telling), len(words))
		list = append(list, c)
	}
	return list
}

// headerWords divides a header text into folded words, also where capitals do.
func headerWords(header string) []string {
	var words []string
	var word []rune
	end := func() {
		if f := folded(string(word)); f != "" {
			words = append(words, f)
		}
		word = word[:0]
	}
	lower := false
	for _, r := range header {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) || lower && unicode.IsUpper(r) {
			end()
		}
		lower = unicode.IsLower(r)
		word = append(word, r)
	}
	end()
	return words
}

func wordSet(list string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(list) {
		set[folded(w)] = true
	}
	return set
}

var (
	// qualifiers are the words that say whose or which, and not what.
	qualifiers = wordSet(`primary main default preferred principal principale customer customers client clients contact contacts lead leads person people
		user member subscriber company organization organisation account business work office billing mailing shipping address properties
		property field value info details current official full full_text hq headquarters crm
		kunde kunden kontakt firma geschäftlich rechnung haupt client société entreprise contact facturation professionnel
		cliente contacto empresa facturación the my your our of de du der des del la le`)

	// tooShort are the names that may stand for too much once a word beside
	// them is taken away: "user name" is how somebody logs in.
	tooShort = wordSet(`id uid name date status state title account label labels type site first last position role function
		organization organisation notes note comment description group groups lists domain customer client lead contact person
		emailid created joined web place`)

	// personal are the folded names of columns that hold a person's name,
	// plainName those that do where another column has the company's.
	personal = wordSet(`fullname contactname personname leadname formattedname displayname subscribername contactfullname customerfullname
		vollständigername nomcomplet nombrecompleto nometprénom prénometnom nombreyapellidos nombreyapellido`)
	plainName = wordSet(`name nom nombre personname contact person`)
)
