package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/crm"
	"sluice/internal/secret"
	"sluice/internal/source"
	"sluice/internal/wiring"
)

type sourcesCheckCmd struct {
	Name   string `arg:"" help:"The source."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text or json."`
}

// Run asks a source whose it is. It makes one request and starts nothing.
func (c *sourcesCheckCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	src, err := db.Source(ctx, c.Name)
	if err != nil {
		return err
	}
	if src.Kind == crm.KindFile {
		return usage("source %s is one of files: there is nothing to ask", c.Name)
	}
	about, account, err := wiring.CheckSource(ctx, s.config, db, c.Name)
	if err != nil {
		return fmt.Errorf("source %s: %w", c.Name, err)
	}
	if s.json {
		return s.object(account)
	}
	return s.data(accountText(src, about, account))
}

func accountText(src crm.Source, about source.About, a source.Account) string {
	rows := [][]string{{"source", src.Slug}, {"kind", about.Title}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	add("account", a.Name)
	for _, stream := range slices.Sorted(maps.Keys(a.Records)) {
		add(stream, number(a.Records[stream]))
	}
	if !a.Oldest.IsZero() {
		add("oldest", when(a.Oldest))
	}
	add("limits", a.Limits)
	if !src.Watermark.IsZero() {
		add("in up to", when(src.Watermark))
	}
	return "it answers\n\n" + grid(nil, rows) + strings.Join(prefixed(a.Notes, "\n"), "") + "\n"
}

func prefixed(list []string, with string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = with + text
	}
	return out
}

type keysNewCmd struct{}

// Run prints a new key. Nothing of it is kept.
func (*keysNewCmd) Run(_ context.Context, s *session) error {
	text, err := secret.New()
	if err != nil {
		return err
	}
	return s.data(text + "\n")
}
