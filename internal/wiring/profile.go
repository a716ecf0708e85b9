package wiring

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"sluice/internal/crm"
)

// checkProfileAddress wraps [crm.ErrInvalid] unless address is "" or
// host:port, the port a number and the host perhaps empty.
func checkProfileAddress(address string) error {
	if address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("SLUICE_PPROF_ADDRESS: %w: %q is not host:port, such as 127.0.0.1:6060", crm.ErrInvalid, address)
	}
	return nil
}

// profiles serves the profiles of this process under /debug/pprof/ at the
// address that is set, until the stack is closed; without one it does nothing.
// An address that cannot be listened on wraps [crm.ErrInvalid].
func (s *Stack) profiles(c Config, log *slog.Logger) error {
	if c.PprofAddress == "" {
		return nil
	}
	l, err := net.Listen("tcp", c.PprofAddress)
	if err != nil {
		return fmt.Errorf("SLUICE_PPROF_ADDRESS: %w: %w", crm.ErrInvalid, err)
	}
	server := &http.Server{Handler: profileMux(), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	s.open.add(func() error {
		err := server.Close()
		<-done
		return err
	})
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		log.Warn("profiles are served beyond this machine, to whoever asks; set SLUICE_PPROF_ADDRESS to a loopback address", "address", a)
	} else {
		log.Info("profiles are served", "address", l.Addr())
	}
	return nil
}

// profileMux has the profiles and nothing else: not what others may have put
// into the default mux, and not the command line, which may hold a password.
func profileMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.Handle("/debug/pprof/cmdline", http.NotFoundHandler())
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
