package main

import (
	"strings"
	"time"
)

const dateLayout = "2006-01-02 15:04"

// firstDay is before every date of the data; the last is five years after.
var firstDay = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)

var (
	givenNames = strings.Split("Ada Björn Chloé Dmitri Emma Fatima Grace Hugo Inês José Kofi Leila Mateo Nadia Olga Priya "+
		"Quentin Renée Søren Tom Ursula Vera Wei Xenia Yuki Zoë", " ")
	familyNames = strings.Split("Åkesson,Brown,Chen,de la Cruz,Evans,Fischer,García,Haddad,Ivanov,Jones,Kowalski,Lee,Müller,Nguyen,O'Brien,Patel,Rossi,"+
		"Silva,Tanaka,Ueda,Van der Berg,Wilson,Young,Żak", ",")
	companies = strings.Split("Aster Works,Blue Harbour,Café Mitte,Delta Robotik,Evergreen,Foxglove,Granite,Highland Tools,Iron Bridge,"+
		"Juniper,Kestrel,Lantern,Meridian,Northwind,Oakline,Pinecrest", ",")
	forms   = []string{" Inc.", ", Ltd.", " GmbH", " S.A.", " LLC", " \"Labs\"", " & Sons", ""}
	domains = strings.Split("example.com,example.org,example.net,post.example.com", ",")
	titles  = strings.Split("Accountant|Buyer|Chief Executive|Data Analyst|Engineer|Founder|Head of Sales|Manager, Operations|Product Owner", "|")
	tags    = strings.Split("newsletter webinar partner trial enterprise event referral outbound", " ")
	phrases = strings.Split("asked for prices|wants a demo|met at the fair|prefers e-mail|budget is approved|called twice, no answer|"+
		"said \"maybe later\"|the contract ends in spring|needs single sign-on|uses another product|évaluation en cours|follow up next week", "|")
)

// A place is where customers are.
type place struct{ country, state, city string }

// The cities of neighbours differ, so that the next is another one.
var places = []place{
	{"US", "NY", "Albany"}, {"United States", "California", "San José"}, {"US", "TX", "Austin"}, {"GB", "", "London"},
	{"Germany", "", "München"}, {"DE", "", "Dresden"}, {"France", "", "Paris"}, {"PL", "", "Łódź"}, {"Brazil", "", "São Paulo"},
	{"JP", "", "東京"}, {"Canada", "", "Toronto"}, {"SE", "", "Malmö"},
}

// mailNames are the parts of addresses before the number that makes them
// unique.
var mailNames = strings.Split("info hello ada.quill jkim sales office b.tuck team", " ")

func mailName(n uint64) string { return pick(mailNames, n>>48) }

// pick takes one of the words. Only the lowest eight bits of n count.
func pick(words []string, n uint64) string { return words[n%256%uint64(len(words))] }
