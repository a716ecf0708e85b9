package main

type configCmd struct {
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run prints the settings in force and where each comes from. Passwords are
// masked.
func (c *configCmd) Run(s *session) error {
	s.json = c.Output == "json"
	list := s.config.Settings()
	if s.json {
		return each(list, s.object)
	}
	var rows [][]string
	for _, set := range list {
		value := set.Value
		if value == "" {
			value = "(not set)"
		}
		rows = append(rows, []string{set.Name, value, set.From, set.About})
	}
	return s.data(grid([]string{"setting", "value", "from", ""}, rows))
}
