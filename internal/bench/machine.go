package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
)

// A machine says where figures were seen.
type machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Postgres string `json:"postgres"`
	Redis    string `json:"redis"`
	Temporal string `json:"temporal"`
	Go       string `json:"go"`
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores, %s; PostgreSQL %s, Redis %s, Temporal %s, %s", m.Cores, m.CPU, m.Postgres, m.Redis, m.Temporal, m.Go)
}

// describe asks the servers for their versions.
func (s *stack) describe(ctx context.Context) (machine, error) {
	m := machine{CPU: cpuModel(), Cores: runtime.NumCPU(), Temporal: s.temporal.Version, Go: runtime.Version()}
	if err := s.admin.QueryRow(ctx, "SELECT split_part(current_setting('server_version'), ' ', 1)").Scan(&m.Postgres); err != nil {
		return m, err
	}
	info, err := s.claims.Info(ctx, "server").Result()
	m.Redis = infoField(info, "redis_version")
	return m, err
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// freeAddress returns an address of the loopback interface that was free a
// moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
