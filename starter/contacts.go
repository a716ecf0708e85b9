package main

import (
	"context"

	"sluice/internal/crm"
	"sluice/internal/store"
)

type contactsShowCmd struct {
	Key    string `arg:"" name:"key|email" help:"A contact's external id or e-mail address."`
	Output string `short:"o" enum:"text,json" default:"text" env:"SLUICE_OUTPUT" help:"text, or json: one object a line."`
}

// Run shows the contacts of a key from the database alone.
func (c *contactsShowCmd) Run(ctx context.Context, s *session) error {
	s.json = c.Output == "json"
	db, err := s.readStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.Contacts(ctx, c.Key)
	if err != nil {
		return err
	}
	return show(s, "contact", list, contactText)
}

func contactText(v store.ContactView) string {
	return recordText("contact", crm.Contact, v.RecordView) +
		grid(nil, [][]string{{"customer  ", "starter customers show " + v.CustomerExternalID}})
}
