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

// Recurly reads accounts and subscriptions of one Recurly site
// (recurly.com/developers/api/v2021-02-25).
//
// Lists are read in ascending order: in the other one, what changes meanwhile
// moves behind the cursor and is missed. Both ends of the time that is asked for
// are inclusive there, and times are shown in whole seconds. So what is shown at
// the end of a partition or later is left to the next one, and nothing is held
// back at its beginning, where a time that was cut may seem to be too early.
//
// Statuses follow from subscriptions, never from an account's flags alone: those
// tell neither a customer who has left from one who never came, nor a trial from
// what is paid for. Subscriptions for their part do not say that a payment is
// late, as Recurly keeps that with the invoices. So what the flags say of it
// stands among an account's subscriptions as one more, see
// [recurlyAccount.dues], and one rule makes the status of all of them.
//
// Nothing says that an account counts as changed when one of its invoices becomes
// past due or is paid, or a subscription ends. So the accounts of invoices and
// subscriptions that have changed are read anew.
var Recurly = register(recurly{})

type recurly struct{}

const (
	recurlyPage   = 200 // the most that a list gives
	recurlyWindow = 30 * 24 * time.Hour
)

// Streams of Recurly. What has changed is read from streams of their own, which
// have the prefix.
const (
	recurlyAccounts      = "accounts"
	recurlySubscriptions = "subscriptions"
	recurlyInvoices      = "invoices"
	recurlyChanged       = "changed-"
)

// recurlyHosts are the addresses of the API by the region in which a site is
// kept.
var recurlyHosts = map[string]string{"us": "https://v3.recurly.com", "eu": "https://v3.eu.recurly.com"}

func (recurly) About() About {
	return About{
		Kind: "recurly", Title: "Recurly", Reads: "accounts, and from subscriptions and invoices their status and trial",
		Settings: []Setting{
			{Name: "api_key", Help: "a private key that may read", Secret: true, Required: true},
			{Name: "region", Help: "where the site is kept: us or eu", Default: "us", Check: checkRegion},
			apiSetting(""),
		},
		Subscriptions: true,
		// An account is never deleted, only closed, and that is a change.
		Increments: AllChanges,
		// None is documented; a change may be seen a little after its time.
		Lag: time.Minute,
		// Of a production site, reckoned over the last five minutes. A sandbox has
		// 400, and says so when they are used up.
		Quotas:  map[string]Quota{"": {Requests: 1000, Per: time.Minute}},
		Left:    recurlyLeft,
		Ceiling: 1000 * recurlyPage / 60,
	}
}

func checkRegion(value string) error {
	if recurlyHosts[value] == "" {
		return fmt.Errorf("%w: it is us or eu", crm.ErrInvalid)
	}
	return nil
}

// Check counts the accounts: the answer to a HEAD says how many a list has.
func (recurly) Check(ctx context.Context, a *Access) (Account, error) {
	head := a.recurly("/accounts", nil)
	head.method = http.MethodHead
	res, err := a.do(ctx, head)
	if err != nil {
		return Account{}, err
	}
	out := Account{Limits: "1,000 requests a minute, 3,300 accounts a second"}
	if n, err := strconv.ParseInt(res.header.Get("Recurly-Total-Records"), 10, 64); err == nil {
		out.Records = map[string]int64{recurlyAccounts: n}
	}
	return out, nil
}

func (recurly) Plan(_ context.Context, _ *Access, w Want) ([]crm.Partition, error) {
	if w.Changes {
		return []crm.Partition{Window(recurlyChanged+recurlyAccounts, w.From, w.To),
			Window(recurlyChanged+recurlySubscriptions, w.From, w.To), Window(recurlyChanged+recurlyInvoices, w.From, w.To)}, nil
	}
	// An account of the span may have subscribed long after it.
	return append(Windows(recurlyAccounts, w.Span, recurlyWindow), Windows(recurlySubscriptions, crm.Span{From: w.From}, 0)...), nil
}

// recurlyCursor says where the next page is: a path with a query, of which
// Recurly says that it is opaque.
type recurlyCursor struct {
	Next string `json:"next"`
}

type recurlyList struct {
	HasMore bool              `json:"has_more"`
	Next    string            `json:"next"`
	Data    []json.RawMessage `json:"data"`
}

func (r recurly) Read(ctx context.Context, a *Access, p crm.Partition, c Cursor) (Page, error) {
	var at recurlyCursor
	if err := readCursor(c, &at); err != nil {
		return Page{}, err
	}
	request, err := a.recurlyRequest(p, at)
	if err != nil {
		return Page{}, err
	}
	list, err := a.recurlyList(ctx, request)
	if err != nil {
		return Page{}, err
	}
	var page Page
	if err := r.take(ctx, a, p, list.Data, &page); err != nil {
		return Page{}, err
	}
	if !list.HasMore {
		return page, nil
	}
	path, err := recurlyPath(a.recurlyAddress(), list.Next)
	if err == nil {
		page.Next, err = cursor(recurlyCursor{path})
	}
	return page, err
}

// recurlyList makes a call that is answered with a list.
func (a *Access) recurlyList(ctx context.Context, c call) (list recurlyList, err error) {
	res, err := a.do(ctx, c)
	if err == nil {
		err = res.json(&list)
	}
	return list, err
}

// recurlyRequest asks for one page of a partition.
func (a *Access) recurlyRequest(p crm.Partition, at recurlyCursor) (call, error) {
	if at.Next != "" {
		path, err := recurlyPath(a.recurlyAddress(), at.Next)
		c := a.recurly(path, nil)
		general := c.fault
		c.fault = func(res *answer) error {
			if res.status == http.StatusBadRequest || res.status == http.StatusUnprocessableEntity {
				return fmt.Errorf("%w: Recurly refuses its cursor (%d)", crm.ErrCursorLost, res.status)
			}
			return general(res)
		}
		return c, err
	}
	stream, changed := strings.CutPrefix(p.Stream, recurlyChanged)
	if !slices.Contains([]string{recurlyAccounts, recurlySubscriptions, recurlyInvoices}, stream) {
		return call{}, noPartition(p)
	}
	q := url.Values{"limit": {strconv.Itoa(recurlyPage)}, "order": {"asc"}, "sort": {"created_at"}}
	if stream == recurlyInvoices {
		q.Set("limit", "100") // each has its lines with it
	}
	if changed {
		q.Set("sort", "updated_at")
	}
	for name, at := range map[string]time.Time{"begin_time": p.From, "end_time": p.To} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return a.recurly("/"+stream, q), nil
}

// recurlyPath returns the path, with its query, of the page that Recurly says is
// next, which its documentation calls a path in one place and a URL in another.
// It is followed to the letter, on the API's own host and nowhere else, as the
// key goes along: another host wraps [crm.ErrInvalid].
func recurlyPath(own, next string) (string, error) {
	path := strings.TrimPrefix(next, own)
	switch {
	case next == "":
		return "", errors.New("Recurly says that more follows, and not where")
	case !strings.HasPrefix(path, "/"), strings.HasPrefix(path, "//"):
		return "", fmt.Errorf("%w: Recurly names another host for the next page; nothing was sent there", crm.ErrInvalid)
	}
	return path, nil
}

// take makes a page of what a list holds.
func (r recurly) take(ctx context.Context, a *Access, p crm.Partition, list []json.RawMessage, page *Page) error {
	stream, changed := strings.CutPrefix(p.Stream, recurlyChanged)
	within := func(t recurlyTimes) bool {
		at := t.CreatedAt
		if changed {
			at = t.UpdatedAt
		}
		return p.To.IsZero() || at.Before(p.To)
	}
	var accounts []string
	var err error
	switch stream {
	case recurlyAccounts:
		err = each(list, func(c *recurlyAccount) {
			if within(c.recurlyTimes) {
				page.add(c)
			}
		})
	case recurlySubscriptions:
		err = each(list, func(s *recurlySubscription) {
			if within(s.recurlyTimes) {
				page.Subscriptions = append(page.Subscriptions, s.subscription(a.Now()))
				accounts = append(accounts, s.Account.ID)
			}
		})
	case recurlyInvoices:
		err = each(list, func(i *recurlyOwned) { accounts = append(accounts, i.Account.ID) })
	}
	if err != nil || !changed || len(accounts) == 0 {
		return err
	}
	return r.named(ctx, a, accounts, page)
}

// named reads accounts by their ids, 200 at the most. Those come in no order and
// on one page; an id that Recurly does not know is passed over.
func (recurly) named(ctx context.Context, a *Access, ids []string, page *Page) error {
	slices.Sort(ids)
	list, err := a.recurlyList(ctx, a.recurly("/accounts", url.Values{"ids": {strings.Join(slices.Compact(ids), ",")}}))
	if err != nil {
		return err
	}
	return each(list.Data, page.add)
}

// add adds an account to a page.
func (p *Page) add(c *recurlyAccount) {
	p.Rows = append(p.Rows, c.row())
	p.Subscriptions = append(p.Subscriptions, c.dues())
}

// recurlyAddress is the address of the API.
func (a *Access) recurlyAddress() string {
	return firstOf(a.api(), recurlyHosts[a.Settings["region"]], recurlyHosts["us"])
}

// recurly is a call to Recurly, which wants to be told the version with every
// request.
func (a *Access) recurly(path string, q url.Values) call {
	return call{url: a.recurlyAddress() + path, query: q, header: basic(a.Settings["api_key"], ""), accept: "application/vnd.recurly.v2021-02-25",
		fault: func(res *answer) error {
			if _, until, ok := recurlyLeft(res.header, res.now); ok && res.status == http.StatusTooManyRequests && until.After(res.now) {
				return &crm.Throttled{Until: until, Why: "1,000 requests a minute are used up (429)"}
			}
			return nil
		}}
}

// recurlyLeft reads the heads in which Recurly says how many requests are left
// and at which second since 1970 all are to be had again. It sends no
// Retry-After.
func recurlyLeft(h http.Header, _ time.Time) (left int, until time.Time, ok bool) {
	left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, wrong := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	return left, time.Unix(reset, 0).UTC(), err == nil && wrong == nil
}
