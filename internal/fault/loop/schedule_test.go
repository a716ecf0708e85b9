package loop

import (
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/store"
	"sluice/workflows"
)

// A scheduled is what the syncs of a schedule must come to.
type scheduled struct {
	Failures int
	Paused   bool
	Note     string
	Imports  []crm.State // newest first
	Export   string
}

// prepareSchedule has a schedule sync a source once, and then until it has
// failed so often that the schedule is paused; and once more, as a sync that was
// begun before.
func prepareSchedule(w *world) course {
	w.addBilling()
	if err := w.store.SaveSchedule(w.t.Context(), crm.Schedule{Source: billing, Every: time.Hour, PauseAfter: 2}); err != nil {
		w.t.Fatal(err)
	}
	return func(w *world) (any, []string) {
		var v verdict
		p := w.provide(3, 3)
		if r := w.scheduled(true, &v); len(v) > 0 || r.State != crm.Done {
			v.fail("the first sync is %s; want done", r.State)
			return nil, v
		}
		w.checkProvided(p.Customers(nil), nil, &v)
		mark := w.watermark()
		p.Change(0)
		p.Clock().Move(time.Hour)
		p.server.Set(func(t *fakesaas.Traps) { t.Revoked = true })
		w.scheduled(false, &v)
		if n := w.other.paused[billing]; n > 0 {
			v.fail("it was paused after one failure")
		}
		w.scheduled(false, &v)
		paused := w.other.paused[billing]
		w.scheduled(false, &v)
		if paused < 1 || paused > 2 || w.other.paused[billing] != paused {
			v.fail("it was paused %d times after two failures, and then %d", paused, w.other.paused[billing]-paused)
		}
		if !w.watermark().Equal(mark) {
			v.fail("the watermark is %v, although syncs failed since %v", w.watermark(), mark)
		}
		told := 0
		for id := range w.post.of(billing + ".") {
			if strings.Contains(id, "source_paused") {
				told++
			}
		}
		if told != 1 {
			v.fail("people were told %d times that it is paused", told)
		}
		w.checkPost(5, &v) // of four imports, and that one
		return w.standing(), v
	}
}

// scheduled runs what the schedule starts, which is to be done, or to fail.
func (w *world) scheduled(done bool, v *verdict) (r crm.Report) {
	w.t.Helper()
	err := w.execute(workflows.Scheduled, workflows.ScheduledInput{Version: 1, Source: billing}, &r)
	if (err == nil) != done {
		v.fail("a sync of the schedule ends with %v", err)
	}
	return r
}

func (w *world) standing() scheduled {
	w.t.Helper()
	s, err := w.store.Schedule(w.t.Context(), billing)
	if err != nil {
		w.t.Fatal(err)
	}
	out := scheduled{Failures: s.Failures, Paused: s.Paused, Note: s.Note, Export: w.export(billing)}
	imports, err := w.store.Imports(w.t.Context(), store.ImportQuery{Source: billing})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, row := range imports {
		out.Imports = append(out.Imports, row.State)
	}
	return out
}
