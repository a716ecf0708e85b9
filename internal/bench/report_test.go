package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/crm"
)

func TestSpreadIsTheMedianBetweenTheExtremes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   []float64
		want spread
	}{
		{"nothing", nil, spread{}},
		{"one", []float64{3}, spread{3, 3, 3, 1}},
		{"odd", []float64{9, 1, 4}, spread{4, 1, 9, 3}},
		{"even", []float64{1, 8, 2, 4}, spread{3, 1, 8, 4}},
	} {
		if got := spreadOf(tt.in); got != tt.want {
			t.Errorf("%s: spreadOf(%v) = %v, want %v", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	t.Parallel()
	// The second round was slow for both, and the third has no yardstick.
	list := []figure{{Round: 1, Seconds: 2}, {Round: 2, Seconds: 10}, {Round: 3, Seconds: 7}}
	by := []figure{{Round: 2, Seconds: 10}, {Round: 1, Seconds: 1}}
	took := func(f figure) float64 { return f.Seconds }
	got := ratioOf(list, by, took, took)
	want := ratio{spread{Median: 1.5, Least: 1, Most: 2, N: 2}, 6 / 5.5}
	if got != want {
		t.Errorf("ratioOf = %+v, want %+v", got, want)
	}
	if got := ratioOf(list, nil, took, took); got != (ratio{}) {
		t.Errorf("without pairs ratioOf = %+v, want none", got)
	}
}

func TestTimeCountsForTheInnermostOfOurs(t *testing.T) {
	t.Parallel()
	text := `File: worker
Type: cpu
Duration: 5s, Total samples = 1.06s
-----------+-------------------------------------------------------
     500ms   runtime.memmove
             github.com/klauspost/compress/zstd.(*Encoder).Write
             sluice/internal/stage.(*Writer).Write (inline)
             sluice/activities.(*Activities).Parse
             go.temporal.io/sdk/internal.executeFunction
-----------+-------------------------------------------------------
     250ms   sluice/internal/crm.Step[go.shape.struct { sluice/internal/crm.Batch }].Run
             main.main
-----------+-------------------------------------------------------
     0.20s   syscall.Syscall
             google.golang.org/grpc.(*ClientConn).Invoke
             sluice/activities.tick
-----------+-------------------------------------------------------
      50ms   runtime.futex
             runtime.mcall
-----------+-------------------------------------------------------
`
	p, err := sumTraces([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{stageShare: 0.5, "sluice/internal/crm": 0.25, temporalShare: 0.2, runtimeShare: 0.05}
	if d := cmp.Diff(want, p.Seconds); d != "" {
		t.Error(d)
	}
	if got := p.share(stageShare); got != 0.5 {
		t.Errorf("share of the stage = %v, want 0.5", got)
	}
}

func TestProcessIsReadWhateverItIsCalled(t *testing.T) {
	t.Parallel()
	pid, s, ok := parseStat("42 (a) b (c) S 7 42 42 0 -1 4194304 100 0 0 0 1 20 300 4000 20 0 1 0 99 0")
	if want := (stat{name: "a) b (c", parent: 7, ticks: 4321}); !ok || pid != 42 || s != want {
		t.Errorf("parseStat = %d, %+v, %v, want 42, %+v", pid, s, ok, want)
	}
	if _, _, ok := parseStat("42 (cut"); ok {
		t.Error("a line that is cut off is read")
	}
	all := map[int]stat{1: {}, 2: {parent: 1}, 3: {parent: 2}, 4: {parent: 9}}
	if got := len(descendants(all, 1)); got != 2 {
		t.Errorf("%d descendants, want 2", got)
	}
}

func TestWhatComesLaterBringsTheFirstImport(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-measure", "changed", "-rows", "10"})
	if err != nil || !o.takes(first) || o.takes(yardstick) {
		t.Errorf("parse = %+v, %v, want first and changed", o.measures, err)
	}
	for _, args := range [][]string{{"-measure", "second"}, {"-rows", "0"}, {"-measure", "xlsx", "-rows", "2000000"},
		{"-measure", "y", "-pprof", "file"}, {"more"}} {
		if o, err := parse(args); err == nil {
			t.Errorf("parse(%q) = %+v, want an error", args, o)
		}
	}
}

func TestWithheldTimeIsAShareOfWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	before, ok := parseTicks("cpu  100 10 40 9000 50 0 5 45 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n")
	if want := (ticks{used: 155, withheld: 45}); !ok || before != want {
		t.Errorf("parseTicks = %+v, %v, want %+v", before, ok, want)
	}
	if got := (ticks{used: 215, withheld: 65}).share(before); got != 0.25 {
		t.Errorf("share = %v, want 0.25", got)
	}
	if got := before.share(before); got != 0 {
		t.Errorf("share of nothing = %v, want 0", got)
	}
	if _, ok := parseTicks("cpu0 1 2 3 4 5 6 7 8 0 0"); ok {
		t.Error("the line of one processor is read")
	}
}

func TestWrongCountsAreAnError(t *testing.T) {
	t.Parallel()
	want := dataset{seed: 1, rows: 100}.expected(nothing, false)
	right := crm.Report{State: crm.Done, Counts: want}
	right.Warnings = 3
	if err := check(right, want); err != nil {
		t.Errorf("the right counts: %v", err)
	}
	lost, failed := right, right
	lost.Notes.Created--
	failed.State = crm.Failed
	for _, r := range []crm.Report{lost, failed} {
		if check(r, want) == nil {
			t.Errorf("state %s, %+v passes as right", r.State, r.Counts)
		}
	}
}

func TestReportSaysWhatWasSeen(t *testing.T) {
	t.Parallel()
	r := results{At: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), Rows: 2_000_000, FileSize: 450_000_000, Seed: 1,
		Machine: machine{CPU: "a processor", Cores: 2, Postgres: "15.1", Redis: "7.0", Temporal: "1.32", Go: "go1.26"},
		Profile: &profile{Seconds: map[string]float64{stageShare: 1, temporalShare: 2, "sluice/internal/store": 5}}}
	for round, slow := range []float64{1, 2, 1} {
		r.Figures = append(r.Figures,
			figure{Measure: yardstick, Round: round, Seconds: 10 * slow, Parts: map[string]float64{tables[crm.Customer]: 5 * slow},
				CPUSeconds: map[string]float64{postgresProcess: 8}},
			figure{Measure: first, Round: round, Seconds: 11 * slow, CommandSeconds: 12, Rows: 2_000_000, HistoryEvents: 500,
				Keys: 1000, RedisBytes: 12_000, StageBytes: 4_000_000, StagedBytes: 2_000_000,
				CPUSeconds: map[string]float64{postgresProcess: 10, workerProcess: 8, temporalProcess: 2},
				PeakBytes:  map[string]int64{workerProcess: 90e6}})
	}
	text := r.markdown()
	for _, line := range []string{
		"2 cores, a processor; PostgreSQL 15.1, Redis 7.0, Temporal 1.32, go1.26. 2,000,000 rows, 225 bytes a row, seed 1; 2024-02-29 12:00 UTC.",
		"| y | 3 | 10.00 [10.00–20.00] | 200,000 | – | 8.0 | 250,000 | 0 % |",
		"| first | 3 | 11.00 [11.00–22.00] | 181,818 | 12.00 | 20.0 | 100,000 | 0 % |",
		"| first / y | 3 | 1.10 | 1.10 | 1.20 |",
		"| first | 10.00 | – | 2.00 | 8.00 | – | – |",
		"| first | – | – | – | 90 | – | – |",
		"| first | 500 | 250 | 0 | 1000 | 12.0 | 2 | 1 |",
		"| sluice/internal/store | 5.00 | 62.5 % |",
		"Temporal (server and client) took 20.0 % and the stage 5.0 %: together 25.0 %.",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the report lacks %q:\n%s", line, text)
		}
	}
	r.Withheld = 0.1
	r.Figures[2].Withheld = 0.4 // the yardstick of the second round
	text = r.markdown()
	for _, line := range []string{"Of 6 figures 1 do not count: the host withheld more than 10 %", "| first / y | 2 | 1.10 | 1.10 | 1.20 |"} {
		if !strings.Contains(text, line) {
			t.Errorf("with a figure that does not count the report lacks %q:\n%s", line, text)
		}
	}
	if n := r.pairs([]string{yardstick, first}); n != 2 {
		t.Errorf("pairs = %d, want 2", n)
	}
	r.Withheld = 0
	text = r.markdown()
	if strings.Contains(text, "NaN") || strings.Contains(text, "unchanged") {
		t.Errorf("the report has more than was seen:\n%s", text)
	}
	if temporal, stage := r.overhead(); math.Abs(temporal-0.2) > 1e-9 || math.Abs(stage-0.05) > 1e-9 {
		t.Errorf("overhead = %v, %v, want 0.2, 0.05", temporal, stage)
	}
}
