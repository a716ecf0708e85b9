// Package secret seals what must not be read where it is kept: the credentials
// of sources. What is sealed can be opened by the same keys for the same purpose
// alone, so nothing sealed for one source opens as another's.
//
// Keys are those of Tink (developers.google.com/tink): AES-256-GCM, in a keyset
// that says which of them seals and that still opens what earlier ones sealed.
package secret

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"sluice/internal/crm"
)

// Keys seal and open. They are safe for concurrent use.
type Keys struct{ aead tink.AEAD }

// New makes a key and returns it as the text that [Parse] reads. Whoever has the
// text can open what it seals.
func New() (string, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewBinaryWriter(&b)); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// Parse reads keys from their text. What is none wraps [crm.ErrInvalid], and the
// error says nothing of the text.
func Parse(text string) (*Keys, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errNoKey
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(b)))
	if err != nil {
		return nil, errNoKey
	}
	a, err := aead.New(h)
	if err != nil {
		return nil, errNoKey
	}
	return &Keys{a}, nil
}

var errNoKey = fmt.Errorf("key: %w: it is none that starter keys new prints", crm.ErrInvalid)

// Seal seals a text for a purpose, such as "source stripe-eu". The same text
// sealed twice looks different.
func (k *Keys) Seal(plain []byte, purpose string) ([]byte, error) {
	b, err := k.aead.Encrypt(plain, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", purpose, err)
	}
	return b, nil
}

// Open opens what was sealed for a purpose. What was sealed by other keys, for
// another purpose, or is damaged wraps [crm.ErrDenied].
func (k *Keys) Open(sealed []byte, purpose string) ([]byte, error) {
	b, err := k.aead.Decrypt(sealed, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w: the key is not the one that sealed it; set SLUICE_KEY to that one", purpose, crm.ErrDenied)
	}
	return b, nil
}
