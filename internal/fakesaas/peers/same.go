package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
)

// compareRequests tells the vendor's library to ask for the same, and compares
// what it sends.
func (v vendor) compareRequests(ctx context.Context, b *toolbox, asked []request) (row, error) {
	out := row{title: v.title, software: v.library + " " + b.versions[v.library], did: "was told to ask for what our connector asks for; what it sent was compared" + v.note}
	var mu sync.Mutex
	sent := map[string]bool{}
	s, err := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, err := requestOf(r); err == nil {
			mu.Lock()
			sent[got.text()] = true
			mu.Unlock()
		}
		kind := "application/json"
		if strings.HasPrefix(v.empty, "<") {
			kind = "application/xml"
		}
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, v.empty)
	}))
	if err != nil {
		return out, err
	}
	defer s.stop()
	told := make([]request, len(asked))
	for i, r := range asked {
		told[i] = r
		told[i].Path = v.same(r.Path)
	}
	if _, err := b.node(ctx, v, s.url, told); err != nil {
		return out, err
	}
	for i, r := range asked {
		why := ""
		if !sent[told[i].text()] {
			why = "the library sends something else: " + told[i].text()
		}
		out.judge(r, why)
	}
	return out, nil
}

// hubspotSame is the older path, which the library knows; the objects are the
// same.
func hubspotSame(path string) string {
	return strings.NewReplacer("/crm/objects/2026-03/", "/crm/v3/objects/", "/crm/associations/2026-03/", "/crm/v4/associations/",
		"/account-info/2026-03/", "/account-info/v3/").Replace(path)
}

// chargebeeSame is the path itself.
func chargebeeSame(path string) string { return path }

// braintreeSame is where ids are asked for: the library does so before it asks
// for customers, by the same search.
func braintreeSame(path string) string { return strings.TrimSuffix(path, "_ids") + "_ids" }
