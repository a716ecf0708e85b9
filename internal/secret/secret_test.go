package secret

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func newKeys(t *testing.T) *Keys {
	t.Helper()
	text, err := New()
	if err != nil {
		t.Fatal(err)
	}
	k, err := Parse(" " + text + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhatIsSealedOpensForItsPurposeAlone(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	plain := []byte("rk_live_of_a_customer")
	sealed, err := k.Seal(plain, "source a")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain[:8]) {
		t.Error("what is sealed can be read")
	}
	if got, err := k.Open(sealed, "source a"); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened: %q, %v", got, err)
	}
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"for another purpose": func() ([]byte, error) { return k.Open(sealed, "source b") },
		"by another key":      func() ([]byte, error) { return newKeys(t).Open(sealed, "source a") },
		"damaged":             func() ([]byte, error) { return k.Open(damaged, "source a") },
		"cut short":           func() ([]byte, error) { return k.Open(sealed[:3], "source a") },
	} {
		if got, err := open(); !errors.Is(err, crm.ErrDenied) || got != nil {
			t.Errorf("%s: %q, %v; want ErrDenied", name, got, err)
		}
	}
	again, err := k.Seal(plain, "source a")
	if err != nil || bytes.Equal(again, sealed) {
		t.Errorf("sealed twice it looks the same, %v", err)
	}
}

func TestKeysAreReadOrRefusedWithoutBeingRepeated(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "hunter2", "aHVudGVyMg==", strings.Repeat("A", 400)} {
		_, err := Parse(text)
		if !errors.Is(err, crm.ErrInvalid) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, want ErrInvalid", text, err)
		}
	}
}
