package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

func paged(source string) crm.Request {
	r := request(source)
	r.Files, r.Reads = nil, []crm.Partition{{ID: "customers", Stream: "customers"}}
	return r
}

// at is a customer as its source has it at a second of a day.
func at(key, name, second string) fields {
	f := person(key, name)
	if second != "" {
		f["source_updated_at"] = "2026-01-01T00:00:" + second + ".000Z"
	}
	return f
}

// A record may come in several segments of one import. The newest counts, by the
// source's own word or else by which came last, whatever the order of writing.
func TestARecordThatComesTwiceIsAsTheNewerOneSays(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for i, tt := range []struct{ first, second, want string }{
			{"10", "20", "two"},
			{"20", "10", "one"},
			{"10", "10", "two"},
			{"", "", "two"},
			{"10", "", "two"},
			{"", "10", "two"},
		} {
			for _, turned := range []bool{false, true} { // written in the other order, as leftovers may be
				m := beginAs(t, s, paged("leads"), crm.Writing{})
				key := fmt.Sprintf("%d-%v", i, turned)
				rows := []testRow{{file: 0, line: 2, customer: at(key, "one", tt.first)}, {file: 1, line: 2, customer: at(key, "two", tt.second)}}
				if turned {
					slices.Reverse(rows)
				}
				var counts crm.Counts
				for _, r := range rows {
					counts.Add(m.write(r))
				}
				m.end(crm.Done)
				if all := exported(t, s, crm.Customer); !strings.Contains(all, "\n"+key+"|"+tt.want+"|") {
					t.Errorf("of second %q and then %q, written in the other order %v:\n%swant %s", tt.first, tt.second, turned, all, tt.want)
				}
				c := counts.Of(crm.Customer)
				want(t, "created", c.Created, 1)
				want(t, "duplicate", c.Duplicate, 1)
			}
		}
	})
}

func TestTwoRowsOfOneSegmentAreNeverTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := beginAs(t, s, paged("leads"), crm.Writing{})
		m.write(testRow{file: 3, line: 2, customer: person("a", "one")})
		in, p := m.stage(testRow{file: 3, line: 9, customer: person("a", "two")})
		if _, err := s.Write(context.Background(), in, p.open); crm.TypeOf(err) != crm.FailUnbalanced {
			t.Errorf("got %v, want unbalanced", err)
		}
	})
}

// What an import did to a record in several segments is one change: undo brings
// back what was there before the first of them.
func TestUndoOfPagesRestoresWhatWasThereBeforeThem(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		first := begin(t, s, crm.Rules{}, "")
		first.write(testRow{line: 2, customer: person("a", "before")})
		first.end(crm.Done)
		before := exported(t, s, crm.Customer)

		m := beginAs(t, s, paged("leads"), crm.Writing{})
		for n, name := range []string{"one", "two", "three"} {
			m.write(testRow{file: n, line: 2, customer: person("a", name)})
			m.write(testRow{file: n, line: 3, customer: person("b", name)})
		}
		m.end(crm.Done)
		recount, err := s.Recount(context.Background(), m.Number)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "created and images", recount[crm.Customer].Created*10+recount[crm.Customer].Updated, 11)

		target, err := s.Import(context.Background(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		report, records := undoAll(t, s, target, 10, 2)
		want(t, "state", report.State, crm.Done)
		want(t, "records", len(records), 2)
		want(t, "customers", exported(t, s, crm.Customer), before)
	})
}

func TestSubscriptionsAreKeptAndMeetTheirCustomers(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
		save := func(m *made, all ...crm.Subscription) {
			t.Helper()
			for range 2 { // saving twice is harmless
				if err := s.SaveSubscriptions(ctx, m.Number, all); err != nil {
					t.Fatal(err)
				}
			}
		}
		subscribers := func(m *made, after string) (out []string) {
			t.Helper()
			list, err := s.Subscribers(ctx, m.Number, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				status, trial := crm.Fold(c.Subscriptions)
				text := c.Customer + " " + status
				if !trial.IsZero() {
					text += trial.Format(" 2 January")
				}
				out = append(out, text)
			}
			return out
		}
		one := beginAs(t, s, paged("leads"), crm.Writing{})
		save(one, crm.Subscription{ID: "s1", Customer: "a", State: crm.SubscriptionTrialing, TrialStartedAt: day(3), UpdatedAt: day(3)},
			crm.Subscription{ID: "s2", Customer: "c", State: crm.SubscriptionLive},
			crm.Subscription{ID: "s3", Customer: "nobody", State: crm.SubscriptionLive},
			crm.Subscription{ID: "s2", Customer: "c", State: crm.SubscriptionPastDue})
		for n, key := range []string{"a", "b", "c"} {
			one.write(testRow{line: int64(n + 2), customer: person(key, key)})
		}
		want(t, "after the first import", slices.Equal(subscribers(one, ""), []string{"a New Lead 3 January", "c Past Due"}), true)
		want(t, "behind a", slices.Equal(subscribers(one, "a"), []string{"c Past Due"}), true)
		one.end(crm.Done)

		two := beginAs(t, s, paged("leads"), crm.Writing{})
		save(two, crm.Subscription{ID: "s1", Customer: "a", State: crm.SubscriptionOver, TrialStartedAt: day(3), UpdatedAt: day(2)}, // older than what is known
			crm.Subscription{ID: "s4", Customer: "b", State: crm.SubscriptionLive, UpdatedAt: day(9)})
		want(t, "after the second", slices.Equal(subscribers(two, ""), []string{"b Active"}), true)
		two.write(testRow{line: 2, customer: person("c", "changed")})
		want(t, "with a customer that changed", slices.Equal(subscribers(two, ""), []string{"b Active", "c Past Due"}), true)
		two.end(crm.Done)
		if err := s.SaveSubscriptions(ctx, two.Number, nil); crm.TypeOf(err) != crm.FailFenced {
			t.Errorf("into an import that has ended: %v, want fenced", err)
		}
	})
}

func TestTheWatermarkIsSavedWithTheEndAndNeverGoesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for _, tt := range []struct {
			day   int // 0: the import says nothing
			state crm.State
			want  int
		}{{0, crm.Done, 0}, {5, crm.Failed, 0}, {5, crm.Done, 5}, {3, crm.Done, 5}, {0, crm.Done, 5}, {9, crm.Cancelled, 5}, {10, crm.Done, 10}} {
			r := paged("leads")
			if tt.day > 0 {
				r.Watermark = time.Date(2026, 1, tt.day, 0, 0, 0, 0, time.UTC)
			}
			m := beginAs(t, s, r, crm.Writing{})
			m.end(tt.state)
			src, err := s.Source(context.Background(), "leads")
			if err != nil {
				t.Fatal(err)
			}
			day := 0
			if !src.Watermark.IsZero() {
				day = src.Watermark.Day()
			}
			want(t, "watermark", day, tt.want)
		}
	})
}

func TestSettingsOfASourceAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		if err := s.Configure(ctx, "leads", map[string]string{"site": "acme"}, []byte("sealed")); err != nil {
			t.Fatal(err)
		}
		if err := s.Configure(ctx, "leads", map[string]string{"site": "other"}, nil); err != nil {
			t.Fatal(err)
		}
		src, err := s.Source(ctx, "leads")
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := s.Secrets(ctx, "leads")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "settings", src.Settings["site"]+" "+string(sealed), "other sealed")
		if err := s.Configure(ctx, "nobody", nil, nil); crm.TypeOf(err) != crm.FailNotFound {
			t.Errorf("of a source that is not there: %v, want not_found", err)
		}
	})
}

// A workflow that was reset reads the pages of a source once more. What is in the
// ledger is no answer for rows that have changed since.
func TestTheSameBatchOfOtherRowsIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		m := beginAs(t, s, paged("leads"), crm.Writing{})
		in, p := m.stage(testRow{line: 2, customer: person("a", "one")})
		in.Batch.Customers.Object.BLAKE3 = "one"
		for range 2 {
			if _, err := s.Write(context.Background(), in, p.open); err != nil {
				t.Fatal(err)
			}
		}
		in.Batch.Customers.Object.BLAKE3 = "two"
		if _, err := s.Write(context.Background(), in, p.open); crm.TypeOf(err) != crm.FailUnbalanced {
			t.Errorf("got %v, want unbalanced", err)
		}
	})
}

// What an import had brought of a source's changes is read again once it is
// undone, and no more than that.
func TestUndoOfASyncPutsTheWatermarkBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
		sync := func(since, until time.Time) *made {
			r := paged("leads")
			r.Since, r.Watermark = since, until
			m := beginAs(t, s, r, crm.Writing{})
			m.write(testRow{line: 2, customer: person("a", until.String())})
			m.end(crm.Done)
			return m
		}
		mark := func() time.Time {
			t.Helper()
			src, err := s.Source(ctx, "leads")
			if err != nil {
				t.Fatal(err)
			}
			return src.Watermark
		}
		first, second := sync(time.Time{}, day(1)), sync(day(1), day(2))
		third := sync(day(2), day(3))
		for _, tt := range []struct {
			undone *made
			want   time.Time
		}{{third, day(2)}, {second, day(1)}, {first, time.Time{}}} {
			target, err := s.Import(ctx, tt.undone.ID)
			if err != nil {
				t.Fatal(err)
			}
			undoAll(t, s, target, 10, 2)
			if got := mark(); !got.Equal(tt.want) {
				t.Errorf("after import %d was undone the watermark is %s, want %s", target.Number, got, tt.want)
			}
		}
	})
}
