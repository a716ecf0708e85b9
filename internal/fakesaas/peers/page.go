package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/fakesaas"
)

// A tally is how many records of a list were read, each as often as it came, and
// a hash of their ids in order.
type tally struct {
	Count int    `json:"count"`
	Hash  string `json:"hash"`
}

func tallyOf(ids []string) tally {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(ids)), "\n")))
	return tally{len(ids), hex.EncodeToString(sum[:])}
}

// pageThrough lets the vendor's library read all that the made-up provider shows
// of every world, and compares.
func pageThrough(ctx context.Context, b *toolbox, v vendor) (row, error) {
	out := row{title: v.title, software: v.library + " " + b.versions[v.library]}
	read, have, requests := map[string]int{}, map[string]int{}, 0
	all := worlds()
	for _, w := range all {
		got, n, err := v.count(ctx, b, w)
		if err != nil {
			return out, err
		}
		want := v.lists(w)
		out.differs = append(out.differs, compare(got, want)...)
		for name, ids := range want {
			have[name] += len(ids)
			read[name] += got[name].Count
		}
		requests += n
	}
	out.did = fmt.Sprintf("paged through %d worlds in %s requests", len(all), dig(requests))
	for _, name := range slices.Sorted(maps.Keys(have)) {
		out.counted = append(out.counted, fmt.Sprintf("%s %s / %s", name, dig(read[name]), dig(have[name])))
	}
	return out, nil
}

// count lets the library read one world, and says in how many requests it did.
func (v vendor) count(ctx context.Context, b *toolbox, w *fakesaas.World) (got map[string]tally, requests int, err error) {
	saas := fakesaas.New(w)
	defer saas.Close()
	s, err := serve(saas)
	if err != nil {
		return nil, 0, err
	}
	defer s.stop()
	said, err := b.node(ctx, v, s.url, nil)
	if err != nil {
		return nil, 0, err
	}
	if err := json.Unmarshal(said, &got); err != nil {
		return nil, 0, fmt.Errorf("%s.mjs says: %w", v.script, err)
	}
	requests, _ = saas.Requests(v.script)
	return got, requests, nil
}

// compare says where what a library has counted is not what there is.
func compare(got map[string]tally, want map[string][]string) (differs []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		have := tallyOf(want[name])
		switch read, ok := got[name]; {
		case !ok:
			differs = append(differs, name+" were not read")
		case read.Count != have.Count:
			differs = append(differs, fmt.Sprintf("%s: %d were read, and there are %d", name, read.Count, have.Count))
		case read.Hash != have.Hash:
			differs = append(differs, fmt.Sprintf("%s: %d were read, as there are, but others", name, read.Count))
		}
	}
	return differs
}
