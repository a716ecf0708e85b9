package wiring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"sluice/internal/crm"
	"sluice/internal/dedupe"
	"sluice/internal/egress"
	"sluice/internal/limit"
	"sluice/internal/secret"
	"sluice/internal/source"
)

// sources gives the steps access to what sources hold: the connector of each,
// its settings with the sealed ones opened, and a way out that keeps within the
// bounds of where to and how often.
type sources struct {
	store  sourceStore
	keys   *secret.Keys // nil: nothing can be sealed or opened
	out    *egress.Client
	limits *limit.Limiter
	hosts  string // known_hosts of the installation
	own    bool   // buckets may be read with what authorizes this process
}

func newSources(c Config, s sourceStore, index *dedupe.Index) (*sources, error) {
	keys, err := Keys(c)
	if err != nil {
		return nil, err
	}
	policy, err := c.egress()
	if err != nil {
		return nil, err
	}
	hosts, err := c.knownHosts()
	return &sources{store: s, keys: keys, out: egress.New(policy), limits: limit.New(index.Client()), hosts: hosts, own: c.OwnCredentials}, err
}

// CheckSource makes one cheap request to a source and returns what it says of
// itself. It counts towards no limit that is shared.
func CheckSource(ctx context.Context, c Config, s sourceStore, slug string) (source.About, source.Account, error) {
	keys, err := Keys(c)
	if err != nil {
		return source.About{}, source.Account{}, err
	}
	policy, err := c.egress()
	if err != nil {
		return source.About{}, source.Account{}, err
	}
	con, access, err := (&sources{store: s, keys: keys, out: egress.New(policy)}).Access(ctx, slug)
	if err != nil {
		return source.About{}, source.Account{}, err
	}
	account, err := con.Check(ctx, access)
	return source.AboutFor(con, access.Settings), account, err
}

type sourceStore interface {
	Source(ctx context.Context, slug string) (crm.Source, error)
	Secrets(ctx context.Context, slug string) ([]byte, error)
}

// The bounds of one answer of an API.
var answers = egress.Limits{Bytes: 64 << 20, Idle: time.Minute, Total: 5 * time.Minute}

// Access returns the connector of a source and what it needs to read it. A
// source without a connector wraps [crm.ErrInvalid], and so do settings that
// lack something; secrets that do not open wrap [crm.ErrDenied].
func (s *sources) Access(ctx context.Context, slug string) (source.Connector, *source.Access, error) {
	src, err := s.store.Source(ctx, slug)
	if err != nil {
		return nil, nil, err
	}
	c, err := source.Of(src.Kind)
	if err != nil {
		return nil, nil, err
	}
	settings, err := s.settings(ctx, src, c)
	if err != nil {
		return nil, nil, err
	}
	return c, s.access(slug, source.AboutFor(c, settings), settings), nil
}

// The bounds of a file: how large it may be is the download's to say.
var files = egress.Limits{Idle: time.Minute}

// Way returns how files are reached that are imported into a source.
func (s *sources) Way(ctx context.Context, slug string) (source.Way, error) {
	src, err := s.store.Source(ctx, slug)
	if err != nil {
		return source.Way{}, err
	}
	settings, err := s.told(ctx, src)
	return source.Way{HTTP: func(r *http.Request) (*http.Response, error) { return s.out.Do(r, files) }, Dial: s.out.Dial,
		Settings: settings, KnownHosts: s.hosts, Environment: s.own}, err
}

func (s *sources) access(slug string, about source.About, settings map[string]string) *source.Access {
	if s.limits == nil {
		return &source.Access{Source: slug, Settings: settings, HTTP: unlimited{s.out}, Dial: s.out.Dial, Now: time.Now}
	}
	share, _ := strconv.ParseFloat(settings[source.ShareSetting], 64)
	polite := &source.Polite{Limits: limits{s.limits}, Account: accountOf(about, settings), About: about, Share: share / 100,
		Out: func(r *http.Request) (*http.Response, error) { return s.out.Do(r, answers) }}
	return &source.Access{Source: slug, Settings: settings, HTTP: polite, Dial: s.out.Dial, Now: time.Now}
}

// unlimited makes single requests.
type unlimited struct{ out *egress.Client }

func (u unlimited) Do(r *http.Request, _ string) (*http.Response, error) { return u.out.Do(r, answers) }

// settings puts the settings of a source together.
func (s *sources) settings(ctx context.Context, src crm.Source, c source.Connector) (map[string]string, error) {
	all := map[string]string{}
	for _, set := range source.Settings(c) {
		if set.Default != "" {
			all[set.Name] = set.Default
		}
	}
	told, err := s.told(ctx, src)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, told)
	for _, set := range c.About().Settings {
		if set.Required && all[set.Name] == "" {
			return nil, fmt.Errorf("source %s: %w: it lacks %s; give it with starter sources set", src.Slug, crm.ErrInvalid, set.Name)
		}
	}
	return all, nil
}

// told is what a source was told: its settings, with the secret ones opened.
func (s *sources) told(ctx context.Context, src crm.Source) (map[string]string, error) {
	all := maps.Clone(src.Settings)
	if all == nil {
		all = map[string]string{}
	}
	sealed, err := s.store.Secrets(ctx, src.Slug)
	if err != nil || len(sealed) == 0 {
		return all, err
	}
	opened, err := openSecrets(s.keys, src.Slug, sealed)
	maps.Copy(all, opened)
	return all, err
}

// purpose is what a source's secrets are sealed for: moved to another source
// they do not open.
func purpose(slug string) string { return "source " + slug }

func openSecrets(keys *secret.Keys, slug string, sealed []byte) (map[string]string, error) {
	if keys == nil {
		return nil, fmt.Errorf("source %s: %w: its credentials are sealed; set SLUICE_KEY", slug, crm.ErrDenied)
	}
	b, err := keys.Open(sealed, purpose(slug))
	if err != nil {
		return nil, err
	}
	var out map[string]string
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("source %s: %w: what is sealed cannot be read", slug, crm.ErrDenied)
	}
	return out, nil
}

// AddSecrets seals the secret settings of a source: what is sealed already, if
// anything is, and over it what is added. Nothing added leaves it as it is.
// Where there is no key it wraps [crm.ErrInvalid].
func AddSecrets(c Config, slug string, sealed []byte, added map[string]string) ([]byte, error) {
	if len(added) == 0 {
		return sealed, nil
	}
	keys, err := Keys(c)
	if err == nil && keys == nil {
		err = fmt.Errorf("%w: credentials are kept sealed, and there is no key: make one with starter keys new, and set SLUICE_KEY to it for starter and worker", crm.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	if len(sealed) > 0 {
		if all, err = openSecrets(keys, slug, sealed); err != nil {
			return nil, err
		}
	}
	maps.Copy(all, added)
	b, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return keys.Seal(b, purpose(slug))
}

// accountOf names the account whose limits a source shares with others: those
// that have the same credentials at the same address.
func accountOf(about source.About, settings map[string]string) string {
	h := sha256.New()
	for _, set := range about.Settings {
		if set.Secret || set.Name == "api" {
			fmt.Fprintf(h, "%q %q ", set.Name, settings[set.Name])
		}
	}
	return about.Kind + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// limits gives package source the limiter in its own terms.
type limits struct{ *limit.Limiter }

func (l limits) Take(ctx context.Context, account string, quotas map[string]source.Quota) (time.Duration, error) {
	rates := make(map[string]limit.Rate, len(quotas))
	for name, q := range quotas {
		rates[name] = limit.Rate{Requests: q.Requests, Per: q.Per}
	}
	return l.Limiter.Take(ctx, account, rates)
}
