package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"sluice/internal/crm"
)

// A Way is how files are reached.
type Way struct {
	// HTTP makes requests. It bounds how long the other side may be silent, and
	// not how long a download may take.
	HTTP func(*http.Request) (*http.Response, error)

	// Dial connects to a server of SFTP.
	Dial func(ctx context.Context, host string, port uint16) (net.Conn, error)

	Settings map[string]string // those of [FileSettings] that have a value

	// KnownHosts are keys of hosts beside those of the settings, as OpenSSH
	// keeps them; "" if there are none.
	KnownHosts string

	// Environment is true when a bucket may be read with what the environment
	// of this process authorizes it to, if the settings hold nothing.
	Environment bool

	// Idle is how long a server of SFTP may be silent; 0: a minute.
	Idle time.Duration

	keepalive time.Duration // how often a server of SFTP is told that we are there; 0: 15 s
}

// FileInfo says what is known of a file before it is read.
type FileInfo struct {
	Name    string    // base name, for people; never ""
	Size    int64     // in bytes; -1: not known
	Changed time.Time // zero: not known

	// Validator is another one for another version of the file; "" if versions
	// cannot be told apart or the file cannot be read from its middle, so that
	// a download that was cut short begins anew.
	Validator string
}

// Found is one file that a place stands for.
type Found struct {
	Place   Place
	Name    string // base name
	Size    int64  // in bytes; -1: not known
	Changed time.Time
}

// errNoResume is the error of opening a file in its middle where that is not to
// be had: it can be read only from its beginning.
var errNoResume = errors.New("the file cannot be read from its middle on")

// opener reads the files of one place. It is for one goroutine. Errors are
// marked by their kinds, and do not name the place.
type opener interface {
	stat(ctx context.Context) (FileInfo, error)

	// open reads from a byte on. From 0 it is of whatever version there is; from
	// elsewhere of the version wanted, or the error wraps crm.ErrSourceChanged or
	// is errNoResume. The bytes are the file's own, nothing is decompressed. ctx
	// bounds the reading. The caller closes it.
	open(ctx context.Context, from int64, want FileInfo) (FileInfo, io.ReadCloser, error)

	// list finds what the last part of a pattern stands for, in any order.
	list(ctx context.Context) ([]Found, error)

	close() error
}

// A Remote is a place that can be read. It is for one goroutine.
type Remote struct {
	place Place
	from  opener
}

// Open makes a place ready to be read; the caller closes it. Settings that make
// no sense and a scheme that this program was built without wrap
// [crm.ErrInvalid]; a lack of credentials wraps [crm.ErrDenied].
func (p Place) Open(ctx context.Context, w Way) (*Remote, error) {
	from, err := openerOf(ctx, p, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	return &Remote{place: p, from: from}, nil
}

func openerOf(ctx context.Context, p Place, w Way) (opener, error) {
	switch {
	case p.Web():
		return &webFile{place: p, way: w}, nil
	case p.Scheme == "sftp":
		return newSFTP(p, w)
	}
	return openBucket(ctx, p, w)
}

// Close ends the connection, if there is one.
func (r *Remote) Close() error { return r.from.close() }

// Stat looks at the file. No such file wraps [crm.ErrNotFound], credentials that
// are refused and a host that is not the one that is known wrap
// [crm.ErrDenied].
func (r *Remote) Stat(ctx context.Context) (FileInfo, error) {
	if r.place.Pattern() {
		return FileInfo{}, fmt.Errorf("%s: %w: it is a pattern, and names no single file", r.place, crm.ErrInvalid)
	}
	info, err := r.from.stat(ctx)
	if err != nil {
		return FileInfo{}, fmt.Errorf("%s: %w", r.place, err)
	}
	return info, nil
}
