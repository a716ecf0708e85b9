package main

import (
	"fmt"
	"slices"
)

// A spread is what values taken in turn come to. Without values it is zero.
type spread struct {
	Median, Least, Most float64
	N                   int
}

func spreadOf(values []float64) spread {
	n := len(values)
	if n == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Least: sorted[0], Most: sorted[n-1], N: n}
}

// spreadBy is the spread of one value of each figure.
func spreadBy(list []figure, of func(figure) float64) spread {
	values := make([]float64, len(list))
	for i, f := range list {
		values[i] = of(f)
	}
	return spreadOf(values)
}

// A ratio compares two measures, by what was seen in the same rounds.
type ratio struct {
	spread            // of the rounds' own ratios
	OfMedians float64 // one measure's median by the other's
}

// ratioOf pairs figures by their rounds. Rounds that lack one are left out.
func ratioOf(list, by []figure, of, ofBy func(figure) float64) ratio {
	var values, over, under []float64
	for _, f := range list {
		i := slices.IndexFunc(by, func(g figure) bool { return g.Round == f.Round })
		if i < 0 {
			continue
		}
		a, b := of(f), ofBy(by[i])
		values, over, under = append(values, a/b), append(over, a), append(under, b)
	}
	r := ratio{spread: spreadOf(values)}
	if r.N > 0 {
		r.OfMedians = spreadOf(over).Median / spreadOf(under).Median
	}
	return r
}

func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }

// thousands writes a number with commas.
func thousands(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
