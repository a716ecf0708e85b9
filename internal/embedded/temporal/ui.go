package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// quiet takes what the SDK has to say about connecting, which is nothing a
// person reading the server's log is helped by.
var quiet = slog.New(slog.DiscardHandler)

// startUI serves the Web UI for the frontend at address and returns its URL and
// the function that stops it. With a port of -1 it does nothing.
//
// The UI asks nobody outside the machine: neither for news nor for releases.
func startUI(ctx context.Context, s settings, address string) (string, func(), error) {
	if s.uiPort < 0 {
		return "", func() {}, nil
	}
	port := s.uiPort
	if port == 0 {
		ports, err := freePorts(1)
		if err != nil {
			return "", nil, err
		}
		port = ports[0]
	}
	host := net.JoinHostPort(loopback, strconv.Itoa(port))
	srv := uiserver.NewServer(server_options.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: address,
		Host:                loopback,
		Port:                port,
		EnableUI:            true,
		DefaultNamespace:    s.namespace,
		DisableNewsFetch:    true,
		HideLogs:            true,
		CORS: uiconfig.CORS{
			// There is no TLS on loopback for a secure cookie to travel by.
			CookieInsecure: true,
			AllowOrigins:   []string{"http://" + host, "http://" + net.JoinHostPort("localhost", strconv.Itoa(port))},
		},
	}))
	go func() { _ = srv.Start() }() // A taken port ends the process, with a line in the log.
	if err := answer(ctx, "http://"+host+"/healthz"); err != nil {
		srv.Stop()
		return "", nil, err
	}
	return "http://" + host, srv.Stop, nil
}

// answer waits until a GET of url is answered with 200.
func answer(ctx context.Context, url string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("reach UI: %w", err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("reach UI %s: %w", url, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
