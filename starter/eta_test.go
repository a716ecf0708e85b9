package main

import (
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestTheTimeLeftOfAReadingSaysWhatBindsIt(t *testing.T) {
	t.Parallel()
	reading := func(rate float64, left time.Duration) crm.Progress {
		return crm.Progress{State: crm.Running, Partitions: 14, PartitionsRead: 4, Rate: rate, Remaining: left,
			Steps: []crm.StepProgress{{Step: "Write", Rows: 4000}}}
	}
	resting := reading(10, time.Minute)
	resting.State = crm.Paused
	shared := slowAPI("")
	shared.share = 0.6
	for _, c := range []struct {
		name string
		b    bound
		p    crm.Progress
		want string
	}{
		{"no limits are known", bound{}, reading(1e6, 2*time.Hour+10*time.Minute), "about 2 h 10 min left"},
		{"far from them", slowAPI(""), reading(50, 10*time.Minute), "about 10 min 00 s left"},
		{"at them", slowAPI(""), reading(99, 2*time.Hour+10*time.Minute), "about 2 h 10 min left; bound by HubSpot's 190 requests in 10 s"},
		{"at our share of them", shared, reading(50, 10*time.Minute), "about 10 min 00 s left; bound by 60 % of HubSpot's 190 requests in 10 s"},
		{"faster than they allow", slowAPI(""), reading(99, time.Second), "about 1 min 40 s left; bound by HubSpot's 190 requests in 10 s"},
		{"nobody knows", slowAPI(""), reading(0, 0), "time left unknown"},
		{"but what binds it", slowAPI(""), reading(99, 0), "time left unknown; bound by HubSpot's 190 requests in 10 s"},
		{"paused", slowAPI(""), resting, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.b.importLeft(c.p); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestPartitionsOfTimeAreNamedByTheirDays(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"customers-20190101t000000.000-20190131t000000.000":     "customers 2019-01-01 to 2019-01-30",
		"changed-leads-20190101t101500.000-20190131t000000.000": "changed-leads 2019-01-01 10:15 to 2019-01-31 00:00",
		"customers":                          "customers",
		"a-b-c":                              "a-b-c",
		"leads-20190101t000000.000-2019.csv": "leads-20190101t000000.000-2019.csv",
	} {
		if got := partitionName(id); got != want {
			t.Errorf("partitionName(%q) = %q, want %q", id, got, want)
		}
	}
}
