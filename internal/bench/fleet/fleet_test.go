package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/workflows"
)

// quick is a model whose steps take no time to speak of.
var quick = model{Parse: 1, Dedupe: 1, Write: 1, Records: 2.5, RowBytes: 225, Speed: 1e6}

func TestImportOfStandInsEndsWithItsRows(t *testing.T) {
	t.Parallel()
	const batch = 25_000
	for rows, batches := range map[int64]int{0: 0, 1: 1, batch: 1, batch + 1: 2, 8 * batch: 8, 1_000_000: 40} {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestWorkflowEnvironment()
		env.SetTestTimeout(time.Minute)
		env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a busy machine is no deadlock
		workflows.Register(env)
		s := newSteps(quick)
		s.register(env)
		env.ExecuteWorkflow("Import", workflows.ImportInput{Request: crm.Request{Version: 1, ID: "an-import-with-an-id-as-long-as-one", Source: "fleet",
			Files: []crm.FileRef{{Name: "fleet.csv", Object: object("files/x", rows*225)}}}})
		var r crm.Report
		if err := env.GetWorkflowResult(&r); err != nil {
			t.Fatalf("%d rows: %v", rows, err)
		}
		f := fleet{steps: s}
		if err := f.check(r, rows, r.ImportID); err != nil || r.Batches != batches {
			t.Errorf("%d rows: %v, %d batches; want %d", rows, err, r.Batches, batches)
		}
	}
}

func TestCheckNoticesWhatWentWrong(t *testing.T) {
	t.Parallel()
	good := crm.Report{ImportID: "a", State: crm.Done, Counts: crm.Counts{Read: 2, Accepted: 2}}
	for name, spoil := range map[string]func(*crm.Report, *ledger){
		"failed":           func(r *crm.Report, _ *ledger) { r.State = crm.Failed },
		"a row too few":    func(r *crm.Report, _ *ledger) { r.Counts = crm.Counts{Read: 1, Accepted: 1} },
		"out of balance":   func(r *crm.Report, _ *ledger) { r.Accepted = 1 },
		"a batch repeated": func(_ *crm.Report, l *ledger) { l.again = 1 },
	} {
		r, l := good, &ledger{}
		f := fleet{steps: &steps{imports: map[string]*ledger{"a": l}}}
		if err := f.check(r, 2, "a"); err != nil {
			t.Fatal(err)
		}
		spoil(&r, l)
		if f.check(r, 2, "a") == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// TestReferencesAreLikeTheRealOnes compares with an import that was recorded.
func TestReferencesAreLikeTheRealOnes(t *testing.T) {
	t.Parallel()
	recorded := recordedParse(t, "../../../workflows/testdata/histories/rejected-1.json").Batches[0]
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	s := newSteps(quick)
	s.register(env)
	value, err := env.ExecuteActivity(crm.Parse.Name, crm.ParseInput{Import: crm.Import{ID: "01a2032c-5203-7544-8735-6f88c1b0bc59"},
		File: crm.File{Object: object("files/x", 225*25_000)}, Batches: 8, Rows: 25_000, Bytes: 6 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var parsed crm.Parsed
	if err := value.Get(&parsed); err != nil {
		t.Fatal(err)
	}
	made := parsed.Batches[0]
	const place = `^imports/[0-9a-f-]{36}/batches/\d+/[0-9a-z]+-\d+-\d+/`
	for what, pair := range map[string][2]crm.Object{
		"customers\\.zst": {recorded.Customers.Object, made.Customers.Object},
		"contacts\\.zst":  {recorded.Contacts.Object, made.Contacts.Object},
		"keys":            {recorded.Keys, made.Keys},
		"rejects\\.zst":   {recorded.Rejects, made.Rejects},
	} {
		for i, o := range pair {
			if !regexp.MustCompile(place+what+"$").MatchString(o.Key) || o.Size == 0 {
				t.Errorf("%s, %s: %+v", what, []string{"recorded", "made"}[i], o)
			}
		}
	}
	if sum := made.Keys.BLAKE3; !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(sum) {
		t.Errorf("the hash %q", sum)
	}
	text, err := json.Marshal(made)
	if err != nil || len(text) < 1000 || len(text) > 1600 {
		t.Errorf("a batch encodes to %d bytes, %v; one of three kinds of records has 1,000 to 1,600", len(text), err)
	}
}

// recordedParse returns what the first Parse of a recorded history answered.
func recordedParse(t *testing.T, path string) (p crm.Parsed) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var h historypb.History
	if err := protojson.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	parse := map[int64]bool{}
	for _, e := range h.GetEvents() {
		if a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == crm.Parse.Name {
			parse[e.GetEventId()] = true
		}
		if a := e.GetActivityTaskCompletedEventAttributes(); parse[a.GetScheduledEventId()] {
			if err := converter.GetDefaultDataConverter().FromPayloads(a.GetResult(), &p); err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	t.Fatalf("%s has no Parse", path)
	return p
}

func TestOfferedIsThePaceOfTheSlowestStep(t *testing.T) {
	t.Parallel()
	s := settings{speed: 10, model: model{Parse: time.Microsecond, Dedupe: time.Microsecond, Write: 4 * time.Microsecond, Records: 2, RowBytes: 100}}
	// 25,000 rows of two records are 200 ms of writing, by two writers.
	if got, want := s.offered(), 100.0; got < want-.01 || got > want+.01 {
		t.Errorf("by writing: %v batches a second, want %v", got, want)
	}
	s.tuning.Writers = 64 // 25,000 rows of two keys are 50 ms of judging
	if got, want := s.offered(), 200.0; got < want-.01 || got > want+.01 {
		t.Errorf("by judging: %v batches a second, want %v", got, want)
	}
}

func TestTimesAtAShare(t *testing.T) {
	t.Parallel()
	var ts times
	if got := ts.at(.5); got != 0 {
		t.Errorf("of none: %v", got)
	}
	for i := range 100 {
		ts.add(time.Duration(100 - i))
	}
	for share, want := range map[float64]time.Duration{0: 1, .5: 51, .95: 96, 1: 100} {
		if got := ts.at(share); got != want {
			t.Errorf("at %v = %d, want %d", share, got, want)
		}
	}
}

func TestCountsFlag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"1,4, 16": "1,4,16", "7": "7", "": "", "0": "error", "1,,2": "error", "many": "error"} {
		var c counts
		got := "error"
		if c.Set(text) == nil {
			got = c.String()
		}
		if got != want {
			t.Errorf("Set(%q) gives %q, want %q", text, got, want)
		}
	}
}

// TestFleetMeasuresSmallImports runs the whole command on a small scale.
func TestFleetMeasuresSmallImports(t *testing.T) {
	t.Parallel()
	if _, err := embedded.FindTemporal(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("no Temporal server: %v", err)
	}
	f, err := launch(t.Context(), settings{workers: 3, slots: 4, memory: true, model: quick, tuning: crm.Tuning{Group: 2, Groups: 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	m, err := f.measure(t.Context(), 2, 225_000) // nine batches each, so five groups, so three runs
	if err != nil {
		t.Fatal(err)
	}
	h := m.history
	if m.batches != 18 || h.runs != 6 || h.steps != 2*(3+5+5+9+2) || len(h.stepWaits) != h.steps || h.bytes < h.payloads || h.payloads == 0 {
		t.Errorf("%d batches, %d runs, %d steps, %d waits, %d bytes with %d of payloads",
			m.batches, h.runs, h.steps, len(h.stepWaits), h.bytes, h.payloads)
	}
	var out bytes.Buffer
	(&report{idle: usage{wall: time.Second}, settings: settings{each: 225_000, model: quick, speed: 1}, large: m, steps: []measured{m}, server: f.server()}).print(&out)
	if text := out.String(); !strings.Contains(text, "| batches | 18 |") || strings.Contains(text, "NaN") {
		t.Errorf("printed:\n%s", text)
	}
}
