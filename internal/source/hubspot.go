package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/crm"
)

// HubSpot reads companies and contacts of one HubSpot account.
//
// All there is comes from the list of each kind of object, which has one cursor,
// no end but the last object, and brings a contact's companies along. Changes
// come from the search, the only thing that can be asked by time. It gives out
// 10,000 results of one query, and more than that may have changed in the same
// millisecond, as an update of many at once does; so it is not paged by time,
// nor by its own cursor: each page asks for the ids above the last one's, within
// a window that stays as it is. It takes a while to find what has changed, which
// is why reading stops so long before the present.
//
// A company is a customer, and so is a contact without one, as "contact:" and
// its id. Of several companies it is the one that HubSpot calls primary. A
// contact that is given a company later stays a customer too: nothing says that
// it was one.
var HubSpot = register(&hubspot{tokens: newHubspotTokens()})

type hubspot struct{ tokens *hubspotTokens }

// hubspotVersion stands in the path of every request. HubSpot keeps a version
// for 18 months; the numbered ones end in 2027, OAuth's v1 in February and v4 in
// March (developers.hubspot.com/docs/api-reference/legacy/migration-guide).
const hubspotVersion = "2026-03"

const (
	hubspotListPage   = 100     // the most that a list gives
	hubspotSearchPage = 200     // and a search
	hubspotBatch      = 100     // and a reading by ids
	hubspotMaxURL     = 5 << 10 // bytes; where HubSpot's own limit lies is not written down
	hubspotMaxSearch  = 3000    // characters of a search's body, or it is refused
	hubspotLag        = 15 * time.Minute
)

// The streams of HubSpot. Those of changes are read by searching.
const (
	hubspotCompanies        = "companies"
	hubspotContacts         = "contacts"
	hubspotChangedCompanies = "changed-companies"
	hubspotChangedContacts  = "changed-contacts"
)

// hubspotSearches is the class of searches, which have a limit of their own.
const hubspotSearches = "search"

// hubspotBursts is how many requests a private app may make in ten seconds, by
// the account's subscription; an app with OAuth may make some more than the
// first. All together may make five searches a second
// (developers.hubspot.com/changelog/increasing-our-api-limits).
var hubspotBursts = map[string]float64{"free": 100, "pro": 190, "enterprise": 190}

// About says what holds for an account of the lowest tier.
func (h *hubspot) About() About { return h.AboutFor(nil) }

// AboutFor says what holds for a source: its tier decides its limits.
func (h *hubspot) AboutFor(settings map[string]string) About {
	burst := hubspotBursts["free"]
	if b, ok := hubspotBursts[settings["tier"]]; ok && settings["access_token"] != "" {
		burst = b
	}
	lag := hubspotLag
	if n, err := strconv.Atoi(settings["lag_minutes"]); err == nil {
		lag = time.Duration(n) * time.Minute
	}
	return About{
		Kind: "hubspot", Title: "HubSpot", Reads: "companies and contacts, and from their lifecycle stage the status of leads",
		Settings: []Setting{
			{Name: "access_token", Help: "of a private app or a service key that may read companies and contacts, pat-…", Secret: true},
			{Name: "client_id", Help: "of an app with OAuth; with client_secret and refresh_token in the place of access_token"},
			{Name: "client_secret", Help: "of that app", Secret: true},
			{Name: "refresh_token", Help: "that the app was given for the account", Secret: true},
			{Name: "tier", Help: "the account's subscription: free, pro or enterprise; it decides how often a private app may ask", Default: "free", Check: checkHubspotTier},
			{Name: "time_zone", Help: "the account's, such as Europe/Berlin; at its midnight a day's requests are given anew", Default: "UTC", Check: checkHubspotZone},
			{Name: "lag_minutes", Help: "how long HubSpot may take to find what has changed", Default: strconv.Itoa(int(hubspotLag / time.Minute)), Check: checkHubspotLag},
			{Name: "properties", Help: "further properties of companies and contacts, by their internal names, with commas between", Check: checkHubspotProperties},
			{Name: "lifecycle", Help: "which lead status a lifecycle stage stands for where it is not the usual one: stage=Status,…; a blank one for none", Check: checkHubspotLifecycle},
			apiSetting("https://api.hubapi.com"),
		},
		Increments: NoDeletes, Lag: lag,
		Every:   5 * time.Minute, // developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
		Quotas:  map[string]Quota{"": {Requests: burst, Per: 10 * time.Second}, hubspotSearches: {Requests: 5, Per: time.Second}},
		Left:    hubspotLeft(settings["time_zone"]),
		Ceiling: int(burst) / 10 * hubspotListPage,
	}
}

// Check counts what there is, which needs the same permissions as reading it,
// and asks for the account's name and time zone, which not every app may see.
func (h *hubspot) Check(ctx context.Context, a *Access) (Account, error) {
	quota := h.AboutFor(a.Settings).Quotas[""]
	out := Account{Records: map[string]int64{}, Limits: fmt.Sprintf("%.0f requests in 10 seconds, 5 searches a second", quota.Requests)}
	for _, object := range []string{hubspotCompanies, hubspotContacts} {
		r := hubspotReading{h: h, a: a, object: object}
		var found hubspotList
		if err := r.post(ctx, hubspotSearches, r.path("/search"), hubspotQuery{Limit: 1, Properties: []string{"hs_object_id"}}, &found); err != nil {
			return Account{}, err
		}
		out.Records[object] = found.Total
	}
	res, err := h.do(ctx, a, call{url: a.api() + "/account-info/" + hubspotVersion + "/details"})
	if errors.Is(err, crm.ErrDenied) || errors.Is(err, crm.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return Account{}, err
	}
	var details struct {
		Portal hubspotID `json:"portalId"`
		Zone   string    `json:"timeZone"`
		Type   string    `json:"accountType"`
	}
	if err := res.json(&details); err != nil {
		return Account{}, err
	}
	out.Name = string(details.Portal)
	if details.Zone != "" && details.Zone != a.Settings["time_zone"] {
		out.Notes = append(out.Notes, "the account's time zone is "+details.Zone+": set time_zone to it")
	}
	if details.Type == "SANDBOX" || details.Type == "DEVELOPER_TEST" {
		out.Notes = append(out.Notes, "the account is one to try things out in")
	}
	return out, nil
}

// Plan puts companies first, so that a contact's customer is there before it. A
// list cannot be asked by time.
func (h *hubspot) Plan(_ context.Context, _ *Access, w Want) ([]crm.Partition, error) {
	if w.Changes {
		return []crm.Partition{Window(hubspotChangedCompanies, w.From, w.To), Window(hubspotChangedContacts, w.From, w.To)}, nil
	}
	return []crm.Partition{{ID: hubspotCompanies, Stream: hubspotCompanies}, {ID: hubspotContacts, Stream: hubspotContacts}}, nil
}

// hubspotCursor says where the next page begins.
type hubspotCursor struct {
	After string `json:"after,omitempty"` // of a list, as HubSpot gave it
	ID    int64  `json:"id,omitempty"`    // of a search: the last one found
}

func (h *hubspot) Read(ctx context.Context, a *Access, p crm.Partition, c Cursor) (Page, error) {
	var at hubspotCursor
	if err := readCursor(c, &at); err != nil {
		return Page{}, err
	}
	stages, err := hubspotStages(a.Settings["lifecycle"])
	if err != nil {
		return Page{}, err
	}
	r := &hubspotReading{h: h, a: a, extra: hubspotNames(a.Settings["properties"]), stages: stages}
	read := r.list
	switch p.Stream {
	case hubspotCompanies, hubspotContacts:
		r.object = p.Stream
	case hubspotChangedCompanies:
		r.object, read = hubspotCompanies, r.changed
	case hubspotChangedContacts:
		r.object, read = hubspotContacts, r.changed
	default:
		return Page{}, noPartition(p)
	}
	objects, next, err := read(ctx, p, at)
	if err != nil {
		return Page{}, err
	}
	var page Page
	for _, o := range objects {
		page.Rows = append(page.Rows, r.row(o))
	}
	if next != nil {
		page.Next, err = cursor(next)
	}
	return page, err
}

// hubspotReading is the reading of one page.
type hubspotReading struct {
	h      *hubspot
	a      *Access
	object string            // companies or contacts
	extra  []string          // properties that become no field
	stages map[string]string // the status of each lifecycle stage
}

// hubspotFields are the properties that become fields, by kind of object.
var hubspotFields = map[string][]string{
	hubspotCompanies: {"name", "domain", "website", "country", "state", "city", "zip", "createdate", "hs_lastmodifieddate", "lifecyclestage"},
	hubspotContacts: {"firstname", "lastname", "email", "phone", "mobilephone", "jobtitle", "company", "website", "country", "state", "city", "zip",
		"createdate", "lastmodifieddate", "lifecyclestage", "hs_linkedin_url", "twitterhandle"},
}

// modified is the property that says when an object was changed: contacts have
// another one than all other objects.
func (r *hubspotReading) modified() string {
	if r.object == hubspotContacts {
		return "lastmodifieddate"
	}
	return "hs_lastmodifieddate"
}

// path is that of a request about the objects.
func (r *hubspotReading) path(rest string) string {
	return "/crm/objects/" + hubspotVersion + "/" + r.object + rest
}

// A hubspotObject is what is read of a company or a contact.
type hubspotObject struct {
	ID           hubspotID         `json:"id"`
	Properties   map[string]string `json:"properties"` // null becomes ""
	Associations struct {
		Companies struct {
			Results []struct {
				ID   hubspotID `json:"id"`
				Type string    `json:"type"`
			} `json:"results"`
		} `json:"companies"`
	} `json:"associations"`

	company hubspotID // a contact's; "" for none
	primary bool      // HubSpot calls that company primary
}

type hubspotList struct {
	Total   int64            `json:"total"` // of a search
	Results []*hubspotObject `json:"results"`
	Errors  []hubspotError   `json:"errors"` // of a reading by ids
	Paging  struct {
		Next struct {
			After hubspotID `json:"after"`
		} `json:"next"`
	} `json:"paging"`
}

// check makes sure of what is counted on in every object.
func (l *hubspotList) check() error {
	for _, o := range l.Results {
		if o == nil || o.ID == "" || o.Properties == nil {
			return errors.New("an object lacks its id or its properties")
		}
	}
	return nil
}

// A hubspotID is an id or a cursor, which HubSpot writes now as a string, now as
// a number.
type hubspotID string

func (id *hubspotID) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(id))
	}
	if *id = hubspotID(b); *id == "null" {
		*id = ""
	}
	return nil
}

// list reads a page of all there is
// (developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide).
func (r *hubspotReading) list(ctx context.Context, _ crm.Partition, at hubspotCursor) ([]*hubspotObject, *hubspotCursor, error) {
	q := url.Values{"limit": {strconv.Itoa(hubspotListPage)}, "archived": {"false"}}
	if r.object == hubspotContacts {
		q.Set("associations", hubspotCompanies)
	}
	c := call{url: r.a.api() + r.path(""), query: q}
	if at.After != "" {
		q.Set("after", at.After)
		c.fault = func(res *answer) error {
			if res.status == http.StatusBadRequest { // the first page was answered
				return fmt.Errorf("%w: HubSpot does not take its cursor back (400)", crm.ErrCursorLost)
			}
			return nil
		}
	}
	ask := func(names []string) int {
		q.Set("properties", strings.Join(names, ","))
		return len(c.url) + 1 + len(q.Encode())
	}
	whole := r.fits(ask, hubspotMaxURL)
	res, err := r.h.do(ctx, r.a, c)
	if err != nil {
		return nil, nil, err
	}
	var l hubspotList
	if err := res.json(&l); err != nil {
		return nil, nil, err
	}
	if err := l.check(); err != nil {
		return nil, nil, err
	}
	for _, o := range l.Results {
		for _, to := range o.Associations.Companies.Results {
			o.belongs(to.ID, to.Type == "contact_to_company") // the others are contact_to_company_unlabeled, or have a label
		}
	}
	if !whole {
		err = r.fill(ctx, l.Results)
	}
	if l.Paging.Next.After == "" {
		return l.Results, nil, err
	}
	return l.Results, &hubspotCursor{After: string(l.Paging.Next.After)}, err
}

// fits asks for all properties if the request then is no longer than it may be;
// else only for those that become fields. Ask sets them and says how long the
// request is.
func (r *hubspotReading) fits(ask func(names []string) int, most int) bool {
	fields := hubspotFields[r.object]
	if ask(slices.Concat(fields, r.extra)) <= most {
		return true
	}
	ask(fields)
	return false
}
