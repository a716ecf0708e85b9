package notify

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A sink is a mail server that keeps what it is sent. Answers replaces its
// answer to a command, such as "RCPT" or "end" for the end of the data: the
// first time by the first, and so on; an answer of "" hangs up.
type sink struct {
	answers map[string][]string
	offers  []string          // extensions
	stall   func(verb string) // called before an answer; may be nil

	net.Listener
	mu       sync.Mutex
	commands []string
	messages []string
}

func (s *sink) start(t *testing.T) *sink {
	t.Helper()
	var err error
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.serve(t)
	return s
}

// startTLS speaks TLS from the first byte, to whoever trusts as returned.
func (s *sink) startTLS(t *testing.T) *tls.Config {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	var err error
	if s.Listener, err = tls.Listen("tcp", "127.0.0.1:0", web.TLS); err != nil {
		t.Fatal(err)
	}
	s.serve(t)
	return web.Client().Transport.(*http.Transport).TLSClientConfig
}

func (s *sink) serve(t *testing.T) {
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				s.talk(bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c)))
			})
		}
	})
	t.Cleanup(func() {
		s.Close()
		all.Wait()
	})
}

// talk holds one conversation, until QUIT or an answer that hangs up.
func (s *sink) talk(c *bufio.ReadWriter) {
	if !s.answer(c, "greeting", "220 sink") {
		return
	}
	for {
		line, err := c.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb := strings.ToUpper(strings.Fields(line + " ?")[0])
		s.mu.Lock()
		s.commands = append(s.commands, line)
		s.mu.Unlock()
		usual := "250 ok"
		switch verb {
		case "EHLO":
			usual = "250-sink\r\n"
			for _, o := range s.offers {
				usual += "250-" + o + "\r\n"
			}
			usual += "250 8BITMIME"
		case "AUTH":
			usual = "235 welcome"
		case "DATA":
			usual = "354 go on"
		case "QUIT":
			usual = "221 bye"
		}
		if !s.answer(c, verb, usual) || verb == "QUIT" || verb == "DATA" && !s.data(c) {
			return
		}
	}
}

// data takes a message, up to the line that is a single dot. One that is
// refused is not kept.
func (s *sink) data(c *bufio.ReadWriter) bool {
	var message strings.Builder
	for {
		line, err := c.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		message.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	if next := s.answers["end"]; len(next) == 0 || strings.HasPrefix(next[0], "2") {
		s.messages = append(s.messages, message.String())
	}
	s.mu.Unlock()
	return s.answer(c, "end", "250 taken")
}

func (s *sink) answer(c *bufio.ReadWriter, verb, usual string) bool {
	if s.stall != nil {
		s.stall(verb)
	}
	s.mu.Lock()
	if next := s.answers[verb]; len(next) > 0 {
		usual, s.answers[verb] = next[0], next[1:]
	}
	s.mu.Unlock()
	if usual == "" {
		return false
	}
	fmt.Fprintf(c, "%s\r\n", usual)
	return c.Flush() == nil
}

func (s *sink) heard(prefix string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.commands {
		if strings.HasPrefix(c, prefix) {
			return true
		}
	}
	return false
}
