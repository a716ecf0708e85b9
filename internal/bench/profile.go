package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A profile says which packages a worker's processor time went to, during one
// import.
type profile struct {
	Seconds map[string]float64 `json:"seconds"` // by package, or what else it was
}

const (
	temporalShare = "Temporal's client"
	stageShare    = "sluice/internal/stage"
	runtimeShare  = "Go's garbage collection and scheduler"
)

// share returns the part of the time that a package took, from 0 to 1.
func (p profile) share(name string) float64 {
	sum := 0.0
	for _, s := range p.Seconds {
		sum += s
	}
	if sum == 0 {
		return 0
	}
	return p.Seconds[name] / sum
}

// profiled takes a measure; of the first import of the last round with a
// profile, if one is wanted.
func (c *cluster) profiled(ctx context.Context, o order, last bool) (figure, error) {
	if !c.profile || !last || o.measure != first {
		return c.take(ctx, o)
	}
	path := cmp.Or(c.keep, filepath.Join(c.stack.dir, "worker.pprof"))
	// Some more than it took before, so that the end is in it.
	limit := time.Duration(math.Ceil(1.3*c.firstSeconds)+2) * time.Second
	fetched := make(chan error, 1)
	go func() { fetched <- fetch(ctx, c.pprof, limit, path) }()
	f, err := c.take(ctx, o)
	if err := errors.Join(err, <-fetched); err != nil {
		return f, err
	}
	c.out.Profile, err = readProfile(ctx, c.stack.program("worker"), path)
	return f, err
}

// fetch has the worker at address profile itself, and writes the profile to
// path.
func fetch(ctx context.Context, address string, during time.Duration, path string) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, int(during.Seconds()))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile the worker: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("profile the worker: %s", answer.Status)
	}
	return writeFile(path, func(w io.Writer) error { _, err := io.Copy(w, answer.Body); return err })
}

// readProfile sums up a profile by package.
func readProfile(ctx context.Context, program, path string) (*profile, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "pprof", "-traces", program, path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	return sumTraces(out)
}

// sumTraces sums up what `go tool pprof -traces` prints: stacks, divided by
// lines of dashes, each with the innermost function first and the time before
// it.
func sumTraces(text []byte) (*profile, error) {
	p := &profile{Seconds: map[string]float64{}}
	var took time.Duration
	var stack []string
	end := func() {
		if len(stack) > 0 {
			p.Seconds[whose(stack)] += took.Seconds()
		}
		took, stack = 0, nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case strings.HasPrefix(lines.Text(), "-----------+"):
			end()
		case len(f) == 0:
		case len(stack) == 0 && len(f) > 1:
			d, err := time.ParseDuration(f[0])
			if err != nil {
				continue // the head, or a label
			}
			took, stack = d, append(stack, f[1])
		case len(stack) > 0:
			stack = append(stack, f[0])
		}
	}
	end()
	return p, lines.Err()
}

// whose says what a stack's time counts for: the innermost function that is
// ours or of Temporal's client has called all that is below.
func whose(stack []string) string {
	for _, f := range stack {
		switch {
		case strings.HasPrefix(f, "sluice/"):
			return packageOf(f)
		case strings.HasPrefix(f, "go.temporal.io/"), strings.HasPrefix(f, "google.golang.org/grpc"):
			return temporalShare
		}
	}
	if strings.HasPrefix(stack[len(stack)-1], "runtime.") {
		return runtimeShare
	}
	return "other"
}

// packageOf returns the package of a function, such as a/b of
// a/b.(*T[a/c.U]).F.
func packageOf(function string) string {
	plain, _, _ := strings.Cut(function, "[")
	plain, _, _ = strings.Cut(plain, "(")
	slash := strings.LastIndexByte(plain, '/') + 1
	name, _, _ := strings.Cut(plain[slash:], ".")
	return plain[:slash] + name
}
