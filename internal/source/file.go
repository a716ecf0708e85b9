package source

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"sluice/internal/crm"
)

// A Place is where a file lies, as people write it:
//
//	https://host/path       also http://, where the administrator allows it
//	s3://bucket/key         gs://bucket/key, azblob://container/key
//	sftp://user@host/path   the path from the root; from /~/ on, from the
//	                        folder that the server begins in
//
// In the last part of the latter four a star stands for any characters but a
// slash: then the place is a pattern, and stands for every file that matches.
// Names of objects are taken as they are; paths of the others are escaped as in
// every URL. No place holds a password.
type Place struct {
	Scheme string
	Host   string // with the port, if it is given; of a bucket its name
	User   string // "" leaves it to the settings
	Path   string // of sftp unescaped; of a bucket the key, without a slash before it

	text string
}

// maxPlace is how long the text of a place may be: some are signed.
const maxPlace = 4096

// ParsePlace reads a Place. What is none, or holds a password, wraps
// [crm.ErrInvalid]; the error does not repeat it.
func ParsePlace(text string) (Place, error) {
	p, err := parsePlace(text)
	if err != nil {
		return Place{}, fmt.Errorf("address of a file: %w: %w", crm.ErrInvalid, err)
	}
	return p, nil
}

// bucketSchemes are those whose places name objects of buckets.
var bucketSchemes = []string{"s3", "gs", "azblob"}

func parsePlace(text string) (Place, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	switch {
	case len(text) > maxPlace:
		return Place{}, fmt.Errorf("it is longer than %d characters", maxPlace)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Place{}, errors.New("it holds a control character")
	case !ok:
		return Place{}, errors.New("write it as https://host/path, s3://bucket/key or sftp://user@host/path")
	}
	switch scheme {
	case "https", "http":
		return parseWeb(text)
	case "sftp":
		return parseSFTP(text)
	case "s3", "gs", "azblob":
		return parseBucket(scheme, rest)
	case "file":
		return Place{}, errors.New("a file of this machine is named by its path, without file://")
	}
	return Place{}, errors.New("only https, s3, gs, azblob and sftp are known")
}

func parseWeb(text string) (Place, error) {
	u, err := parseURL(text)
	if err != nil {
		return Place{}, err
	}
	if u.User != nil {
		return Place{}, errors.New("it holds a name or a password: credentials belong into the settings of the source")
	}
	u.Fragment, u.RawFragment = "", "" // It is never sent.
	return Place{Scheme: u.Scheme, Host: u.Host, Path: u.Path, text: u.String()}, nil
}

func parseSFTP(text string) (Place, error) {
	u, err := parseURL(text)
	if err != nil {
		return Place{}, err
	}
	if _, has := u.User.Password(); has {
		return Place{}, errors.New("it holds a password: that belongs into the settings of the source")
	}
	switch {
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Place{}, errors.New("in a path, ? is written %3F and # is written %23")
	case strings.HasSuffix(u.Path, "/") || u.Path == "" || u.Path == "/~":
		return Place{}, errors.New("it names no file; all files of a folder are /folder/*")
	}
	return checkStar(Place{Scheme: "sftp", Host: u.Host, User: u.User.Username(), Path: u.Path, text: text})
}

// parseURL drops the cause of what is no URL: it would repeat the text.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return nil, errors.New("it is no address")
	}
	if u.Hostname() == "" {
		return nil, errors.New("it names no host")
	}
	return u, nil
}

var (
	bucketName = regexp.MustCompile(`^[A-Za-z0-9$][A-Za-z0-9._-]{1,221}$`)
	parameter  = regexp.MustCompile(`\?[a-zA-Z_]+=`)
)

func parseBucket(scheme, rest string) (Place, error) {
	name, key, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(name, "@"):
		return Place{}, errors.New("it holds a name or a password: credentials belong into the settings of the source")
	case !bucketName.MatchString(name):
		return Place{}, errors.New("it names no bucket")
	case key == "" || strings.HasSuffix(key, "/"):
		return Place{}, fmt.Errorf("it names no object; all objects of a folder are %s://bucket/folder/*", scheme)
	case parameter.MatchString(key):
		return Place{}, errors.New("region, endpoint and the like are settings of the source, and no part of an address")
	}
	return checkStar(Place{Scheme: scheme, Host: name, Path: key, text: scheme + "://" + name + "/" + key})
}

func checkStar(p Place) (Place, error) {
	if strings.Contains(path.Dir(p.Path), "*") {
		return Place{}, errors.New("a star may be in its last part only")
	}
	return p, nil
}

// Text is what the place is parsed from. It may hold what authorizes, so it is
// for no log and no error.
func (p Place) Text() string { return p.text }

// String is the place for people: of an address on the web only the host, since
// the rest of it may be all it takes to read the file.
func (p Place) String() string {
	if p.Web() {
		return p.Scheme + "://" + p.Host + "/…"
	}
	return p.text
}

// Web reports whether the place is asked for by HTTP.
func (p Place) Web() bool { return p.Scheme == "https" || p.Scheme == "http" }

// Pattern reports whether the place stands for every file that matches.
func (p Place) Pattern() bool { return !p.Web() && strings.Contains(p.Path, "*") }

// Name is what people may be shown as the file's name, before anybody has looked
// at the file: the last part of the path, or, of an address on the web where that
// looks like no name, the host. It may be what authorizes to read the file.
func (p Place) Name() string {
	name, _ := p.named()
	return name
}

// named is Name; false if it is the host.
func (p Place) named() (name string, ok bool) {
	if !p.Web() {
		return p.Base(), true
	}
	if name = cleanName(p.Path); path.Ext(name) != "" {
		return name, true
	}
	u := url.URL{Host: p.Host}
	return u.Hostname(), false
}

// Base is the last part of the place's path.
func (p Place) Base() string { return path.Base(p.Path) }

// beside is a place in the same folder, of another name.
func (p Place) beside(name string) (Place, error) {
	if strings.ContainsAny(name, "*/") {
		return Place{}, fmt.Errorf("%w: %q holds a star or a slash, and no address can name it", crm.ErrInvalid, name)
	}
	folder := p.text[:strings.LastIndexByte(p.text, '/')+1]
	if p.Scheme == "sftp" {
		name = url.PathEscape(name)
	}
	return ParsePlace(folder + name)
}

// starred reports whether a name matches a pattern, in which a star stands for
// any characters but a slash, and everything else for itself.
func starred(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if strings.Contains(name, "/") || !strings.HasPrefix(name, parts[0]) {
		return false
	}
	if len(parts) == 1 {
		return name == pattern
	}
	name = name[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}
