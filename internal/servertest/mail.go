package servertest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// A MailServer takes every mail that SMTP brings it, unless it is told to
// refuse, and sends none. It is safe for concurrent use.
type MailServer struct {
	Address string // host:port on the loopback interface

	listener net.Listener

	mu     sync.Mutex
	refuse string // the answer to every sender, such as "451 later"; "": welcome
	asked  int    // senders refused
	mails  []Mail
}

// A Mail is one that was taken.
type Mail struct {
	At   time.Time
	Text string // header and body, with \n at the ends of lines
}

// Header returns a header field's value; "" if there is none.
func (m Mail) Header(name string) string {
	for line := range strings.Lines(m.Text) {
		if line == "\n" {
			return ""
		}
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// StartMail starts a mail server. The caller stops it.
func StartMail() (*MailServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &MailServer{Address: listener.Addr().String(), listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go m.serve(conn)
		}
	}()
	return m, nil
}

// Stop ends the server.
func (m *MailServer) Stop() { _ = m.listener.Close() }

// Answer has the server refuse every sender with a line such as "451 later"; ""
// has it take all.
func (m *MailServer) Answer(refusal string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = refusal
}

// Refused says how many senders were refused.
func (m *MailServer) Refused() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

// Taken returns the mails so far, as they came.
func (m *MailServer) Taken() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail(nil), m.mails...)
}

func (m *MailServer) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 servertest")
	for in.Scan() {
		switch verb, _, _ := strings.Cut(strings.ToUpper(in.Text()), " "); verb {
		case "MAIL":
			say(m.welcome())
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for in.Scan() && in.Text() != "." {
				text.WriteString(in.Text() + "\n")
			}
			m.mu.Lock()
			m.mails = append(m.mails, Mail{time.Now(), text.String()})
			m.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (m *MailServer) welcome() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse == "" {
		return "250 fine"
	}
	m.asked++
	return m.refuse
}
