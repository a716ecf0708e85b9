package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	readyTimeout = 90 * time.Second // for a server to answer, on a busy machine too
	pollEvery    = 50 * time.Millisecond
)

// start runs the program on the given ports and waits until it can be used. A
// uiPort of -1 leaves the UI out.
func (p program) start(ctx context.Context, o TemporalOptions, port, uiPort int) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if p.cli {
		return p.startCLI(ctx, o, port, uiPort)
	}
	s, err := launch(exec.Command(p.path, "-db", o.DB, "-namespace", o.Namespace, "-retention", retention,
		"-port", strconv.Itoa(port), "-ui-port", strconv.Itoa(uiPort)), o.LogFile)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		s.Kill()
		return nil, fmt.Errorf("wait for it: %w%s", context.Cause(ctx), s.log.quote())
	case <-s.done:
		return nil, s.Err()
	case line := <-s.line:
		var ready struct{ Address, UI, Version string }
		if err := json.Unmarshal([]byte(line), &ready); err != nil {
			s.Kill()
			return nil, fmt.Errorf("read address from %s: %w", p.path, err)
		}
		s.Address, s.UI, s.Version = ready.Address, ready.UI, ready.Version
		return s, nil
	}
}

// startCLI runs Temporal's own command with the settings our server has. It
// says nothing when it is ready and knows no flag for the retention, so it is
// asked for both until it agrees.
func (p program) startCLI(ctx context.Context, o TemporalOptions, port, uiPort int) (*Server, error) {
	version, err := p.version(ctx)
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s, err := launch(tied(p.path, cliArgs(o, version, port, uiPort)), o.LogFile)
	if err != nil {
		return nil, err
	}
	s.Address, s.Version = address, version
	err = s.poll(ctx, func() error {
		if _, err := net.DialTimeout("tcp", address, time.Second); err != nil {
			return err
		}
		return exec.CommandContext(ctx, p.path, "operator", "namespace", "update", "--address", address,
			"--namespace", o.Namespace, "--retention", retention).Run()
	})
	if err == nil && uiPort > 0 {
		s.UI = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(uiPort))
		err = s.poll(ctx, func() error { return get(ctx, s.UI) })
	}
	if err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

func cliArgs(o TemporalOptions, version string, port, uiPort int) []string {
	args := []string{
		"server", "start-dev", "--ip", "127.0.0.1", "--port", strconv.Itoa(port),
		"--namespace", o.Namespace, "--log-level", "warn",
		"--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=true",
		"--dynamic-config-value", "frontend.persistenceMaxQPS=10000",
		"--dynamic-config-value", "history.persistenceMaxQPS=45000",
		"--dynamic-config-value", "matching.enableFairness=true",
		"--dynamic-config-value", "frontend.WorkflowPauseEnabled=true",
	}
	if o.DB != "" {
		args = append(args, "--db-filename", databaseOf(o.DB, version),
			"--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1")
	}
	if uiPort > 0 {
		return append(args, "--ui-ip", "127.0.0.1", "--ui-port", strconv.Itoa(uiPort))
	}
	return append(args, "--headless")
}

// databaseOf returns the file for a server of the given version in place of db,
// which is for ours: neither can use a file the other made.
func databaseOf(db, version string) string {
	if version == TemporalVersion {
		return db
	}
	folder, name := filepath.Split(db)
	if strings.Contains(name, TemporalVersion) {
		return folder + strings.Replace(name, TemporalVersion, version, 1)
	}
	ext := filepath.Ext(name)
	return folder + strings.TrimSuffix(name, ext) + "-" + version + ext
}

// serverVersion finds the server's version in what the command says of itself:
// temporal version 1.5.1 (Server 1.29.1, UI 2.42.1).
var serverVersion = regexp.MustCompile(`Server ([0-9]+\.[0-9]+\.[0-9]+[^ ,)]*)`)

func (p program) version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, p.path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", p.path, err)
	}
	found := serverVersion.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("ask %s for its version: it names no server; it is not Temporal's command or too old", p.path)
	}
	return string(found[1]), nil
}

// poll calls try until it succeeds. It gives up when ctx or the child ends.
func (s *Server) poll(ctx context.Context, try func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for it: %w%s", err, s.log.quote())
		case <-s.done:
			return s.Err()
		case <-tick.C:
		}
	}
}

// get succeeds if a GET of url is answered with 200.
func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s", url, resp.Status)
	}
	return nil
}
