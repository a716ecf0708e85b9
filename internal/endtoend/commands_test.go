package endtoend

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"sluice/internal/crm"
	"sluice/internal/servertest"
	"sluice/workflows"
)

// TestCommandsReachAnImportOnACluster pauses, resumes and cancels an import
// that two workers share, from commands of their own, and imports the rest
// afterwards.
func TestCommandsReachAnImportOnACluster(t *testing.T) {
	t.Parallel()
	rows := someRows(11, 20_000)
	calm := newWorld(t, "", "")
	calm.run(asCSV(rows), options{})

	post, err := servertest.StartMail()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(post.Stop)
	c := newCluster(t)
	c.env = append(c.env, "SMTP_URL=smtp://"+post.Address+"?from=sluice@example.com", "SLUICE_MAIL_TO=ops@example.com")
	file := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(file, []byte(asCSV(rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.worker()
	c.worker()
	args := []string{"import", file, "--source", "news", "--batch-rows", "100", "--heartbeat", "2s"}
	c.must(0, append(args, "--detach")...)
	c.must(4, append(args, "--again", "--detach")...) // another import of the source is running

	c.until("some batches are in", func() bool { n, _ := c.batches("news"); return n > 2 })
	c.must(0, "imports", "pause", "news")
	c.must(1, "imports", "pause", "news")
	row, err := c.store.Import(t.Context(), "news")
	if err != nil || row.State != crm.Paused {
		t.Errorf("paused import is %s in the database, %v", row.State, err)
	}
	if out := c.must(0, "progress", "news"); !strings.Contains(out, "paused") {
		t.Errorf("progress of a paused import:\n%s", out)
	}
	c.must(0, "imports", "resume", "news")
	before, _ := c.batches("news")
	c.until("a batch more is in", func() bool { n, _ := c.batches("news"); return n > before })

	asked := time.Now()
	c.must(0, "imports", "cancel", "news")
	c.until("the import has ended", func() bool { _, ended := c.batches("news"); return ended })
	if took := time.Since(asked); took > 30*time.Second {
		t.Errorf("cancel took %s", took)
	}
	row, err = c.store.Import(t.Context(), "news")
	if err != nil || row.State != crm.Cancelled || row.Report == nil {
		t.Fatalf("cancelled import is %s, report %v, %v", row.State, row.Report, err)
	}
	r := row.Report
	if !r.Balanced() || r.Read != int64(len(rows)) || r.Unprocessed == 0 || r.UnprocessedObject.IsZero() {
		t.Errorf("a cancelled import of %d rows reports %+v", len(rows), r.Counts)
	}

	c.must(3, append(args, "--no-progress")...) // the same file, to its end
	if got := export(t, c.store, "news"); got != calm.export("news") {
		t.Error("after a cancel and another import the records differ from those of one import")
	}
	c.lean(201) // 200 batches and one of leftovers at the most
	c.until("two mails have come", func() bool { return len(post.Taken()) >= 2 })
	for i, want := range []string{"cancelled", "done"} {
		if mail := post.Taken()[i].Text; !strings.Contains(mail, want) || !strings.Contains(mail, "To: <ops@example.com>") {
			t.Errorf("mail %d does not speak of %s:\n%s", i, want, mail)
		}
	}
}

// lean holds the history of the latest import against its bounds: what a batch
// costs must not creep up (invariant 2).
func (c *cluster) lean(batches int64) {
	c.t.Helper()
	t, err := client.DialContext(c.t.Context(), client.Options{HostPort: c.temporal.Address, Namespace: workflows.Namespace,
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		c.t.Fatal(err)
	}
	defer t.Close()
	d, err := t.DescribeWorkflowExecution(c.t.Context(), workflows.ImportID("news"), "")
	if err != nil {
		c.t.Fatal(err)
	}
	events, bytes := d.GetWorkflowExecutionInfo().GetHistoryLength(), d.GetWorkflowExecutionInfo().GetHistorySizeBytes()
	c.t.Logf("%d events and %d bytes for %d batches", events, bytes, batches)
	// A Write makes 6 events when nothing else ends at the same time; an eighth
	// of a Parse and of a Dedupe come on top.
	if perBatch := float64(events) / float64(batches); perBatch > 8 {
		c.t.Errorf("%.1f events a batch, want at most 8", perBatch)
	}
	if perBatch := bytes / batches; perBatch > 5000 {
		c.t.Errorf("%d bytes of history a batch, want at most 5,000", perBatch)
	}
}

// must runs a command and wants an exit code.
func (c *cluster) must(code int, args ...string) string {
	c.t.Helper()
	stdout, stderr, got := c.starter(args...)
	if got != code {
		c.t.Fatalf("%v exits %d, want %d:\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout + stderr
}
