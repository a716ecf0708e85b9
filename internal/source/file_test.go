package source

import (
	"errors"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestPlacesAreRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want Place
		as   string // for people
	}{
		{"https://example.com/a/leads.csv", Place{Scheme: "https", Host: "example.com", Path: "/a/leads.csv"}, "https://example.com/…"},
		{"HTTPS://example.com:8443/x?token=hush#gid=0", Place{Scheme: "https", Host: "example.com:8443", Path: "/x"}, "https://example.com:8443/…"},
		{"https://example.com/a%20b*.csv", Place{Scheme: "https", Host: "example.com", Path: "/a b*.csv"}, "https://example.com/…"},
		{"http://10.1.2.3/leads.csv", Place{Scheme: "http", Host: "10.1.2.3", Path: "/leads.csv"}, "http://10.1.2.3/…"},
		{"s3://my.bucket-1/a b/100%/it's [1]#2.csv", Place{Scheme: "s3", Host: "my.bucket-1", Path: "a b/100%/it's [1]#2.csv"}, "s3://my.bucket-1/a b/100%/it's [1]#2.csv"},
		{"S3://bucket/exports/*.csv", Place{Scheme: "s3", Host: "bucket", Path: "exports/*.csv"}, "s3://bucket/exports/*.csv"},
		{"gs://bucket_1/leads.csv", Place{Scheme: "gs", Host: "bucket_1", Path: "leads.csv"}, "gs://bucket_1/leads.csv"},
		{"azblob://$root/leads.csv", Place{Scheme: "azblob", Host: "$root", Path: "leads.csv"}, "azblob://$root/leads.csv"},
		{"sftp://importer@example.com/out/leads.csv", Place{Scheme: "sftp", Host: "example.com", User: "importer", Path: "/out/leads.csv"}, "sftp://importer@example.com/out/leads.csv"},
		{"sftp://example.com:2222/~/a%23b.csv", Place{Scheme: "sftp", Host: "example.com:2222", Path: "/~/a#b.csv"}, "sftp://example.com:2222/~/a%23b.csv"},
		{"sftp://[fd00:1::5]:22/leads.csv", Place{Scheme: "sftp", Host: "[fd00:1::5]:22", Path: "/leads.csv"}, "sftp://[fd00:1::5]:22/leads.csv"},
	} {
		got, err := ParsePlace(tt.in)
		text := got.text
		got.text = ""
		if err != nil || got != tt.want {
			t.Errorf("ParsePlace(%q) = %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
		got.text = text
		if got.String() != tt.as {
			t.Errorf("ParsePlace(%q) is shown as %q, want %q", tt.in, got, tt.as)
		}
		if again, err := ParsePlace(got.Text()); err != nil || again != got {
			t.Errorf("ParsePlace(%q) = %+v, %v; want the same again", got.Text(), again, err)
		}
	}
}

func TestPlacesThatAreNoneSayWhyAndNoSecret(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                     "write it as",
		"leads.csv":                            "write it as",
		"/etc/passwd":                          "write it as",
		"file:///etc/passwd":                   "named by its path",
		"ftp://example.com/leads.csv":          "only https",
		"https:///leads.csv":                   "no host",
		"https://me:hush@example.com/":         "settings of the source",
		"https://hush@example.com/":            "settings of the source",
		"https://exa mple.com/hush":            "no address",
		"https://example.com/%zzhush":          "no address",
		"s3://bucket":                          "no object",
		"s3://bucket/":                         "no object",
		"s3://bucket/folder/":                  "no object",
		"s3:///key":                            "no bucket",
		"s3://b/key":                           "no bucket",
		"s3://key:hush@bucket/leads.csv":       "settings of the source",
		"s3://buc?ket/leads.csv":               "no bucket",
		"s3://bucket/leads.csv?region=x":       "settings of the source",
		"s3://bucket/*/leads.csv":              "last part only",
		"sftp://me:hush@example.com/leads.csv": "settings of the source",
		"sftp://example.com":                   "names no file",
		"sftp://example.com/~/":                "names no file",
		"sftp://example.com/folder/":           "names no file",
		"sftp://example.com/a?b":               "%3F",
		"sftp://example.com/a#b":               "%23",
		"sftp://example.com/*/b":               "last part only",
		"https://example.com/a\nb":             "control character",
		"https://example.com/" + strings.Repeat("hush", 2000): "longer than",
	} {
		_, err := ParsePlace(in)
		if !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("ParsePlace(%q): %v; want ErrInvalid and %q", in, err, want)
		}
	}
}

func TestAStarStandsForAnythingButASlash(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*.csv", "a.csv", true},
		{"*.csv", ".csv", true},
		{"*.csv", "a.csv.gz", false},
		{"*.csv", "a/b.csv", false},
		{"*.csv", "a.CSV", false},
		{"a*", "a", true},
		{"a*", "ba", false},
		{"a*b*c", "abc", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"a*bb", "abb", true},
		{"a*a", "a", false},
		{"*", "anything", true},
		{"**", "", true},
		{"leads [1].csv", "leads [1].csv", true},
		{"leads [1].csv", "leads 1.csv", false},
		{"leads?.csv", "leads1.csv", false},
	} {
		if got := starred(tt.pattern, tt.name); got != tt.want {
			t.Errorf("starred(%q, %q) = %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

func TestSchemesThatAreNotBuiltInSayWhichBuildHasThem(t *testing.T) {
	t.Parallel()
	for scheme, tag := range buildTags {
		if _, built := bucketKinds[scheme]; built {
			continue
		}
		p, err := ParsePlace(scheme + "://bucket/leads.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err = p.Open(t.Context(), Way{}); !errors.Is(err, crm.ErrInvalid) || !strings.Contains(err.Error(), "-tags "+tag) {
			t.Errorf("%s: %v, want ErrInvalid and -tags %s", scheme, err, tag)
		}
	}
}

func TestCredentialsAreAskedFor(t *testing.T) {
	t.Parallel()
	known := "example.com ssh-ed25519 " + testKeyText
	for _, tt := range []struct {
		place    string
		settings map[string]string
		kind     error
		want     string
	}{
		{"s3://bucket/key", nil, crm.ErrDenied, "set access_key"},
		{"s3://bucket/key", map[string]string{"access_key": "a"}, crm.ErrDenied, "set access_key"},
		{"sftp://example.com/f", nil, crm.ErrInvalid, "says no user"},
		{"sftp://u@example.com/f", nil, crm.ErrDenied, "set password or private_key"},
		{"sftp://u@example.com/f", map[string]string{"password": "p"}, crm.ErrInvalid, "known_hosts is not set"},
		{"sftp://u@example.com/f", map[string]string{"password": "p", "known_hosts": "# nothing"}, crm.ErrInvalid, "known_hosts is not set"},
		{"sftp://u@example.com/f", map[string]string{"password": "p", "known_hosts": "hush"}, crm.ErrInvalid, "a line that is none"},
		{"sftp://u@example.com/f", map[string]string{"private_key": "hush", "known_hosts": known}, crm.ErrInvalid, "is no private key"},
	} {
		p, err := ParsePlace(tt.place)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Open(t.Context(), Way{Settings: tt.settings})
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s with %v: %v; want %v and %q", tt.place, tt.settings, err, tt.kind, tt.want)
		}
	}
}

func TestSettingsOfFilesAreNamedOnce(t *testing.T) {
	t.Parallel()
	for _, scheme := range append([]string{"https", "http", "sftp"}, bucketSchemes...) {
		seen := map[string]bool{}
		for _, s := range FileSettings(scheme) {
			if seen[s.Name] || s.Help == "" {
				t.Errorf("%s: setting %q is twice there, or says nothing", scheme, s.Name)
			}
			seen[s.Name] = true
		}
		if _, built := bucketKinds[scheme]; (built || buildTags[scheme] == "") && len(seen) == 0 {
			t.Errorf("%s has no settings", scheme)
		}
	}
}
