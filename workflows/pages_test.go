package workflows_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"sluice/internal/crm"
	"sluice/workflows"
)

// source is what there is to read: of each partition how many rows its segments
// have, in order.
type source struct {
	segments map[string][]int64
	instead  map[string][]string // partitions that are read in place of one
	forgets  map[string]int      // how often the cursor behind the first segment is lost
}

func (p *source) fetch(s *steps, in crm.FetchInput) (crm.Fetched, error) {
	id := in.Segment.Partition.ID
	s.called("read %s from %q into %d", id, in.Segment.Cursor.Key, in.Number)
	if list := p.instead[id]; list != nil {
		return crm.Fetched{Done: true, Instead: partitions(list...)}, nil
	}
	at := 0
	if in.Segment.Cursor.Key != "" {
		at, _ = strconv.Atoi(in.Segment.Cursor.Key)
	}
	if at == 1 && p.forgets[id] > 0 {
		p.forgets[id]--
		return crm.Fetched{}, permanent(crm.FailCursorLost)
	}
	out := crm.Fetched{Rows: p.segments[id][at], Done: at+1 == len(p.segments[id])}
	if out.Rows > 0 {
		out.File = crm.File{Number: in.Number, Name: id, Object: crm.Object{Key: "f", Size: 100}}
	}
	if !out.Done {
		out.Cursor = crm.Object{Key: strconv.Itoa(at + 1)}
	}
	return out, nil
}

func partitions(ids ...string) (list []crm.Partition) {
	for _, id := range ids {
		list = append(list, crm.Partition{ID: id, Stream: "customers"})
	}
	return list
}

func reading(groups int, ids ...string) workflows.ImportInput {
	in := request(8, groups)
	in.Request.Files, in.Request.Reads, in.Request.Statuses = nil, partitions(ids...), true
	return in
}

// calls lists what was asked of a kind, in order.
func (s *steps) sequence(prefix string) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if strings.HasPrefix(c, prefix) {
			list = append(list, c)
		}
	}
	return list
}

func threePartitions() *source {
	return &source{
		segments: map[string][]int64{"a": {10, 10, 10}, "b": {0}, "d": {10}, "e": {0, 10}, crm.StreamStatuses: {10}},
		instead:  map[string][]string{"c": {"d", "e"}},
	}
}

var threeRead = []string{`read a from "" into 0`, `read a from "1" into 1`, `read a from "2" into 2`, `read b from "" into 3`,
	`read c from "" into 3`, `read d from "" into 3`, `read e from "" into 4`, `read e from "1" into 4`, `read statuses from "" into 5`}

func TestSegmentsAreReadAndWrittenInOrder(t *testing.T) {
	t.Parallel()
	s := &steps{pages: threePartitions()}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, reading(50, "a", "b", "c"))
	r, err := result(t, env)
	if err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
	if got := s.sequence("read"); !slices.Equal(got, threeRead) {
		t.Errorf("read\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(threeRead, "\n"))
	}
	for n := range 6 {
		if s.count("write "+strconv.Itoa(n)) != 1 {
			t.Errorf("batch %d was not written once", n)
		}
		// Each segment claims for itself.
		if s.count("dedupe "+strconv.Itoa(n)+" after 0 keys") != 1 {
			t.Errorf("batch %d was judged with the claims of another segment", n)
		}
	}
	// The statuses follow from all that is written.
	s.mu.Lock()
	last := slices.Index(s.calls, `read statuses from "" into 5`)
	before := slices.Index(s.calls, "write 4")
	s.mu.Unlock()
	if last < before {
		t.Error("the statuses were read before all else was written")
	}
}

func TestTheNextSegmentIsReadWhileOneIsWritten(t *testing.T) {
	t.Parallel()
	s := &steps{pages: threePartitions()}
	s.write = func(n int) error {
		if n == 0 && s.count(`read a from "1" into 1`) == 0 {
			return errors.New("the next segment is not read yet")
		}
		return nil
	}
	env := environment(t, s)
	env.ExecuteWorkflow(workflows.Import, reading(50, "a"))
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
}

func TestALostCursorBeginsThePartitionAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		forgets int
		state   crm.State
	}{"three times": {3, crm.Done}, "for ever": {100, crm.Failed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &steps{pages: threePartitions()}
			s.pages.forgets = map[string]int{"a": tt.forgets}
			env := environment(t, s)
			env.ExecuteWorkflow(workflows.Import, reading(50, "a"))
			_, err := result(t, env)
			if failed := err != nil; failed != (tt.state == crm.Failed) {
				t.Fatalf("import: %v, want %s", err, tt.state)
			}
			if n := s.count(`read a from "1" into 1`); tt.state == crm.Failed && n > 4 {
				t.Errorf("it asked %d times from a cursor that is lost", n)
			}
			if len(s.ended) != 1 || s.ended[0].State != tt.state {
				t.Errorf("it ended as %+v, want %s", s.ended, tt.state)
			}
		})
	}
}

// A run that has enough history ends between two segments, with the one that was
// read ahead in its hands.
func TestALongReadingGoesOnInTheNextRun(t *testing.T) {
	t.Parallel()
	s := &steps{pages: threePartitions()}
	in := reading(1, "a", "b", "c")
	for runs := 1; ; runs++ {
		env := environment(t, s)
		env.ExecuteWorkflow(workflows.Import, in)
		err := env.GetWorkflowError()
		var next *workflow.ContinueAsNewError
		if errors.As(err, &next) {
			in = workflows.ImportInput{}
			if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if r, err := result(t, env); err != nil || r.State != crm.Done {
			t.Fatalf("import = %v, %v; want done", r.State, err)
		}
		if runs != 7 {
			t.Errorf("%d runs, want one for each of six segments, and the end", runs)
		}
		break
	}
	if got := s.sequence("read"); !slices.Equal(got, threeRead) {
		t.Errorf("read\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(threeRead, "\n"))
	}
}

func TestTheProgressOfAReadingCountsPartitionsAndNoBytes(t *testing.T) {
	t.Parallel()
	s := &steps{pages: threePartitions()}
	env := environment(t, s)
	var pause, resume update
	asked := 0
	ask := func() (p crm.Progress) {
		asked++
		v, err := env.QueryWorkflow(workflows.QueryProgress)
		if err == nil {
			err = v.Get(&p)
		}
		if err != nil {
			t.Error(err)
		}
		return p
	}
	s.write = func(n int) error {
		if n == 3 && s.count("write 3") == 1 { // d is written, which took the place of c with e; e is read ahead
			env.RegisterDelayedCallback(func() { pause.send(env, workflows.UpdatePause) }, 0)
			env.RegisterDelayedCallback(func() {
				p := ask()
				if p.PartitionsRead < 4 || p.PartitionsRead > 5 || p.Partitions != 6 || p.Bytes != 0 || p.BytesTotal != 0 || p.Remaining != 0 {
					t.Errorf("paused: partition %q, %d of %d read, %d of %d bytes, %s left", p.Partition, p.PartitionsRead, p.Partitions, p.Bytes, p.BytesTotal, p.Remaining)
				}
				if p.Partition != "e" && p.PartitionsRead == 4 {
					t.Errorf("partition %q is at hand, want e", p.Partition)
				}
				resume.send(env, workflows.UpdateResume)
			}, time.Hour)
		}
		return nil
	}
	env.ExecuteWorkflow(workflows.Import, reading(50, "a", "b", "c"))
	if r, err := result(t, env); err != nil || r.State != crm.Done {
		t.Fatalf("import = %v, %v; want done", r.State, err)
	}
	if p := ask(); p.PartitionsRead != 6 || p.Partitions != 6 || p.Partition != "" || asked != 2 {
		t.Errorf("at the end: partition %q, %d of %d read, asked %d times", p.Partition, p.PartitionsRead, p.Partitions, asked)
	}
}
