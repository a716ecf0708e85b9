package loop

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/activities"
)

// TestLoopsReachEveryCall runs every loop's import undisturbed, and looks for
// the calls that the interfaces have and no loop can make fail: a method that is
// new there needs a line in rooms_test.go, and an import that calls it.
func TestLoopsReachEveryCall(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	reached := map[string]bool{}
	t.Run("import", func(t *testing.T) {
		for _, l := range loops {
			if l.postgres || !l.wrapping.rooms {
				continue
			}
			t.Run(l.scenario+" "+l.wrapping.on(false), func(t *testing.T) {
				t.Parallel()
				c, _, _ := newStart(t, scenarios[l.scenario], false).run(t, l.wrapping, fault{})
				mu.Lock()
				defer mu.Unlock()
				for place := range c.places {
					_, call, _ := strings.Cut(place, " ") // the step goes before
					reached[call] = true
				}
			})
		}
	})
	for _, room := range []reflect.Type{reflect.TypeFor[activities.Stage](), reflect.TypeFor[activities.Store](),
		reflect.TypeFor[activities.Judge](), reflect.TypeFor[activities.Mailer]()} {
		for i := range room.NumMethod() {
			m := room.Method(i)
			name := room.Name() + "." + m.Name
			if mayFail(m.Type) && !reached[name] && !slices.Contains(ofSources, name) {
				t.Errorf("no loop reaches %s", name)
			}
			delete(reached, name)
		}
	}
	for call := range reached {
		if !strings.HasSuffix(call, ", a read") {
			t.Errorf("the interfaces have no %s", call)
		}
	}
}

// ofSources are the calls that syncs, backfills and schedules alone make. There is
// no loop of these yet.
var ofSources = []string{
	"Store.SaveSubscriptions", "Store.Subscribers", "Store.BackfillSource", "Store.PlanBackfill", "Store.BackfillCounts",
	"Store.BeginPartition", "Store.EndPartition", "Store.Requeue", "Store.EndBackfill", "Store.Schedule", "Store.SaveSchedule", "Store.EndScheduled",
}

// mayFail reports whether a method returns an error, or something that does.
func mayFail(m reflect.Type) bool {
	for i := range m.NumOut() {
		if out := m.Out(i); out == reflect.TypeFor[error]() || out.Kind() == reflect.Func {
			return true
		}
	}
	return false
}
