package mapping

import (
	"strings"
	"sync"
)

// month reads the name of a month; 0 if there is none.
func (c *scanner) month() int { return monthWords()[string(c.word())] }

// weekday reads the name of a weekday and what stands behind it; 0 if there is
// none. Monday is 1.
func (c *scanner) weekday() int {
	day := weekdayWords()[string(c.word())]
	if day == 0 {
		return 0
	}
	c.takeAny("-feira", "-Feira")
	c.take('.')
	c.take(',')
	if !c.spaces() {
		return 0
	}
	from := c.i
	switch string(c.word()) {
	case "den", "le", "el", "the":
		c.spaces()
	default:
		c.i = from
	}
	return day
}

// The names of the months, a language a line.
const monthNames = `january february march april may june july august september october november december
januar februar marz april mai juni juli august september oktober november dezember
janner feber maerz april mai juni juli august september oktober november dezember
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
januari februari maart april mei juni juli augustus september oktober november december
jan feb mrt apr mei jun jul aug sep okt nov dec
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro`

// The names of the weekdays, and the two letters that German and Dutch use.
const weekdayNames = `monday tuesday wednesday thursday friday saturday sunday
montag dienstag mittwoch donnerstag freitag samstag sonntag
mo di mi do fr sa so
lundi mardi mercredi jeudi vendredi samedi dimanche
lunes martes miercoles jueves viernes sabado domingo
lunedi martedi mercoledi giovedi venerdi sabato domenica
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
ma di wo do vr za zo
segunda terca quarta quinta sexta sabado domingo`

var (
	monthWords   = sync.OnceValue(func() map[string]int { return wordsOf(monthNames) })
	weekdayWords = sync.OnceValue(func() map[string]int { return wordsOf(weekdayNames) })
)

// wordsOf numbers names from 1, whole and by their first three letters or more.
// What begins two of them, as "jui" does in French, is neither: it is 0.
func wordsOf(table string) map[string]int {
	words := make(map[string]int, 600)
	for line := range strings.Lines(table) {
		for i, name := range strings.Fields(line) {
			for n := min(3, len(name)); n <= len(name); n++ {
				if have, ok := words[name[:n]]; ok && have != i+1 {
					words[name[:n]] = 0
					continue
				}
				words[name[:n]] = i + 1
			}
		}
	}
	return words
}
