package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sluice/internal/crm"
)

// Section numbers are those of RFC 9110, HTTP Semantics.

// webSettings are for places on the web. Without any nothing authorizes.
var webSettings = []Setting{
	{Name: "user", Help: "name of the user, for a server that asks for one"},
	{Name: "password", Help: "password of the user", Secret: true},
	{Name: "token", Help: "token of an API, sent as Authorization: Bearer", Secret: true},
}

// webFile is a file on the web.
type webFile struct {
	place Place
	way   Way

	// whole is the answer to a look at a file of which the server gives no parts:
	// the file itself, kept for whoever opens it. Some servers make a file when
	// they are asked, and are not to make it twice. Nil if there is none.
	whole *http.Response
	info  FileInfo // of whole
}

func (f *webFile) close() error {
	if f.whole == nil {
		return nil
	}
	err := f.whole.Body.Close()
	f.whole = nil
	return err
}

func (f *webFile) list(context.Context) ([]Found, error) {
	return nil, fmt.Errorf("%w: the web has no folders", crm.ErrInvalid)
}

// stat asks for the first byte: many addresses that are signed may be read and
// not looked at with HEAD.
func (f *webFile) stat(ctx context.Context) (FileInfo, error) {
	if err := f.close(); err != nil {
		return FileInfo{}, err
	}
	res, err := f.ask(ctx, http.Header{"Range": {"bytes=0-0"}})
	if err != nil {
		return FileInfo{}, err
	}
	info := f.describe(res)
	switch res.StatusCode {
	case http.StatusOK:
		info.Validator = "" // There are no parts to be had.
		f.whole, f.info = res, info
		return info, nil
	case http.StatusPartialContent:
		_, info.Size, err = contentRange(res.Header)
	case http.StatusRequestedRangeNotSatisfiable: // There is no first byte.
		info.Size = 0
	}
	return info, errors.Join(err, res.Body.Close())
}

func (f *webFile) open(ctx context.Context, from int64, want FileInfo) (FileInfo, io.ReadCloser, error) {
	if from == 0 {
		return f.openWhole(ctx)
	}
	if want.Validator == "" {
		return FileInfo{}, nil, errNoResume
	}
	res, err := f.ask(ctx, http.Header{"Range": {fmt.Sprintf("bytes=%d-", from)}, "If-Range": {want.Validator}})
	if err != nil {
		return FileInfo{}, nil, err
	}
	if err := resumed(res, from, want); err != nil {
		res.Body.Close()
		return FileInfo{}, nil, err
	}
	if res.StatusCode == http.StatusRequestedRangeNotSatisfiable { // It ends right there.
		return want, http.NoBody, res.Body.Close()
	}
	return want, res.Body, nil
}

func (f *webFile) openWhole(ctx context.Context) (FileInfo, io.ReadCloser, error) {
	if res := f.whole; res != nil {
		f.whole = nil
		return f.info, res.Body, nil
	}
	res, err := f.ask(ctx, nil)
	if err != nil {
		return FileInfo{}, nil, err
	}
	return f.describe(res), res.Body, nil
}

// resumed checks that an answer is the rest of the file that is wanted.
func resumed(res *http.Response, from int64, want FileInfo) error {
	tag := strongTag(res.Header)
	first, size, err := contentRange(res.Header)
	switch {
	case res.StatusCode == http.StatusOK && tag == want.Validator:
		return errNoResume
	case res.StatusCode == http.StatusOK:
		return changedFile("it is another file than the one that was begun")
	case err != nil:
		return err
	case size >= 0 && want.Size >= 0 && size != want.Size:
		return changedFile("it has %d bytes, and had %d", size, want.Size)
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable && (size < 0 || size == from):
		return nil // Section 13.1.5: the range is looked at only if the validator holds.
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return changedFile("it has %d bytes, and %d of it are here", size, from)
	case first != from, tag == "": // other bytes, or of any version
		return errNoResume
	case tag != want.Validator:
		return changedFile("it is another file than the one that was begun")
	}
	return nil
}

// changedFile is the error of a file that is not the one it was.
func changedFile(format string, args ...any) error {
	return fmt.Errorf("%w: %s", crm.ErrSourceChanged, fmt.Sprintf(format, args...))
}

// ask makes a request and returns the answers that have a file: 200, 206, and
// 416 for what is behind its end.
func (f *webFile) ask(ctx context.Context, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.place.Text(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("%w: the address makes no sense", crm.ErrInvalid)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "identity") // or the transport would decompress what it reads
	req.Header.Set("User-Agent", "sluice")
	f.authorize(req)
	res, err := f.way.HTTP(req)
	if err != nil {
		return nil, err
	}
	if err := webFault(res, header.Get("Range") != ""); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

func (f *webFile) authorize(req *http.Request) {
	set := f.way.Settings
	switch {
	case set["token"] != "":
		req.Header.Set("Authorization", "Bearer "+set["token"])
	case set["user"] != "":
		req.SetBasicAuth(set["user"], set["password"])
	}
}

// webFault says why an answer is no file; nil if it is one.
func webFault(res *http.Response, ranged bool) error {
	switch status := res.StatusCode; {
	case status == http.StatusOK, status == http.StatusPartialContent && ranged:
		return pageFault(res.Header)
	case status == http.StatusRequestedRangeNotSatisfiable && ranged:
		return nil
	case status == http.StatusUnauthorized:
		return fmt.Errorf("%w: the server does not take the credentials, or wants some (401)", crm.ErrDenied)
	case status == http.StatusForbidden:
		return fmt.Errorf("%w: the server refuses (403); an address that is signed may have run out", crm.ErrDenied)
	case status == http.StatusNotFound, status == http.StatusGone:
		return fmt.Errorf("%w: the server has no such file (%d)", crm.ErrNotFound, status)
	case status == http.StatusPreconditionFailed:
		return changedFile("the server says so (412)")
	case status/100 == 2:
		return fmt.Errorf("%w: the server answers %d, which is no file", crm.ErrInvalid, status)
	}
	return (&answer{status: res.StatusCode, header: res.Header, now: time.Now()}).fault()
}

// pageFault refuses what is for people to look at, such as a form to log in, as
// most links to shared files give it.
func pageFault(h http.Header) error {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	attached, _, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	if attached != "attachment" && (kind == "text/html" || kind == "application/xhtml+xml") {
		return fmt.Errorf("%w: the server answers with a web page and not with a file; "+
			"it may want a login, or the address is that of a page with a link to the file", crm.ErrInvalid)
	}
	return nil
}

// describe says what the head of an answer tells of the file.
func (f *webFile) describe(res *http.Response) FileInfo {
	info := FileInfo{Name: f.name(res), Size: res.ContentLength, Validator: strongTag(res.Header)}
	if at, err := http.ParseTime(res.Header.Get("Last-Modified")); err == nil {
		info.Changed = at.UTC()
	}
	return info
}

// name is what the server calls the file, or what its address says.
func (f *webFile) name(res *http.Response) string {
	_, params, _ := mime.ParseMediaType(res.Header.Get("Content-Disposition"))
	if name := cleanName(params["filename"]); name != "" {
		return name
	}
	name, ok := f.place.named()
	if !ok && res.Request != nil && res.Request.URL != nil { // where redirects led to
		if at := cleanName(res.Request.URL.Path); path.Ext(at) != "" {
			return at
		}
	}
	return name
}

// maxName is how long a file's name may be, in bytes, as most systems have it.
const maxName = 255

// cleanName is the last part of a path of any system, without what does not
// show; "" if nothing is left.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ReplaceAll(s, `\`, "/"))
	s = strings.TrimSpace(s[strings.LastIndexByte(s, '/')+1:])
	for len(s) > maxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	if s == "." || s == ".." {
		return ""
	}
	return s
}

// strongTag is the entity tag if equal tags mean equal bytes; else "" (section
// 8.8.3).
func strongTag(h http.Header) string {
	tag := h.Get("ETag")
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return ""
	}
	return tag
}

// contentRange reads the head of an answer to a request for a part (section
// 14.4): its first byte, and the size of the whole; -1 for what is not said.
//
//	Content-Range: bytes 42-1233/1234
//	Content-Range: bytes */1234
func contentRange(h http.Header) (first, size int64, err error) {
	text, ok := strings.CutPrefix(h.Get("Content-Range"), "bytes ")
	span, total, found := strings.Cut(text, "/")
	if !ok || !found {
		return -1, -1, nil
	}
	first, size = -1, -1
	if from, _, dash := strings.Cut(span, "-"); dash {
		if first, err = strconv.ParseInt(from, 10, 64); err != nil {
			return -1, -1, fmt.Errorf("%w: the server says which bytes it gives in no known way", crm.ErrInvalid)
		}
	}
	if total != "*" {
		if size, err = strconv.ParseInt(total, 10, 64); err != nil || size < 0 {
			return -1, -1, fmt.Errorf("%w: the server gives the file's size in no known way", crm.ErrInvalid)
		}
	}
	return first, size, nil
}
