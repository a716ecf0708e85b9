package mapping

import "sluice/internal/crm"

// exceptions are header texts that mean another thing beside certain other
// columns. Where one holds, the plain synonyms of the text do not.
var exceptions = []struct {
	header, with, to, why string
}{
	{"id", "account id, accountid", "contact.external_id", "beside an account id, the id of the contact"},
	{"contact id", "account id, accountid, customer id, company id, organization id", "contact.external_id", "beside an account id, the id of the contact"},
	{"name", "organization owner, company owner, parent account id, parent id, ticker symbol", "customer.company", "beside facts of a company, its name"},
	{"name", "vorname", "contact.last_name", "beside Vorname, the family name"},
	{"nom", "prénom", "contact.last_name", "beside Prénom, the family name"},
	{"nombre", "apellido, apellidos", "contact.first_name", "beside Apellidos, the given name"},
	{"status", "delinquent, plan, plan id, subscription id, subscription status, member rating, currency", "", "its words are those of subscriptions, not of leads; map it with values to use it"},
	{"cc", "euid, leid", "customer.country", "Mailchimp's country code"},
	{"region", "euid, leid", "customer.state", "Mailchimp's region"},
	{"address", "euid, leid", "", "several fields in one"},
}

// usual lists, for each field, the texts that exports use for it and nothing
// else: of HubSpot, Salesforce, Mailchimp, Stripe, Pipedrive, Google, Outlook
// and Chargebee, and in German, French and Spanish.
var usual = map[string]string{
	"customer.external_id": `id, customer id, customer external id, customers id, external customer id, client id,
		account id, account number, company id, organization id, organisation id, record id, lead id, user id, uid, customer number, customer no,
		customer key, person id, card customer id, Kundennummer, Kunden-Nr, Kunden-ID, Kundennr, numéro client, identifiant client, identifiant, n° client,
		ID de cliente, número de cliente, id cliente,
		customer uuid, client number, client no, contact number, external key, person id, organization id, lead number, deal person id,
		Kundennummer (extern), Kunden Nummer, Debitorennummer, Debitor, Kontonummer, référence client, code client, n° de client, código de cliente, código cliente, n.º de cliente, nº cliente, referencia cliente`,
	"customer.name": `full name, customer name, customers name, display name, lead name, contact name, person name, file as, formatted name, name on card,
		vollständiger Name, Kundenname, nom complet, nom du client, nombre completo, nombre del cliente,
		customer full name, client name, subscriber name, Name des Kunden, Kunde Name, nom et prénom, prénom et nom, nombre y apellidos, nombre y apellido, nombre cliente`,
	"customer.email": `email address, e-mail, mail, customer email, customers email, billing email, billing address email, email id, e-mail 1 value, e-mail address,
		email 1, primary email, work email, person email, person email work, receipt email, E-Mail-Adresse, Mailadresse, E-Mail 1, courriel, adresse e-mail, adresse mail, adresse email,
		correo electrónico, correo, dirección de correo electrónico,
		e-mail address 1, email 1 address, customer e-mail, lead email, login email, account email, user email, E-Mail (geschäftlich), E-Mail Adresse, e-mail professionnel, email professionnel,
		mél, courrier électronique, e-mail principal, email principal, correo electronico principal, dirección de correo, organization email`,
	"customer.company": `company name, customer company, customers company, organization, organisation, organization name, organisation name, organization 1 name, account, account name, company account,
		business name, employer, associated company, primary associated company, person organization, billing address company, billing company,
		Firma, Firmenname, Unternehmen, Organisation, société, entreprise, nom de l'entreprise, raison sociale, empresa, compañía, razón social,
		employer name, default address company, company legal name, legal name, trading name, company/account, company 1, Firmenbezeichnung, Arbeitgeber, Organisationsname, nom de la société, nom société, nom entreprise, organisme, nombre de la empresa, nombre empresa, organización, razon social, compañia`,
	"customer.country": `country region, country code, customer country, billing country, mailing country, business country, business country region, address 1 country,
		billing address country, card address country, company country, country name, Land, Ländercode, Staat, pays, code pays, país,
		address country, country iso, country iso code, country of address, organization country of address, default address country code, person country, contact country, hs country region code, country region code,
		Land/Region, Länderkennzeichen, Nation, pays région, país región, nación`,
	"customer.state": `state region, state province, state code, province, customer state, billing state, billing state province, mailing state, mailing state province,
		business state, address 1 region, billing address state, billing addr state, card address state, county, Bundesland, province région, provincia,
		address state, state county, state county of address, organization state county of address, state or province, default address province code, Kanton, canton, comunidad autónoma, state region code`,
	"customer.city": `town, customer city, billing city, mailing city, business city, address 1 city, billing address city, billing addr city, card address city, locality,
		Stadt, Ort, Wohnort, ville, ciudad, población, localidad,
		address city, city town village locality of address, organization city town village locality of address, municipality, default address city, city town, Gemeinde, Stadt/Ort, commune, localité, municipio`,
	"customer.zip": `zip code, postal code, postcode, zip postal code, customer zip, billing zip, billing zip postal code, mailing zip, mailing postal code, mailing zip postal code, business postal code,
		address 1 postal code, billing address zip, billing addr zip, card address zip, PLZ, Postleitzahl, code postal, código postal, CP,
		address zip, address postal code, postal, zip postal code of address, organization zip postal code of address, default address zip, eircode, PLZ/Postleitzahl, Postleitzahl/PLZ, cód. postal`,
	"customer.lead_created_at": `created at, created, created date, create date, creation date, date created, created on, created utc, created time, date added, lead created, lead created date,
		signup date, sign up date, signed up, signed up at, signup, registered at, registration date, optin time, person person created, person created, add time, customer since,
		erstellt am, Erstellungsdatum, angelegt am, Anmeldedatum, créé le, date de création, date d'inscription, fecha de creación, creado el, fecha de alta,
		create time, created date time, creation time, record created, record created at, date of creation, organization organization created, organization created, lead creation date, became a lead date, contact created, customer created at, registration time, date registered,
		joined, joined at, join date, date joined, subscribed at, subscription date, Erstelldatum, erstellt, Anlagedatum, Registrierungsdatum, registriert am, date de création (utc), date d'ajout, inscrit le, date de creation, fecha de registro, fecha creación, fecha de creacion`,
	"customer.free_trial_started_at": `free trial started, trial started at, trial start, trial start date, trial started, trial start utc, free trial start, trial begins at,
		trial began, trial begin date, free trial start date, Testphase ab, Testbeginn, début d'essai, début de l'essai, inicio de prueba`,
	"customer.status": `lead status, customer lead status,
		lead state, Leadstatus, Lead-Status, statut du prospect, statut prospect, estado del lead, estado del prospecto`,
	"customer.owner": `owner email, customer owner, account owner email, contact owner email, lead owner email`,
	"customer.website_url": `website, web site, web page, url, homepage, company website, website 1 value, site, company domain name, company url, domain,
		Webseite, Internetseite, Internetadresse, site web, site internet, sitio web, página web,
		website address, web, web address, website uri, homepage url, company web site, organization website, Website-URL, Web-Adresse, Firmenwebsite, site de l'entreprise, url du site, url del sitio web, pagina web, sitio`,
	"customer.tags": `tag, labels, label, categories, customer tags, group membership, person label, organization label, organization labels, lead labels, person labels, segments,
		Schlagwörter, Schlagworte, Kategorien, étiquettes, catégories, etiquetas, categorías,
		tags list, tag list, interests, topics, lists, group, groups, gruppen, groupes, grupos, libellés, Stichworte`,
	"contact.name":        `contact person, name of contact, contact full name, primary contact, primary contact name, Ansprechpartner, Ansprechpartnerin, Kontaktperson, Kontaktname, interlocuteur, personne de contact, nom du contact principal, persona de contacto, nombre del contacto`,
	"contact.external_id": `contact external id, contacts external id`,
	"contact.first_name": `given name, forename, first, fname, customer first name, customers first name, contact first name, billing first name, billing address first name, person first name,
		Vorname, prénom, nombre de pila,
		first name (given), firstname, contact firstname, given names, Rufname, prenom, prénom du contact, nombre (s), nombres, primer nombre`,
	"contact.last_name": `surname, family name, last, lname, customer last name, customers last name, contact last name, billing last name, billing address last name, person last name,
		Nachname, Familienname, Zuname, nom de famille, apellido, apellidos,
		last name (family), lastname, contact lastname, family names, Familienname/Nachname, nom du contact, primer apellido`,
	"contact.title": `job title, contact title, position, role, function, job, organization title, organization 1 title, person job title,
		Berufsbezeichnung, Funktion, fonction, poste, intitulé du poste, cargo, puesto,
		position title, organization 1 job title, job position, contact job title, occupation, Stelle, Stellenbezeichnung, Jobtitel, Position/Funktion, titre du poste, profession, puesto de trabajo, cargo/puesto, título del puesto`,
	"contact.email": `contact email, contact email address, contacts email`,
	"contact.phone": `phone number, telephone, tel, telephone number, mobile, mobile phone, mobile phone number, cell, cell phone, business phone, work phone, primary phone, contact phone, customer phone,
		customers phone, phone 1 value, phone 1, person phone, person phone work, billing phone, billing address phone, company phone,
		Telefon, Telefonnummer, Rufnummer, Handy, Mobiltelefon, Mobil, téléphone, numéro de téléphone, portable, teléfono, número de teléfono, móvil,
		phone no, phone nr, tel no, contact number phone, direct phone, direct dial, phone mobile, mobile number, mobile no, cell number, business phone 2, home phone 2, person phone mobile, person phone home, person phone other, phone 3 value,
		Telefon-Nr, Tel.-Nr., Telefon geschäftlich, Telefon (geschäftlich), Telefon privat, Telefon mobil, Handynummer, Mobilnummer, Mobilfunk, Festnetz, n° de téléphone, tél, téléphone portable, téléphone mobile, numéro de portable, teléfono móvil, teléfono fijo, numero de telefono, celular, tel. móvil`,
	"contact.linked_in": `linkedin, linkedin url, linkedin profile, linkedin profile url, linkedin bio, contact linkedin,
		linkedin account, linkedin link, LinkedIn-Profil, profil linkedin, perfil de linkedin, hs linkedin url`,
	"contact.twitter": `twitter handle, twitter username, twitter url, twitter profile, x handle,
		x username, x profile`,
	"contact.notes": `contact notes, contact note`,
	"note.text": `notes, note, comment, comments, remark, remarks, notes text, customer notes,
		Notiz, Notizen, Bemerkung, Bemerkungen, Kommentar, Anmerkung, Anmerkungen, remarque, remarques, commentaire, commentaires, notas, nota, comentario, comentarios, observaciones,
		internal notes, account notes, lead notes, Notizen/Bemerkungen, Hinweis, Hinweise, note interne, anotaciones`,
	"note.author_email":  `author email, note author, note author email`,
	"note.call_duration": `call duration, call length seconds`,
}

// weak lists texts that often stand for a field, behind every usual one.
var weak = map[string]string{
	"customer.name": `customer, client, lead, contact, person, subscriber, Kontakt, nom, nombre, Kunde, cliente`,
	"customer.company": `business, firm, customer description,
		organization parent name`,
	"customer.lead_created_at": `confirm time, first seen, first seen at, date, first conversion date`,
	"customer.email": `person email home, person email other, home email, private email, personal email, secondary email, other email, alternate email, email 2, e-mail 2 value, e-mail 2 address, e-mail 3 address,
		e-mail privat, email personnel, correo personal`,
	"customer.state": `region, address region, estado, Region, région`,
	"contact.phone": `home phone, phone 2 value, other phone, company main phone,
		car phone, callback, company main telephone, other phone number`,
	"contact.title": `headline, Titel`,
	"contact.name":  `full name, display name, formatted name, nom complet, nombre completo, vollständiger Name`,
	"note.text":     `description, lead description, account description, contact description, message, last note, Beschreibung, Nachricht, description du prospect, mensaje, descripción`,
}

// bare lists the fields that may be named without their entity.
var bare = map[crm.Entity][]string{
	crm.Customer: {"external_id", "name", "email", "company", "country", "state", "city", "zip", "lead_created_at",
		"free_trial_started_at", "status", "owner", "website_url", "tags", "source_updated_at"},
	crm.Contact: {"first_name", "last_name", "title", "phone", "linked_in", "twitter"},
	crm.Note:    {"author_email", "call_duration"},
}

// owners are the names of columns that hold who looks after a customer, in
// most exports by name and in some by address.
const owners = `contact owner, lead owner, account owner, company owner, record owner, deal owner, person owner, organization owner, account manager, sales rep, sales representative, sales owner,
	assigned to, assignee, assigned user, zuständig, Betreuer, Kundenbetreuer, propriétaire, responsable, commercial, propietario, responsable de cuenta, hubspot owner, owner name`

// fieldless are the names of what exports have and records have no field for.
var fieldless = []struct{ headers, why string }{
	{`street, street address, street name, address, address line 1, address line 2, address line1, address line2, address 1, address 2, address 1 street, address 1 formatted,
		mailing street, billing street, business street, business street 2, business street 3, home street, default address address1, default address address2, card address line1, card address line2, shipping address line1,
		billing address line 1, billing address line1, billing addr line1, po box, address 1 po box, address 1 extended address, organization address, house number, formatted address,
		Straße, Straße und Hausnummer, Straße Hausnummer, Str, Hausnummer, Anschrift, Adresse, Adresszusatz, rue, adresse postale, numéro et rue, complément d'adresse, calle, dirección, domicilio`,
		"records have no field for streets"},
	{`salutation, name prefix, name suffix, prefix, suffix, middle name, additional name, nickname, yomi name, given name yomi, family name yomi, additional name yomi, phonetic first name, phonetic middle name, phonetic last name,
		initials, maiden name, short name, birthday, date of birth, gender, sex, anniversary, spouse, children, hobby, occupation group, language, preferred language, locale, photo, avatar,
		Anrede, Titel/Anrede, zweiter Vorname, Geburtstag, Geburtsdatum, Geschlecht, Sprache, civilité, date de naissance, sexe, langue, tratamiento, fecha de nacimiento, género, idioma`,
		"records have no field for it"},
	{`fax, fax number, business fax, home fax, other fax, Faxnummer, Telefax, télécopie, pager, telex, isdn, phone ext, phone extension, extension, assistant's phone, assistant phone`,
		"records have no field for it"},
	{`department, organization department, organization 1 department, organization yomi name, industry, branch, annual revenue, revenue, number of employees, organization industry, no of employees, employees, employee count, company size, type, ownership, rating, ticker symbol, sic code, sic desc, account site, year founded,
		Abteilung, Branche, Mitarbeiter, Mitarbeiterzahl, Umsatz, département, service, secteur, secteur d'activité, effectif, departamento, sector, número de empleados`,
		"records have no field for it"},
	{`lifecycle stage, marketing contact status, lead source, original source, original traffic source, latest traffic source, record source, campaign, member rating, email marketing status, opted out of email, do not call, has opted out of email, is converted, converted, is deleted,
		lead score, score, hubspot score, persona, Quelle, Herkunft, origine, source, origen, fuente`,
		"records have no field for it"},
	{`last activity date, last activity, last modified date, last modified by, modified time, last activity time, modified by, last contacted, last engagement date, last changed, last changed date, next activity date, last email date, modified, updated, updated at, system modstamp, created by, created by id, last modified by id, owner id, created by user,
		recent conversion date, optin ip, confirm ip, latitude, longitude, gmtoff, dstoff, timezone, time zone, euid, leid, optin country, unique id,
		open deals, won deals, lost deals, closed deals, total activities, done activities, activities to do, email messages count, person open deals, organization open deals, organization people, people, person id pipedrive`,
		"the vendor's own bookkeeping"},
	{`primary associated company id, associated company id, associated company ids, associated contact ids, associated contact, associated deal ids, associated note ids, parent account id, parent account, master record id, reports to, reports to id, parent company, ultimate parent account, individual id, account record type`,
		"it refers to another record"},
	{`delinquent, currency, total spent, total orders, orders, plan, plan id, plan name, subscription id, total spend, payment count, average order, refunded volume, dispute losses, account balance, card id, card last4, card brand, card funding, card exp month, card exp year, card name, card fingerprint, card cvc status, card avs zip status,
		card avs line1 status, card tokenization method, card issue country, cancel at period end, default source, default payment method, tax info, tax id, vat number, vat id, business vat id, coupon, discount, payment method, payment terms, net term days, auto collection, promotional credits, refundable credits, excess payments,
		unbilled charges, taxability, tax exempt, invoice prefix, billing period, credit limit, mrr, arr, ltv, balance, IBAN, BIC, USt-IdNr, Umsatzsteuer-ID, Steuernummer, Währung, devise, numéro de tva, siret, siren, moneda, nif, cif`,
		"a matter of billing, and no field of a record"},
	{`email verified, accepts email marketing, accepts sms marketing, email type, e-mail 1 type, e-mail 1 label, e-mail 2 type, e-mail 2 label, phone 1 type, phone 1 label, phone 2 type, phone 2 label, address 1 type, address 1 label, website 1 type, website 1 label, e-mail display name, e-mail type, e-mail 2 display name,
		organization 1 type, organization 1 yomi name, relation 1 type, relation 1 value, event 1 type, event 1 value, custom field 1 type, custom field 1 label, custom field 1 value`,
		"it only says of what kind another column is"},
}
