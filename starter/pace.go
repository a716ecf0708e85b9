package main

import "time"

// A pace remembers how many rows were behind a step at what time, over the
// last two minutes, at most one sample a second.
type pace struct {
	samples []paceSample
	moved   time.Time // when the number of rows last changed
}

type paceSample struct {
	at   time.Time
	rows int64
}

const (
	paceWindow = 2 * time.Minute
	stillAfter = 5 * time.Second // without new rows, a step is not moving
)

// add notes rows and returns rows a second over the window, 0 while there is
// too little to go by, and whether the step is moving.
func (m *pace) add(now time.Time, rows int64) (rate float64, moving bool) {
	n := len(m.samples)
	if n > 0 && rows != m.samples[n-1].rows {
		m.moved = now
	}
	if n > 1 && now.Sub(m.samples[n-2].at) < time.Second {
		m.samples[n-1] = paceSample{now, rows}
	} else {
		m.samples = append(m.samples, paceSample{now, rows})
	}
	for len(m.samples) > 2 && now.Sub(m.samples[0].at) > paceWindow {
		m.samples = m.samples[1:]
	}
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	if d := last.at.Sub(first.at); d >= time.Second && last.rows > first.rows {
		rate = float64(last.rows-first.rows) / d.Seconds()
	}
	return rate, !m.moved.IsZero() && now.Sub(m.moved) < stillAfter
}
