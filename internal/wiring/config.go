package wiring

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"sluice/internal/crm"
	"sluice/internal/embedded"
	"sluice/workflows"
)

// Config holds the settings of both mains, with kong's struct tags. Temporal's
// own settings (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TLS and
// profiles) are read by its own library and are not in it.
type Config struct {
	DatabaseURL string   `name:"database-url" env:"DATABASE_URL" placeholder:"URL" help:"Your database, as postgres://… . Also DATABASE_URL_FILE. Default: SQLite in the data directory."`
	RedisURL    string   `name:"redis-url" env:"REDIS_URL" placeholder:"URL" help:"Redis, as redis://… . Also REDIS_URL_FILE. Default: one in this process."`
	StageURL    string   `name:"stage-url" env:"STAGE_URL" placeholder:"URL" help:"Where files wait, as file:///… or s3://… . Default: the data directory."`
	DataDir     string   `name:"data-dir" env:"SLUICE_DATA_DIR" placeholder:"DIR" help:"Where everything that is not set lies."`
	SMTPURL     string   `name:"smtp-url" env:"SMTP_URL" placeholder:"URL" help:"Mail server for notifications, as smtp://user:password@host:port?from=… . Also SMTP_URL_FILE."`
	MailTo      []string `name:"mail-to" env:"SLUICE_MAIL_TO" placeholder:"ADDRESS" help:"Who is told when an import ends."`
	TemporalUI  string   `name:"temporal-ui" env:"SLUICE_TEMPORAL_UI" placeholder:"URL" help:"Address of the Temporal Web UI, for links."`
	Keep        string   `name:"keep" env:"SLUICE_KEEP" placeholder:"TIME" help:"How long the stage keeps what an import left, after its end: a day or more, such as 30d or 720h, or forever. Default: 30d."`
	Key         string   `name:"key" env:"SLUICE_KEY" placeholder:"KEY" help:"What seals the credentials of sources, as starter keys new prints it. Also SLUICE_KEY_FILE. Default: one in the data directory, if the database is there too."`
	Networks    []string `name:"egress-networks" env:"SLUICE_EGRESS_NETWORKS" placeholder:"CIDR" help:"Networks that may be reached although they are not public, such as 10.1.0.0/16."`
	Ports       []string `name:"egress-ports" env:"SLUICE_EGRESS_PORTS" placeholder:"PORT" help:"Ports of public addresses that may be reached beside 443."`
	Hosts       []string `name:"egress-hosts" env:"SLUICE_EGRESS_HOSTS" placeholder:"HOST" help:"The only hosts that may be reached; .example.com for all below example.com. Default: any."`
	KnownHosts  string   `name:"known-hosts" env:"SLUICE_KNOWN_HOSTS" placeholder:"FILE" help:"Keys of SFTP servers, as OpenSSH keeps them. Default: where nothing else runs the steps, ~/.ssh/known_hosts."`
	LogLevel    string   `name:"log-level" env:"SLUICE_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" help:"debug, info, warn or error."`
	LogFormat   string   `name:"log-format" env:"SLUICE_LOG_FORMAT" enum:"text,json" default:"text" help:"text or json."`

	OwnCredentials bool `name:"own-credentials" env:"SLUICE_OWN_CREDENTIALS" help:"Read buckets with what the worker's environment authorizes it to, if the source has no credentials of its own."`

	PprofAddress string `name:"pprof-address" env:"SLUICE_PPROF_ADDRESS" placeholder:"HOST:PORT" help:"Where whoever runs the steps serves profiles of itself; a loopback address. Default: nowhere."`
}

// secrets are the settings that may be given as a file instead, by their
// environment variable.
func (c *Config) secrets() map[string]*string {
	return map[string]*string{"DATABASE_URL": &c.DatabaseURL, "REDIS_URL": &c.RedisURL, "STAGE_URL": &c.StageURL, "SMTP_URL": &c.SMTPURL,
		"SLUICE_KEY": &c.Key}
}

// Resolve reads the settings that are given as files (DATABASE_URL_FILE and
// the like) and finds the data directory. Call it once, before anything else.
// A file that cannot be read, and a setting that can never work, wrap
// [crm.ErrInvalid].
func (c Config) Resolve() (Config, error) {
	if err := checkProfileAddress(c.PprofAddress); err != nil {
		return c, err
	}
	if _, err := c.Kept(); err != nil {
		return c, err
	}
	if _, err := c.egress(); err != nil {
		return c, err
	}
	for name, value := range c.secrets() {
		path := os.Getenv(name + "_FILE")
		if *value != "" || path == "" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("%s_FILE: %w: %w", name, crm.ErrInvalid, err)
		}
		*value = strings.TrimSpace(string(b))
	}
	if c.DataDir == "" {
		dir, err := embedded.Default()
		if err != nil {
			return c, fmt.Errorf("data directory: %w: %w; set SLUICE_DATA_DIR", crm.ErrInvalid, err)
		}
		c.DataDir = dir
	}
	return c, nil
}

// parts says which parts are embedded.
type parts struct{ temporal, database, redis, stage bool }

func (p parts) any() bool { return p.temporal || p.database || p.redis || p.stage }

func (p parts) String() string {
	var names []string
	for _, part := range []struct {
		embedded bool
		setting  string
	}{{p.temporal, "TEMPORAL_ADDRESS"}, {p.database, "DATABASE_URL"}, {p.redis, "REDIS_URL"}, {p.stage, "STAGE_URL"}} {
		if part.embedded {
			names = append(names, part.setting)
		}
	}
	return strings.Join(names, ", ")
}

func (c Config) parts(temporal client.Options) parts {
	return parts{temporal.HostPort == "", c.DatabaseURL == "", c.RedisURL == "", c.StageURL == ""}
}

// temporal reads Temporal's own settings. HostPort is "" when no address is
// set: a stranger's server on the default port is never used unasked.
func temporal(log *slog.Logger) (client.Options, error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return o, fmt.Errorf("temporal settings: %w: %w", crm.ErrInvalid, err)
	}
	if o.Namespace == "" {
		o.Namespace = workflows.Namespace
	}
	o.Logger = temporalLog(log)
	return o, nil
}

// A Setting is one effective setting, for people.
type Setting struct {
	Name  string `json:"name"`  // of the environment variable
	Value string `json:"value"` // passwords masked; "" if not set
	From  string `json:"from"`  // "set", "file" or "default"
	About string `json:"about"`
}

// Settings lists the effective settings of a resolved Config, passwords
// masked.
func (c Config) Settings() []Setting {
	o, _ := envconfig.LoadDefaultClientOptions()
	list := []Setting{
		{Name: "TEMPORAL_ADDRESS", Value: o.HostPort, About: "Temporal server; embedded if not set"},
		{Name: "TEMPORAL_NAMESPACE", Value: o.Namespace, About: "Temporal namespace"},
		{Name: "DATABASE_URL", Value: masked(c.DatabaseURL), About: "database; SQLite in the data directory if not set"},
		{Name: "REDIS_URL", Value: masked(c.RedisURL), About: "Redis; in process if not set"},
		{Name: "STAGE_URL", Value: masked(c.StageURL), About: "stage; in the data directory if not set"},
		{Name: "SLUICE_DATA_DIR", Value: c.DataDir, About: "where embedded parts keep their data"},
		{Name: "SMTP_URL", Value: masked(c.SMTPURL), About: "mail server; nothing is sent if not set"},
		{Name: "SLUICE_MAIL_TO", Value: strings.Join(c.MailTo, ","), About: "who is told when an import ends"},
		{Name: "SLUICE_TEMPORAL_UI", Value: c.TemporalUI, About: "Temporal Web UI, for links"},
		{Name: "SLUICE_KEEP", Value: cmp.Or(c.Keep, "30d"), About: "how long the stage keeps what an import left"},
		{Name: "SLUICE_KEY", Value: hidden(c.Key), About: "seals the credentials of sources; in the data directory if not set"},
		{Name: "SLUICE_EGRESS_NETWORKS", Value: strings.Join(c.Networks, ","), About: "networks that may be reached although they are not public"},
		{Name: "SLUICE_EGRESS_PORTS", Value: strings.Join(c.Ports, ","), About: "ports of public addresses that may be reached beside 443"},
		{Name: "SLUICE_EGRESS_HOSTS", Value: strings.Join(c.Hosts, ","), About: "the only hosts that may be reached; any if not set"},
		{Name: "SLUICE_KNOWN_HOSTS", Value: c.KnownHosts, About: "keys of SFTP servers"},
		{Name: "SLUICE_OWN_CREDENTIALS", Value: strconv.FormatBool(c.OwnCredentials), About: "whether buckets are read with the worker's own credentials"},
		{Name: "SLUICE_LOG_LEVEL", Value: c.LogLevel, About: "debug, info, warn or error"},
		{Name: "SLUICE_LOG_FORMAT", Value: c.LogFormat, About: "text or json"},
		{Name: "SLUICE_PPROF_ADDRESS", Value: c.PprofAddress, About: "where profiles of the worker are served; nowhere if not set"},
	}
	for i := range list {
		switch name := list[i].Name; {
		case os.Getenv(name) == "" && os.Getenv(name+"_FILE") != "":
			list[i].From = "file"
		case os.Getenv(name) != "":
			list[i].From = "set"
		default:
			list[i].From = "default"
		}
	}
	if list[1].Value == "" {
		list[1].Value = workflows.Namespace
	}
	return list
}

// hidden shows that a secret is set, and not what it is.
func hidden(secret string) string {
	if secret == "" {
		return ""
	}
	return "(set)"
}

// masked returns a URL without its password, its query and its fragment.
func masked(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || raw != "" && (u.Scheme == "" || u.Opaque != "") {
		return "(not a URL)" // it may be a password
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}
