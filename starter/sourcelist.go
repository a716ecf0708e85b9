package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/internal/store"
)

type sourcesListCmd struct {
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// A listedSource is a source with how it stands.
type listedSource struct {
	crm.SourceStatus
	Standing crm.SourceStanding `json:"standing"`
	Late     time.Duration      `json:"late,omitempty"` // how long ago the sync was due that has not been done
	Next     time.Time          `json:"next,omitzero"`  // zero where nothing is due, or nobody knows
}

// Run lists sources: what they hold from the database, and how their schedules
// stand from the installation if it is running. It starts nothing.
func (c *sourcesListCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	list, err := s.sources(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return each(list, s.object)
	}
	if len(list) == 0 {
		s.say("no sources yet")
		return nil
	}
	return s.data(sourcesTable(list))
}

// sources lists the sources; where there is no database yet, there are none.
func (s *session) sources(ctx context.Context) ([]listedSource, error) {
	db, err := s.readStore(ctx)
	if errors.Is(err, crm.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	list, err := db.Sources(ctx)
	if err != nil {
		return nil, err
	}
	schedules, err := s.schedules(ctx, db)
	if err != nil {
		return nil, err
	}
	return standings(list, schedules), nil
}

// schedules says how the schedules stand. Without any nothing is asked; without a
// server, it is what the database knows.
func (s *session) schedules(ctx context.Context, db *store.Store) ([]launch.ScheduleStatus, error) {
	rows, err := db.Schedules(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	k, err := s.reach(ctx)
	if err == nil {
		defer s.stop(k)
		call, cancel := context.WithTimeout(ctx, pollLimit)
		defer cancel()
		var list []launch.ScheduleStatus
		if list, err = k.Launcher.Schedules(call); err == nil || ctx.Err() != nil {
			return list, err
		}
	}
	if errors.Is(err, crm.ErrNotFound) {
		s.say("from the database: nothing is running here, and schedules run only while a worker does: starter schedule run")
	} else {
		s.say("from the database: %s", plain(err.Error()))
	}
	var list []launch.ScheduleStatus
	for _, row := range rows {
		list = append(list, launch.StoredSchedule(row, time.Now()))
	}
	return list, nil
}

// standings says how sources stand by their schedules, or without.
func standings(list []crm.SourceStatus, schedules []launch.ScheduleStatus) []listedSource {
	out := make([]listedSource, len(list))
	for i, src := range list {
		out[i] = listedSource{SourceStatus: src, Standing: src.Standing()}
		at := slices.IndexFunc(schedules, func(st launch.ScheduleStatus) bool { return st.Source == src.Slug })
		if at < 0 || out[i].Standing == crm.Leaving {
			continue
		}
		st := schedules[at]
		out[i].Standing, out[i].Late = st.Standing, st.Late
		if len(st.Next) > 0 {
			out[i].Next = st.Next[0]
		}
	}
	return out
}

// standingText says how a source stands: "delayed by 2 h 05 min".
func standingText(s crm.SourceStanding, late time.Duration) string {
	if late > 0 {
		return string(s) + " by " + roughly(late.Truncate(time.Minute))
	}
	return string(s)
}

func sourcesTable(list []listedSource) string {
	var rows [][]string
	for _, r := range list {
		last, state, read := "never", "", ""
		if r.Latest != nil {
			last, state, read = when(r.Latest.StartedAt), kindText(*r.Latest), number(countsOf(*r.Latest).Read)
		}
		rows = append(rows, []string{r.Slug, standingText(r.Standing, r.Late), last, state, read, when(r.Next),
			number(r.Customers), number(r.Contacts), number(r.Notes), r.Kind})
	}
	return grid([]string{"source", "stands", "last run", "", "rows", "next run", "customers", "contacts", "notes", "kind"}, rows, 4, 6, 7, 8)
}

type sourcesShowCmd struct {
	Name   string `arg:"" help:"The source."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// Run shows a source. It starts nothing.
func (c *sourcesShowCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	list, err := s.sources(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.Slug != c.Name {
			continue
		}
		if s.json {
			return s.object(r)
		}
		return s.data(sourceText(r))
	}
	return fmt.Errorf("source %s: %w; see starter sources list", c.Name, crm.ErrNotFound)
}

func sourceText(r listedSource) string {
	rows := [][]string{{"source", r.Slug}, {"title", r.Title}, {"kind", r.Kind}, {"time zone", r.TimeZone}, {"region", r.Region},
		{"made", when(r.CreatedAt)}, {"stands", standingText(r.Standing, r.Late)}, {"customers", number(r.Customers)}, {"contacts", number(r.Contacts)}, {"notes", number(r.Notes)}}
	if r.Latest != nil {
		rows = append(rows, []string{"latest import", fmt.Sprintf("%d, %s: starter imports show %d", r.Latest.Number, stateText(r.Latest.State), r.Latest.Number)})
	}
	if !r.Next.IsZero() {
		rows = append(rows, []string{"next run", when(r.Next)})
	}
	text := grid(nil, rows)
	if r.Mapping != "" {
		text += "\nmapping:\n" + indent(strings.TrimRight(r.Mapping, "\n")+"\n")
	}
	return text
}
