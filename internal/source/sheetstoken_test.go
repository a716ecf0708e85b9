package source

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

func TestSheetsRefusalsAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		kind   error
		says   string
	}{
		"an Excel workbook":    {400, `{"error":{"code":400,"message":"This operation is not supported for this document","status":"FAILED_PRECONDITION"}}`, crm.ErrInvalid, "Excel"},
		"no such rows":         {400, `{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"c0@example.com"}}`, crm.ErrInvalid, "range"},
		"it is not shared":     {403, `{"error":{"code":403,"status":"PERMISSION_DENIED"}}`, crm.ErrDenied, "share it with sluice@fakesaas.iam.gserviceaccount.com"},
		"it is not there":      {404, `{"error":{"code":404,"status":"NOT_FOUND"}}`, crm.ErrNotFound, "no such spreadsheet"},
		"the token is refused": {401, `{"error":{"code":401,"status":"UNAUTHENTICATED"}}`, crm.ErrDenied, "credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Sheets.Check(t.Context(), sheetsAccess(func(*http.Request, string) (int, string) { return c.status, c.body }))
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "c0@") {
				t.Errorf("got %v, want %v that says %q", err, c.kind, c.says)
			}
		})
	}
}

func TestSheetsQuotaIsThatOfAMinute(t *testing.T) {
	t.Parallel()
	_, err := Sheets.Check(t.Context(), sheetsAccess(func(*http.Request, string) (int, string) {
		return 429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`
	}))
	var wait *crm.Throttled
	if !errors.As(err, &wait) || !wait.Until.Equal(start.Add(time.Minute)) {
		t.Errorf("got %v, want Throttled for a minute", err)
	}
}

func TestSheetsAsksForTokensThroughWhatItIsGiven(t *testing.T) {
	t.Parallel()
	var classes, hosts []string
	a := sheetsAccess(nil)
	a.HTTP = canned(func(req *http.Request, class string) (int, string) {
		classes, hosts = append(classes, class), append(hosts, req.URL.Host)
		if class == "token" {
			return 200, `{"access_token":"ya29.1"}`
		}
		if req.Header.Get("Authorization") != "Bearer ya29.1" {
			t.Error("the request does not have the token")
		}
		return 200, `{"sheets":[{"properties":{"title":"A"}}]}`
	})
	if _, err := Sheets.Check(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if want := []string{"token", "read"}; !slices.Equal(classes, want) || !slices.Equal(hosts, []string{"oauth2.googleapis.com", "sheets.googleapis.com"}) {
		t.Errorf("asked %v of %v, want %v", classes, hosts, want)
	}
	if _, counted := Sheets.About().Quotas["token"]; counted {
		t.Error("requests for tokens count as reading")
	}
}

func TestSheetsTokenThatIsRefusedIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   crm.FailureType // "": passing
	}{
		"the key is gone":   {400, `{"error":"invalid_grant","error_description":"c0@example.com"}`, crm.FailDenied},
		"no such account":   {401, `{"error":"invalid_client"}`, crm.FailDenied},
		"a fault of theirs": {500, `c0@example.com`, ""},
		"no JSON":           {200, `<html>c0@example.com</html>`, ""},
		"no token":          {200, `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := sheetsAccess(nil)
			a.HTTP = canned(func(*http.Request, string) (int, string) { return c.status, c.body })
			_, err := Sheets.Check(t.Context(), a)
			if err == nil || crm.TypeOf(err) != c.want || strings.Contains(err.Error(), "c0@") || strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("got %v of type %q, want type %q", err, crm.TypeOf(err), c.want)
			}
		})
	}
}

func TestSheetsTokenRequestFailsAsAnyOther(t *testing.T) {
	t.Parallel()
	a := sheetsAccess(nil)
	a.HTTP = throttler{start.Add(time.Hour)}
	_, err := Sheets.Check(t.Context(), a)
	var wait *crm.Throttled
	if !errors.As(err, &wait) || !wait.Until.Equal(start.Add(time.Hour)) {
		t.Errorf("got %v, want what the Doer said", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Sheets.Check(ctx, sheetsAccess(func(*http.Request, string) (int, string) { return 500, "" })); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	a = sheetsAccess(nil)
	a.Settings["service_account_key"] = strings.Replace(fakesaas.SheetsKey(), `PRIVATE KEY-----\n`, `PRIVATE KEY-----\nAAAA`, 1)
	if _, err := Sheets.Check(t.Context(), a); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("a key that cannot be read: %v, want ErrInvalid", err)
	}
}
