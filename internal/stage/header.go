package stage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"sluice/internal/crm"
)

const (
	headerSize = 16
	version    = 1
	unsealed   = 0
)

// header returns what an object begins with: see the package comment.
func header(keyID uint32) []byte {
	b := append([]byte(nil), headerMagic...)
	b = append(b, version)
	return binary.BigEndian.AppendUint32(b, keyID)
}

var headerMagic = []byte("\x5C\x2A\x4D\x18\x08\x00\x00\x00SLC")

// readHeader reads an object's header and refuses what this code cannot read
// right: another format, or sealed bytes.
func readHeader(key string, r io.Reader) error {
	var b [headerSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return damage{key, "its header is cut short"}
		}
		return fmt.Errorf("stage object %s: %w", key, err)
	}
	if !bytes.HasPrefix(b[:], headerMagic) {
		return damage{key, "it has no header"}
	}
	if v := b[len(headerMagic)]; v != version {
		return fmt.Errorf("stage object %s: %w: its format is version %d and this program reads version %d; use a newer one",
			key, crm.ErrInvalid, v, version)
	}
	if id := binary.BigEndian.Uint32(b[len(headerMagic)+1:]); id != unsealed {
		return fmt.Errorf("stage object %s: %w: it is sealed under key %d, which this program does not have",
			key, crm.ErrDenied, id)
	}
	return nil
}
