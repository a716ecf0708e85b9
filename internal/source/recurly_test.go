package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

// recurlyIDs lists every account: one that is deleted in the world is closed
// there, and stays.
func recurlyIDs(w *fakesaas.World) (ids []string) {
	for n := range w.Len() {
		ids = append(ids, fakesaas.RecurlyAccount(n))
	}
	return ids
}

var recurlySubject = subject{connector: Recurly, provider: "recurly", settings: map[string]string{"api_key": fakesaas.Key},
	ids: recurlyIDs, subscriptions: recurlyIDs, // each has its dues at the least
	changes: func(_ *fakesaas.World, changed []int) (ids []string) {
		for _, n := range changed {
			ids = append(ids, fakesaas.RecurlyAccount(n))
		}
		return ids
	}}

func init() { subjects = append(subjects, recurlySubject) }

func TestRecurlyNextOnAnotherHostIsRefused(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	t.Cleanup(other.Close)
	host := strings.TrimPrefix(other.URL, "http://")
	for _, next := range []string{other.URL + "/accounts?cursor=1", "//" + host + "/accounts?cursor=1", "@" + host + "/accounts?cursor=1",
		"{own}@" + host + "/accounts", "{own}.example.com/accounts", "{own}0/accounts", ".example.com/accounts", "accounts?cursor=1"} {
		var own string
		a := against(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"object":"list","has_more":true,"next":%q,"data":[]}`, strings.ReplaceAll(next, "{own}", own))
		})
		own = a.Settings["api"]
		p := crm.Partition{ID: "accounts", Stream: recurlyAccounts}
		if _, err := Recurly.Read(t.Context(), a, p, nil); !errors.Is(err, crm.ErrInvalid) || strings.Contains(err.Error(), host) {
			t.Errorf("next %q: got %v, want ErrInvalid that does not repeat it", next, err)
		}
		at, err := cursor(recurlyCursor{strings.ReplaceAll(next, "{own}", own)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Recurly.Read(t.Context(), a, p, at); !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("cursor with %q: got %v, want ErrInvalid", next, err)
		}
	}
	if len(asked) > 0 {
		t.Errorf("the other host was asked for %s", <-asked)
	}
}

func TestRecurlyNextIsFollowedToTheLetter(t *testing.T) {
	t.Parallel()
	const path = "/accounts?cursor=a%2Fb%3D%3D:12,7&sort=created_at&limit=200&order=asc"
	for _, before := range []string{"", "http://"} { // a path, and a URL of the same host
		var asked []string
		a := against(t, func(w http.ResponseWriter, r *http.Request) {
			next := path
			if before != "" {
				next = before + r.Host + path
			}
			asked = append(asked, r.RequestURI)
			fmt.Fprintf(w, `{"object":"list","has_more":%v,"next":%q,"data":[]}`, len(asked) == 1, next)
		})
		p := crm.Partition{ID: "accounts", Stream: recurlyAccounts}
		page, err := Recurly.Read(t.Context(), a, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if page, err = Recurly.Read(t.Context(), a, p, page.Next); err != nil || page.Next != nil {
			t.Fatalf("the last page: next %s, %v", page.Next, err)
		}
		if asked[1] != path {
			t.Errorf("asked for %s, want %s", asked[1], path)
		}
	}
}

func TestRecurlyCursorThatIsRefusedIsLost(t *testing.T) {
	t.Parallel()
	recurlySubject.begin(t).wantLost(crm.Partition{ID: "accounts", Stream: recurlyAccounts}, recurlyCursor{"/accounts?cursor=nonsense"})
}

func TestRecurlyEndOfAWindowBelongsToTheNext(t *testing.T) {
	t.Parallel()
	x := recurlySubject.begin(t)
	first := fakesaas.RecurlyAccount(0) // created at Begin, a whole second
	if _, ok := x.rowsOf(recurlyAccounts, fakesaas.Begin.Add(-time.Hour), fakesaas.Begin)[first]; ok {
		t.Error("a window holds what was created at its end, although Recurly's end_time is inclusive")
	}
	if _, ok := x.rowsOf(recurlyAccounts, fakesaas.Begin, fakesaas.Begin.Add(time.Hour))[first]; !ok {
		t.Error("a window does not hold what was created at its beginning")
	}
}

func TestRecurlyTimesInWholeSecondsLoseNothing(t *testing.T) {
	t.Parallel()
	x := recurlySubject.begin(t)
	for _, c := range x.world.Customers(func(c *fakesaas.Customer) bool { return c.N > 0 && c.N < 50 }) {
		// The windows meet within the second in which it was created.
		id, second := fakesaas.RecurlyAccount(c.N), c.Created.Truncate(time.Second)
		for _, cut := range []time.Time{c.Created, c.Created.Add(-time.Millisecond), second.Add(time.Millisecond), second.Add(time.Second)} {
			_, before := x.rowsOf(recurlyAccounts, cut.Add(-time.Hour), cut)[id]
			_, behind := x.rowsOf(recurlyAccounts, cut, cut.Add(time.Hour))[id]
			if !before && !behind {
				t.Errorf("what was created at %v is in neither of the windows that meet at %v", c.Created, cut)
			}
		}
	}
}

func TestRecurlyWhatMovesBehindTheCursorComesWithTheNextChanges(t *testing.T) {
	t.Parallel()
	x := recurlySubject.begin(t)
	since := x.world.Clock().Now()
	var want []string
	for n := range x.world.Len() {
		x.world.Clock().Move(time.Second)
		x.world.Change(n)
		want = append(want, fakesaas.RecurlyAccount(n))
	}
	x.world.Clock().Move(time.Hour)
	end := x.world.Clock().Now()
	x.server.Set(func(t *fakesaas.Traps) { t.ChangeEvery = 1 })
	h := x.read(Want{Span: crm.Span{From: since, To: end.Add(-time.Minute)}, Changes: true})
	x.server.Set(func(t *fakesaas.Traps) { t.ChangeEvery = 0 })
	x.world.Clock().Move(time.Hour)
	maps.Copy(h.rows, x.read(Want{Span: crm.Span{From: end.Add(-time.Minute), To: end.Add(time.Hour)}, Changes: true}).rows)
	x.checkHaul(h, want)
}

func TestRecurlyChangesAreAskedForInAscendingOrder(t *testing.T) {
	t.Parallel()
	a := against(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("sort") != "updated_at" || q.Get("order") != "asc" || q.Get("begin_time") == "" || q.Get("end_time") == "" {
			t.Errorf("asked for %s", r.URL)
		}
		if v := r.Header.Get("Accept"); v != "application/vnd.recurly.v2021-02-25" {
			t.Errorf("asked for version %q", v)
		}
		fmt.Fprint(w, `{"object":"list","has_more":false,"data":[]}`)
	})
	parts, err := Recurly.Plan(t.Context(), a, Want{Span: crm.Span{From: start.Add(-time.Hour), To: start}, Changes: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if _, err := Recurly.Read(t.Context(), a, p, nil); err != nil {
			t.Errorf("read %s: %v", p.ID, err)
		}
	}
}

func TestRecurlyStatusFollowsFromSubscriptionsAndDues(t *testing.T) {
	t.Parallel()
	x := recurlySubject.begin(t)
	x.checkStatuses(x.read(x.everything()).subscriptions, fakesaas.RecurlyAccount)
}

func TestRecurlyPaymentThatBecomesLateShowsThoughTheAccountDoesNotChange(t *testing.T) {
	t.Parallel()
	few := recurlySubject
	few.customers = 120
	x := few.begin(t)
	known := map[string][]crm.Subscription{}
	latest(known, x.read(x.everything()).subscriptions)
	for range 7 { // every subscription goes through every state
		since := x.world.Clock().Now()
		x.world.Clock().Move(2 * time.Hour)
		for n := range x.world.Len() {
			x.world.ChangeSubscription(n)
		}
		x.world.Clock().Move(time.Hour)
		w := Want{Span: crm.Span{From: since, To: x.world.Clock().Now().Add(-time.Minute)}, Changes: true}
		latest(known, x.read(w).subscriptions)
		x.checkStatuses(known, fakesaas.RecurlyAccount)
	}
}

func TestRecurlyAccountsOfChangedInvoicesAreReadAnew(t *testing.T) {
	t.Parallel()
	x := recurlySubject.begin(t)
	since := x.world.Clock().Now()
	x.world.Clock().Move(2 * time.Hour)
	var want []string
	for _, c := range x.world.Customers(nil) {
		if len(c.Subscriptions) > 0 && c.N%2 == 0 {
			x.world.ChangeSubscription(c.N)
			want = append(want, fakesaas.RecurlyAccount(c.N))
		}
	}
	x.world.Clock().Move(time.Hour)
	parts, err := Recurly.Plan(t.Context(), x.access, Want{Span: crm.Span{From: since, To: x.world.Clock().Now()}, Changes: true})
	if err != nil {
		t.Fatal(err)
	}
	invoices := slices.IndexFunc(parts, func(p crm.Partition) bool { return p.Stream == "changed-invoices" })
	if invoices < 0 {
		t.Fatalf("the changes are read from %+v", parts)
	}
	out := haul{rows: map[string]Row{}, subscriptions: map[string][]crm.Subscription{}}
	x.readPartition(parts[invoices], &out)
	if got := slices.Sorted(maps.Keys(out.rows)); !slices.Equal(got, want) || len(out.subscriptions) != len(want) {
		t.Errorf("%d accounts and the dues of %d came, want %d", len(got), len(out.subscriptions), len(want))
	}
}

func TestRecurlySubscriptionStates(t *testing.T) {
	t.Parallel()
	ahead, passed := start.Add(time.Hour).Format(time.RFC3339), start.Add(-time.Hour).Format(time.RFC3339)
	for _, test := range []struct {
		name, in string
		want     crm.SubscriptionState
	}{
		{"active", `{"state":"active"}`, crm.SubscriptionLive},
		{"canceled is live until it expires", `{"state":"canceled"}`, crm.SubscriptionLive},
		{"paused", `{"state":"paused"}`, crm.SubscriptionLive},
		{"expired", `{"state":"expired"}`, crm.SubscriptionOver},
		{"future", `{"state":"future"}`, crm.SubscriptionFuture},
		{"failed never came about", `{"state":"failed"}`, crm.SubscriptionFuture},
		{"on trial", `{"state":"active","trial_ends_at":"` + ahead + `"}`, crm.SubscriptionTrialing},
		{"canceled on trial", `{"state":"canceled","trial_ends_at":"` + ahead + `"}`, crm.SubscriptionTrialing},
		{"after its trial", `{"state":"active","trial_ends_at":"` + passed + `"}`, crm.SubscriptionLive},
		{"ended in its trial", `{"state":"expired","trial_ends_at":"` + ahead + `"}`, crm.SubscriptionOver},
		{"a word of tomorrow", `{"state":"dreaming"}`, crm.SubscriptionFuture},
	} {
		var s recurlySubscription
		if err := json.Unmarshal([]byte(test.in), &s); err != nil {
			t.Fatal(err)
		}
		if got := s.subscription(start).State; got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestRecurlyDues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in string
		counts   bool
	}{
		{"late for what is active", `{"has_past_due_invoice":true,"has_active_subscription":true,"has_live_subscription":true}`, true},
		{"late for what will not renew", `{"has_past_due_invoice":true,"has_canceled_subscription":true,"has_live_subscription":true}`, true},
		{"late for what is over", `{"has_past_due_invoice":true}`, false},
		{"late, and what is live is yet to begin", `{"has_past_due_invoice":true,"has_future_subscription":true,"has_live_subscription":true}`, false},
		{"paid", `{"has_active_subscription":true,"has_live_subscription":true}`, false},
	} {
		var c recurlyAccount
		if err := json.Unmarshal([]byte(test.in), &c); err != nil {
			t.Fatal(err)
		}
		if d := c.dues(); d.State != crm.SubscriptionPastDue || d.Deleted == test.counts {
			t.Errorf("%s: %+v, want one that counts: %v", test.name, d, test.counts)
		}
	}
}

func TestRecurlyClosedAccountIsDeletedUntilItIsOpenedAgain(t *testing.T) {
	t.Parallel()
	x := recurlySubject.begin(t)
	since := x.world.Clock().Now()
	x.world.Clock().Move(time.Minute)
	x.world.Delete(3)
	x.world.Clock().Move(time.Hour)
	h := x.read(Want{Span: crm.Span{From: since, To: x.world.Clock().Now()}, Changes: true})
	row := h.rows[fakesaas.RecurlyAccount(3)]
	if row.Extra["deleted"] != "true" || len(h.rows) != 1 {
		t.Errorf("the closed account says deleted=%q, and %d rows came", row.Extra["deleted"], len(h.rows))
	}
	again := recurlyAccount{ID: "a", State: "active"} // and still has its deleted_at
	if got := again.row().Extra["deleted"]; got != "" {
		t.Errorf("an account that was opened again says deleted=%q", got)
	}
}

func TestRecurlyRowHasTheFieldsOfTheAccount(t *testing.T) {
	t.Parallel()
	var c recurlyAccount
	err := json.Unmarshal([]byte(`{"id":"e28zov4fw0v2","code":"bob","state":"active","first_name":"Bo","last_name":"Berg","company":null,"email":"bo@example.com",
		"cc_emails":null,"created_at":"2024-05-06T07:08:09Z","updated_at":"2025-05-06T07:08:09Z","custom_fields":[{"name":"size","value":"big"}],
		"address":{"phone":"+351","city":"Porto","region":null,"postal_code":"4000","country":"PT"}}`), &c)
	if err != nil {
		t.Fatal(err)
	}
	got := c.row()
	want := Row{ID: "e28zov4fw0v2",
		Customer: Fields{"external_id": "e28zov4fw0v2", "name": "Bo Berg", "email": "bo@example.com", "country": "PT", "city": "Porto", "zip": "4000",
			"lead_created_at": "2024-05-06T07:08:09Z", "source_updated_at": "2025-05-06T07:08:09Z"},
		Contact: Fields{"external_id": "e28zov4fw0v2:primary", "first_name": "Bo", "last_name": "Berg", "email": "bo@example.com", "phone": "+351",
			"source_updated_at": "2025-05-06T07:08:09Z"},
		Extra: Fields{"code": "bob", "custom_fields.size": "big"}}
	if !sameRows([]Row{got}, []Row{want}) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRecurlyLimitHoldsUntilItsReset(t *testing.T) {
	t.Parallel()
	reset := start.Add(3*time.Minute + 7*time.Second)
	a := against(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(reset.Unix()))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := Recurly.Check(t.Context(), a)
	var wait *crm.Throttled
	if !errors.As(err, &wait) || !wait.Until.Equal(reset) {
		t.Errorf("got %v, want to wait until %v", err, reset)
	}
	left, until, ok := Recurly.About().Left(http.Header{"X-Ratelimit-Remaining": {"12"}, "X-Ratelimit-Reset": {fmt.Sprint(reset.Unix())}}, start)
	if left != 12 || !until.Equal(reset) || !ok {
		t.Errorf("Left = %d, %v, %v; want 12, %v, true", left, until, ok, reset)
	}
	if _, _, ok := Recurly.About().Left(http.Header{}, start); ok {
		t.Error("Left reads limits from heads that have none")
	}
}

func TestRecurlyCheckCountsWithoutReading(t *testing.T) {
	t.Parallel()
	x := recurlySubject.begin(t)
	x.world.Add()
	got, err := Recurly.Check(t.Context(), x.access)
	if all, _ := x.server.Requests("recurly"); err != nil || got.Records["accounts"] != 438 || all != 1 {
		t.Errorf("check: %+v, %v, with %d requests; want 438 accounts with one", got, err, all)
	}
}

func TestRecurlyHosts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		settings map[string]string
		want     string
	}{
		{"none set", nil, "https://v3.recurly.com"},
		{"us", map[string]string{"region": "us"}, "https://v3.recurly.com"},
		{"eu", map[string]string{"region": "eu"}, "https://v3.eu.recurly.com"},
		{"another address", map[string]string{"region": "eu", "api": "https://proxy.example.com/"}, "https://proxy.example.com"},
	} {
		if got := (&Access{Settings: test.settings}).recurlyAddress(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if err := checkRegion("mars"); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("region mars: %v, want ErrInvalid", err)
	}
}
