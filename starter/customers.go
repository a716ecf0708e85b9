package main

type customersShowCmd struct{}

func (customersShowCmd) Run() error { return nil }
