package activities

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"

	"sluice/internal/crm"
)

// listedRows reads the rows of a staged list: rejected, warned or unprocessed
// ones. A zero object is an empty list.
func (a *Activities) listedRows(ctx context.Context, o crm.Object, each func(crm.RejectedRow) error) error {
	if o.IsZero() {
		return nil
	}
	r, err := a.Stage.ReadCompressed(ctx, o)
	if err != nil {
		return err
	}
	defer r.Close()
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for {
		var row crm.RejectedRow
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// list writes rows, one JSON object a line, into a staged object that begins
// with its first row: an empty list leaves nothing.
type list struct {
	ctx   context.Context
	stage Stage
	key   string

	pipe *io.PipeWriter
	w    *bufio.Writer
	done chan struct{}
	o    crm.Object
	err  error
}

func newList(ctx context.Context, s Stage, key string) *list {
	return &list{ctx: ctx, stage: s, key: key}
}

func (l *list) add(r crm.RejectedRow) error {
	if l.pipe == nil {
		var pr *io.PipeReader
		pr, l.pipe = io.Pipe()
		l.w, l.done = bufio.NewWriterSize(l.pipe, 1<<16), make(chan struct{})
		go func() {
			defer close(l.done)
			l.o, l.err = l.stage.PutCompressed(l.ctx, l.key, pr)
			pr.CloseWithError(l.err)
		}()
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = l.w.Write(append(line, '\n'))
	return err
}

func (l *list) close() (crm.Object, error) {
	if l.pipe == nil {
		return crm.Object{}, nil
	}
	err := l.w.Flush()
	l.pipe.CloseWithError(err)
	<-l.done
	return l.o, errors.Join(err, l.err)
}

// abandon ends the writing of a list that was not closed. After close it does
// nothing.
func (l *list) abandon() {
	if l.pipe != nil {
		l.pipe.CloseWithError(context.Canceled)
		<-l.done
	}
}
