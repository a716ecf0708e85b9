package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/source"
)

// access is what a vendor's connector is given to read from an address.
func (v vendor) access(address string, d source.Doer, now func() time.Time) *source.Access {
	settings := map[string]string{}
	for _, s := range source.Settings(v.connector()) {
		if s.Default != "" {
			settings[s.Name] = s.Default
		}
	}
	maps.Copy(settings, v.settings)
	settings["api"] = address
	return &source.Access{Source: "peers", Settings: settings, HTTP: d, Now: now}
}

// requests returns all that a connector asks for in a backfill and a sync.
func (v vendor) requests(ctx context.Context) ([]request, error) {
	w := someWorld()
	saas := fakesaas.New(w)
	defer saas.Close()
	s, err := serve(saas)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	d := &recorder{seen: map[string]bool{}}
	a, c := v.access(s.url, d, w.Clock().Now), v.connector()
	if _, err := c.Check(ctx, a); err != nil {
		return nil, err
	}
	until := a.Now().Add(-c.About().Lag)
	for _, want := range []source.Want{{Span: crm.Span{From: fakesaas.Begin, To: until}}, {Span: crm.Span{From: until.Add(-48 * time.Hour), To: until}, Changes: true}} {
		if err := readAll(ctx, c, a, want); err != nil {
			return nil, err
		}
	}
	return d.requests, nil
}

// readAll reads all partitions to their ends.
func readAll(ctx context.Context, c source.Connector, a *source.Access, w source.Want) error {
	parts, err := c.Plan(ctx, a, w)
	if err != nil {
		return err
	}
	for len(parts) > 0 {
		p := parts[0]
		parts = parts[1:]
		for at := source.Cursor(nil); ; {
			page, err := c.Read(ctx, a, p, at)
			if err != nil {
				return fmt.Errorf("%s: %w", p.ID, err)
			}
			parts = append(parts, page.Instead...)
			if at = page.Next; at == nil {
				break
			}
		}
	}
	return nil
}

// askFor asks others' software for what our connector asks for.
func askFor(ctx context.Context, b *toolbox, v vendor) (row, error) {
	asked, err := v.requests(ctx)
	if err != nil {
		return row{}, fmt.Errorf("our connector: %w", err)
	}
	if v.mock == nil {
		return v.compareRequests(ctx, b, asked)
	}
	return v.askMock(ctx, b, asked)
}
