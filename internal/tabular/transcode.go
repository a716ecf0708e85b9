package tabular

import (
	"context"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// noText stands for input that is no text in its encoding. No UTF-8 text holds
// this byte, so the Reader finds the row faulty.
const noText = 0xFF

// transcode copies a text as UTF-8, without its byte order mark.
func (f Format) transcode(ctx context.Context, src Source, w io.Writer) error {
	r, err := src.Open(ctx, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	decoder, err := decoderOf(f.Encoding)
	if err != nil {
		return err
	}
	var in io.Reader = withContext{ctx, r}
	if decoder != nil {
		in = transform.NewReader(in, decoder)
	}
	_, err = io.CopyBuffer(&afterBOM{w: w}, in, make([]byte, bufferSize))
	return err
}

// decoderOf returns what turns a text into UTF-8, with noText for what cannot
// be decoded; nil for text that is UTF-8.
func decoderOf(name string) (transform.Transformer, error) {
	switch name {
	case utf8Name:
		return nil, nil
	case "windows-1252":
		return windows1252{}, nil
	case "utf-16le":
		return utf16Decoder{order: binary.LittleEndian}, nil
	case "utf-16be":
		return utf16Decoder{order: binary.BigEndian}, nil
	case "utf-32le":
		return marked(utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM).NewDecoder()), nil
	case "utf-32be":
		return marked(utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM).NewDecoder()), nil
	}
	if e := dosCharsets[name]; e != nil {
		return e.NewDecoder(), nil // every byte is a character
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, invalid("encoding %q is not known; use a name such as utf-8 or windows-1252", name)
	}
	if _, ok := e.(*charmap.Charmap); ok {
		return transform.Chain(e.NewDecoder(), replacementMarker{undefined: true}), nil
	}
	return marked(e.NewDecoder()), nil
}

// marked turns the U+FFFD that a decoder writes for what it cannot decode into
// noText.
func marked(t transform.Transformer) transform.Transformer {
	return transform.Chain(t, replacementMarker{})
}

// replacementMarker turns U+FFFD into noText, and, if undefined is set, the
// control characters as which the web reads bytes that a character set leaves
// undefined.
type replacementMarker struct {
	transform.NopResetter
	undefined bool
}

func (m replacementMarker) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		r, size := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && size <= 1 && !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if nDst+size > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		if r == utf8.RuneError || m.undefined && r >= 0x80 && r < 0xA0 && r != 0x85 {
			dst[nDst] = noText
			nDst++
		} else {
			nDst += copy(dst[nDst:], src[nSrc:nSrc+size])
		}
		nSrc += size
	}
	return nDst, nSrc, nil
}

// windows1252 decodes Windows-1252 without the five bytes it leaves undefined,
// which the web reads as control characters.
type windows1252 struct{ transform.NopResetter }

func (windows1252) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for ; nSrc < len(src); nSrc++ {
		c := src[nSrc]
		if nDst+3 > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		switch {
		case c < utf8.RuneSelf:
			dst[nDst] = c
			nDst++
		case undefined1252(c):
			dst[nDst] = noText
			nDst++
		default:
			nDst += utf8.EncodeRune(dst[nDst:], charmap.Windows1252.DecodeByte(c))
		}
	}
	return nDst, nSrc, nil
}

func undefined1252(c byte) bool {
	switch c {
	case 0x81, 0x8D, 0x8F, 0x90, 0x9D:
		return true
	}
	return false
}

// utf16Decoder decodes UTF-16. Half a surrogate pair and an odd last byte are
// no text.
type utf16Decoder struct {
	transform.NopResetter
	order binary.ByteOrder
}

func (d utf16Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if nDst+utf8.UTFMax > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		r, size := d.rune(src[nSrc:], atEOF)
		if size == 0 {
			return nDst, nSrc, transform.ErrShortSrc
		}
		nSrc += size
		if r < 0 {
			dst[nDst] = noText
			nDst++
			continue
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
	}
	return nDst, nSrc, nil
}

// rune decodes one character and returns its size: -1 for what is no text,
// size 0 if more bytes are needed.
func (d utf16Decoder) rune(b []byte, atEOF bool) (rune, int) {
	if len(b) < 2 {
		if atEOF {
			return -1, len(b)
		}
		return 0, 0
	}
	r := rune(d.order.Uint16(b))
	if !utf16.IsSurrogate(r) {
		return r, 2
	}
	if len(b) < 4 && !atEOF {
		return 0, 0
	}
	if len(b) >= 4 {
		if pair := utf16.DecodeRune(r, rune(d.order.Uint16(b[2:]))); pair != utf8.RuneError {
			return pair, 4
		}
	}
	return -1, 2
}

// afterBOM passes everything on but a byte order mark at the beginning.
type afterBOM struct {
	w    io.Writer
	seen []byte
	past bool
}

func (a *afterBOM) Write(p []byte) (int, error) {
	if a.past {
		return a.w.Write(p)
	}
	a.seen = append(a.seen, p...)
	if len(a.seen) < len(bom8) && string(a.seen) == bom8[:len(a.seen)] {
		return len(p), nil
	}
	a.past = true
	rest := a.seen
	if len(rest) >= len(bom8) && string(rest[:len(bom8)]) == bom8 {
		rest = rest[len(bom8):]
	}
	if _, err := a.w.Write(rest); err != nil {
		return 0, err
	}
	return len(p), nil
}
