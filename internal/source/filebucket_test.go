package source

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

// serveS3 answers as one bucket, "bucket".
func serveS3(t *testing.T, h http.HandlerFunc) *webTrial {
	t.Helper()
	x := serveWeb(t, h)
	x.way.Settings = map[string]string{"access_key": "AKIAEXAMPLE", "secret_key": "very-secret", "endpoint": strings.TrimSuffix(x.at, "/")}
	x.at = "s3://bucket/"
	return x
}

func TestBucketsThatRefuseSayWhy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		code   string
		kind   error // nil: passing
		want   string
	}{
		{403, "AccessDenied", crm.ErrDenied, "403"},
		{403, "InvalidAccessKeyId", crm.ErrDenied, "403"},
		{403, "SignatureDoesNotMatch", crm.ErrDenied, "403"},
		{400, "ExpiredToken", crm.ErrDenied, "ExpiredToken"},
		{401, "Unauthorized", crm.ErrDenied, "401"},
		{404, "NoSuchKey", crm.ErrNotFound, "no such object"},
		{404, "NoSuchBucket", crm.ErrNotFound, "no such bucket"},
		{301, "PermanentRedirect", crm.ErrInvalid, "another region"},
		{400, "AuthorizationHeaderMalformed", crm.ErrInvalid, "another region"},
		{400, "InvalidRequest", crm.ErrInvalid, "are the region and the credentials"},
		{412, "PreconditionFailed", crm.ErrSourceChanged, ""},
		{501, "NotImplemented", nil, "501 NotImplemented"},
	} {
		x := serveS3(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>hush</Message></Error>", tt.code)
		})
		_, _, err := x.open(t, "leads.csv").from.open(t.Context(), 5, FileInfo{Size: 10, Validator: `"v1"`})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") ||
			tt.kind != nil && !errors.Is(err, tt.kind) || tt.kind == nil && crm.TypeOf(err) != "" {
			t.Errorf("%d %s: %v; want %v and %q", tt.status, tt.code, err, tt.kind, tt.want)
		}
	}
}

// Services that speak like S3 do not always know If-Match or ranges.
func TestABucketThatDoesNotKnowIfMatchIsNotTrusted(t *testing.T) {
	t.Parallel()
	b := someBytes(1000)
	for name, tt := range map[string]struct {
		serve http.HandlerFunc
		want  error
	}{
		"another version": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Match")
			content(b, `"v2"`)(w, r)
		}, crm.ErrSourceChanged},
		"a part without a tag": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Match")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			content(b, "")(w, r)
		}, errNoResume},
		"the whole object": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			content(b, `"v1"`)(w, r)
		}, errNoResume},
	} {
		x := serveS3(t, tt.serve)
		if _, _, err := x.open(t, "leads.csv").from.open(t.Context(), 5, FileInfo{Size: 1000, Validator: `"v1"`}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestRequestsToBucketsAreSigned(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settings map[string]string
		want     func(r *http.Request) bool
	}{
		"with a key": {map[string]string{"region": "eu-west-1"}, func(r *http.Request) bool {
			got := r.Header.Get("Authorization")
			return strings.Contains(got, "Credential=AKIAEXAMPLE/") && strings.Contains(got, "/eu-west-1/s3/")
		}},
		"with a key that runs out": {map[string]string{"session_token": "t0ken"}, func(r *http.Request) bool {
			return r.Header.Get("X-Amz-Security-Token") == "t0ken"
		}},
		"not at all": {map[string]string{"anonymous": "true"}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
	} {
		x := serveS3(t, func(w http.ResponseWriter, r *http.Request) {
			if !tt.want(r) || r.URL.Path != "/bucket/leads.csv" {
				t.Errorf("%s: asked for %s with %v", name, r.URL.Path, r.Header)
			}
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader([]byte("x")))
		})
		for setting, value := range tt.settings {
			x.way.Settings[setting] = value
		}
		if _, err := x.open(t, "leads.csv").Stat(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nobody who may name a bucket may thereby read what this machine may read.
func TestTheEnvironmentAuthorizesOnlyWhereItIsAllowedTo(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	var sent string
	x := serveS3(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
	})
	delete(x.way.Settings, "access_key")
	p, err := ParsePlace(x.at + "leads.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Open(t.Context(), x.way); !errors.Is(err, crm.ErrDenied) {
		t.Errorf("not allowed: %v, want ErrDenied", err)
	}
	x.way.Environment = true
	if err := statOnce(t, p, x.way); err != nil || !strings.Contains(sent, "AKIAENVIRONMENT") {
		t.Errorf("allowed: %v, %q; want to be authorized by the environment", err, sent)
	}
}
