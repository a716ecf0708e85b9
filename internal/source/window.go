package source

import (
	"strings"
	"time"

	"sluice/internal/crm"
)

// Windows divides a span into partitions of a stream, each of the given length
// but the last, from the span's beginning on. A span that is open is one
// partition.
func Windows(stream string, s crm.Span, length time.Duration) []crm.Partition {
	if s.From.IsZero() || s.To.IsZero() || length <= 0 {
		return []crm.Partition{{ID: stream, Stream: stream, From: s.From, To: s.To}}
	}
	var out []crm.Partition
	for from := s.From; from.Before(s.To); from = from.Add(length) {
		to := from.Add(length)
		if to.After(s.To) {
			to = s.To
		}
		out = append(out, Window(stream, from, to))
	}
	return out
}

// Window is the partition of a stream from one instant to another.
func Window(stream string, from, to time.Time) crm.Partition {
	const layout = "20060102T150405.000"
	id := stream + "-" + strings.ToLower(from.UTC().Format(layout)) + "-" + strings.ToLower(to.UTC().Format(layout))
	return crm.Partition{ID: id, Stream: stream, From: from, To: to}
}
