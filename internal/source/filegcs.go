//go:build gcs

package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"cloud.google.com/go/storage"
	"gocloud.dev/blob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"sluice/internal/crm"
)

// gcsSettings are for buckets of Google Cloud Storage.
var gcsSettings = []Setting{
	{Name: "credentials", Help: "key of a service account, the JSON file's text", Secret: true},
	{Name: "endpoint", Help: "address of a service other than Google's", Check: checkAddress},
	{Name: "anonymous", Help: "true for a bucket that everybody may read", Check: checkBool},
}

var _ = registerBucket("gs", bucketKind{settings: gcsSettings, open: openGCS, code: gcsCode,
	version: func(a *blob.Attributes) string {
		var o storage.ObjectAttrs
		if !a.As(&o) {
			return ""
		}
		return strconv.FormatInt(o.Generation, 10)
	},
	read: func(r *blob.Reader, from int64) string {
		var o *storage.Reader
		if !r.As(&o) || o.Attrs.StartOffset != from {
			return ""
		}
		return strconv.FormatInt(o.Attrs.Generation, 10)
	},
	pin: func(as func(any) bool, version string) {
		var o **storage.ObjectHandle
		if !as(&o) {
			return
		}
		// Or what is stored as gzip would come decompressed, and without ranges.
		*o = (*o).ReadCompressed(true)
		if generation, err := strconv.ParseInt(version, 10, 64); err == nil {
			*o = (*o).If(storage.Conditions{GenerationMatch: generation})
		}
	}})

// gcsTries is how often a request is made until the step's own retries count.
const gcsTries = 3

func openGCS(ctx context.Context, name string, w Way) (*blob.Bucket, error) {
	client, err := gcsClient(ctx, w)
	if err != nil {
		return nil, err
	}
	var opts gcsblob.Options
	if endpoint := w.Settings["endpoint"]; endpoint != "" {
		opts.ClientOptions = append(opts.ClientOptions, option.WithEndpoint(endpoint+"/storage/v1/"))
	}
	b, err := gcsblob.OpenBucket(ctx, client, name, &opts)
	if err != nil {
		return nil, fmt.Errorf("%w: the bucket's settings make no sense", crm.ErrInvalid)
	}
	var inner *storage.Client
	if b.As(&inner) {
		inner.SetRetry(storage.WithMaxAttempts(gcsTries))
	}
	return b, nil
}

func gcsClient(ctx context.Context, w Way) (*gcp.HTTPClient, error) {
	out := roundTrip(w.HTTP)
	switch text := w.Settings["credentials"]; {
	case w.Settings["anonymous"] == "true":
		return gcp.NewAnonymousHTTPClient(out), nil
	case text != "":
		// Only keys of service accounts: the other kinds name files and programs
		// of this machine. The address for tokens is in the text, so it is
		// reached by the same way.
		key, err := google.JWTConfigFromJSON([]byte(text), storage.ScopeReadOnly)
		if err != nil {
			return nil, fmt.Errorf("%w: credentials is not the key of a service account", crm.ErrInvalid)
		}
		tokens := context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, &http.Client{Transport: out})
		return gcp.NewHTTPClient(out, gcp.TokenSource(key.TokenSource(tokens)))
	case !w.Environment:
		return nil, fmt.Errorf("%w: there are no credentials; set credentials, or anonymous for a bucket that everybody may read", crm.ErrDenied)
	}
	found, err := google.FindDefaultCredentials(ctx, storage.ScopeReadOnly)
	if err != nil {
		return nil, fmt.Errorf("%w: neither the settings nor the environment have credentials for Google Cloud Storage", crm.ErrDenied)
	}
	return gcp.NewHTTPClient(out, gcp.CredentialsTokenSource(found))
}

func gcsCode(err error) (string, int) {
	var api *googleapi.Error
	if !errors.As(err, &api) {
		var token *oauth2.RetrieveError
		if errors.As(err, &token) { // The service account is refused.
			return token.ErrorCode, http.StatusUnauthorized
		}
		return "", 0
	}
	if len(api.Errors) > 0 {
		return api.Errors[0].Reason, api.Code
	}
	return "", api.Code
}
