package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sluice/internal/crm"
)

// Chargebee reads customers and subscriptions of one Chargebee site
// (apidocs.chargebee.com/docs/api).
//
// A backfill asks by when things were created, as a filter by when they were
// updated leaves out whatever has not been since September 2016
// (apidocs.chargebee.com/docs/api/customers/list-customers). For the same reason
// a reading of changes asks both ways. Only that one asks for what is deleted.
//
// Whether the ends of a time that is asked for are inclusive is not said, so it
// is asked for with a second more, and what is outside of the partition is left
// to its neighbour. All times are in whole seconds.
//
// A payment that is late is no state of a subscription there, but counted: see
// [chargebeeSubscription.subscription]. Nothing says that a subscription counts
// as updated when it becomes so, so that may show with the next backfill only.
var Chargebee = register(chargebee{})

type chargebee struct{}

const (
	chargebeePage   = 100 // the most that a list gives
	chargebeeWindow = 30 * 24 * time.Hour

	// chargebeeRequests a minute are allowed on test sites and by the smallest plan
	// (chargebee.com/docs, "What are the Chargebee API limits").
	chargebeeRequests = 150
)

// Streams of Chargebee. What has been updated or deleted is read from streams of
// their own, which have the prefix.
const (
	chargebeeCustomers     = "customers"
	chargebeeSubscriptions = "subscriptions"
	chargebeeUpdated       = "updated-"
)

func (c chargebee) About() About { return c.AboutFor(nil) }

// AboutFor says what holds for a source: its site's plan decides its limit.
func (chargebee) AboutFor(settings map[string]string) About {
	requests, err := strconv.Atoi(settings["requests_per_minute"])
	if err != nil {
		requests = chargebeeRequests
	}
	return About{
		Kind: "chargebee", Title: "Chargebee", Reads: "customers and their contacts, and from subscriptions their status and trial",
		Settings: []Setting{
			{Name: "api_key", Help: "a read-only key", Secret: true, Required: true},
			{Name: "site", Help: "acme, for acme.chargebee.com; not needed with another address of the API", Check: checkSite},
			{Name: "requests_per_minute", Help: "what the site's plan allows: 150, or 1000 for Performance and 3500 for Enterprise",
				Default: strconv.Itoa(chargebeeRequests), Check: checkRequests},
			apiSetting(""),
		},
		Subscriptions: true,
		Increments:    AllChanges,
		// apidocs.chargebee.com, "List operations": what has just changed may be
		// missing from lists for five minutes.
		Lag: 5 * time.Minute,
		// Who exceeds it on a live site may be blocked, until its owner answers.
		Quotas:  map[string]Quota{"": {Requests: float64(requests), Per: time.Minute}},
		Ceiling: requests * chargebeePage / 60,
	}
}

func checkRequests(value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 1 || n > 100_000 {
		return fmt.Errorf("%w: it is a number of requests", crm.ErrInvalid)
	}
	return nil
}

func checkSite(value string) error {
	if strings.Trim(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%w: it is the first part of acme.chargebee.com alone", crm.ErrInvalid)
	}
	return nil
}

// Check reads the oldest customer.
func (c chargebee) Check(ctx context.Context, a *Access) (Account, error) {
	list, err := a.chargebee(ctx, chargebeeCustomers, url.Values{"limit": {"1"}, "sort_by[asc]": {"created_at"}})
	if err != nil {
		return Account{}, err
	}
	about := c.AboutFor(a.Settings)
	out := Account{Name: a.Settings["site"], Limits: fmt.Sprintf("%.0f requests a minute, %d customers a second", about.Quotas[""].Requests, about.Ceiling)}
	if len(list.List) > 0 && list.List[0].Customer != nil {
		out.Oldest = chargebeeTime(list.List[0].Customer.CreatedAt)
	}
	if strings.HasSuffix(out.Name, "-test") {
		out.Notes = append(out.Notes, "the site is a test site: it has no real customers")
	}
	return out, nil
}

func (chargebee) Plan(_ context.Context, _ *Access, w Want) ([]crm.Partition, error) {
	if w.Changes {
		var out []crm.Partition
		for _, stream := range []string{chargebeeCustomers, chargebeeUpdated + chargebeeCustomers, chargebeeSubscriptions, chargebeeUpdated + chargebeeSubscriptions} {
			out = append(out, Window(stream, w.From, w.To))
		}
		return out, nil
	}
	// A customer of the span may have subscribed long after it.
	return append(Windows(chargebeeCustomers, w.Span, chargebeeWindow), Windows(chargebeeSubscriptions, crm.Span{From: w.From}, 0)...), nil
}

// chargebeeCursor says where the next page begins, in Chargebee's own words.
type chargebeeCursor struct {
	Offset string `json:"offset"`
}

// chargebeeList is a list, in which each object is wrapped with others that
// belong to it.
type chargebeeList struct {
	List []struct {
		Customer     *chargebeeCustomer     `json:"customer"`
		Subscription *chargebeeSubscription `json:"subscription"`
	} `json:"list"`
	NextOffset string `json:"next_offset"`
}

func (chargebee) Read(ctx context.Context, a *Access, p crm.Partition, c Cursor) (Page, error) {
	var at chargebeeCursor
	if err := readCursor(c, &at); err != nil {
		return Page{}, err
	}
	stream, updated := strings.CutPrefix(p.Stream, chargebeeUpdated)
	if stream != chargebeeCustomers && stream != chargebeeSubscriptions {
		return Page{}, noPartition(p)
	}
	list, err := a.chargebee(ctx, stream, chargebeeQuery(p, updated, at))
	if err != nil {
		return Page{}, err
	}
	page, err := list.page(p, stream, updated)
	if err == nil && list.NextOffset != "" {
		page.Next, err = cursor(chargebeeCursor{list.NextOffset})
	}
	return page, err
}

// chargebeeQuery asks for a page of a partition.
func chargebeeQuery(p crm.Partition, updated bool, at chargebeeCursor) url.Values {
	field := "created_at"
	q := url.Values{"limit": {strconv.Itoa(chargebeePage)}}
	if updated {
		field = "updated_at"
		q.Set("include_deleted", "true")
	}
	q.Set("sort_by[asc]", field)
	if at.Offset != "" {
		q.Set("offset", at.Offset)
	}
	from, to := p.From.Unix()-1, p.To.Add(time.Second-1).Unix()
	switch {
	case p.From.IsZero() && p.To.IsZero():
	case p.To.IsZero():
		q.Set(field+"[after]", strconv.FormatInt(from, 10))
	case p.From.IsZero():
		q.Set(field+"[before]", strconv.FormatInt(to, 10))
	default:
		q.Set(field+"[between]", fmt.Sprintf("[%d,%d]", from, to))
	}
	return q
}

// page is what a list has of a partition.
func (l *chargebeeList) page(p crm.Partition, stream string, updated bool) (Page, error) {
	var page Page
	within := func(created, changed int64) bool {
		at := chargebeeTime(created)
		if updated {
			at = chargebeeTime(changed)
		}
		return !at.Before(p.From) && (p.To.IsZero() || at.Before(p.To))
	}
	for _, entry := range l.List {
		c, s := entry.Customer, entry.Subscription
		switch {
		case stream == chargebeeCustomers && c != nil:
			if within(c.CreatedAt, c.UpdatedAt) {
				page.Rows = append(page.Rows, c.rows()...)
			}
		case stream == chargebeeSubscriptions && s != nil:
			if within(s.CreatedAt, s.UpdatedAt) {
				page.Subscriptions = append(page.Subscriptions, s.subscription())
			}
		default:
			return Page{}, errors.New("an entry of Chargebee's list holds another object than was asked for")
		}
	}
	return page, nil
}

// chargebeeError is what Chargebee says of a request that it refuses
// (apidocs.chargebee.com/docs/api/error-handling).
type chargebeeError struct {
	Code  string `json:"api_error_code"`
	Param string `json:"param"`
}

// chargebeeBlocked is how long is waited when Chargebee refuses a request for
// its limits, which are by the minute, and does not say how long.
const chargebeeBlocked = time.Minute

// chargebee asks for a list.
func (a *Access) chargebee(ctx context.Context, list string, q url.Values) (out chargebeeList, err error) {
	address := a.api()
	if address == "" {
		if a.Settings["site"] == "" {
			return out, fmt.Errorf("%w: the setting site says which one to read, and is not set", crm.ErrInvalid)
		}
		address = "https://" + a.Settings["site"] + ".chargebee.com"
	}
	res, err := a.do(ctx, call{url: address + "/api/v2/" + list, query: q, header: basic(a.Settings["api_key"], ""), fault: chargebeeFault})
	if err == nil {
		err = res.json(&out)
	}
	return out, err
}

func chargebeeFault(res *answer) error {
	var e chargebeeError
	if err := res.json(&e); err != nil {
		e = chargebeeError{}
	}
	switch {
	case res.status == http.StatusTooManyRequests && res.header.Get("Retry-After") == "":
		return &crm.Throttled{Until: res.now.Add(chargebeeBlocked), Why: "the site's requests of this minute are used up (429)"}
	case res.status == http.StatusBadRequest && e.Param == "offset":
		return fmt.Errorf("%w: Chargebee refuses its offset", crm.ErrCursorLost)
	case e.Code == "site_not_found":
		return fmt.Errorf("%w: Chargebee has no such site; correct the setting site", crm.ErrNotFound)
	}
	return nil
}
