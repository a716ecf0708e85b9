package fakesaas

import (
	"cmp"
	"slices"
	"sort"
)

// A spot is where an object stands in a list that is sorted by time; those of
// one time stand there by their numbers.
type spot struct {
	at int64 // Unix milliseconds
	n  int
}

func (a spot) compare(b spot) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) }

// listed is an object of a list: a customer, or one of its subscriptions.
type listed struct {
	spot
	customer *Customer
	sub      *Subscription // nil: the customer itself
}

// A keyset makes the page of a list that begins behind a spot, of objects that
// are offered in any order. It keeps no more of them than the page has.
type keyset struct {
	most  int   // objects on a page
	desc  bool  // the list is sorted the other way round
	after *spot // nil: the list's beginning
	kept  []listed
}

func (k *keyset) compare(a, b spot) int {
	if k.desc {
		return b.compare(a)
	}
	return a.compare(b)
}

// full reports whether the page is full and another one follows.
func (k *keyset) full() bool { return len(k.kept) > k.most }

func (k *keyset) offer(o listed) {
	switch {
	case k.after != nil && k.compare(o.spot, *k.after) <= 0:
		return
	case k.full() && k.compare(o.spot, k.kept[k.most].spot) > 0:
		return
	}
	i, _ := slices.BinarySearchFunc(k.kept, o, func(a, b listed) int { return k.compare(a.spot, b.spot) })
	k.kept = slices.Insert(k.kept, i, o)
	k.kept = k.kept[:min(len(k.kept), k.most+1)]
}

// page returns the objects of the page, and whether another one follows.
func (k *keyset) page() (objects []listed, more bool) {
	return k.kept[:min(len(k.kept), k.most)], k.full()
}

// createdSince returns the customers that were created at a time, in Unix
// milliseconds, or later.
func createdSince(all []*Customer, at int64) []*Customer {
	return all[sort.Search(len(all), func(i int) bool { return all[i].Created.UnixMilli() >= at }):]
}
