package source

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sluice/internal/crm"
)

// A download that is cut short goes on where it ended, in any worker:
//
//	file ─▶ part, part, part … ─▶ one stream ─▶ Put
//	          each kept as soon as it is whole
//
// Parts are kept under the version of the file that they are of, so parts of
// two versions never meet. A file of one part, and one whose versions cannot be
// told apart, goes to Put at once.

// partSize is how many bytes a part has: what a lost worker costs at the most.
const partSize = 32 << 20

// DefaultMost is how many bytes a file may have where nobody says another
// number.
const DefaultMost = 50 << 30

// Parts keeps parts of files until they are whole. Its objects appear whole or
// not at all, and reading one checks its size and hash.
type Parts interface {
	Put(ctx context.Context, key string, r io.Reader) (crm.Object, error)
	Open(ctx context.Context, o crm.Object, offset int64) (io.ReadCloser, error)
	OpenKey(ctx context.Context, key string) (io.ReadCloser, error) // unchecked
}

// Download says where a file goes.
type Download struct {
	// Parts keeps what was read when the download is cut short, under keys below
	// Prefix. Nobody needs it when the download is done.
	Parts  Parts
	Prefix string

	// Put takes the whole file. It is called once, when all of a file that is
	// read in parts has been read.
	Put func(ctx context.Context, r io.Reader) (crm.Object, error)

	Most int64 // bytes; 0: [DefaultMost]

	// Progress is told now and then how many bytes have been read, of how many;
	// -1: nobody knows. Nil: nobody asks.
	Progress func(read, size int64)

	part int64 // bytes of a part; 0: partSize
}

// Downloaded is a file that has been read whole.
type Downloaded struct {
	FileInfo            // with the size that was read
	Object   crm.Object // as Put answered
	SHA256   string     // of the bytes, as 64 lower-case hex digits
	Kept     int64      // how many of the bytes an earlier call had read
}

// Download reads the file whole. Called again after it failed, or was cut short
// in any way, it reads only the parts that are missing, if the file is still the
// same.
//
// A file that becomes another while it is read wraps [crm.ErrSourceChanged]; an
// empty one and one that is too large wrap [crm.ErrInvalid]. Errors are those of
// [Remote.Stat] beyond that; what is not marked is passing.
func (r *Remote) Download(ctx context.Context, to Download) (Downloaded, error) {
	info, err := r.Stat(ctx)
	if err != nil {
		return Downloaded{}, err
	}
	if to.Most <= 0 {
		to.Most = DefaultMost
	}
	if to.part <= 0 {
		to.part = partSize
	}
	d := &download{Download: to, from: r.from, place: r.place}
	done, err := d.run(ctx, info)
	if err != nil {
		return Downloaded{}, fmt.Errorf("%s: %w", r.place, err)
	}
	return done, nil
}

// download is one call of Download.
type download struct {
	Download
	from  opener
	place Place

	info  FileInfo
	parts []crm.Object // from the beginning, without gaps
}

func (d *download) run(ctx context.Context, info FileInfo) (Downloaded, error) {
	d.info = info
	if d.inParts() {
		d.find(ctx)
	}
	kept := d.have()
	if !d.whole() {
		body, err := d.open(ctx)
		if err != nil {
			return Downloaded{}, err
		}
		defer body.Close()
		if !d.inParts() {
			return d.put(ctx, d.meter(body), 0)
		}
		kept = d.have() // none if it begins anew
		if err := d.read(ctx, d.meter(body)); err != nil {
			return Downloaded{}, err
		}
	}
	all := &joined{ctx: ctx, d: d}
	defer all.Close()
	return d.put(ctx, &meter{r: all, size: d.have(), most: d.Most}, kept)
}

// inParts reports whether the file is kept part by part.
func (d *download) inParts() bool {
	return d.info.Validator != "" && (d.info.Size < 0 || d.info.Size > d.part)
}

// have is how many bytes the parts hold.
func (d *download) have() (n int64) {
	for _, o := range d.parts {
		n += o.Size
	}
	return n
}

// whole reports whether the parts are known to be all there are.
func (d *download) whole() bool { return len(d.parts) > 0 && d.have() == d.info.Size }

// open opens the file behind the parts, or at its beginning if that is not to be
// had, and then without parts.
func (d *download) open(ctx context.Context) (io.ReadCloser, error) {
	info, body, err := d.from.open(ctx, d.have(), d.info)
	if errors.Is(err, errNoResume) && len(d.parts) > 0 {
		d.parts = nil
		info, body, err = d.from.open(ctx, 0, FileInfo{})
	}
	if err != nil {
		return nil, err
	}
	if info.Size < 0 && info.Validator == d.info.Validator {
		info.Size = d.info.Size // A whole file may come without what a look at it told.
	}
	d.info = info
	switch {
	case info.Size == 0:
		err = errEmpty
	case info.Size > d.Most:
		err = fmt.Errorf("%w: it has %d bytes, and may have %d", crm.ErrInvalid, info.Size, d.Most)
	}
	if err != nil {
		body.Close()
		return nil, err
	}
	return body, nil
}

var errEmpty = fmt.Errorf("%w: it is empty", crm.ErrInvalid)

func (d *download) meter(r io.Reader) *meter {
	return &meter{r: r, at: d.have(), size: d.info.Size, most: d.Most, progress: d.Progress, told: d.have()}
}

// read reads the parts that are missing.
func (d *download) read(ctx context.Context, from *meter) error {
	r := bufio.NewReader(from)
	for {
		// At the end the file must say so: only then it has not changed.
		_, err := r.Peek(1)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := d.Parts.Put(ctx, d.key(len(d.parts)), io.LimitReader(r, d.part))
		if from.err != nil {
			return from.err
		}
		if err == nil {
			err = d.keep(ctx, len(d.parts), o)
		}
		if err != nil {
			return err
		}
		d.parts = append(d.parts, o)
	}
}

// key is where a part is kept.
func (d *download) key(n int) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d %d", d.place.Text(), d.info.Validator, d.info.Size, d.part)
	return fmt.Sprintf("%s/%s/%05d", d.Prefix, hex.EncodeToString(h.Sum(nil)[:16]), n)
}

// refKey is where what refers to a part is kept. It is put when the part is
// whole, and only then the part counts.
func (d *download) refKey(n int) string { return d.key(n) + ".ref" }

func (d *download) keep(ctx context.Context, n int, o crm.Object) error {
	ref, err := json.Marshal(o)
	if err == nil {
		_, err = d.Parts.Put(ctx, d.refKey(n), bytes.NewReader(ref))
	}
	return err
}

// forget has a part read again by the next call.
func (d *download) forget(ctx context.Context, n int) error {
	_, err := d.Parts.Put(ctx, d.refKey(n), bytes.NewReader(nil))
	return err
}

// find looks for the parts that earlier calls have left. One that cannot be
// found, for whatever reason, is read again.
func (d *download) find(ctx context.Context) {
	for {
		n := len(d.parts)
		ref, err := readRef(d.Parts.OpenKey(ctx, d.refKey(n)))
		if err != nil || ref.Key != d.key(n) || ref.Size <= 0 || ref.Size > d.part {
			return
		}
		d.parts = append(d.parts, ref)
		if ref.Size < d.part {
			return // the last one
		}
	}
}

// maxRef is more than what refers to a part takes.
const maxRef = 4 << 10

func readRef(r io.ReadCloser, err error) (o crm.Object, _ error) {
	if err != nil {
		return o, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxRef))
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(b, &o)
}

// put hands the file over.
func (d *download) put(ctx context.Context, r *meter, kept int64) (Downloaded, error) {
	sum := sha256.New()
	o, err := d.Put(ctx, io.TeeReader(r, sum))
	switch {
	case r.err != nil:
		return Downloaded{}, r.err
	case err != nil:
		return Downloaded{}, err
	case r.at == 0:
		return Downloaded{}, errEmpty
	}
	out := Downloaded{FileInfo: d.info, Object: o, SHA256: hex.EncodeToString(sum.Sum(nil)), Kept: kept}
	out.Size = r.at
	return out, nil
}

// joined reads the parts one after the other.
type joined struct {
	ctx context.Context
	d   *download
	n   int           // the part at hand
	r   io.ReadCloser // nil between parts
}

func (j *joined) Read(p []byte) (int, error) {
	for {
		if j.n == len(j.d.parts) {
			return 0, io.EOF
		}
		if j.r == nil {
			r, err := j.d.Parts.Open(j.ctx, j.d.parts[j.n], 0)
			if err != nil {
				return 0, j.damaged(err)
			}
			j.r = r
		}
		n, err := j.r.Read(p)
		switch {
		case errors.Is(err, io.EOF):
			err = j.Close()
			j.n++
		case err != nil:
			err = j.damaged(err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// damaged has a part that is gone read again. That the part was not found says
// nothing of the file, so the error is passing.
func (j *joined) damaged(err error) error {
	if !errors.Is(err, crm.ErrNotFound) {
		return err
	}
	if err := j.d.forget(j.ctx, j.n); err != nil {
		return err
	}
	return fmt.Errorf("what was kept of it is damaged in part %d, which is read again: %v", j.n, err)
}

func (j *joined) Close() error {
	if j.r == nil {
		return nil
	}
	err := j.r.Close()
	j.r = nil
	return err
}

// meter knows where in a file its reader is, and what is too little and what is
// too much.
type meter struct {
	r        io.Reader
	at       int64 // of the next byte
	size     int64 // -1: not known
	most     int64
	progress func(read, size int64)
	told     int64 // what progress was told last

	// err is what ended the reading too early: others wrap it in words that are
	// about where the bytes go to.
	err error
}

// tellEvery is after how many bytes progress is told.
const tellEvery = 4 << 20

func (m *meter) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.r.Read(p)
	m.at += int64(n)
	if m.progress != nil && (m.at-m.told >= tellEvery || errors.Is(err, io.EOF)) {
		m.told = m.at
		m.progress(m.at, m.size)
	}
	m.err = m.judge(err)
	if m.err != nil {
		return 0, m.err
	}
	return n, err
}

// judge says what is wrong; nil at the end of a file that is as it was to be.
func (m *meter) judge(err error) error {
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case m.at > m.most:
		return fmt.Errorf("%w: it goes on behind byte %d, and may not have more", crm.ErrInvalid, m.most)
	case m.size >= 0 && m.at > m.size:
		return changedFile("it goes on behind byte %d, where it was to end", m.size)
	case ended && m.size >= 0 && m.at < m.size:
		return fmt.Errorf("it was cut off at byte %d of %d", m.at, m.size)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("at byte %d: %w", m.at, err)
	}
	return nil
}
