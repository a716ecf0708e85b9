package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"sluice/internal/fakesaas"
)

type demoSaasCmd struct {
	Customers int           `default:"1000" env:"SLUICE_DEMO_CUSTOMERS" placeholder:"N" help:"How many customers there are at first."`
	Seed      uint64        `default:"1" env:"SLUICE_DEMO_SEED" placeholder:"N" help:"The same seed has the same customers."`
	Address   string        `default:"127.0.0.1:8765" env:"SLUICE_DEMO_ADDRESS" placeholder:"HOST:PORT" help:"Where it listens."`
	Changes   time.Duration `env:"SLUICE_DEMO_CHANGES" placeholder:"TIME" help:"Change something that often, such as 2s. Default: never."`
	Limits    bool          `env:"SLUICE_DEMO_LIMITS" help:"Keep to the limits that the providers document."`
}

// Run serves made-up customers as billing systems and CRMs do, until it is
// interrupted. Nothing of it is kept.
func (c *demoSaasCmd) Run(ctx context.Context, s *session) error {
	world := fakesaas.NewWorld(c.Seed, c.Customers, nil)
	server := fakesaas.New(world)
	defer server.Close()
	server.Set(func(t *fakesaas.Traps) { t.Limits = c.Limits })
	listener, err := net.Listen("tcp", c.Address)
	if err != nil {
		return usage("--address: %v", err)
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	s.say("%d made-up customers at http://%s, for any of %s; the key is %s", c.Customers, listener.Addr(), strings.Join(fakesaas.Providers(), ", "), fakesaas.Key)
	s.say("try it from another terminal:\n")
	s.say("  export SLUICE_EGRESS_NETWORKS=127.0.0.1 SLUICE_SOURCE_API_KEY=%s", fakesaas.Key)
	s.say("  starter sources add stripe --name billing --set api=http://%s", listener.Addr())
	s.say("  starter sync billing\n")
	s.say("Ctrl-C ends it")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		<-ctx.Done()
		_ = web.Close()
	}()
	if c.Changes > 0 {
		go changing(ctx, world, c.Changes)
	}
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// changing changes one thing after the other.
func changing(ctx context.Context, world *fakesaas.World, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch at := n * 7919 % max(1, world.Len()); {
		case n%5 == 4 || world.Len() == 0:
			world.Add()
		case n%3 == 2:
			world.ChangeSubscription(at)
		default:
			world.Change(at)
		}
	}
}
