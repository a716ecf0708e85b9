package source

import (
	"testing"
	"time"
)

func TestAQuotaIsSaidInWords(t *testing.T) {
	t.Parallel()
	for want, q := range map[string]Quota{
		"190 requests in 10 s":    {190, 10 * time.Second},
		"25 requests a second":    {25, time.Second},
		"1,000 requests a minute": {1000, time.Minute},
		"2.5 requests a second":   {2.5, time.Second},
		"1 request an hour":       {1, time.Hour},
		"250,000 requests a day":  {250_000, 24 * time.Hour},
		"3 requests in 0.5 s":     {3, 500 * time.Millisecond},
		"":                        {},
	} {
		if got := q.String(); got != want {
			t.Errorf("%v: %q, want %q", [2]any{q.Requests, q.Per}, got, want)
		}
	}
}

func TestBindingNamesTheLimitThatAReadingHasComeUpAgainst(t *testing.T) {
	t.Parallel()
	pro := AboutFor(HubSpot, map[string]string{"tier": "pro", "access_token": "pat"})
	for _, c := range []struct {
		name  string
		about About
		rate  float64
		share float64
		want  string
	}{
		{"at the limit", pro, 1900, 1, "HubSpot's 190 requests in 10 s"},
		{"near its share", pro, 0.8 * 0.6 * 1900, 0.6, "60 % of HubSpot's 190 requests in 10 s"},
		{"far from it", pro, 0.79 * 0.6 * 1900, 0.6, ""},
		{"the class that the ceiling follows from", Stripe.About(), 2500, 1, "Stripe's 25 requests a second"},
		{"no limit is known", SQL.About(), 1e6, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.about.Binding(c.rate, c.share); got != c.want {
				t.Errorf("Binding(%g, %g) = %q, want %q", c.rate, c.share, got, c.want)
			}
		})
	}
}

// TestCeilingsSayWhichQuotaTheyFollowFrom: else a display cannot name what binds.
func TestCeilingsSayWhichQuotaTheyFollowFrom(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		about := MustOf(kind).About()
		if about.Ceiling > 0 && about.Binding(float64(about.Ceiling), 1) == "" {
			t.Errorf("%s: its ceiling is %d rows a second, and no quota of class %q says why", kind, about.Ceiling, about.CeilingOf)
		}
	}
}

func TestShareIsAPartOfTheWhole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"": 0.6, "80": 0.8, "100": 1, "0": 0.6, "400": 0.6, "much": 0.6} {
		if got := ShareOf(map[string]string{ShareSetting: text}); got != want {
			t.Errorf("ShareOf(%q) = %g, want %g", text, got, want)
		}
	}
}
