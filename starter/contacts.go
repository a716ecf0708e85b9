package main

type contactsShowCmd struct{}

func (contactsShowCmd) Run() error { return nil }
