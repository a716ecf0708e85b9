package source

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
)

// String says how often requests may be made, as "190 requests in 10 s" or "25
// requests a second"; "" if nothing bounds them.
func (q Quota) String() string {
	if q.Requests <= 0 || q.Per <= 0 {
		return ""
	}
	requests := humanize.Commaf(q.Requests) + " requests"
	if q.Requests == 1 {
		requests = "1 request"
	}
	switch q.Per {
	case time.Second:
		return requests + " a second"
	case time.Minute:
		return requests + " a minute"
	case time.Hour:
		return requests + " an hour"
	case 24 * time.Hour:
		return requests + " a day"
	}
	return fmt.Sprintf("%s in %s s", requests, strconv.FormatFloat(q.Per.Seconds(), 'f', -1, 64))
}

// ShareOf is how much of the source's own limits its settings let us make use
// of, from 0 to 1.
func ShareOf(settings map[string]string) float64 {
	if n, err := strconv.ParseFloat(settings[ShareSetting], 64); err == nil && n > 0 && n <= 100 {
		return n / 100
	}
	return defaultShare
}

// AtMost is how many rows a second a share of the source's limits lets through;
// 0 where that is not known.
func (a About) AtMost(share float64) float64 { return float64(a.Ceiling) * share }

// Binding names the limit of the source that a reading of so many rows a second
// has come up against, such as "60 % of HubSpot's 190 requests in 10 s"; "" if it
// is far from any, or the limits are not known.
//
// Near is near enough: requests come in seconds' worth, and not every page is
// full.
func (a About) Binding(rowsPerSecond, share float64) string {
	const near = 0.8
	words := a.Quotas[a.CeilingOf].String()
	if words == "" || a.Ceiling <= 0 || rowsPerSecond < near*a.AtMost(share) {
		return ""
	}
	words = a.Title + "'s " + words
	if share < 1 {
		words = fmt.Sprintf("%.0f %% of %s", math.Round(share*100), words)
	}
	return words
}
