package fakesaas

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// noon is the time of the worlds' clocks, which stand still.
var noon = time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)

func TestSameSeedHasTheSameCustomers(t *testing.T) {
	t.Parallel()
	history := func() *World {
		w := NewWorld(7, 200, FixedClock(noon))
		for n := range 60 {
			w.Clock().Move(time.Second)
			w.Change(n)
			w.ChangeSubscription(2 * n)
			w.Delete(3 * n)
			w.Add()
		}
		return w
	}
	text := func(w *World) string {
		b, err := json.Marshal([]any{w.Customers(func(*Customer) bool { return true }), w.Log(Begin, noon.Add(time.Hour))})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if text(history()) != text(history()) {
		t.Error("the same seed has two worlds")
	}
	if text(history()) == text(NewWorld(8, 200, FixedClock(noon))) {
		t.Error("two seeds have the same world")
	}
}

func TestTelephoneNumbersAreOfTheirCountry(t *testing.T) {
	t.Parallel()
	for _, place := range places {
		for _, n := range []int{0, 1, 42, 999, 1000, 5555, 9999} {
			phone := fmt.Sprintf("%s%04d", place.dial, n)
			number, err := phonenumbers.Parse(phone, "")
			if err != nil || !phonenumbers.IsValidNumberForRegion(number, place.country) {
				t.Fatalf("%s is no number of %s", phone, place.country)
			}
		}
	}
}

func TestStripeKnowsWhatVersionsLookLike(t *testing.T) {
	t.Parallel()
	server := New(NewWorld(1, 3, FixedClock(noon)))
	defer server.Close()
	for version, want := range map[string]int{
		"": http.StatusOK, "2020-08-27": http.StatusOK, "2024-06-20": http.StatusOK, "2024-09-30.acacia": http.StatusOK, "2026-08-26.dahlia": http.StatusOK,
		"2026-08-26": http.StatusBadRequest, "2024-10-28": http.StatusBadRequest, "latest": http.StatusBadRequest,
	} {
		r := httptest.NewRequest("GET", "/v1/customers", nil)
		r.Header.Set("Authorization", "Bearer "+Key)
		if version != "" {
			r.Header.Set("Stripe-Version", version)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("version %q is answered %d, want %d", version, w.Code, want)
		}
	}
}
