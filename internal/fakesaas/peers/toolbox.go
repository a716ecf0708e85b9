package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"sluice/internal/fakesaas"
)

// scripts are package.json, which pins what comes from npm, and a script for
// each library.
//
//go:embed js
var scripts embed.FS

// stripeMockModule is the server that Stripe builds from its own description.
const stripeMockModule, stripeMockVersion = "github.com/stripe/stripe-mock", "v0.203.0"

// A toolbox is a folder with others' software.
type toolbox struct {
	dir      string
	log      io.Writer
	versions map[string]string // by what npm calls it
}

// fetch fills the folder.
func (b *toolbox) fetch(ctx context.Context) error {
	js, err := fs.Sub(scripts, "js")
	if err != nil {
		return err
	}
	if err := b.copy(js); err != nil {
		return err
	}
	var pinned struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	text, err := fs.ReadFile(js, "package.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &pinned); err != nil {
		return err
	}
	b.versions = pinned.Dependencies
	fmt.Fprintln(b.log, "fetching the libraries and prism from npm")
	if err := b.tell(exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")); err != nil {
		return err
	}
	fmt.Fprintln(b.log, "building stripe-mock")
	install := exec.CommandContext(ctx, "go", "install", stripeMockModule+"@"+stripeMockVersion)
	install.Env = append(os.Environ(), "GOBIN="+b.dir, "GOFLAGS=")
	return b.tell(install)
}

// copy writes the scripts to the folder, over those that are there.
func (b *toolbox) copy(from fs.FS) error {
	files, err := fs.ReadDir(from, ".")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		text, err := fs.ReadFile(from, f.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(b.dir, f.Name()), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tell runs a command in the folder; what it says goes to the log.
func (b *toolbox) tell(c *exec.Cmd) error {
	c.Dir, c.Stdout, c.Stderr = b.dir, b.log, b.log
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.Path), err)
	}
	return nil
}

// A task is what a script is told.
type task struct {
	URL      string    `json:"url"`
	Key      string    `json:"key"`
	Merchant string    `json:"merchant"`
	Public   string    `json:"public"`
	Requests []request `json:"requests,omitempty"` // to make instead of reading everything
}

// node runs a vendor's script, to read everything that is served at an address
// or to make these requests there, and returns what it prints.
func (b *toolbox) node(ctx context.Context, v vendor, address string, requests []request) ([]byte, error) {
	told, err := json.Marshal(task{URL: address, Key: fakesaas.Key, Merchant: fakesaas.BraintreeMerchant, Public: fakesaas.BraintreePublic, Requests: requests})
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, "node", v.script+".mjs")
	c.Dir, c.Stderr, c.Stdin = b.dir, b.log, bytes.NewReader(told)
	said, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("node %s.mjs: %w", v.script, err)
	}
	return said, nil
}

// A server is one that others have built, or one of ours.
type server struct {
	url  string
	stop func()
}

// serve answers at an address of the loopback interface until it is stopped.
func serve(h http.Handler) (server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return server{}, err
	}
	web := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = web.Serve(l) }()
	return server{"http://" + l.Addr().String(), func() { _ = web.Close() }}, nil
}

// start starts a program that serves at the address that the arguments are made
// for, and waits until it answers.
func (b *toolbox) start(name string, args func(host, port string) []string) (server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return server{}, err
	}
	address := l.Addr().String()
	host, port, _ := net.SplitHostPort(address)
	if err := l.Close(); err != nil {
		return server{}, err
	}
	c := exec.Command(name, args(host, port)...)
	c.Dir = b.dir
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		return server{}, err
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(ended)
	}()
	stop := func() {
		_ = c.Process.Kill()
		<-ended
	}
	for begun := time.Now(); time.Since(begun) < 2*time.Minute; {
		if conn, err := net.Dial("tcp", address); err == nil {
			return server{"http://" + address, stop}, conn.Close()
		}
		select {
		case <-ended:
			return server{}, errors.New(filepath.Base(name) + " ended: " + said.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	stop()
	return server{}, errors.New(filepath.Base(name) + " does not answer")
}
