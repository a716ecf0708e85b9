package launch

import (
	"context"
	"testing"
	"time"

	"sluice/internal/crm"
)

// shelved is a backfill as the store has it.
type shelved struct {
	row   crm.BackfillRow
	parts map[string][]crm.BackfillPartition
}

func (s shelved) Backfill(context.Context, string) (crm.BackfillRow, error) { return s.row, nil }

func (s shelved) BackfillPartitions(_ context.Context, _, source string) ([]crm.BackfillPartition, error) {
	return s.parts[source], nil
}

func TestStoredBackfillTellsHowEachSourceStands(t *testing.T) {
	t.Parallel()
	part := func(n int, s crm.PartitionState) crm.BackfillPartition {
		p := crm.BackfillPartition{Number: n, Name: "part", State: s, ImportID: "i", Rows: 10}
		if s == crm.PartitionParked {
			p.Failure = &crm.Failure{Type: crm.FailDenied}
		}
		return p
	}
	const left, running, done, parked, skipped = crm.PartitionLeft, crm.PartitionRunning, crm.PartitionDone, crm.PartitionParked, crm.PartitionSkipped
	for name, c := range map[string]struct {
		states      []crm.PartitionState
		open, ended crm.State
	}{
		"nothing is planned": {nil, crm.Queued, crm.Cancelled},
		"none has begun":     {[]crm.PartitionState{left, left}, crm.Queued, crm.Cancelled},
		"one is running":     {[]crm.PartitionState{done, running, left}, crm.Running, crm.Cancelled},
		"between two":        {[]crm.PartitionState{done, left}, crm.Running, crm.Cancelled},
		"the rest is parked": {[]crm.PartitionState{done, parked}, crm.NeedsAttention, crm.Cancelled},
		"all is done":        {[]crm.PartitionState{done, skipped}, crm.Done, crm.Done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shelved{row: crm.BackfillRow{State: crm.Running, Backfill: crm.Backfill{ID: "b", AtOnce: 3, Sources: []crm.BackfillSource{{Source: "a"}}}},
				parts: map[string][]crm.BackfillPartition{}}
			for i, state := range c.states {
				s.parts["a"] = append(s.parts["a"], part(i+1, state))
			}
			p, err := StoredBackfill(t.Context(), s, "b")
			if err != nil || p.AtOnce != 3 || p.Sources[0].State != c.open || p.Sources[0].All() != len(c.states) {
				t.Errorf("open: %+v, %v; want %s", p, err, c.open)
			}
			if at := p.Sources[0]; at.Running == 1 && (at.Name != "part" || at.Number != 2 || at.ImportID != "i") || at.Parked == 1 && at.LastFailure == nil {
				t.Errorf("it says %+v", at)
			}
			s.row.State, s.row.EndedAt = crm.Cancelled, noon
			if p, err = StoredBackfill(t.Context(), s, "b"); err != nil || p.Sources[0].State != c.ended {
				t.Errorf("ended: %+v, %v; want %s", p, err, c.ended)
			}
		})
	}
}

func TestTheLedgerTellsWhichPartitionIsRead(t *testing.T) {
	t.Parallel()
	row := crm.ImportRow{Kind: crm.KindSync, State: crm.Running, StartedAt: noon,
		Request: crm.Request{Reads: []crm.Partition{{ID: "a"}, {ID: "b"}, {ID: "c"}}, Statuses: true}}
	for _, c := range []struct {
		name  string
		files []string
		state crm.State
		at    string
		read  int
	}{
		{"before a row is read", nil, crm.Running, "a", 0},
		{"in the second", []string{"a", "a", "b"}, crm.Running, "b", 1},
		{"in one that took the place of another", []string{"a", "b", "b-1"}, crm.Running, "b-1", 1},
		{"with the statuses", []string{"a", "c", crm.StreamStatuses}, crm.Running, crm.StreamStatuses, 3},
		{"at the end", []string{"a", "c"}, crm.Done, "", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			row := row
			row.State = c.state
			for i, name := range c.files {
				row.Files = append(row.Files, crm.FileRow{File: crm.File{Number: i, Name: name, Object: crm.Object{Size: 10}}, Parsed: crm.File{Object: crm.Object{Size: 10}}})
			}
			p, err := Ledgered(t.Context(), books{}, noLists{}, row, noon)
			if err != nil || p.Partitions != 4 || p.PartitionsRead != c.read || p.Partition != c.at || p.Bytes != 0 || p.BytesTotal != 0 || p.File != "" {
				t.Errorf("%+v, %v; want %q, %d of 4 read, and no bytes", p, err, c.at, c.read)
			}
		})
	}
}

func TestAStoredScheduleSaysWhatItCanOfTheNextRun(t *testing.T) {
	t.Parallel()
	row := crm.ScheduleRow{Schedule: crm.Schedule{Every: time.Hour}, MadeAt: noon.Add(-9 * time.Hour), GoodAt: noon.Add(-3 * time.Hour)}
	st := StoredSchedule(row, noon.Add(20*time.Minute))
	if st.Standing != crm.Delayed || st.Late != 2*time.Hour+20*time.Minute || len(st.Next) != 1 || !st.Next[0].Equal(noon.Add(time.Hour)) {
		t.Errorf("every hour: %+v", st)
	}
	row.Paused = true
	if st := StoredSchedule(row, noon); st.Standing != crm.Resting || st.Next != nil {
		t.Errorf("paused: %+v", st)
	}
	row.Paused, row.Every, row.Cron = false, 0, []string{"0 3 * * *"}
	if st := StoredSchedule(row, noon); st.Standing != crm.OnTime || st.Next != nil {
		t.Errorf("by the calendar: %+v", st)
	}
}
