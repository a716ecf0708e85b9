package loop

import (
	"bytes"
	"encoding/csv"
	"slices"
	"time"

	"sluice/internal/crm"
	"sluice/internal/launch"
	"sluice/workflows"
)

// A scenario is what a loop disturbs.
type scenario struct {
	parks bool // the second batch cannot be written until a command is given

	// prepare brings a new world to where the runs begin.
	prepare func(w *world) course
}

// A course is what a run carries out, in a copy of the world that it was
// prepared in. It returns what that comes to, which is to be the same whatever
// failed on the way, and says what is wrong with it.
type course func(w *world) (got any, faults []string)

var scenarios = map[string]scenario{
	"import":      {prepare: anImport(prepareImport, true, command{workflows.UpdatePause, 0}, command{workflows.UpdateResume, time.Hour})},
	"parked":      {prepare: anImport(prepareImport, true, command{workflows.UpdateRetry, time.Hour}), parks: true},
	"skipped":     {prepare: anImport(prepareSkipped, true, command{workflows.UpdateSkip, time.Hour}), parks: true},
	"create only": {prepare: anImport(prepareCreateOnly, true)},
	"dry run":     {prepare: anImport(prepareDryRun, false)},
	"retry":       {prepare: anImport(prepareRetry, true)},
	"undo":        {prepare: anImport(prepareUndo, false)},
	"sync":        {prepare: prepareSync},
	"backfill":    {prepare: prepareBackfill},
	"schedule":    {prepare: prepareSchedule},
	"elsewhere":   {prepare: prepareElsewhere},
	"removal":     {prepare: prepareRemoval},
}

// anImport prepares an import of one file, or an undo: prepare returns its
// request and what a plain reading says that it comes to.
func anImport(prepare func(w *world) (crm.Request, *reading), mailed bool, commands ...command) func(*world) course {
	return func(w *world) course {
		request, reading := prepare(w)
		return func(w *world) (any, []string) {
			report, err := w.run(request, commands...)
			if err != nil {
				return nil, []string{err.Error()}
			}
			var v verdict
			w.check(report, reading, mailed, &v)
			return w.result(report), v
		}
	}
}

func prepareImport(w *world) (crm.Request, *reading) {
	there := w.bring(before)
	return w.request(asCSV(brought)), read(there, brought, crm.Upsert)
}

func prepareCreateOnly(w *world) (crm.Request, *reading) {
	there := w.bring(before)
	r := w.request(asCSV(brought))
	r.Mode = crm.CreateOnly
	return r, read(there, brought, crm.CreateOnly)
}

func prepareDryRun(w *world) (crm.Request, *reading) {
	there := w.bring(before)
	r := w.request(asCSV(brought))
	r.Plan = true
	there.counts = read(there, brought, crm.Upsert).counts
	return r, there
}

// prepareSkipped reads the rows of the second batch as rejected ones.
func prepareSkipped(w *world) (crm.Request, *reading) {
	there := w.bring(before)
	rows := slices.Clone(brought)
	for i := range batchRows {
		rows[batchRows+i].emails = "skipped"
	}
	return w.request(asCSV(brought)), read(there, rows, crm.Upsert)
}

// prepareUndo undoes an import that changed records and created some.
func prepareUndo(w *world) (crm.Request, *reading) {
	there := w.bring(before)
	r := w.request(asCSV(before)) // an undo has no file
	r.Files, r.Undoes = nil, w.must(w.request(asCSV(brought))).ImportID
	there.counts = crm.Counts{}
	return r, there
}

// bring imports the first rows of a world.
func (w *world) bring(rows []aRow) *reading {
	w.t.Helper()
	w.must(w.request(asCSV(rows)))
	return read(nil, rows, crm.Upsert)
}

func (w *world) must(r crm.Request) crm.Report {
	w.t.Helper()
	report, err := w.run(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// prepareRetry mends some rejected rows. One is mended, one would change a
// customer that has changed since, and one is as bad as it was; two are new, of
// which one repeats the customer that has changed since, as it is by now.
func prepareRetry(w *world) (crm.Request, *reading) {
	w.t.Helper()
	there := read(w.bring(before), brought, crm.Upsert)
	parent := w.must(w.request(asCSV(brought)))
	since := []aRow{{"k3", "Newer 3", "", ""}}
	w.must(w.request(asCSV(since)))
	there = read(there, since, crm.Upsert)

	ctx := w.t.Context()
	row, err := w.store.Import(ctx, parent.ImportID)
	if err != nil {
		w.t.Fatal(err)
	}
	file, err := (&launch.Launcher{Store: w.store, Stage: w.stage}).RetryFile(ctx, row)
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader([]byte(w.text(w.stage.Open(ctx, file.Object, 0))))).ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	ours, _ := crm.ParseRejectHeader(rows[0])
	mended := map[string]string{"n9": "a@n9.example.com", "k3": "a@k3.example.com"}
	for _, cells := range rows[1:] {
		if own := cells[ours.Width():]; mended[own[0]] != "" {
			own[2] = mended[own[0]]
		}
	}
	good := []aRow{{"k3", "Newer 3", "", "all is well"}, {"n10", "Firm 10", "", ""}}
	for _, r := range good {
		rows = append(rows, append(make([]string, ours.Width()), r.cells()...))
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		w.t.Fatal(err)
	}
	want := read(there, append([]aRow{{"n9", "Firm 9", "a@n9.example.com", ""}}, good...), crm.Upsert)
	want.counts.Read, want.counts.Rejected = want.counts.Read+2, want.counts.Rejected+2
	r := w.request(text.String())
	r.Parent = parent.ImportID
	return r, want
}
