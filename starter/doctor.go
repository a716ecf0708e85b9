package main

import (
	"context"

	"sluice/internal/wiring"
)

type doctorCmd struct {
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run looks at every part and starts none. It fails if a part is at fault;
// warnings do not fail it.
func (c *doctorCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	list := wiring.Doctor(ctx, s.config)
	code := exitDone
	var rows [][]string
	for _, f := range list {
		if f.State == "error" {
			code = exitFailed
		}
		rows = append(rows, []string{f.State, f.Part, f.Text})
		if f.Fix != "" {
			rows = append(rows, []string{"", "", "→ " + f.Fix})
		}
	}
	var err error
	if s.json {
		err = each(list, s.object)
	} else {
		err = s.data(grid(nil, rows))
	}
	if err != nil {
		return err
	}
	return end(code)
}
