package endtoend

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sluice/internal/crm"
	"sluice/workflows"
)

// unscheduled stands for the schedules of a server that has none.
type unscheduled struct{ removed []string }

func (*unscheduled) Pause(context.Context, string, string) error { return nil }

func (u *unscheduled) Remove(_ context.Context, source string) error {
	u.removed = append(u.removed, source)
	return nil
}

// remove removes a source and returns the report.
func (w *world) remove(source string, rows int) crm.Report {
	w.t.Helper()
	r, err := w.execute(workflows.RemoveSource, workflows.RemoveInput{Request: crm.Request{Version: crm.RequestVersion,
		ID: uuid.Must(uuid.NewV7()).String(), Source: source, Removes: true, AskedAt: time.Now().UTC(), Tuning: crm.Tuning{BatchRows: rows}}})
	if err != nil {
		w.t.Fatalf("remove: %v", err)
	}
	return r
}

func TestARemovedSourceIsGoneWhenEveryStepRunsTwice(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, "")
		at := &unscheduled{}
		w.steps.Schedules = at
		tuning := crm.Tuning{BatchRows: 37, Group: 2, Writers: 2}
		kept := w.run(asCSV(someRows(71, 200)), options{source: "stays", tuning: tuning})
		stays := w.export("stays")
		first := w.run(asCSV(someRows(71, 300)), options{tuning: tuning})
		w.run(asCSV(someRows(72, 400)), options{tuning: tuning})
		w.wrap = twice(t)
		r := w.remove("news", 23)
		if r.State != crm.Done || r.Removed == nil || r.Removed.Gone != r.Removed.Total || r.Removed.Gone.Imports != 2 || r.Removed.Gone.Customers == 0 {
			t.Errorf("removal %s: %+v", r.State, r.Removed)
		}
		if _, err := w.store.Source(t.Context(), "news"); !errors.Is(err, crm.ErrNotFound) || len(at.removed) == 0 {
			t.Errorf("the source: %v, schedules removed %q", err, at.removed)
		}
		if w.export("stays") != stays {
			t.Error("records of another source are not what they were")
		}
		w.wrap = nil
		if again := w.run(asCSV(someRows(71, 300)), options{tuning: tuning}); again.State != crm.Done || again.Counts != first.Counts {
			t.Errorf("the same file into a new source of the name: %s, %+v, want %+v", again.State, again.Counts, first.Counts)
		}

		// What removed imports left in the stage is swept when it is old enough,
		// and what another import needs is not.
		w.remove("news", 0)
		w.sweep(time.Now().Add(-time.Hour), false)
		if len(w.staged("imports/"+first.ImportID)) == 0 {
			t.Error("the sweep takes what is young")
		}
		w.sweep(time.Now().Add(2*day), false)
		for _, key := range w.staged("imports") {
			if !strings.HasPrefix(key, "imports/"+kept.ImportID+"/") {
				t.Errorf("%s is left of a removed import", key)
			}
		}
	})
}

// TestASourceIsRemovedThroughTheCommandLine removes one of two sources, cancels
// that halfway, and goes on.
func TestASourceIsRemovedThroughTheCommandLine(t *testing.T) {
	t.Parallel()
	l := newLaptop(t)
	file := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(file, []byte(asCSV(someRows(73, 900))), 0o600); err != nil {
		t.Fatal(err)
	}
	l.report(3, "import", file, "--source", "stays")
	l.report(3, "import", file, "--source", "news")
	s := l.store()
	stays := export(t, s, "stays")
	type removal struct {
		DryRun  bool         `json:"dry_run"`
		State   crm.State    `json:"state"`
		Removes crm.Holdings `json:"removes"`
		Removed crm.Holdings `json:"removed"`
		Of      crm.Holdings `json:"of"`
	}
	remove := func(want int, args ...string) (out removal) {
		t.Helper()
		stdout, stderr, code := l.run(append([]string{"sources", "remove", "news", "-o", "json"}, args...)...)
		if code != want {
			t.Fatalf("%v exits %d, want %d:\n%s%s", args, code, want, stdout, stderr)
		}
		if err := json.Unmarshal([]byte(stdout), &out); err != nil {
			t.Fatalf("%v prints %q: %v", args, stdout, err)
		}
		return out
	}
	preview := remove(0, "--dry-run")
	if !preview.DryRun || preview.Removes.Customers == 0 || preview.Removes.Imports != 1 {
		t.Errorf("preview %+v", preview)
	}
	if _, stderr, code := l.run("sources", "remove", "news"); code != 2 || !strings.Contains(stderr, "--yes") {
		t.Errorf("without a terminal and --yes it exits %d:\n%s", code, stderr)
	}
	if _, stderr, code := l.run("sources", "remove", "nobody", "--yes"); code != 1 || !strings.Contains(stderr, "sources list") {
		t.Errorf("of no such source it exits %d:\n%s", code, stderr)
	}

	cmd, _, stderr := l.command("sources", "remove", "news", "--yes", "--batch-rows", "1", "--heartbeat", "2s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for begun := false; !begun; {
		select {
		case <-ended:
			t.Fatalf("the removal ended too soon:\n%s", stderr)
		case <-tick.C:
			src, err := s.Source(t.Context(), "news")
			begun = err == nil && src.Removing != nil && src.Removing.Page > 3
		}
	}
	part := remove(0, "--cancel") // reaches the command that does the work
	<-ended
	if part.State != crm.Cancelled || part.Removed.All() == 0 || part.Removed.All() == part.Of.All() || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("cancelled: %+v; the command itself exits %d:\n%s", part, cmd.ProcessState.ExitCode(), stderr)
	}
	if _, stderr, code := l.run("import", file, "--source", "news"); code != 2 || !strings.Contains(stderr, "being removed") {
		t.Errorf("an import into what is being removed exits %d:\n%s", code, stderr)
	}
	if stdout, _, _ := l.run("sources", "list"); !strings.Contains(stdout, "being removed") {
		t.Errorf("sources list says\n%s", stdout)
	}
	done := remove(0, "--yes")
	if done.State != crm.Done || done.Removed != preview.Removes || done.Of != preview.Removes {
		t.Errorf("removed %+v, want %+v", done, preview.Removes)
	}
	if stdout, _, _ := l.run("sources", "list"); strings.Contains(stdout, "news") || !strings.Contains(stdout, "stays") || export(t, s, "stays") != stays {
		t.Errorf("sources list says\n%s", stdout)
	}
	if again := l.report(3, "import", file, "--source", "news"); again.State != crm.Done {
		t.Errorf("an import into a new source of the name is %s", again.State)
	}
}
