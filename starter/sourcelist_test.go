package main

import (
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

func TestSourcesAreListedWithHowTheyStand(t *testing.T) {
	t.Parallel()
	ran := func(state crm.State, rows int64) *crm.ImportRow {
		return &crm.ImportRow{Import: crm.Import{Number: 7}, State: state, StartedAt: start, Kind: crm.KindSync, Report: &crm.Report{Counts: crm.Counts{Read: rows}}}
	}
	src := func(slug, kind string, latest *crm.ImportRow) crm.SourceStatus {
		return crm.SourceStatus{Source: crm.Source{Slug: slug, Title: slug, Kind: kind}, Customers: 1200, Contacts: 34, Latest: latest}
	}
	leaving := src("gone", crm.KindFile, nil)
	leaving.Removing = &crm.Removal{}
	list := []crm.SourceStatus{src("billing", "stripe", ran(crm.Done, 12_000)), src("broken", "hubspot", ran(crm.Failed, 3)),
		src("late", "recurly", ran(crm.Done, 5)), src("lost", "sql", nil), src("resting", "sheets", ran(crm.Cancelled, 1)),
		src("webinars", crm.KindFile, ran(crm.Failed, 0)), src("new", crm.KindFile, nil), leaving}
	as := func(slug string, standing crm.SourceStanding, late time.Duration, next ...time.Time) launch.ScheduleStatus {
		return launch.ScheduleStatus{ScheduleRow: crm.ScheduleRow{Schedule: crm.Schedule{Source: slug}}, Standing: standing, Late: late, Next: next}
	}
	got := standings(list, []launch.ScheduleStatus{as("billing", crm.OnTime, 0, start.Add(time.Hour), start.Add(2*time.Hour)), as("broken", crm.InError, 0, start.Add(time.Hour)),
		as("gone", crm.OnTime, 0, start), as("late", crm.Delayed, 2*time.Hour+5*time.Minute+9*time.Second, start.Add(time.Hour)), as("lost", crm.Lost, 0), as("resting", crm.Resting, 0)})
	golden(t, "sources.txt", sourcesTable(got))
}
