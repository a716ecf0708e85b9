package mapping

import (
	"strings"
	"sync"

	"sluice/internal/crm"
)

// A candidate is a field that a header text may stand for.
type candidate struct {
	to    string // "" if the column is better left alone
	score float64
	why   string
	with  []string // folded headers, one of which must be there too; nil: always
}

const (
	exactScore    = 1.0
	usualScore    = 0.9
	weakScore     = 0.7
	exactEvidence = "the name of the field"
)

// exceptions are header texts that mean another thing beside certain other
// columns. Where one holds, the plain synonyms of the text do not.
var exceptions = []struct {
	header, with, to, why string
}{
	{"id", "account id, accountid", "contact.external_id", "beside an account id, the id of the contact"},
	{"contact id", "account id, accountid", "contact.external_id", "beside an account id, the id of the contact"},
	{"name", "vorname", "contact.last_name", "beside Vorname, the family name"},
	{"nom", "prénom", "contact.last_name", "beside Prénom, the family name"},
	{"nombre", "apellido, apellidos", "contact.first_name", "beside Apellidos, the given name"},
	{"status", "delinquent, plan, plan id, subscription id, subscription status, member rating, currency", "", "its words are those of subscriptions, not of leads; map it with values to use it"},
	{"lead status", "lifecycle stage, record id, lead source, lead owner, contact owner, lead id", "", "its words are the vendor's own; map it with values to use it"},
	{"cc", "euid, leid", "customer.country", "Mailchimp's country code"},
	{"region", "euid, leid", "customer.state", "Mailchimp's region"},
	{"address", "euid, leid", "", "several fields in one"},
	{"owner", "person name, organization name, deal title", "", "a name, and owners are e-mail addresses"},
}

// usual lists, for each field, the texts that exports use for it and nothing
// else: of HubSpot, Salesforce, Mailchimp, Stripe, Pipedrive, Google, Outlook
// and Chargebee, and in German, French and Spanish.
var usual = map[string]string{
	"customer.external_id": `id, customer id, customer external id, customers id, external customer id, client id,
		account id, account number, company id, organization id, organisation id, record id, lead id, user id, uid, customer number, customer no,
		customer key, person id, card customer id, Kundennummer, Kunden-Nr, Kunden-ID, Kundennr, numéro client, identifiant client, identifiant, n° client,
		ID de cliente, número de cliente, id cliente`,
	"customer.name": `full name, customer name, customers name, display name, lead name, contact name, person name, file as, formatted name, name on card,
		vollständiger Name, Kundenname, nom complet, nom du client, nombre completo, nombre del cliente`,
	"customer.email": `email address, e-mail, mail, customer email, customers email, billing email, billing address email, email id, e-mail 1 value, e-mail address,
		email 1, primary email, work email, person email, person email work, receipt email, E-Mail-Adresse, Mailadresse, E-Mail 1, courriel, adresse e-mail, adresse mail, adresse email,
		correo electrónico, correo, dirección de correo electrónico`,
	"customer.company": `company name, customer company, customers company, organization, organisation, organization name, organisation name, organization 1 name, account, account name, company account,
		business name, employer, associated company, primary associated company, person organization, billing address company, billing company,
		Firma, Firmenname, Unternehmen, Organisation, société, entreprise, nom de l'entreprise, raison sociale, empresa, compañía, razón social`,
	"customer.country": `country region, country code, customer country, billing country, mailing country, business country, business country region, address 1 country,
		billing address country, card address country, company country, country name, Land, Ländercode, Staat, pays, code pays, país`,
	"customer.state": `state region, state province, state code, province, customer state, billing state, billing state province, mailing state, mailing state province,
		business state, address 1 region, billing address state, billing addr state, card address state, county, Bundesland, province région, provincia`,
	"customer.city": `town, customer city, billing city, mailing city, business city, address 1 city, billing address city, billing addr city, card address city, locality,
		Stadt, Ort, Wohnort, ville, ciudad, población, localidad`,
	"customer.zip": `zip code, postal code, postcode, zip postal code, customer zip, billing zip, billing zip postal code, mailing zip, mailing postal code, mailing zip postal code, business postal code,
		address 1 postal code, billing address zip, billing addr zip, card address zip, PLZ, Postleitzahl, code postal, código postal, CP`,
	"customer.lead_created_at": `created at, created, created date, create date, creation date, date created, created on, created utc, created time, date added, lead created, lead created date,
		signup date, sign up date, signed up, signed up at, signup, registered at, registration date, optin time, person person created, person created, add time, customer since,
		erstellt am, Erstellungsdatum, angelegt am, Anmeldedatum, créé le, date de création, date d'inscription, fecha de creación, creado el, fecha de alta`,
	"customer.free_trial_started_at": `free trial started, trial started at, trial start, trial start date, trial started, trial start utc, free trial start, trial begins at`,
	"customer.status":                `lead status, customer lead status`,
	"customer.owner":                 `owner email, customer owner, account owner email, contact owner email, lead owner email`,
	"customer.website_url": `website, web site, web page, url, homepage, company website, website 1 value, site, company domain name, company url, domain,
		Webseite, Internetseite, Internetadresse, site web, site internet, sitio web, página web`,
	"customer.tags": `tag, labels, label, categories, customer tags, group membership, person labels, segments,
		Schlagwörter, Schlagworte, Kategorien, étiquettes, catégories, etiquetas, categorías`,
	"contact.external_id": `contact external id, contacts external id`,
	"contact.first_name": `given name, forename, first, fname, customer first name, customers first name, contact first name, billing first name, billing address first name, person first name,
		Vorname, prénom, nombre de pila`,
	"contact.last_name": `surname, family name, last, lname, customer last name, customers last name, contact last name, billing last name, billing address last name, person last name,
		Nachname, Familienname, Zuname, nom de famille, apellido, apellidos`,
	"contact.title": `job title, contact title, position, role, function, job, organization title, organization 1 title, person job title,
		Berufsbezeichnung, Funktion, fonction, poste, intitulé du poste, cargo, puesto`,
	"contact.email": `contact email, contact email address, contacts email`,
	"contact.phone": `phone number, telephone, tel, telephone number, mobile, mobile phone, mobile phone number, cell, cell phone, business phone, work phone, primary phone, contact phone, customer phone,
		customers phone, phone 1 value, phone 1, person phone, person phone work, billing phone, billing address phone, company phone,
		Telefon, Telefonnummer, Rufnummer, Handy, Mobiltelefon, Mobil, téléphone, numéro de téléphone, portable, teléfono, número de teléfono, móvil`,
	"contact.linked_in": `linkedin, linkedin url, linkedin profile, linkedin profile url, linkedin bio, contact linkedin`,
	"contact.twitter":   `twitter handle, twitter username, twitter url, twitter profile, x handle`,
	"contact.notes":     `contact notes, contact note`,
	"note.text": `notes, note, comment, comments, remark, remarks, notes text, customer notes,
		Notiz, Notizen, Bemerkung, Bemerkungen, Kommentar, Anmerkung, Anmerkungen, remarque, remarques, commentaire, commentaires, notas, nota, comentario, comentarios, observaciones`,
	"note.author_email":  `author email, note author, note author email`,
	"note.call_duration": `call duration, call length seconds`,
}

// weak lists texts that often stand for a field, behind every usual one.
var weak = map[string]string{
	"customer.name":            `customer, client, lead, contact, person, subscriber, nom, nombre, Kunde, cliente`,
	"customer.company":         `business, firm, customer description`,
	"customer.lead_created_at": `confirm time, first seen, first seen at, date, first conversion date`,
	"customer.state":           `region, address region, estado, Region, région`,
	"contact.phone":            `home phone, phone 2 value, other phone, company main phone`,
	"contact.title":            `headline, Titel`,
}

// bare lists the fields that may be named without their entity.
var bare = map[crm.Entity][]string{
	crm.Customer: {"external_id", "name", "email", "company", "country", "state", "city", "zip", "lead_created_at",
		"free_trial_started_at", "status", "owner", "website_url", "tags", "source_updated_at"},
	crm.Contact: {"first_name", "last_name", "title", "phone", "linked_in", "twitter"},
	crm.Note:    {"author_email", "call_duration"},
}

// synonyms holds every candidate by folded header text.
var synonyms = sync.OnceValue(func() map[string][]candidate {
	byHeader := make(map[string][]candidate, 800)
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
		add(x.header, candidate{x.to, usualScore, x.why, foldedList(x.with)})
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
	for _, c := range synonyms()[header] {
		if c.with == nil {
			plain = append(plain, c)
			continue
		}
		for _, other := range c.with {
			if all[other] && other != header {
				special = append(special, c)
				break
			}
		}
	}
	if special != nil {
		return special
	}
	return plain
}
