package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
)

func TestSweepSaysWhatGoesAndTakesIt(t *testing.T) {
	i := anInstallation(t)
	i.ended(crm.Request{}, wrongDates()...) // it ended longer ago than anything is kept
	if _, err := i.stage.PutContent(t.Context(), "files", strings.NewReader("young")); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		args := []string{"sweep", "-o", "json"}
		if dry {
			args = append(args, "--dry-run")
		}
		code, out, stderr := i.run(args...)
		var got launch.Sweepings
		if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil || got.DryRun != dry || got.All().Objects != 0 {
			t.Errorf("exit %d, %q, %q; want that nothing is old enough", code, out, stderr)
		}
	}
	code, out, _ := i.run("sweep", "--dry-run", "--keep", "48h")
	if code != 0 || !strings.Contains(out, "would go") || !strings.Contains(out, "kept for 2 days") {
		t.Errorf("exit %d, %q", code, out)
	}
	for _, keep := range []string{"never", "1h", "0d", "d", "999999d"} {
		if code, _, err := i.run("sweep", "--keep", keep); code != exitUsage || !strings.Contains(err, "SLUICE_KEEP") {
			t.Errorf("--keep %s: exit %d, %q", keep, code, err)
		}
	}
}

func TestASweepLeavesAnotherOneAlone(t *testing.T) {
	i := anInstallation(t)
	if ok, err := i.db.Claim(t.Context(), "sweep", time.Hour, 0); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if code, out, err := i.run("sweep"); code != exitFailed || out != "" || !strings.Contains(err, "another sweep is running") {
		t.Errorf("exit %d, %q, %q", code, out, err)
	}
	if code, _, err := i.run("sweep", "--dry-run"); code != 0 {
		t.Errorf("a dry run: exit %d, %q", code, err)
	}
}

// TestWhatWasSweptIsNotJustNotFound asks for every list of an import of which
// nothing is in the stage any more.
func TestWhatWasSweptIsNotJustNotFound(t *testing.T) {
	i := anInstallation(t)
	row := i.ended(crm.Request{}, wrongDates()...)
	if err := i.stage.Delete(t.Context(), "lists"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rows.csv")
	asked := [][]string{{"rejects"}, {"rejects", "--groups"}, {"rejects", "-o", "csv", "--to", file}, {"retry"}}
	for _, args := range asked[:3] {
		code, _, err := i.run(append([]string{"imports", args[0], "1"}, args[1:]...)...)
		if code != exitFailed || !strings.Contains(err, "not found") {
			t.Errorf("imports %v: exit %d, %q; want what is missing named", args, code, err)
		}
	}
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := i.db.MarkSwept(t.Context(), row.Number, crm.Swept{Batches: at, Lists: at}); err != nil {
		t.Fatal(err)
	}
	for _, args := range asked {
		code, out, err := i.run(append([]string{"imports", args[0], "1"}, args[1:]...)...)
		const want = "starter: the lists of import 1 of newsletter were removed on 2027-01-02 (kept for 30 days: SLUICE_KEEP)\n"
		if code != exitFailed || strings.HasPrefix(out, "line") || err != want {
			t.Errorf("imports %v: exit %d, %q, %q; want %q", args, code, out, err, want)
		}
	}
	if code, _, err := i.run("imports", "show", "1"); code != 0 {
		t.Errorf("imports show: exit %d, %q", code, err)
	}
}
