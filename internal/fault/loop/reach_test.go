package loop

import (
	"reflect"
	"strings"
	"sync"
	"testing"

	"sluice/activities"
)

// TestLoopsReachEveryCall runs every loop's scenario undisturbed, and looks for
// the calls that the interfaces have and no loop can make fail: a method that is
// new there needs a line in rooms_test.go or beside it, and a scenario that
// calls it.
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
		reflect.TypeFor[activities.Judge](), reflect.TypeFor[activities.Mailer](), reflect.TypeFor[activities.Sources](),
		reflect.TypeFor[activities.Running](), reflect.TypeFor[activities.Schedules]()} {
		for i := range room.NumMethod() {
			m := room.Method(i)
			name := room.Name() + "." + m.Name
			if why, excused := unreached[name]; mayFail(m.Type) && reached[name] == excused {
				t.Errorf("loops reach %s: %t (%s)", name, reached[name], why)
			}
			delete(reached, name)
		}
	}
	for call := range reached {
		if !strings.HasSuffix(call, ", a read") && call != "a request" {
			t.Errorf("the interfaces have no %s", call)
		}
	}
}

// unreached says why no loop makes a call.
var unreached = map[string]string{
	"Running.Import": "it is asked only while somebody else's import of the source is running, and the test environment has none",
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
