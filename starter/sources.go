package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"sluice/internal/crm"
	"sluice/internal/mapping"
	"sluice/internal/wiring"
)

type sourcesAddCmd struct {
	Kind     string `arg:"" help:"What reads it: file, for files that are imported, or a connector; see starter sources kinds."`
	Name     string `required:"" placeholder:"NAME" env:"SLUICE_SOURCE" help:"1 to 64 of a-z, 0-9 and -; it never changes."`
	Title    string `placeholder:"TEXT" env:"SLUICE_SOURCE_TITLE" help:"What people call it. Default: the name."`
	TimeZone string `placeholder:"ZONE" default:"UTC" env:"SLUICE_SOURCE_TIME_ZONE" help:"Time zone of dates without one, such as Europe/Zurich."`
	Region   string `placeholder:"CC" env:"SLUICE_SOURCE_REGION" help:"Country of telephone numbers without one, two letters, such as CH."`
	Mapping  string `placeholder:"FILE" env:"SLUICE_SOURCE_MAPPING" help:"Saved as the source's mapping, for imports that name none."`

	settingFlags `embed:""`
}

// Run makes a source. For one that exists it only saves the mapping, if one is
// given.
func (c *sourcesAddCmd) Run(ctx context.Context, s *session) error {
	source, err := c.source()
	if err != nil {
		return err
	}
	db, done, err := s.writeStore(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = db.Source(ctx, c.Name)
	exists := err == nil
	if err != nil && !errors.Is(err, crm.ErrNotFound) {
		return err
	}
	if exists && c.Mapping == "" {
		return failed(fmt.Errorf("source %s exists already; see starter sources show %s", c.Name, c.Name))
	}
	if !exists {
		var secrets map[string]string
		if source.Settings, secrets, err = c.told(s, c.Kind, nil); err != nil {
			return err
		}
		sealed, err := wiring.AddSecrets(s.config, c.Name, nil, secrets)
		if err != nil {
			return err
		}
		if err := db.AddSource(ctx, source); err != nil {
			return err
		}
		if err := db.Configure(ctx, c.Name, source.Settings, sealed); err != nil {
			return err
		}
		s.say("added source %s", c.Name)
		if c.Kind != crm.KindFile {
			s.say("look whether it answers with: starter sources check %s", c.Name)
		}
	}
	if c.Mapping == "" {
		return nil
	}
	s.say("saved its mapping")
	return db.SaveMapping(ctx, c.Name, source.Mapping)
}

func (c *sourcesAddCmd) source() (crm.Source, error) {
	source := crm.Source{Slug: c.Name, Title: c.Title, Kind: c.Kind, TimeZone: c.TimeZone, Region: strings.ToUpper(c.Region)}
	if err := crm.CheckSlug(c.Name); err != nil {
		return source, err
	}
	if source.Title == "" {
		source.Title = c.Name
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		return source, usage("--time-zone: no such time zone; use a name such as Europe/Zurich")
	}
	if len(source.Region) != 0 && len(source.Region) != 2 {
		return source, usage("--region: use two letters, such as CH")
	}
	if c.Mapping == "" {
		return source, nil
	}
	text, err := os.ReadFile(c.Mapping)
	if err != nil {
		return source, unreadable(c.Mapping, err)
	}
	if _, err := mapping.ParseSpec(text); err != nil {
		return source, usage("%s: %s", c.Mapping, fault(err))
	}
	source.Mapping = string(text)
	return source, nil
}
