package notify

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"sluice/internal/crm"
)

// A Mailer sends e-mail through one server. It keeps no connection between
// messages and is safe for concurrent use.
type Mailer struct {
	host    string
	options []mail.Option
	direct  bool // TLS from the first byte
	tls     *tls.Config
	from    *netmail.Address
	hide    *strings.Replacer // what no error may say
}

// Open prepares a mailer; it does not connect. There is nothing to close.
//
//	smtp://user:password@host:587?from=sluice@example.com&tls=starttls
//	smtps://user:password@host:465?from=…
//
// From may be left out if the user is an address. The parameter tls is of
// smtp:// alone: starttls refuses a server without it, opportunistic uses it
// where offered, none does without. A server on the loopback interface gets
// none unless told otherwise, every other starttls; a password goes to no
// other machine in the clear. Without a port, it is 587, 465 for smtps, and 25
// with tls=none.
//
// A URL that can never work wraps [crm.ErrInvalid].
func Open(rawURL string) (*Mailer, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The cause would repeat the URL.
		return nil, fmt.Errorf("open mailer: %w: not a URL", crm.ErrInvalid)
	}
	m, err := open(u)
	if err != nil {
		return nil, fmt.Errorf("open mailer: %w: %w", crm.ErrInvalid, err)
	}
	return m, nil
}

func open(u *url.URL) (*Mailer, error) {
	password, _ := u.User.Password()
	from, err := sender(u)
	if err != nil {
		return nil, err
	}
	m := &Mailer{host: u.Hostname(), from: from, direct: u.Scheme == "smtps",
		tls:  &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12},
		hide: replacer(password, u.User.Username(), from.Address)}
	if m.options, err = transport(u); err != nil {
		return nil, err
	}
	// A check before each message would hide why a connection is gone.
	m.options = append(m.options, mail.WithTimeout(timeout), mail.WithoutNoop(), mail.WithTLSConfig(m.tls))
	if u.User != nil {
		m.options = append(m.options, mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	if _, err := mail.NewClient(m.host, m.options...); err != nil {
		return nil, errors.New("host or port")
	}
	return m, nil
}

// timeout bounds connecting, and then the conversation.
const timeout = 30 * time.Second

func sender(u *url.URL) (*netmail.Address, error) {
	from := u.Query().Get("from")
	if from == "" {
		from = u.User.Username()
	}
	a, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, errors.New("add from=ADDRESS, the sender, to the URL")
	}
	return a, nil
}

// transport says how to reach the server and how to prove who we are.
func transport(u *url.URL) ([]mail.Option, error) {
	mode := u.Query().Get("tls")
	local := loopback(u.Hostname())
	switch {
	case u.Scheme == "smtps" && mode == "":
		mode = "smtps"
	case u.Scheme != "smtp" || u.Hostname() == "":
		return nil, errors.New("use smtp://host or smtps://host")
	case mode == "" && local:
		mode = "none"
	case mode == "":
		mode = "starttls"
	}
	port := map[string]int{"smtps": 465, "starttls": 587, "opportunistic": 587, "none": 25}[mode]
	if port == 0 {
		return nil, errors.New("tls is starttls, opportunistic or none")
	}
	if mode == "none" && u.User != nil && !local {
		return nil, errors.New("a password needs tls=starttls or smtps://")
	}
	if p := u.Port(); p != "" {
		port, _ = strconv.Atoi(p) // Of digits; the library bounds it.
	}
	options := []mail.Option{mail.WithPort(port), mail.WithTLSPolicy(map[string]mail.TLSPolicy{
		"starttls": mail.TLSMandatory, "opportunistic": mail.TLSOpportunistic, "none": mail.NoTLS, "smtps": mail.NoTLS}[mode])}
	if u.User != nil {
		options = append(options, proof(mode))
	}
	return options, nil
}

// proof says how to give the password.
func proof(mode string) mail.Option {
	switch mode {
	case "none":
		return mail.WithSMTPAuth(mail.SMTPAuthPlainNoEnc)
	case "smtps":
		// The library does not see that our connection is encrypted, and left
		// to itself would pass over the usual ways.
		return mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1,
			mail.SMTPAuthPlain, mail.SMTPAuthLogin)
	}
	return mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send sends one message, as plain text, to one receiver. Its Message-ID comes
// from [crm.Message.Stable] and is the same for every attempt.
//
// A server that refuses the message for good wraps [crm.ErrInvalid], one that
// refuses our credentials [crm.ErrDenied]; any other error is passing. After
// an error the message may have been sent. No error says an address or a
// password.
func (m *Mailer) Send(ctx context.Context, msg crm.Message) error {
	out, err := m.compose(msg)
	if err != nil {
		return fmt.Errorf("send message %d: %w", msg.ID, err)
	}
	// What fails after the server took the message, such as a polite end,
	// must not send it again.
	if err := m.deliver(ctx, out); err != nil && !out.IsDelivered() {
		return fmt.Errorf("send message %d: %w", msg.ID, m.cause(err, msg.To))
	}
	return nil
}

// deliver sends over a connection of its own and closes it: the library leaves
// one open when a server turns us away before the message, and heeds the
// context no longer than it dials.
func (m *Mailer) deliver(ctx context.Context, out *mail.Msg) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dial := func(dialing context.Context, network, address string) (c net.Conn, err error) {
		if m.direct {
			c, err = (&tls.Dialer{Config: m.tls}).DialContext(dialing, network, address)
		} else {
			c, err = (&net.Dialer{}).DialContext(dialing, network, address)
		}
		if err == nil {
			context.AfterFunc(ctx, func() { c.Close() })
		}
		return c, err
	}
	client, err := mail.NewClient(m.host, append(m.options[:len(m.options):len(m.options)], mail.WithDialContextFunc(dial))...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, out)
}

func (m *Mailer) compose(msg crm.Message) (*mail.Msg, error) {
	if msg.Stable == "" {
		return nil, fmt.Errorf("%w: it has no stable id", crm.ErrInvalid)
	}
	to, err := netmail.ParseAddress(msg.To)
	if err != nil {
		return nil, fmt.Errorf("%w: its receiver is not an e-mail address", crm.ErrInvalid)
	}
	out := mail.NewMsg(mail.WithNoDefaultUserAgent())
	out.FromMailAddress(m.from)
	out.ToMailAddress(to)
	out.Subject(oneLine(msg.Subject))
	out.SetMessageIDWithValue(m.messageID(msg.Stable))
	out.SetDate()
	// RFC 3834: no holiday notice answers this.
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.SetBodyString(mail.TypeTextPlain, msg.Body)
	return out, nil
}

// messageID makes an id of a stable name. A name that an id cannot hold is
// replaced by its hash.
func (m *Mailer) messageID(stable string) string {
	if strings.Trim(stable, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" ||
		strings.Contains("."+stable+".", "..") {
		sum := sha256.Sum256([]byte(stable))
		stable = hex.EncodeToString(sum[:16])
	}
	return stable + m.from.Address[strings.LastIndexByte(m.from.Address, '@'):]
}

// oneLine keeps a header a header, whatever is in a source's name.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// cause says what went wrong in words of our own where a server was asked:
// its answers repeat addresses.
func (m *Mailer) cause(err error, to string) error {
	code, doing := 0, "connecting"
	var refused *mail.SendError
	var answer *textproto.Error
	switch {
	case errors.As(err, &refused):
		code, doing = refused.ErrorCode(), refused.Reason.String()
	case errors.As(err, &answer):
		code = answer.Code
	}
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538: // RFC 4954, section 6
		return fmt.Errorf("%w: the mail server refuses the user or the password (%d)", crm.ErrDenied, code)
	case code >= 500:
		return fmt.Errorf("%w: the mail server answers %d on %s", crm.ErrInvalid, code, doing)
	case code > 0:
		return fmt.Errorf("the mail server answers %d on %s", code, doing)
	case refused != nil:
		return fmt.Errorf("the connection to the mail server ended on %s", doing)
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return fmt.Errorf("the mail server's certificate is not trusted: %w", certificate)
	}
	return errors.New(m.hide.Replace(replacer(to).Replace(err.Error())))
}

func replacer(secrets ...string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, "…")
		}
	}
	return strings.NewReplacer(pairs...)
}
