package source

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"sluice/internal/crm"
)

// A serviceAccount is the key of one, as Google's console gives it out.
type serviceAccount struct {
	Type         string `json:"type"`
	Email        string `json:"client_email"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"` // PEM
	TokenURI     string `json:"token_uri"`
}

func checkServiceAccount(value string) error {
	_, err := parseServiceAccount(value)
	return err
}

func (a *Access) serviceAccount() (*serviceAccount, error) {
	return parseServiceAccount(a.Settings["service_account_key"])
}

func parseServiceAccount(value string) (*serviceAccount, error) {
	var s serviceAccount
	err := json.Unmarshal([]byte(value), &s)
	block, _ := pem.Decode([]byte(s.PrivateKey))
	if err != nil || s.Type != "service_account" || s.Email == "" || block == nil || checkAddress(s.TokenURI) != nil {
		return nil, fmt.Errorf("%w: service_account_key is not the JSON file of a service account's key; make one in the Google Cloud console", crm.ErrInvalid)
	}
	return &s, nil
}

const (
	sheetsAPI   = "https://sheets.googleapis.com"
	sheetsScope = "https://www.googleapis.com/auth/spreadsheets.readonly"
)

// token asks for an access token, which holds for an hour
// (developers.google.com/identity/protocols/oauth2/service-account). It is
// asked for with every page: a connector keeps nothing. Where another address
// of the API is set, it is asked for there.
func (s *serviceAccount) token(ctx context.Context, a *Access) (string, error) {
	conf := jwt.Config{Email: s.Email, PrivateKey: []byte(s.PrivateKey), PrivateKeyID: s.PrivateKeyID, Scopes: []string{sheetsScope},
		TokenURL: s.TokenURI, Audience: s.TokenURI}
	if api := a.api(); api != sheetsAPI {
		conf.TokenURL = api + "/token"
	}
	trip := &tokenTrip{ctx: ctx, do: a.HTTP}
	out := context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: trip})
	token, err := conf.TokenSource(out).Token()
	if err == nil && token.AccessToken != "" {
		return token.AccessToken, nil
	}
	// What the library says would repeat the answer, and hides why a request
	// failed.
	var refusal *oauth2.RetrieveError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case trip.err != nil:
		return "", trip.err
	case !trip.made:
		return "", fmt.Errorf("%w: the private key of the service account cannot be read", crm.ErrInvalid)
	case errors.As(err, &refusal):
		res := answer{status: refusal.Response.StatusCode, header: refusal.Response.Header, now: a.Now()}
		if res.status == http.StatusBadRequest { // invalid_grant
			return "", fmt.Errorf("%w: Google does not take the service account's key (400); make a new one, or set this machine's clock right", crm.ErrDenied)
		}
		return "", res.fault()
	}
	return "", errors.New("the answer holds no token")
}

// tokenTrip makes the requests of a library through a [Doer].
type tokenTrip struct {
	ctx  context.Context
	do   Doer
	made bool  // a request was made
	err  error // of the last request; nil if it was answered
}

// RoundTrip makes a request under the caller's context, which the library does
// not pass on.
func (r *tokenTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(r.ctx)
	req.Header.Set("User-Agent", "sluice")
	res, err := r.do.Do(req, "token")
	r.made, r.err = true, err
	return res, err
}
