package fakesaas

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A Customer is a customer, or company, of the world.
type Customer struct {
	N       int // from 0; says all that follows from the seed
	Version int // how often it was changed

	Name, Company, Email, Phone string
	Country, State, City, Zip   string
	Created, Updated            time.Time
	Deleted                     bool

	Contacts      []Contact // the first is the customer's own
	Subscriptions []Subscription
}

// A Contact is a person at a customer's.
type Contact struct {
	N                  int // in the world, from 0
	First, Last, Email string
	Phone, Title       string
	Created, Updated   time.Time
}

// A Subscription is one of a customer's.
type Subscription struct {
	N                int // in the world, from 0
	State            State
	Created, Updated time.Time
	TrialStarted     time.Time // zero: no trial
}

// State is where a subscription stands; each provider has words of its own.
type State int

// The states.
const (
	Active State = iota
	PastDue
	Trialing
	Paused
	Ending // live, and will not renew
	Ended
	Future
	states
)

// A Change is one entry of the world's log.
type Change struct {
	N            int // from 0
	At           time.Time
	Customer     int    // number
	Subscription int    // number in the world; -1: the customer itself
	Kind         string // created, updated or deleted
}

// A World is what all providers show. It is safe for concurrent use.
type World struct {
	mu        sync.RWMutex
	rng       *rand.Rand
	customers []*Customer
	contacts  int
	subs      int
	log       []Change
	clock     *Clock
}

// A Clock tells a world's time. It runs as the machine's does, and can be moved.
// It is safe for concurrent use.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
	fixed time.Time
}

// Now is the world's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.fixed.IsZero() {
		return c.fixed.Add(c.ahead)
	}
	return time.Now().Add(c.ahead).UTC()
}

// Move puts the clock forward.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// FixedClock returns a clock that stands still but for Move.
func FixedClock(at time.Time) *Clock { return &Clock{fixed: at.UTC()} }

// Begin is when the first customer of every world was created.
var Begin = time.Date(2019, time.March, 4, 9, 30, 0, 0, time.UTC)

// NewWorld makes a world of so many customers, created between [Begin] and a day
// before the clock's time. A nil clock is the machine's.
func NewWorld(seed uint64, customers int, clock *Clock) *World {
	if clock == nil {
		clock = &Clock{}
	}
	w := &World{rng: rand.New(rand.NewPCG(seed, 0x5ca1ab1e)), clock: clock}
	end := clock.Now().Add(-24 * time.Hour).Truncate(time.Millisecond)
	span := end.Sub(Begin)
	for i := range customers {
		after := time.Duration(float64(span) * float64(i) / float64(max(1, customers-1)))
		w.add(Begin.Add(after).Truncate(time.Millisecond))
	}
	slices.SortStableFunc(w.log, func(a, b Change) int { return a.At.Compare(b.At) })
	for i := range w.log {
		w.log[i].N = i
	}
	return w
}

// Clock is the world's.
func (w *World) Clock() *Clock { return w.clock }

var (
	firstNames = []string{"Ada", "Bo", "Chloé", "Dieter", "Emeka", "Fatima", "Göran", "Hana", "Iván", "Jörg", "Keiko", "Łucja", "Mei", "Noor", "Óscar", "Priya"}
	lastNames  = []string{"Adeyemi", "Berg", "Çelik", "Dubois", "Eriksen", "Fischer", "García", "Hoàng", "Ito", "Jansen", "Kowalski", "Lindqvist", "Müller", "Novák", "O'Brien", "Pereira"}
	places     = []struct{ country, state, city, zip, dial string }{ // with four digits more, dial is a number of the place
		{"US", "CA", "Oakland", "94607", "+1510555"}, {"US", "NY", "Albany", "12207", "+1518555"}, {"DE", "", "Dresden", "01067", "+493515555"},
		{"FR", "", "Lyon", "69001", "+3343755"}, {"GB", "", "Leeds", "LS1 4AP", "+44113496"}, {"JP", "", "Sendai", "980-0021", "+8122555"}, {"BR", "", "Recife", "50030-230", "+55813555"},
	}
)

// add makes a customer that was created at the given time.
func (w *World) add(at time.Time) *Customer {
	n := len(w.customers)
	r := w.rng
	first, family := one(r, firstNames), one(r, lastNames)
	place := one(r, places)
	c := &Customer{N: n, Name: first + " " + family, Email: fmt.Sprintf("c%d@example.com", n), Created: at, Updated: at,
		Country: place.country, State: place.state, City: place.city, Zip: place.zip, Phone: fmt.Sprintf("%s%04d", place.dial, n%10000)}
	if r.IntN(3) > 0 {
		c.Company = fmt.Sprintf("%s & Co %d", family, n)
	}
	for i := range 1 + r.IntN(3)/2 {
		p := Contact{N: w.contacts, First: first, Last: family, Email: c.Email, Phone: c.Phone, Title: "Owner", Created: at, Updated: at}
		if i > 0 {
			p.First, p.Last, p.Title = one(r, firstNames), one(r, lastNames), "Accounts"
			p.Email, p.Phone = fmt.Sprintf("p%d@example.com", w.contacts), ""
		}
		w.contacts++
		c.Contacts = append(c.Contacts, p)
	}
	w.customers = append(w.customers, c)
	w.note(at, n, -1, "created")
	// Nothing was done in the hour before the world began, unless the customer
	// itself is newer.
	last := w.now().Add(-time.Hour)
	if at.After(last) {
		last = at
	}
	for range r.IntN(3) {
		when := at.Add(time.Duration(r.IntN(20*24)) * time.Hour)
		w.subscribe(c, earliest(when, last))
	}
	return c
}

// one draws one of some.
func one[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// subscribe gives a customer a subscription that began at the given time.
func (w *World) subscribe(c *Customer, at time.Time) {
	s := Subscription{N: w.subs, State: State(w.rng.IntN(int(states))), Created: at, Updated: at}
	if s.State == Trialing || w.rng.IntN(3) == 0 {
		s.TrialStarted = at.Truncate(time.Second)
	}
	w.subs++
	c.Subscriptions = append(c.Subscriptions, s)
	w.note(at, c.N, s.N, "created")
}

func (w *World) note(at time.Time, customer, subscription int, kind string) {
	w.log = append(w.log, Change{N: len(w.log), At: at, Customer: customer, Subscription: subscription, Kind: kind})
}

// Add creates a customer now and returns its number.
func (w *World) Add() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.add(w.now()).N
}

// now is the time of a change: providers keep milliseconds.
func (w *World) now() time.Time { return w.clock.Now().Truncate(time.Millisecond) }

// change lets do change a customer now, unless it is deleted.
func (w *World) change(n int, do func(c *Customer, at time.Time)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.customers[n]; !c.Deleted {
		do(c, w.now())
	}
}

// touch makes a customer and its contacts appear to have changed.
func (w *World) touch(c *Customer, at time.Time) {
	c.Updated = at
	for i := range c.Contacts {
		c.Contacts[i].Updated = at
	}
	w.note(at, c.N, -1, "updated")
}

// Change changes a customer and its contacts now. One that is deleted stays so.
func (w *World) Change(n int) {
	w.change(n, func(c *Customer, at time.Time) {
		c.Version++
		c.City = fmt.Sprintf("%s %d", places[n%len(places)].city, c.Version)
		for i := range c.Contacts {
			c.Contacts[i].Title = fmt.Sprintf("Title %d", c.Version)
		}
		w.touch(c, at)
	})
}

// ChangeSubscription moves the first subscription of a customer on to its next
// state, or gives the customer one.
func (w *World) ChangeSubscription(n int) {
	w.change(n, func(c *Customer, at time.Time) {
		if len(c.Subscriptions) == 0 {
			w.subscribe(c, at)
			return
		}
		s := &c.Subscriptions[0]
		s.State, s.Updated = (s.State+1)%states, at
		w.note(at, n, s.N, "updated")
	})
}

// Delete deletes a customer now, with all that hangs on it.
func (w *World) Delete(n int) {
	w.change(n, func(c *Customer, at time.Time) {
		c.Deleted, c.Updated = true, at
		w.note(at, n, -1, "deleted")
	})
}

// Crowd makes every customer whose number is from one to another, exclusive, and
// its contacts, appear to have changed in the same millisecond, as an update of
// many at once does.
func (w *World) Crowd(from, to int) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.now()
	for _, c := range w.customers[from:to] {
		w.touch(c, at)
	}
	return at
}

// Len is how many customers the world has had.
func (w *World) Len() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return len(w.customers)
}

// Customers copies the customers that keep holds for, in the order of their
// creation; nil keeps all that are not deleted.
func (w *World) Customers(keep func(*Customer) bool) []Customer {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if keep == nil {
		keep = func(c *Customer) bool { return !c.Deleted }
	}
	var out []Customer
	for _, c := range w.customers {
		if keep(c) {
			out = append(out, c.clone())
		}
	}
	return out
}

// View lets do look at all customers, in the order of their creation, deleted
// ones too. It must neither change nor keep them, nor call the world.
func (w *World) View(do func(all []*Customer)) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	do(w.customers)
}

// Customer copies one; false if there is none of that number.
func (w *World) Customer(n int) (Customer, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if n < 0 || n >= len(w.customers) {
		return Customer{}, false
	}
	return w.customers[n].clone(), true
}

func (c *Customer) clone() Customer {
	out := *c
	out.Contacts = slices.Clone(c.Contacts)
	out.Subscriptions = slices.Clone(c.Subscriptions)
	return out
}

// Log copies the changes from one instant to another, in their order.
func (w *World) Log(from, to time.Time) []Change {
	w.mu.RLock()
	defer w.mu.RUnlock()
	at := func(c Change, t time.Time) int { return c.At.Compare(t) }
	first, _ := slices.BinarySearchFunc(w.log, from, at)
	last, _ := slices.BinarySearchFunc(w.log, to, at)
	return slices.Clone(w.log[first:max(first, last)])
}
