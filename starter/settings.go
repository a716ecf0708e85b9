package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/x/term"

	"sluice/internal/crm"
	"sluice/internal/source"
	"sluice/internal/wiring"
)

// settingFlags say what a connector has to be told. Secrets are never among
// them: a command line can be read by everybody on the machine.
type settingFlags struct {
	Set        []string `sep:"none" placeholder:"NAME=VALUE" env:"SLUICE_SOURCE_SET" help:"A setting of the connector that is no secret; may be repeated. See starter sources kinds KIND."`
	SecretFile []string `sep:"none" placeholder:"NAME=FILE" env:"SLUICE_SOURCE_SECRET_FILE" help:"A file that holds a secret setting; may be repeated. Without it SLUICE_SOURCE_NAME in the environment is taken, or the terminal asks."`
}

// told collects what is given of the settings of a connector: those that are not
// secret, laid over what the source has already, and the secret ones. Of a
// source that has been told before nothing is required; had is then not nil.
func (f settingFlags) told(s *session, kind string, had map[string]string) (plain, secrets map[string]string, err error) {
	given, err := pairs("--set", f.Set)
	if err != nil {
		return nil, nil, err
	}
	files, err := pairs("--secret-file", f.SecretFile)
	if err != nil {
		return nil, nil, err
	}
	settings, err := source.SettingsOf(kind)
	if err != nil {
		return nil, nil, usage("there is no connector %q; there are file, %s", kind, strings.Join(source.Kinds(), ", "))
	}
	plain = maps.Clone(had)
	if plain == nil {
		plain = map[string]string{}
	}
	secrets = map[string]string{}
	for _, set := range settings {
		if set.Secret {
			if err := f.secret(s, set, files, had != nil, secrets); err != nil {
				return nil, nil, err
			}
			continue
		}
		value, ok := given[set.Name]
		delete(given, set.Name)
		if !ok && had == nil {
			value = os.Getenv(settingVariable(set.Name))
			ok = value != ""
		}
		if !ok {
			if set.Required && plain[set.Name] == "" && set.Default == "" {
				return nil, nil, usage("%s has to be told %s (%s): --set %s=…", kind, set.Name, set.Help, set.Name)
			}
			continue
		}
		if set.Check != nil && value != "" {
			if err := set.Check(value); err != nil {
				return nil, nil, usage("%s: %s", set.Name, fault(err))
			}
		}
		if plain[set.Name] = value; value == "" {
			delete(plain, set.Name)
		}
	}
	for _, unknown := range [...]map[string]string{given, files} {
		for _, name := range slices.Sorted(maps.Keys(unknown)) {
			return nil, nil, usage("%s has no setting %q that is given so; see starter sources kinds %s", kind, name, kind)
		}
	}
	return plain, secrets, nil
}

// secret finds the value of a secret setting.
func (f settingFlags) secret(s *session, set source.Setting, files map[string]string, optional bool, into map[string]string) error {
	path, named := files[set.Name]
	delete(files, set.Name)
	variable := settingVariable(set.Name)
	if !named {
		path = os.Getenv(variable + "_FILE")
	}
	switch value := os.Getenv(variable); {
	case named || value == "" && path != "":
		b, err := os.ReadFile(path)
		if err != nil {
			return unreadable(path, err)
		}
		into[set.Name] = strings.TrimSpace(string(b))
	case value != "":
		into[set.Name] = value
	case !optional && set.Required:
		value, err := s.ask(set)
		if err != nil {
			return err
		}
		into[set.Name] = value
	}
	return nil
}

// ask asks the person at the terminal for a secret, without showing it.
func (s *session) ask(set source.Setting) (string, error) {
	in, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(in.Fd()) {
		return "", usage("%s is secret: put it into %s, or name a file with --secret-file %s=FILE", set.Name, settingVariable(set.Name), set.Name)
	}
	s.say("%s (%s), not shown:", set.Name, set.Help)
	b, err := term.ReadPassword(in.Fd())
	if err != nil {
		return "", fmt.Errorf("read %s: %w", set.Name, err)
	}
	if len(strings.TrimSpace(string(b))) == 0 {
		return "", usage("%s: nothing was typed", set.Name)
	}
	return strings.TrimSpace(string(b)), nil
}

// settingVariable is the environment variable of a setting.
func settingVariable(name string) string { return "SLUICE_SOURCE_" + strings.ToUpper(name) }

// pairs reads flags of the form NAME=VALUE.
func pairs(flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usage("%s: write NAME=VALUE", flag)
		}
		if _, twice := out[name]; twice {
			return nil, usage("%s: %s is given twice", flag, name)
		}
		out[name] = value
	}
	return out, nil
}

type sourcesSetCmd struct {
	Name string `arg:"" help:"The source."`

	settingFlags `embed:""`
}

// Run changes what a source's connector has been told. What is not named stays
// as it is; an empty value takes a setting back.
func (c *sourcesSetCmd) Run(ctx context.Context, s *session) error {
	db, done, err := s.writeStore(ctx)
	if err != nil {
		return err
	}
	defer done()
	src, err := db.Source(ctx, c.Name)
	if err != nil {
		return err
	}
	if src.Settings == nil {
		src.Settings = map[string]string{}
	}
	plain, secrets, err := c.told(s, src.Kind, src.Settings)
	if err != nil {
		return err
	}
	var sealed []byte
	if len(secrets) > 0 { // those that are not given again stay
		if sealed, err = db.Secrets(ctx, c.Name); err != nil {
			return err
		}
		if sealed, err = wiring.AddSecrets(s.config, c.Name, sealed, secrets); err != nil {
			return err
		}
	}
	if err := db.Configure(ctx, c.Name, plain, sealed); err != nil {
		return err
	}
	s.say("changed the settings of %s", c.Name)
	return nil
}

type sourcesKindsCmd struct {
	Kind string `arg:"" optional:"" help:"One of them, with its settings."`
}

// Run lists what sources can be read from.
func (c *sourcesKindsCmd) Run(_ context.Context, s *session) error {
	if c.Kind == "" {
		rows := [][]string{{crm.KindFile, "Files", "CSV, XLSX and JSON, from this machine, the web, buckets and SFTP, with starter import"}}
		for _, kind := range source.Kinds() {
			about := source.MustOf(kind).About()
			rows = append(rows, []string{kind, about.Title, about.Reads})
		}
		return s.data(grid([]string{"kind", "", "reads"}, rows))
	}
	settings, err := source.SettingsOf(c.Kind)
	if err != nil {
		return usage("there is no connector %q; there are file, %s", c.Kind, strings.Join(source.Kinds(), ", "))
	}
	about := source.About{Title: "Files", Reads: "CSV, XLSX and JSON; nothing has to be told of files of this machine, and of others what their place asks for"}
	if c.Kind != crm.KindFile {
		about = source.MustOf(c.Kind).About()
	}
	var rows [][]string
	for _, set := range settings {
		need, how := "", "--set "+set.Name+"=…"
		switch {
		case set.Required:
			need = "required"
		case set.Default != "":
			need = set.Default
		}
		if set.Secret {
			how = settingVariable(set.Name) + ", --secret-file, or asked for"
		}
		rows = append(rows, []string{set.Name, need, how, set.Help})
	}
	return s.data(fmt.Sprintf("%s: %s.\n\n%s", about.Title, about.Reads, grid([]string{"setting", "default", "given by", ""}, rows)))
}
