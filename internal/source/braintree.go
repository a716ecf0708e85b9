package source

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"sluice/internal/crm"
)

// Braintree reads customers of one Braintree merchant, and with each the
// subscriptions of its payment methods.
//
// It speaks to the gateway that Braintree's own libraries speak to, as they
// do: requests in JSON, answers in XML (github.com/braintree/braintree_node,
// lib/braintree/http.js). The GraphQL API has no addresses of customers.
//
// A search gives ids, and those are then asked for by fifty. It gives 10,000
// at the most and does not say that there are more
// (github.com/braintree/braintree_ruby/issues/93): so a window with that many
// is read as two. Customers can be searched by when they were created, never
// by when they were changed (github.com/braintree/graphql-api/issues/29).
//
// A subscription hangs on a payment method and goes with it: of one whose
// payment method was deleted, only the past says anything.
var Braintree = register(braintree{})

type braintree struct{}

const (
	braintreeMost   = 10_000 // ids that a search gives
	braintreePage   = 50     // customers that can be asked for at a time
	braintreeWindow = 30 * 24 * time.Hour

	// braintreeKept bounds the ids that a cursor holds, in bytes: those of 300
	// customers as a rule, for whom their window is not searched anew.
	braintreeKept = 3800

	braintreeCustomers = "customers" // the stream
)

// braintreeBegin is before Braintree had customers of its own.
var braintreeBegin = time.Date(2007, time.January, 1, 0, 0, 0, 0, time.UTC)

// braintreeHosts are the addresses of the gateway.
var braintreeHosts = map[string]string{"production": "https://api.braintreegateway.com", "sandbox": "https://api.sandbox.braintreegateway.com"}

func (braintree) About() About {
	return About{
		Kind: "braintree", Title: "Braintree", Reads: "customers, and from their subscriptions their status and trial",
		Settings: []Setting{
			{Name: "merchant_id", Help: "the merchant's", Required: true, Check: checkMerchant},
			{Name: "public_key", Help: "of an API key", Required: true},
			{Name: "private_key", Help: "of the same API key", Secret: true, Required: true},
			{Name: "environment", Help: "production or sandbox", Default: "production", Check: checkEnvironment},
			apiSetting(""),
		},
		Subscriptions: true,
		Increments:    CreatesOnly,
		// How long a search takes to find a new customer is written nowhere.
		Lag: time.Minute,
		// Nor are the limits; this is what has not been heard to be refused.
		Quotas:  map[string]Quota{"": {Requests: 5, Per: time.Second}},
		Ceiling: 4 * braintreePage,
	}
}

var merchant = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

func checkMerchant(value string) error {
	if !merchant.MatchString(value) {
		return fmt.Errorf("%w: a merchant's id is letters and digits", crm.ErrInvalid)
	}
	return nil
}

func checkEnvironment(value string) error {
	if braintreeHosts[value] == "" {
		return fmt.Errorf("%w: it is production or sandbox", crm.ErrInvalid)
	}
	return nil
}

// Check searches the last minute, which is cheap and needs the same permission
// as any other search.
func (b braintree) Check(ctx context.Context, a *Access) (Account, error) {
	now := a.Now()
	if _, err := b.search(ctx, a, now.Add(-time.Minute), now); err != nil {
		return Account{}, err
	}
	out := Account{Name: a.Settings["merchant_id"], Limits: "no limits are documented; 5 requests a second are made, some 200 customers",
		Notes: []string{"Braintree does not say which customers or subscriptions have changed: a sync finds new customers alone, so schedule a full reading too"}}
	if a.Settings["environment"] == "sandbox" {
		out.Notes = append(out.Notes, "the keys are those of a sandbox: it has no real customers")
	}
	return out, nil
}

// Plan is the same for changes and for all: only what was created is found. A
// span needs bounds, because a window is read as two by its middle.
func (braintree) Plan(_ context.Context, a *Access, w Want) ([]crm.Partition, error) {
	if w.From.IsZero() {
		w.From = braintreeBegin
	}
	if w.To.IsZero() {
		w.To = a.Now().Add(-time.Minute).Truncate(time.Second)
	}
	return Windows(braintreeCustomers, w.Span, braintreeWindow), nil
}

// braintreeCursor says where in a window's ids the next page begins. They are
// read in the order of their text, which stays what it is when one of them is
// deleted; and none is added to a window that has ended.
type braintreeCursor struct {
	After string `json:"after,omitempty"` // the last id that was read
	Next  string `json:"next,omitempty"`  // the ids that follow, with spaces between
	More  bool   `json:"more,omitempty"`  // others follow on them
}

func (b braintree) Read(ctx context.Context, a *Access, p crm.Partition, c Cursor) (Page, error) {
	if p.Stream != braintreeCustomers {
		return Page{}, noPartition(p)
	}
	var at braintreeCursor
	if err := readCursor(c, &at); err != nil {
		return Page{}, err
	}
	ids, more := strings.Fields(at.Next), at.More
	if len(ids) == 0 {
		var err error
		if ids, err = b.search(ctx, a, p.From, p.To); err != nil {
			return Page{}, err
		}
		if len(ids) >= braintreeMost {
			return braintreeHalves(p)
		}
		slices.Sort(ids)
		first, found := slices.BinarySearch(ids, at.After)
		if found {
			first++
		}
		ids, more = ids[first:], false
	}
	n := min(len(ids), braintreePage)
	page, err := b.page(ctx, a, ids[:n])
	if err != nil || n == len(ids) && !more {
		return page, err
	}
	page.Next, err = cursor(braintreeAfter(ids, n, more))
	return page, err
}

// braintreeAfter is the cursor behind the first n ids. It holds as many of the
// others as fit.
func braintreeAfter(ids []string, n int, more bool) braintreeCursor {
	next := braintreeCursor{After: ids[n-1], More: more}
	ids = ids[n:]
	size := 0
	for i, id := range ids {
		if size += len(id) + 1; size > braintreeKept {
			ids, next.More = ids[:i-i%braintreePage], true
			break
		}
	}
	next.Next = strings.Join(ids, " ")
	return next
}

// braintreeHalves divides a window that holds more than a search gives.
// Braintree tells seconds apart and nothing below.
func braintreeHalves(p crm.Partition) (Page, error) {
	half := p.To.Sub(p.From) / 2
	middle := p.From.Add(half).Truncate(time.Second)
	if !middle.After(p.From) {
		return Page{}, fmt.Errorf("%w: %d customers or more were created in the second of %s, and Braintree gives out no more of them", crm.ErrInvalid, braintreeMost, p.From.UTC().Format(time.RFC3339))
	}
	return Page{Instead: []crm.Partition{Window(p.Stream, p.From, middle), Window(p.Stream, middle, p.To)}}, nil
}

// search finds the ids of the customers that were created from one instant to
// another, 10,000 at the most. Both bounds are Braintree's own, inclusive and
// in whole seconds: a second between two windows belongs to both, so that none
// is lost in it.
func (b braintree) search(ctx context.Context, a *Access, from, to time.Time) ([]string, error) {
	var found struct {
		XMLName xml.Name `xml:"search-results"`
		IDs     []string `xml:"ids>item"`
	}
	between := map[string]string{"min": braintreeTime(from), "max": braintreeTime(to.Add(time.Second - 1))}
	err := b.ask(ctx, a, "advanced_search_ids", map[string]any{"created_at": between}, &found)
	return found.IDs, err
}

func braintreeTime(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// braintreeFound is what an answer with customers holds.
type braintreeFound struct {
	XMLName   xml.Name            `xml:"customers"`
	Total     int                 `xml:"total-items"`
	Customers []braintreeCustomer `xml:"customer"`
}

// page reads customers by their ids. Those that are gone are left out.
func (b braintree) page(ctx context.Context, a *Access, ids []string) (Page, error) {
	customers, err := b.customers(ctx, a, ids)
	var page Page
	for i := range customers {
		c := &customers[i]
		page.Rows = append(page.Rows, c.row())
		page.Subscriptions = append(page.Subscriptions, c.subscriptions()...)
	}
	return page, err
}

// customers reads customers by their ids. Fifty of them may be too much for
// Braintree, which then answers 500: so they are asked for by halves, down to
// one. So they are when the answer holds fewer than it says there are.
func (b braintree) customers(ctx context.Context, a *Access, ids []string) ([]braintreeCustomer, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var found braintreeFound
	err := b.ask(ctx, a, "advanced_search", map[string]any{"ids": ids}, &found)
	if err == nil && found.Total > len(found.Customers) {
		err = errBraintreeHeavy
	}
	if !errors.Is(err, errBraintreeHeavy) || len(ids) == 1 {
		return found.Customers, err
	}
	half := len(ids) / 2
	first, err := b.customers(ctx, a, ids[:half])
	if err != nil {
		return nil, err
	}
	second, err := b.customers(ctx, a, ids[half:])
	return append(first, second...), err
}

// errBraintreeHeavy is passing, and often a matter of how much was asked for.
var errBraintreeHeavy = errors.New("Braintree did not answer the whole request")

// ask makes a search of customers and reads the answer.
func (braintree) ask(ctx context.Context, a *Access, path string, search, into any) error {
	body, err := json.Marshal(map[string]any{"search": search})
	if err != nil {
		return err
	}
	host := firstOf(a.api(), braintreeHosts[a.Settings["environment"]], braintreeHosts["production"])
	h := basic(a.Settings["public_key"], a.Settings["private_key"])
	h.Set("X-ApiVersion", "6")
	h.Set("Content-Type", "application/json")
	res, err := a.do(ctx, call{method: http.MethodPost, url: host + "/merchants/" + a.Settings["merchant_id"] + "/customers/" + path,
		header: h, body: body, accept: "application/xml", fault: braintreeFault})
	if err != nil {
		return err
	}
	if xml.Unmarshal(res.body, into) != nil { // its error would repeat what the body holds
		return errors.New("the answer is not the XML that was expected")
	}
	return nil
}

// braintreeFault knows what of Braintree's refusals pass: a search that took
// too long is one, and is a 422.
func braintreeFault(res *answer) error {
	var refusal struct {
		Reason string `xml:"reason"`
	}
	switch {
	case res.status == http.StatusInternalServerError:
		return errBraintreeHeavy
	case res.status == http.StatusUnprocessableEntity && xml.Unmarshal(res.body, &refusal) == nil && strings.TrimSpace(refusal.Reason) == "timeout":
		return errors.New("the search took Braintree too long (422)")
	}
	return nil
}
