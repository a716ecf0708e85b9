package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	moduleLine    = "module sluice/internal/embedded/temporal"
	progressEvery = 15 * time.Second
	unusedFor     = 30 * 24 * time.Hour // after which a cached build is removed
)

// errNotBuilt says that the source is here and only wants building.
var errNotBuilt = errors.New("not built yet; run: go run ./internal/embedded/prebuild")

// errNoSource says that there is nothing to build from.
var errNoSource = errors.New("none here; put sluice-temporal beside this program, install Temporal's own command (temporal), " +
	"or name a server in TEMPORAL_ADDRESS")

// BuildTemporal builds the Temporal server from the checkout that this program
// was built from, or that it is run in, and returns the path of the binary in
// the user's cache. What has been built is not built again until its source
// changes. Notify, which may be nil, is told beforehand what it costs and then
// every 15 seconds how far it is.
//
// Several processes may call it at once: one builds, the others wait. Cut short
// by ctx it leaves nothing but the compiler's own cache, which makes the next
// attempt shorter.
func BuildTemporal(ctx context.Context, notify func(line string)) (string, error) {
	if notify == nil {
		notify = func(string) {}
	}
	if path, err := cached(); !errors.Is(err, errNotBuilt) {
		return path, err
	}
	src, err := findSource()
	if err != nil {
		return "", err
	}
	target, err := cachePath(src)
	if err != nil {
		return "", err
	}
	folder := filepath.Dir(target)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("build temporal server: %w", err)
	}
	lock, err := awaitLock(ctx, filepath.Join(folder, "build.lock"), notify)
	if err != nil {
		return "", fmt.Errorf("build temporal server: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if _, err := os.Stat(target); err == nil {
		return target, nil
	}
	sweep(folder)
	if err := build(ctx, src, target, notify); err != nil {
		return "", fmt.Errorf("build temporal server: %w", err)
	}
	return target, nil
}

// cached returns the binary built from the source around us: errNotBuilt if
// there is none yet, errNoSource if there never can be.
func cached() (string, error) {
	src, err := findSource()
	if err != nil {
		return "", err
	}
	target, err := cachePath(src)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(target); err != nil {
		return "", errNotBuilt
	}
	now := time.Now()
	_ = os.Chtimes(target, now, now) // In use: sweep is to leave it alone.
	return target, nil
}

// findSource returns the folder of the nested module. It looks in the folders
// above this source file, above the running program, and above the working
// directory, in this order.
func findSource() (string, error) {
	var starts []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		starts = append(starts, filepath.Dir(file))
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, at := range starts {
		for {
			src := filepath.Join(at, "internal", "embedded", "temporal")
			mod, err := os.ReadFile(filepath.Join(src, "go.mod"))
			if err == nil && bytes.HasPrefix(mod, []byte(moduleLine)) {
				return src, nil
			}
			up := filepath.Dir(at)
			if up == at {
				break
			}
			at = up
		}
	}
	return "", errNoSource
}

// cachePath returns where the binary built from src belongs. The name changes
// with the source and with the machine's kind.
func cachePath(src string) (string, error) {
	root, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache directory: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(src, "*.go"))
	if err != nil {
		return "", err
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
	files = append(files, filepath.Join(src, "go.mod"), filepath.Join(src, "go.sum"))
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n", runtime.GOOS, runtime.GOARCH)
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read source of temporal server: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n", filepath.Base(name), len(body))
		sum.Write(body)
	}
	name := "temporal-" + TemporalVersion + "-" + hex.EncodeToString(sum.Sum(nil)[:8])
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(root, "sluice", name), nil
}

// awaitLock takes the lock at path, waiting for whoever holds it.
func awaitLock(ctx context.Context, path string, notify func(string)) (*os.File, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for told := false; ; told = true {
		f, err := lockFile(path)
		if !errors.Is(err, errHeld) {
			return f, err
		}
		if !told {
			notify("waiting for another process that is building the Temporal server")
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// sweep removes what killed builds left and binaries long out of use. It is
// called by the holder of the lock.
func sweep(folder string) {
	left, _ := filepath.Glob(filepath.Join(folder, "building-*"))
	for _, path := range left {
		_ = os.RemoveAll(path)
	}
	built, _ := filepath.Glob(filepath.Join(folder, "temporal-*"))
	for _, path := range built {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > unusedFor {
			_ = os.Remove(path)
		}
	}
}

// build compiles src and puts the binary at target, whole or not at all.
func build(ctx context.Context, src, target string, notify func(string)) error {
	compiler, err := exec.LookPath("go")
	if err != nil {
		return errors.New("go is not on the PATH; install Go, or Temporal's own command (temporal), or name a server in TEMPORAL_ADDRESS")
	}
	tmp, err := os.MkdirTemp(filepath.Dir(target), "building-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	notify("building the Temporal server from source, once: about 400 CPU-seconds, 4-7 minutes on 2 cores; " +
		"needs 3 GB of memory and 2.5 GB of disk")

	binary := filepath.Join(tmp, filepath.Base(target))
	cmd := exec.CommandContext(ctx, compiler, "build", "-C", src,
		"-v", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary, ".")
	// Not the root's workspace, no C compiler, and temporary files where they
	// go when the build is killed.
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOTMPDIR="+tmp)
	setApart(cmd)
	cmd.Cancel = func() error { return kill(cmd.Process) }
	cmd.WaitDelay = termGrace
	out := &buildOutput{}
	cmd.Stdout, cmd.Stderr = out, out

	stop := out.report(notify)
	err = cmd.Run()
	stop()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("go build -C %s: %w\n%s", src, err, out.complaints())
	}
	return os.Rename(binary, target)
}

// buildOutput reads what go build -v prints: a line for each package compiled,
// for each module downloaded, and for each thing wrong.
type buildOutput struct {
	mu       sync.Mutex
	partial  []byte
	packages int
	said     []string // whatever is neither package nor download, the last lines
}

// Write counts and keeps lines.
func (b *buildOutput) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.partial = append(b.partial, p...)
	for {
		line, rest, ok := bytes.Cut(b.partial, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		b.partial = rest
		switch text := string(line); {
		case strings.HasPrefix(text, "go: downloading "):
		case strings.ContainsAny(text, " :"):
			b.said = append(b.said, text)
			b.said = b.said[max(0, len(b.said)-10):]
		default:
			b.packages++
		}
	}
}

func (b *buildOutput) complaints() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.said, "\n")
}

// report tells notify how far the build is until the function it returns is
// called.
func (b *buildOutput) report(notify func(string)) (stop func()) {
	began := time.Now()
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				b.mu.Lock()
				n := b.packages
				b.mu.Unlock()
				notify(fmt.Sprintf("building the Temporal server: %s, %d of about 1780 packages",
					time.Since(began).Round(time.Second), n))
			}
		}
	}()
	return func() { close(quit); <-done }
}
