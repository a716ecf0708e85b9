package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
	"sluice/internal/source"
)

// A mock is a server that knows a vendor's description of the API.
type mock struct {
	server
	software string
	change   func(*http.Request) // makes of a request what the mock can judge; nil: as it is
	note     string              // what else there is to say, a phrase
	wrong    string              // a path and query that the mock must refuse
}

func stripeMock(b *toolbox) (mock, error) {
	s, err := b.start(filepath.Join(b.dir, "stripe-mock"), func(host, port string) []string {
		return []string{"-http-addr", host + ":" + port, "-strict-version-check"}
	})
	return mock{server: s, software: "stripe-mock " + stripeMockVersion + ", with Stripe's own description", wrong: "/v1/customers?since=1",
		note: "; our connector understands its examples"}, err
}

// recurlyMock stands between those who ask and the made-up Recurly, and judges
// both the request and the answer.
func recurlyMock(b *toolbox) (mock, error) {
	saas := fakesaas.New(someWorld())
	upstream, err := serve(withoutNulls(saas))
	if err != nil {
		return mock{}, err
	}
	const prism, description = "@stoplight/prism-cli", "recurly.yaml"
	if err := mendRecurly(filepath.Join(b.dir, "node_modules/recurly/openapi/api.yaml"), filepath.Join(b.dir, description)); err != nil {
		upstream.stop()
		return mock{}, err
	}
	s, err := b.start("node", func(host, port string) []string {
		return []string{"node_modules/" + prism + "/dist/index.js", "proxy", "-h", host, "-p", port, description, upstream.url}
	})
	if err != nil {
		upstream.stop()
		return mock{}, err
	}
	stop := s.stop
	s.stop = func() {
		stop()
		saas.Close()
		upstream.stop()
	}
	change := func(r *http.Request) {
		if r.Method == http.MethodHead {
			r.Method = http.MethodGet
		}
	}
	return mock{server: s, change: change, software: "prism " + b.versions[prism] + ", with Recurly's own description, from recurly " + b.versions["recurly"],
		wrong: "/accounts?subscriber=maybe", note: ", and what made-up Recurly answers; `HEAD` as `GET`, as the description leaves it out"}, nil
}

// askMock asks a mock for everything, and for something wrong, and lets our
// connector read what the mock answers of its own accord.
func (v vendor) askMock(ctx context.Context, b *toolbox, asked []request) (row, error) {
	m, err := v.mock(b)
	if err != nil {
		return row{}, err
	}
	defer m.stop()
	out := row{title: v.title, software: m.software, did: "judged what our connector asks for" + m.note}
	for _, r := range asked {
		why, err := m.ask(ctx, r)
		if err != nil {
			return out, err
		}
		out.judge(r, why)
	}
	wrong := asked[0]
	wrong.Path, wrong.raw, _ = strings.Cut(m.wrong, "?")
	if why, err := m.ask(ctx, wrong); err != nil || why == "" {
		return out, errors.Join(err, errors.New("the mock accepts "+m.wrong))
	}
	if err := v.readExamples(ctx, m); err != nil {
		out.differs = append(out.differs, "our connector does not understand the mock: "+err.Error())
	}
	return out, nil
}

// ask makes a request once more and says what is wrong with it; "" for nothing.
func (m mock) ask(ctx context.Context, r request) (why string, err error) {
	again, err := http.NewRequestWithContext(ctx, r.Method, m.url+r.Path+"?"+r.raw, strings.NewReader(r.body))
	if err != nil {
		return "", err
	}
	again.Header = r.header.Clone()
	if m.change != nil {
		m.change(again)
	}
	res, err := client.Do(again)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return "", err
	case res.StatusCode/100 != 2:
		return fmt.Sprintf("%d %s", res.StatusCode, body[:min(500, len(body))]), nil
	}
	return res.Header.Get("Sl-Violations"), nil // of prism, in the request or the answer
}

// readExamples lets our connector check the mock and read a page of every
// stream.
func (v vendor) readExamples(ctx context.Context, m mock) error {
	c := v.connector()
	a := v.access(m.url, &recorder{seen: map[string]bool{}, change: m.change}, time.Now)
	if _, err := c.Check(ctx, a); err != nil {
		return err
	}
	read := map[string]bool{}
	now := a.Now().Add(-time.Hour)
	for _, changes := range []bool{false, true} {
		parts, err := c.Plan(ctx, a, source.Want{Span: crm.Span{From: now.Add(-24 * time.Hour), To: now}, Changes: changes})
		if err != nil {
			return err
		}
		for _, p := range parts {
			if read[p.Stream] {
				continue
			}
			read[p.Stream] = true
			if _, err := c.Read(ctx, a, p, nil); err != nil {
				return fmt.Errorf("%s: %w", p.ID, err)
			}
		}
	}
	return nil
}
