package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/launch"
	"sluice/internal/wiring"
	"sluice/workflows"
)

// recordSources records what reads sources: a sync with its import, in several
// runs, a schedule's, a backfill with a file that is parked and given up, and an
// import of a file of the web.
func (r *recorder) recordSources(ctx context.Context, config wiring.Config, stack *wiring.Stack) error {
	server := fakesaas.New(fakesaas.NewWorld(1, 120, nil))
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.HandleFunc("/export.csv", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, header+"c-1,Firm,p1@web.example.com,Ann\n")
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	defer server.Close()
	const source = "billing"
	sealed, err := wiring.AddSecrets(config, source, nil, map[string]string{"api_key": fakesaas.Key})
	if err != nil {
		return err
	}
	if err := stack.Store.AddSource(ctx, crm.Source{Slug: source, Title: source, Kind: "stripe"}); err != nil {
		return err
	}
	if err := stack.Store.Configure(ctx, source, map[string]string{"api": web.URL, "lag_seconds": "2"}, sealed); err != nil {
		return err
	}
	for _, record := range []func(context.Context, string) error{r.synced, r.scheduled, r.backfilled} {
		if err := record(ctx, source); err != nil {
			return err
		}
	}
	return r.fetched(ctx, web.URL)
}

func (r *recorder) synced(ctx context.Context, source string) error {
	s, err := r.launcher.Sync(ctx, launch.SyncOptions{Source: source, StartedBy: "recorder", Tuning: crm.Tuning{BatchRows: 20, Groups: 3}})
	if err != nil {
		return err
	}
	report, err := r.launcher.WaitSync(ctx, s)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "sync of %s: %s\n", source, report.State)
	if err := r.save(ctx, "synced", s.WorkflowID, s.RunID); err != nil {
		return err
	}
	return r.saveChildren(ctx, "paged", s.WorkflowID, s.RunID)
}

// saveChildren saves the histories of the children of a run, one after the
// other.
func (r *recorder) saveChildren(ctx context.Context, name, id, run string) error {
	events := r.launcher.Temporal.GetWorkflowHistory(ctx, id, run, false, 0)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return err
		}
		c := e.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution()
		if c == nil {
			continue
		}
		if err := r.save(ctx, name, c.GetWorkflowId(), c.GetRunId()); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) scheduled(ctx context.Context, source string) error {
	if _, err := r.launcher.SaveSchedule(ctx, crm.Schedule{Source: source, Every: 24 * time.Hour}); err != nil {
		return err
	}
	if err := r.launcher.TriggerSchedule(ctx, source); err != nil {
		return err
	}
	h := r.launcher.Temporal.ScheduleClient().GetHandle(ctx, workflows.ScheduleID(source))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		d, err := h.Describe(ctx)
		if err != nil {
			return err
		}
		if len(d.Info.RecentActions) == 0 {
			continue
		}
		w := d.Info.RecentActions[0].StartWorkflowResult
		if err := r.launcher.Temporal.GetWorkflow(ctx, w.WorkflowID, w.FirstExecutionRunID).Get(ctx, nil); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "schedule of %s: done\n", source)
		return r.save(ctx, "scheduled", w.WorkflowID, w.FirstExecutionRunID)
	}
	return nil
}

func (r *recorder) backfilled(ctx context.Context, source string) error {
	var files []crm.FileRef
	for name, text := range map[string]string{"good.csv": header + "c-1,Firm,p1@backfill.example.com,Ann\n", "bad.csv": "nobody,knows\n1,2\n"} {
		f, err := r.launcher.StageFile(ctx, name, strings.NewReader(text))
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	b, err := r.launcher.Backfill(ctx, crm.Backfill{StartedBy: "recorder", Sources: []crm.BackfillSource{
		{Source: source, Span: crm.Span{From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}}, {Source: "history", Files: files}}})
	if err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		p, _, err := r.launcher.BackfillProgress(ctx, b.ID)
		if err != nil {
			return err
		}
		if p.State == crm.NeedsAttention {
			break
		}
	}
	if _, err := r.launcher.CommandBackfill(ctx, b.ID, launch.SkipParked, "history", "recorder"); err != nil {
		return err
	}
	p, err := r.launcher.WaitBackfill(ctx, b.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "backfill: %s\n", p.State)
	run := r.launcher.Temporal.GetWorkflow(ctx, workflows.BackfillID(b.ID), "").GetRunID()
	return r.save(ctx, "backfilled", workflows.BackfillID(b.ID), run)
}

func (r *recorder) fetched(ctx context.Context, from string) error {
	address := from + "/export.csv"
	object, err := r.launcher.StageAddress(ctx, address)
	if err != nil {
		return err
	}
	started, err := r.launcher.Start(ctx, launch.Options{Source: "web", StartedBy: "recorder",
		Files: []crm.FileRef{{Name: "export.csv", Place: "http://…", Address: object}}})
	if err != nil {
		return err
	}
	report, err := r.launcher.Wait(ctx, started)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "web: %s\n", report.State)
	return r.save(ctx, "fetched", started.WorkflowID, started.RunID)
}
