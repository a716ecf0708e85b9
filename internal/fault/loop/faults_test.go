package loop

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.temporal.io/sdk/activity"
)

// errInjected is what a call says that was made to fail. It is of no kind, and
// so passing, as that of a lost connection is.
var errInjected = errors.New("injected fault")

// A fault is the one call of a run that fails. The zero fault fails none.
type fault struct {
	at    int  // the number of the call, from 1; 0: none
	after bool // it fails although it had its effect
}

func (f fault) String() string {
	if f.after {
		return fmt.Sprintf("call %d after its effect", f.at)
	}
	return fmt.Sprintf("call %d before its effect", f.at)
}

// calls counts the calls of one run over everything that is wrapped, and makes
// one of them fail. It is safe for concurrent use.
type calls struct {
	mu     sync.Mutex
	fault  fault
	count  int
	places map[string]int // how many calls there were of each
	met    string         // the place of the call that failed; "" if there was none
	open   map[string]int // readers that are not closed, by place
}

func newCalls(f fault) *calls {
	return &calls{fault: f, places: map[string]int{}, open: map[string]int{}}
}

// next counts a call, and says whether it is to fail before its effect or
// after it.
func (c *calls) next(place string) (before, after bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	c.places[place]++
	if c.count != c.fault.at {
		return false, false
	}
	c.met = fmt.Sprintf("%s, the %d. time", place, c.places[place])
	return !c.fault.after, c.fault.after
}

// do makes one call, or does not.
func (c *calls) do(place string, call func() error) error {
	before, after := c.next(place)
	if before {
		return errInjected
	}
	err := call()
	if after && err == nil {
		return errInjected
	}
	return err
}

func (c *calls) opened(place string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[place] += n; c.open[place] == 0 {
		delete(c.open, place)
	}
}

// step names what a step calls: "Settle Store.Write".
func step(ctx context.Context, what string) string {
	if activity.IsActivity(ctx) {
		return activity.GetInfo(ctx).ActivityType.Name + " " + what
	}
	return what
}
