package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"sluice/internal/crm"
)

// A bucketKind is how the buckets of one scheme are read.
type bucketKind struct {
	settings []Setting

	// open makes a bucket ready. No request is made yet but for credentials.
	open func(ctx context.Context, name string, w Way) (*blob.Bucket, error)

	// version says which version an object is of that has been looked at, and
	// read which one is being read; the latter is "" if the bytes do not begin
	// where they were to.
	version func(a *blob.Attributes) string
	read    func(r *blob.Reader, from int64) string

	// pin has a reading fail unless it is of a version; of "" it is of any. as is
	// that of [blob.ReaderOptions].
	pin func(as func(any) bool, version string)

	// code is the name of the error that the service answers with, and its
	// status; "" and 0 if it did not answer.
	code func(err error) (string, int)
}

// bucketKinds holds those that this program was built with, by their schemes.
var bucketKinds = map[string]bucketKind{}

// registerBucket is called at start-up, once for each scheme.
func registerBucket(scheme string, k bucketKind) bool {
	bucketKinds[scheme] = k
	return true
}

// buildTags are those of schemes whose libraries not every program is to carry.
var buildTags = map[string]string{"gs": "gcs", "azblob": "azure"}

// FileSettings lists what may have to be told to read files of a scheme. Of a
// scheme that is not known, or that this program was built without, there are
// none.
func FileSettings(scheme string) []Setting {
	switch scheme {
	case "https", "http":
		return slices.Clone(webSettings)
	case "sftp":
		return slices.Clone(sftpSettings)
	}
	return slices.Clone(bucketKinds[scheme].settings)
}

// AllFileSettings lists what a source of files may have to be told: the settings
// of every scheme, of those that several schemes have one.
func AllFileSettings() []Setting {
	var all []Setting
	for _, scheme := range slices.Concat([]string{"https", "sftp"}, bucketSchemes) {
		for _, set := range FileSettings(scheme) {
			i := slices.IndexFunc(all, func(s Setting) bool { return s.Name == set.Name })
			if i < 0 {
				set.Help = scheme + ": " + set.Help
				all = append(all, set)
				continue
			}
			of, help, _ := strings.Cut(all[i].Help, ": ")
			all[i].Help = of + ", " + scheme + ": " + help
		}
	}
	return all
}

// SettingsOf lists all that a source of a kind may have to be told. No such kind
// wraps [crm.ErrInvalid].
func SettingsOf(kind string) ([]Setting, error) {
	if kind == crm.KindFile {
		return AllFileSettings(), nil
	}
	c, err := Of(kind)
	if err != nil {
		return nil, err
	}
	return Settings(c), nil
}

// bucketFile reads objects of a bucket.
type bucketFile struct {
	place Place
	kind  bucketKind
	b     *blob.Bucket
}

func openBucket(ctx context.Context, p Place, w Way) (opener, error) {
	kind, ok := bucketKinds[p.Scheme]
	if !ok {
		tag := buildTags[p.Scheme]
		return nil, fmt.Errorf("%w: this program was built without %s://; build it with -tags %s, or use s3://, https:// or sftp://", crm.ErrInvalid, p.Scheme, tag)
	}
	b, err := kind.open(ctx, p.Host, w)
	if err != nil {
		return nil, err
	}
	return &bucketFile{place: p, kind: kind, b: b}, nil
}

func (f *bucketFile) close() error { return f.b.Close() }

func (f *bucketFile) stat(ctx context.Context) (FileInfo, error) {
	a, err := f.b.Attributes(ctx, f.place.Path)
	if err != nil {
		return FileInfo{}, f.mark(ctx, err)
	}
	return FileInfo{Name: f.place.Base(), Size: a.Size, Changed: a.ModTime.UTC(), Validator: f.kind.version(a)}, nil
}

func (f *bucketFile) open(ctx context.Context, from int64, want FileInfo) (FileInfo, io.ReadCloser, error) {
	version := ""
	if from > 0 {
		if version = want.Validator; version == "" {
			return FileInfo{}, nil, errNoResume
		}
	}
	r, err := f.b.NewRangeReader(ctx, f.place.Path, from, -1, &blob.ReaderOptions{
		BeforeRead: func(as func(any) bool) error { f.kind.pin(as, version); return nil }})
	if err != nil {
		return FileInfo{}, nil, f.mark(ctx, err)
	}
	info := FileInfo{Name: f.place.Base(), Size: r.Size(), Changed: r.ModTime().UTC(), Validator: f.kind.read(r, from)}
	switch {
	case from > 0 && info.Validator == "":
		err = errNoResume
	case from > 0 && info.Validator != version:
		err = changedFile("it is another object than the one that was begun")
	}
	if err != nil {
		r.Close()
		return FileInfo{}, nil, err
	}
	return info, &bucketBody{r: r, f: f, ctx: ctx}, nil
}

// bucketBody hides what else a reader of the library can do, and its errors.
type bucketBody struct {
	r   *blob.Reader
	f   *bucketFile
	ctx context.Context
}

func (b *bucketBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = b.f.mark(b.ctx, err)
	}
	return n, err
}

func (b *bucketBody) Close() error { return b.r.Close() }

func (f *bucketFile) list(ctx context.Context) ([]Found, error) {
	folder, _ := path.Split(f.place.Path)
	start, _, _ := strings.Cut(f.place.Path, "*")
	out := finds{pattern: f.place}
	for all := f.b.List(&blob.ListOptions{Prefix: start, Delimiter: "/"}); ; {
		o, err := all.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out.found, nil
		}
		if err != nil {
			return nil, f.mark(ctx, err)
		}
		name := strings.TrimPrefix(o.Key, folder)
		if o.IsDir || name == "" || !out.matches(name) {
			continue
		}
		if err := out.add(Found{Name: name, Size: o.Size, Changed: o.ModTime.UTC()}); err != nil {
			return nil, err
		}
	}
}

// What services answer that a library's codes leave out.
var (
	// Credentials that are not known, do not fit or have run out: Amazon S3 API
	// Reference, Error responses; Azure, Status and error codes of Blob Storage.
	deniedCodes = []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
		"AccountProblem", "AllAccessDisabled", "NotSignedUp", "InvalidSecurity", "RequestTimeTooSkewed",
		"InvalidAuthenticationInfo", "NoAuthenticationInformation", "AuthorizationFailure", "AuthorizationPermissionMismatch", "InsufficientAccountPermissions"}
	elsewhereCodes = []string{"PermanentRedirect", "Redirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently"}
)

// mark gives an error of the library its kind, and leaves out what the service
// said beyond the name of the error.
func (f *bucketFile) mark(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	code, status := f.kind.code(err)
	switch {
	case errors.Is(err, crm.ErrInvalid):
		return err // of the way out: nothing was asked
	case status == http.StatusUnauthorized, status == http.StatusForbidden, slices.Contains(deniedCodes, code):
		return fmt.Errorf("%w: the bucket refuses the credentials, or they lack a permission (%s)", crm.ErrDenied, answered(code, status))
	case status == http.StatusPreconditionFailed:
		return changedFile("it is another object than the one that was begun")
	case slices.Contains(elsewhereCodes, code), status/100 == 3:
		return fmt.Errorf("%w: the bucket is of another region or endpoint (%s); correct the settings", crm.ErrInvalid, answered(code, status))
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: there is no such object, or no such bucket", crm.ErrNotFound)
	case gcerrors.PermissionDenied:
		return fmt.Errorf("%w: the bucket refuses the credentials, or they lack a permission (%s)", crm.ErrDenied, answered(code, status))
	case gcerrors.FailedPrecondition:
		return changedFile("it is another object than the one that was begun")
	}
	switch {
	case code == "" && status == 0:
		return err // What was sent or received did not get through.
	case status == http.StatusBadRequest:
		return fmt.Errorf("%w: the bucket refuses the request (%s); are the region and the credentials the right ones?", crm.ErrInvalid, answered(code, status))
	}
	return fmt.Errorf("the bucket answers %s", answered(code, status))
}

// answered is the name of an error, if it looks like one, and a status.
func answered(code string, status int) string {
	odd := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '.' && r != '_' }
	if code == "" || len(code) > 64 || strings.ContainsFunc(code, odd) {
		return fmt.Sprint(status)
	}
	return fmt.Sprintf("%d %s", status, code)
}

// roundTrip is a way out as the libraries of services take it.
type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) Do(req *http.Request) (*http.Response, error)        { return r(req) }
func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }
