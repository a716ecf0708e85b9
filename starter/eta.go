package main

import (
	"context"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/source"
	"sluice/internal/store"
	"sluice/internal/wiring"
)

// A bound is what the limits of a source let through. The zero bound knows of
// none.
type bound struct {
	about source.About
	share float64 // of the limits, that we make use of
}

// boundOf looks up what is known of a source's limits. A display does without
// what cannot be found out, such as where only workers have the key.
func (s *session) boundOf(ctx context.Context, db *store.Store, slug string) bound {
	about, share, err := wiring.AboutSource(ctx, s.config, db, slug)
	if err != nil {
		return bound{}
	}
	return bound{about, share}
}

// atLeast returns d, or how long so many rows take at the source's limits if
// that is longer. What is unknown, 0, stays so.
func (b bound) atLeast(d time.Duration, rows float64) time.Duration {
	most := b.about.AtMost(b.share)
	if d <= 0 || most <= 0 {
		return d
	}
	return max(d, time.Duration(rows/most*float64(time.Second)).Round(time.Second))
}

const unknown = "time left unknown"

// left says how long something takes that brings rows a second at a rate, and
// what of the source binds it.
func (b bound) left(d time.Duration, rate float64) string {
	text := unknown
	if d > 0 {
		text = "about " + roughly(d) + " left"
	}
	if words := b.about.Binding(rate, b.share); words != "" {
		text += "; bound by " + words
	}
	return text
}

// rowsEach is how many rows a partition has so far; 0 while nobody knows.
func rowsEach(rows int64, partitions int) float64 {
	if partitions <= 0 {
		return 0
	}
	return float64(rows) / float64(partitions)
}

// importLeft says how long an import still takes; "" while it rests, or has
// ended.
func (b bound) importLeft(p crm.Progress) string {
	if p.State != crm.Running && p.State != crm.Waiting {
		return ""
	}
	rows := rowsEach(writtenRows(p), p.PartitionsRead) * float64(p.Partitions-p.PartitionsRead)
	return b.left(b.atLeast(p.Remaining, rows), p.Rate)
}

// partitionName makes the ID of a partition that is a span of time fit to read:
// "customers 2019-01-01 to 2019-01-31". Others are returned as they are.
func partitionName(id string) string {
	const layout = "20060102t150405.000"
	parts := strings.Split(id, "-")
	n := len(parts)
	if n < 3 {
		return id
	}
	from, err := time.Parse(layout, parts[n-2])
	if err != nil {
		return id
	}
	to, err := time.Parse(layout, parts[n-1])
	if err != nil {
		return id
	}
	as := "2006-01-02 15:04"
	if day := 24 * time.Hour; from.Truncate(day).Equal(from) && to.Truncate(day).Equal(to) {
		as, to = time.DateOnly, to.Add(-day) // the end is not part of it
	}
	return strings.Join(parts[:n-2], "-") + " " + from.Format(as) + " to " + to.Format(as)
}
