//go:build linux

package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// A post is an SMTP server that takes every mail, unless it is told to refuse.
type post struct {
	Address  string
	listener net.Listener

	mu     sync.Mutex
	refuse string // the answer to every sender, such as "451 later"; "": welcome
	asked  int    // senders refused
	mails  []mail
}

// A mail is one that was taken.
type mail struct {
	at   time.Time
	text string // header and body
}

// header returns a header field's value; "" if there is none.
func (m mail) header(name string) string {
	for line := range strings.Lines(m.text) {
		if line == "\n" {
			return ""
		}
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func newPost() (*post, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &post{Address: listener.Addr().String(), listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p, nil
}

func (p *post) close() { _ = p.listener.Close() }

// answers has the server refuse every sender so; "": it takes all.
func (p *post) answers(refusal string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refusal
}

// refused says how many senders were refused.
func (p *post) refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// taken returns the mails so far.
func (p *post) taken() []mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]mail(nil), p.mails...)
}

func (p *post) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 post")
	for in.Scan() {
		switch verb, _, _ := strings.Cut(strings.ToUpper(in.Text()), " "); verb {
		case "MAIL":
			say(p.welcome())
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for in.Scan() && in.Text() != "." {
				text.WriteString(in.Text() + "\n")
			}
			p.mu.Lock()
			p.mails = append(p.mails, mail{time.Now(), text.String()})
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (p *post) welcome() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse == "" {
		return "250 fine"
	}
	p.asked++
	return p.refuse
}
