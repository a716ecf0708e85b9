package fakesaas

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HubSpot's objects are those of developers.hubspot.com/docs/api-reference, by
// the paths with a date and by the older ones with a number; its limits those of
// developers.hubspot.com/changelog/increasing-our-api-limits.
//
// A customer with a company is a company there, with its contacts; the contacts
// of any other are contacts without one. Every fifth customer's contacts belong
// to its neighbour's company too, which stands first in what lists and
// associations say, and is not the primary one.

var hubspot = &provider{name: "hubspot"}

var hubspotAll, hubspotSearchOnly = limit{"hubspot", 100, 10 * time.Second}, limit{"hubspot search", 5, time.Second}

func init() {
	hubspot.limit = hubspotLimit
	hubspot.routes = func(s *Server) {
		handle := func(limits []limit, method, path string, do func(http.ResponseWriter, *http.Request)) {
			s.handle(hubspot, method+" "+path, limits, func(w http.ResponseWriter, r *http.Request) {
				if !s.bearer(r) {
					hubspotFault(w, http.StatusUnauthorized, "INVALID_AUTHENTICATION")
					return
				}
				if !slices.Contains(limits, hubspotSearchOnly) {
					s.hubspotLeft(w)
				}
				do(w, r)
			})
		}
		one, two := []limit{hubspotAll}, []limit{hubspotAll, hubspotSearchOnly}
		for _, version := range []struct{ objects, links string }{
			{"/crm/objects/2026-03", "/crm/associations/2026-03"}, {"/crm/v3/objects", "/crm/v4/associations"},
		} {
			for _, kind := range []hubspotKind{hubspotCompanies, hubspotContacts} {
				path := version.objects + "/" + string(kind)
				handle(one, "GET", path, func(w http.ResponseWriter, r *http.Request) { s.hubspotList(w, r, kind) })
				handle(one, "POST", path+"/batch/read", func(w http.ResponseWriter, r *http.Request) { s.hubspotByID(w, r, kind) })
				handle(two, "POST", path+"/search", func(w http.ResponseWriter, r *http.Request) { s.hubspotSearch(w, r, kind) })
			}
			handle(one, "POST", version.links+"/contacts/companies/batch/read", s.hubspotLinks)
		}
		for _, version := range []string{"2026-03", "v3"} {
			handle(one, "GET", "/account-info/"+version+"/details", func(w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, http.StatusOK, map[string]any{"portalId": 62515, "accountType": "STANDARD", "timeZone": "UTC", "companyCurrency": "EUR",
					"additionalCurrencies": []string{}, "utcOffset": "+00:00", "utcOffsetMilliseconds": 0, "uiDomain": "app.hubspot.com", "dataHostingLocation": "eu1"})
			})
		}
		for _, version := range []string{"2026-03", "v3", "v1"} {
			s.handle(hubspot, "POST /oauth/"+version+"/token", nil, s.hubspotToken)
		}
	}
	provide(*hubspot)
}

type hubspotKind string

const (
	hubspotCompanies hubspotKind = "companies"
	hubspotContacts  hubspotKind = "contacts"
)

func hubspotFault(w http.ResponseWriter, status int, category string) {
	writeJSON(w, status, map[string]any{"status": "error", "message": "nobody may repeat this: c0@example.com", "category": category,
		"correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf"})
}

// hubspotLimit refuses a request. Now and then it is what stands before HubSpot
// that does so: its answer names no policy, and how long to wait.
func hubspotLimit(s *Server, w http.ResponseWriter, why throttling) {
	wait := why.until.Sub(s.World.clock.Now())
	if _, refused := s.Requests(hubspot.name); !why.daily && refused%3 == 0 {
		writeJSON(w, http.StatusTooManyRequests, map[string]any{"title": "Error 1015: You are being rate limited", "status": 429, "retryable": true,
			"retry_after": max(1, int(wait.Seconds()))})
		return
	}
	policy := "TEN_SECONDLY_ROLLING"
	switch {
	case why.daily:
		policy = "DAILY"
	case wait <= time.Second:
		policy = "SECONDLY"
	}
	s.hubspotLeft(w)
	writeJSON(w, http.StatusTooManyRequests, map[string]any{"status": "error", "message": "You have reached your " + strings.ToLower(policy) + " limit.",
		"errorType": "RATE_LIMIT", "policyName": policy, "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf"})
}

// hubspotLeft writes what is left of the limits.
func (s *Server) hubspotLeft(w http.ResponseWriter) {
	daily := s.Traps().Daily
	if daily == 0 {
		daily = 250_000
	}
	s.mu.Lock()
	used := s.days[hubspot.name+s.World.clock.Now().Format(time.DateOnly)]
	s.mu.Unlock()
	for name, n := range map[string]int{"Max": hubspotAll.most, "Remaining": s.left(hubspotAll), "Interval-Milliseconds": int(hubspotAll.per.Milliseconds()),
		"Daily": daily, "Daily-Remaining": max(0, daily-used)} {
		w.Header().Set("X-HubSpot-RateLimit-"+name, strconv.Itoa(n))
	}
}

// hubspotToken gives an access token for the refresh token, which is [Key], as is
// the app's secret. Both stand in the body: in the query they are not seen.
func (s *Server) hubspotToken(w http.ResponseWriter, r *http.Request) {
	refresh := r.PostFormValue("refresh_token")
	if r.PostFormValue("grant_type") != "refresh_token" || r.PostFormValue("client_id") == "" || r.PostFormValue("client_secret") != Key ||
		refresh != Key || !s.holds(refresh) {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "refresh token is invalid, expired or revoked",
			"status": "BAD_REFRESH_TOKEN", "message": "nobody may repeat this: c0@example.com"})
		return
	}
	life := 30 * time.Minute
	s.mu.Lock()
	if s.traps.Expires > 0 {
		life = s.traps.Expires
	}
	token := fmt.Sprintf("access-%d", len(s.tokens))
	s.tokens[token] = s.World.clock.Now()
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"token_type": "bearer", "access_token": token, "refresh_token": refresh, "expires_in": int(life.Seconds()),
		"hub_id": 62515, "user_id": 7, "scopes": []string{"oauth", "crm.objects.companies.read", "crm.objects.contacts.read"}})
}

// Ids grow with what they are of, and not in length: companies count by sevens,
// and contacts by fifties, as HubSpot's did for years.
const (
	hubspotCompanyFirst, hubspotCompanyStep = 900, 7
	hubspotContactFirst, hubspotContactStep = 51, 50
)

// HubSpotCompany is the id of a customer's company there.
func HubSpotCompany(n int) string { return strconv.Itoa(hubspotCompanyFirst + n*hubspotCompanyStep) }

// HubSpotContact is the id of a contact there.
func HubSpotContact(n int) string { return strconv.Itoa(hubspotContactFirst + n*hubspotContactStep) }

// A hubspotObject is a company, or a contact.
type hubspotObject struct {
	customer *Customer
	contact  *Contact // nil: the company
}

func (o hubspotObject) id() int {
	if o.contact == nil {
		return hubspotCompanyFirst + o.customer.N*hubspotCompanyStep
	}
	return hubspotContactFirst + o.contact.N*hubspotContactStep
}

func (o hubspotObject) created() time.Time {
	if o.contact == nil {
		return o.customer.Created
	}
	return o.contact.Created
}

func (o hubspotObject) updated() time.Time {
	if o.contact == nil {
		return o.customer.Updated
	}
	return o.contact.Updated
}

// hubspotEach goes through the objects of a kind whose ids are above one, in the
// order of their ids, until do says that it is enough. Finding the first is a
// matter of arithmetic for companies, and of a binary search for contacts.
func hubspotEach(all []*Customer, kind hubspotKind, above int, do func(hubspotObject) bool) {
	if kind == hubspotCompanies {
		first := max(0, (above-hubspotCompanyFirst)/hubspotCompanyStep)
		for _, c := range all[min(first, len(all)):] {
			o := hubspotObject{customer: c}
			if c.Company != "" && !c.Deleted && o.id() > above && !do(o) {
				return
			}
		}
		return
	}
	n := max(0, (above-hubspotContactFirst)/hubspotContactStep)
	first, _ := slices.BinarySearchFunc(all, n, func(c *Customer, n int) int { return c.Contacts[len(c.Contacts)-1].N - n })
	for _, c := range all[first:] {
		for i := range c.Contacts {
			o := hubspotObject{c, &c.Contacts[i]}
			if !c.Deleted && o.id() > above && !do(o) {
				return
			}
		}
	}
}

// hubspotFind returns the object of an id.
func hubspotFind(all []*Customer, kind hubspotKind, id string) (out hubspotObject, ok bool) {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 {
		return out, false
	}
	hubspotEach(all, kind, n-1, func(o hubspotObject) bool {
		out, ok = o, o.id() == n
		return false
	})
	return out, ok
}

// hubspotCompaniesOf lists the companies of a contact: the primary one last.
func hubspotCompaniesOf(all []*Customer, o hubspotObject) (ids []int) {
	c := o.customer
	if c.Company == "" {
		return nil
	}
	if c.N%5 == 0 && c.N > 0 && all[c.N-1].Company != "" && !all[c.N-1].Deleted {
		ids = append(ids, hubspotObject{customer: all[c.N-1]}.id())
	}
	return append(ids, hubspotObject{customer: c}.id())
}

// hubspotUsual are the properties of answers to requests that name none; the
// last three stand in every answer.
var hubspotUsual = map[hubspotKind][]string{
	hubspotCompanies: {"name", "domain", "createdate", "hs_lastmodifieddate", "hs_object_id"},
	hubspotContacts:  {"email", "firstname", "lastname", "createdate", "lastmodifieddate", "hs_object_id"},
}

// hubspotStages are the lifecycle stages of objects, the last one of the owner's
// own making.
var hubspotStages = [...]string{"subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other", "48291001"}

// HubSpotStage is the lifecycle stage of a customer's company and contacts.
func HubSpotStage(n int) string { return hubspotStages[n%len(hubspotStages)] }

// HubSpotProperty is the value of a property whose name begins with "custom_",
// of the object with an id.
func HubSpotProperty(name, id string) string { return name[max(0, len(name)-8):] + " of " + id }

func hubspotTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// property is the value of a property; false if there is none of that name.
func (o hubspotObject) property(name string) (value string, ok bool) {
	c := o.customer
	switch name {
	case "hs_object_id":
		return strconv.Itoa(o.id()), true
	case "createdate":
		return hubspotTime(o.created()), true
	case "country":
		return c.Country, true
	case "state":
		return c.State, true
	case "city":
		return c.City, true
	case "zip":
		return c.Zip, true
	case "lifecyclestage":
		return HubSpotStage(c.N), true
	case "website":
		return "", true
	}
	if strings.HasPrefix(name, "custom_") {
		return HubSpotProperty(name, strconv.Itoa(o.id())), true
	}
	if o.contact == nil {
		return hubspotOfCompany(c, name)
	}
	return hubspotOfContact(c, o.contact, name)
}

func hubspotOfCompany(c *Customer, name string) (string, bool) {
	switch name {
	case "name":
		return c.Company, true
	case "domain":
		return fmt.Sprintf("c%d.example.com", c.N), true
	case "phone":
		return c.Phone, true
	case "hs_lastmodifieddate":
		return hubspotTime(c.Updated), true
	}
	return "", false
}

func hubspotOfContact(c *Customer, p *Contact, name string) (string, bool) {
	switch name {
	case "firstname":
		return p.First, true
	case "lastname":
		return p.Last, true
	case "email":
		return p.Email, true
	case "phone":
		return p.Phone, true
	case "jobtitle":
		return p.Title, true
	case "company":
		return c.Company, true
	case "lastmodifieddate":
		return hubspotTime(p.Updated), true
	case "mobilephone", "hs_linkedin_url", "twitterhandle":
		return "", true
	}
	return "", false
}

// json is an object with the properties of these names.
func (o hubspotObject) json(kind hubspotKind, names []string) map[string]any {
	usual := hubspotUsual[kind]
	if len(names) == 0 {
		names = usual
	}
	properties := map[string]any{}
	for _, name := range slices.Concat(names, usual[len(usual)-3:]) {
		if value, ok := o.property(name); ok {
			properties[name] = null(value)
		}
	}
	return map[string]any{"id": strconv.Itoa(o.id()), "properties": properties, "createdAt": hubspotTime(o.created()), "updatedAt": hubspotTime(o.updated()),
		"archived": false, "url": fmt.Sprintf("https://app.hubspot.com/contacts/62515/record/%s/%d", kind, o.id())}
}
