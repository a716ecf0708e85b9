package notify

import (
	"context"
	"errors"
	"io"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

const (
	receiver = "who@receiver.example"
	password = "hunter2-and-more"
)

var message = crm.Message{ID: 7, Channel: "email", To: receiver, Event: "done", Stable: "0197a-b.done.0",
	Subject: "newsletter: import done", Body: "rows read  10\n.\nBürger = 2\n"}

func mailer(t *testing.T, s *sink, parameters string) *Mailer {
	t.Helper()
	m, err := Open("smtp://" + s.Addr().String() + "?from=Sluice%20%3Csluice@sender.example%3E" + parameters)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// only returns the one message that the sink was sent.
func (s *sink) only(t *testing.T) *netmail.Message {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.messages) != 1 {
		t.Fatalf("%d messages, want 1", len(s.messages))
	}
	m, err := netmail.ReadMessage(strings.NewReader(s.messages[0]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMessageArrivesAsWritten(t *testing.T) {
	t.Parallel()
	s := (&sink{}).start(t)
	before := time.Now().Add(-2 * time.Second)
	if err := mailer(t, s, "").Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	got := s.only(t)
	for header, want := range map[string]string{
		"From": `"Sluice" <sluice@sender.example>`, "To": "<" + receiver + ">", "Subject": message.Subject,
		"Message-ID": "<0197a-b.done.0@sender.example>", "Auto-Submitted": "auto-generated",
		"Content-Type": "text/plain; charset=UTF-8", "User-Agent": "", "X-Mailer": "",
	} {
		if v := got.Header.Get(header); v != want {
			t.Errorf("%s: %q, want %q", header, v, want)
		}
	}
	if at, err := got.Header.Date(); err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("Date: %v, %v", at, err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != message.Body {
		t.Errorf("body %q, %v", body, err)
	}
	if !s.heard("MAIL FROM:<sluice@sender.example>") || !s.heard("RCPT TO:<"+receiver+">") {
		t.Errorf("envelope: %q", s.commands)
	}
}

func TestFailuresAreOfTheRightKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers map[string][]string
		kind    error // nil: passing
		text    string
	}{
		"greylisted":                 {map[string][]string{"RCPT": {"450 4.2.0 " + receiver + " come back"}}, nil, "450"},
		"no such receiver":           {map[string][]string{"RCPT": {"550 5.1.1 <" + receiver + "> unknown"}}, crm.ErrInvalid, "550"},
		"sender refused":             {map[string][]string{"MAIL": {"553 5.7.1 sluice@sender.example is not ours"}}, crm.ErrInvalid, "553"},
		"content refused":            {map[string][]string{"end": {"554 5.6.0 we know " + receiver}}, crm.ErrInvalid, "554"},
		"content refused for now":    {map[string][]string{"end": {"451 4.3.0 disk full"}}, nil, "451"},
		"credentials wanted":         {map[string][]string{"MAIL": {"530 5.7.0 who are you"}}, crm.ErrDenied, "530"},
		"server closing":             {map[string][]string{"greeting": {"421 4.3.2 later"}}, nil, "421"},
		"no service":                 {map[string][]string{"greeting": {"554 not for you"}}, crm.ErrInvalid, "554"},
		"hung up at once":            {map[string][]string{"greeting": {""}}, nil, ""},
		"hung up before the message": {map[string][]string{"DATA": {""}}, nil, ""},
		"hung up after the message":  {map[string][]string{"end": {""}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := (&sink{answers: c.answers}).start(t)
			m := mailer(t, s, "")
			err := m.Send(t.Context(), message)
			checkError(t, err, c.kind, c.text)
			if err := m.Send(t.Context(), message); err != nil {
				t.Errorf("tried again: %v", err)
			}
			if id := s.only(t).Header.Get("Message-ID"); id != "<0197a-b.done.0@sender.example>" {
				t.Errorf("tried again as %s", id)
			}
		})
	}
}

func checkError(t *testing.T, err, kind error, text string) {
	t.Helper()
	switch {
	case err == nil:
		t.Fatal("no error")
	case kind == nil && crm.TypeOf(err) != "" || kind != nil && !errors.Is(err, kind):
		t.Errorf("%v, of the wrong kind; want %v", err, kind)
	case !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "message 7"):
		t.Errorf("%v, want %q and the message's number", err, text)
	}
	for _, secret := range []string{receiver, "sluice@sender.example", password} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error says %q: %v", secret, err)
		}
	}
}

// TestTakenIsSent shows that a server that is rude at the end does not get the
// message twice.
func TestTakenIsSent(t *testing.T) {
	t.Parallel()
	for _, answers := range []map[string][]string{{"RSET": {""}}, {"RSET": {"500 what"}}, {"QUIT": {""}}} {
		s := (&sink{answers: answers}).start(t)
		if err := mailer(t, s, "").Send(t.Context(), message); err != nil {
			t.Errorf("%v: %v", answers, err)
		}
		s.only(t)
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	t.Parallel()
	s := (&sink{}).start(t)
	m := mailer(t, s, "")
	bad := message
	bad.Subject = "done\r\nBcc: all@receiver.example\r\n\r\nbody\u2028x"
	bad.Stable = "id>\r\nX-Injected: 1"
	if err := m.Send(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	got := s.only(t)
	if got.Header.Get("Bcc")+got.Header.Get("X-Injected") != "" {
		t.Errorf("injected: %v", got.Header)
	}
	if id := got.Header.Get("Message-ID"); strings.ContainsAny(id, " \r\n") || !strings.HasSuffix(id, "@sender.example>") {
		t.Errorf("Message-ID %q", id)
	}
	for _, to := range []string{"", "nobody", "a@b.example, c@d.example", "a@b.example\r\nRCPT TO:<c@d.example>"} {
		bad.To = to
		if err := m.Send(t.Context(), bad); !errors.Is(err, crm.ErrInvalid) || to != "" && strings.Contains(err.Error(), to) {
			t.Errorf("to %q: %v", to, err)
		}
	}
	if len(s.messages) != 1 {
		t.Errorf("%d messages", len(s.messages))
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	open := func(s *sink, parameters string) *Mailer {
		m, err := Open("smtp://sluice%40sender.example:" + password + "@" + s.Addr().String() + parameters)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	good := (&sink{offers: []string{"AUTH PLAIN LOGIN"}}).start(t)
	if err := open(good, "").Send(t.Context(), message); err != nil || !good.heard("AUTH PLAIN ") {
		t.Errorf("accepted: %v", err)
	}
	bad := (&sink{offers: []string{"AUTH PLAIN"}, answers: map[string][]string{
		"AUTH": {"535 5.7.8 sluice@sender.example is not " + password}}}).start(t)
	checkError(t, open(bad, "").Send(t.Context(), message), crm.ErrDenied, "535")
	busy := (&sink{offers: []string{"AUTH PLAIN"}, answers: map[string][]string{"AUTH": {"454 4.7.0 later"}}}).start(t)
	checkError(t, open(busy, "").Send(t.Context(), message), nil, "454")
	// Whoever offers no encryption gets no password, unless told.
	plain := (&sink{offers: []string{"AUTH PLAIN"}}).start(t)
	for _, parameters := range []string{"?tls=starttls", "?tls=opportunistic"} {
		checkError(t, open(plain, parameters).Send(t.Context(), message), nil, "")
	}
	if plain.heard("AUTH") || plain.heard("MAIL") {
		t.Errorf("said in the clear: %q", plain.commands)
	}
}

func TestCertificateIsChecked(t *testing.T) {
	t.Parallel()
	s := &sink{offers: []string{"AUTH PLAIN"}}
	trust := s.startTLS(t)
	m, err := Open("smtps://sluice%40sender.example:" + password + "@" + s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, m.Send(t.Context(), message), nil, "not trusted")
	m.tls.RootCAs = trust.RootCAs
	if err := m.Send(t.Context(), message); err != nil {
		t.Error(err)
	}
	s.only(t)
}

func TestCancelEndsAConversation(t *testing.T) {
	t.Parallel()
	reached, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	s := (&sink{stall: func(verb string) {
		if verb == "DATA" {
			close(reached)
			<-release
		}
	}}).start(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	checkError(t, mailer(t, s, "").Send(ctx, message), nil, "")
}

func TestUnreachableServerIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := (&sink{}).start(t)
	m := mailer(t, s, "")
	s.Close()
	checkError(t, m.Send(t.Context(), message), nil, "refused")
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for url, fine := range map[string]bool{
		"smtp://mail.example?from=a@b.example":                        true,
		"smtp://a%40b.example:hunter2@mail.example":                   true,
		"smtps://a%40b.example:hunter2@mail.example":                  true,
		"smtp://mail.example:1025?from=a@b.example&tls=none":          true,
		"smtp://mail.example:1025?from=a@b.example&tls=opportunistic": true,
		"smtp://[::1]?from=a@b.example":                               true,
		"":                                                            false,
		"mail.example":                                                false,
		"http://mail.example?from=a@b.example":                        false,
		"smtp://?from=a@b.example":                                    false,
		"smtp://mail.example":                                         false,
		"smtp://user:hunter2@mail.example":                            false,
		"smtp://mail.example?from=hunter2":                            false,
		"smtp://mail.example?from=a@b.example&tls=hunter2":            false,
		"smtps://mail.example?from=a@b.example&tls=none":              false,
		"smtp://mail.example:99999?from=a@b.example":                  false,
		"smtp://a%40b.example:hunter2@mail.example?tls=none":          false,
		"smtp://a:hunter2@mail.example:port":                          false,
	} {
		_, err := Open(url)
		if (err == nil) != fine || err != nil && !errors.Is(err, crm.ErrInvalid) {
			t.Errorf("Open(%q): %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) repeats a secret: %v", url, err)
		}
	}
}
