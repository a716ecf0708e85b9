package store

import (
	"bytes"
	"context"
	"io"

	"sluice/internal/crm"
)

// probed is how many of a batch's customers are looked up before it is taken to
// be new. A batch of which some exist has one among so many, all but surely; if
// not, the tables refuse it and it is written anew, with staging.
const probed = 128

// A straight is a batch all of whose records are new, and so go into the tables
// without being staged in temporary ones. That nothing is there to meet them is
// believed of the customers after a look at some, and known of the contacts and
// notes, whose customers this import created; the unique keys of the tables
// judge. What is not believed, or refused, goes the long way, which decides.
type straight struct {
	a     *attempt
	parts [3]newRecords
	ids   map[string][]byte // of customers, by their keys, both as COPY has them
}

// newRecords are the staged records of one entity.
type newRecords struct {
	entity    crm.Entity
	raw       []byte   // their lines
	live      []int    // places of those that are not settled before
	customers [][]byte // of contacts and notes: the id of each live one's customer; nil if there is none
}

// straight writes the batch if nothing speaks against it, and otherwise reports
// false and has done nothing.
func (a *attempt) straight(ctx context.Context) (counts crm.Counts, done bool, err error) {
	if !a.mayBeStraight() {
		return counts, false, nil
	}
	s := &straight{a: a}
	for _, e := range crm.Entities {
		if err := s.read(ctx, e); err != nil {
			return counts, false, err
		}
	}
	if alone, err := s.resolve(ctx); !alone || err != nil {
		a.live, a.addresses = [3][]int{}, [3][]crm.Address{}
		return counts, false, err
	}
	a.outcomes = a.verdict(s.marks())
	counts = a.outcomes.Tally(a.in.Batch.Counts, a.addresses)
	for i := range s.parts {
		if err := s.create(ctx, &s.parts[i]); err != nil {
			return counts, false, err
		}
	}
	return counts, true, nil
}

// mayBeStraight reports whether the batch can be judged without the tables.
func (a *attempt) mayBeStraight() bool {
	records := 0
	for _, e := range crm.Entities {
		records += a.in.Batch.Part(e).Records
	}
	return records > 0 && !a.again && a.only == nil && a.in.Settles == nil &&
		!a.to.dry && a.to.match == nil && a.to.since == nil && a.to.mode != crm.UpdateOnly
}

// read reads the records of e, and notes where they are and which are live.
func (s *straight) read(ctx context.Context, e crm.Entity) error {
	part := &s.parts[e]
	part.entity = e
	records := s.a.in.Batch.Part(e).Records
	if records == 0 {
		return nil
	}
	r, err := s.a.open(ctx, e)
	if err != nil {
		return passing{err}
	}
	defer r.Close()
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return passing{err}
	}
	part.raw = raw.Bytes()
	from := newLoader(e, bytes.NewReader(part.raw), records, nil)
	for {
		if _, err := from.next(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	for ord, o := range s.a.preset[e] {
		if o == crm.ToWrite {
			part.live = append(part.live, ord)
		}
	}
	s.a.live[e], s.a.addresses[e] = part.live, from.addresses
	return nil
}

// lines calls do for the line of every live record, without its newline.
func (p *newRecords) lines(do func(i int, line []byte)) {
	rest, ord := p.raw, 0
	for i, at := range p.live {
		for ; ord < at; ord++ {
			rest = rest[bytes.IndexByte(rest, '\n')+1:]
		}
		do(i, rest[:bytes.IndexByte(rest, '\n')])
	}
}

// resolve finds the customers that contacts and notes hang on. It reports false
// if some record may be there already.
func (s *straight) resolve(ctx context.Context) (bool, error) {
	var first []string // keys of customers
	customers := &s.parts[crm.Customer]
	s.ids = make(map[string][]byte, len(customers.live))
	hung := len(s.parts[crm.Contact].live)+len(s.parts[crm.Note].live) > 0
	customers.lines(func(i int, line []byte) {
		if !hung && i >= probed {
			return
		}
		_, rest := crm.CutCopy(line)
		id, rest := crm.CutCopy(rest)
		key, _ := crm.CutCopy(rest)
		s.ids[string(key)] = id
		if i < probed {
			first = append(first, crm.CopyValue(key))
		}
	})
	there, err := s.a.customersOf(ctx, first)
	if len(there) > 0 || err != nil {
		return false, err
	}
	elsewhere, err := s.a.customersOf(ctx, s.missing())
	if err != nil {
		return false, err
	}
	for _, c := range elsewhere {
		if c.CreatedImport != s.a.in.Import {
			return false, nil // they may have contacts and notes
		}
		s.ids[string(crm.AppendCopyValue(nil, c.Key))] = []byte(c.ID)
	}
	s.hang()
	return true, nil
}

// customerKey returns the key of the customer that a contact or note hangs on.
func customerKey(line []byte) []byte {
	_, rest := crm.CutCopy(line)
	_, rest = crm.CutCopy(rest)
	key, _ := crm.CutCopy(rest)
	return key
}

// missing lists the keys of customers that are not of this batch.
func (s *straight) missing() (keys []string) {
	seen := make(map[string]bool)
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		s.parts[e].lines(func(_ int, line []byte) {
			key := customerKey(line)
			if s.ids[string(key)] == nil && !seen[string(key)] {
				seen[string(key)] = true
				keys = append(keys, crm.CopyValue(key))
			}
		})
	}
	return keys
}

// hang notes the customer of every contact and note.
func (s *straight) hang() {
	for _, e := range []crm.Entity{crm.Contact, crm.Note} {
		part := &s.parts[e]
		part.customers = make([][]byte, len(part.live))
		part.lines(func(i int, line []byte) { part.customers[i] = s.ids[string(customerKey(line))] })
	}
}

// marks says of each live record that it is new, or waits for its customer.
func (s *straight) marks() (marks [3]string) {
	for e := range s.parts {
		part := &s.parts[e]
		of := bytes.Repeat([]byte{markNew}, len(part.live))
		for i, id := range part.customers {
			if id == nil {
				of[i] = markWaits
			}
		}
		marks[e] = string(of)
	}
	return marks
}

// create writes the new records of one entity.
func (s *straight) create(ctx context.Context, part *newRecords) error {
	if err := s.tryHeld(ctx, part); err != nil {
		return err
	}
	want := s.a.count(part.entity, crm.Created)
	if want == 0 {
		return nil
	}
	n, err := s.a.s.dialect.create(ctx, s.a.tx, newCreator(s.a, part))
	if err == nil && n != want {
		err = errRace
	}
	return err
}

// tryHeld stages the records that wait for their customers. What the database
// refuses is refused at once, whether its customer is there by now or not
// (invariant 6).
func (s *straight) tryHeld(ctx context.Context, part *newRecords) error {
	var held []int
	for i, id := range part.customers {
		if id == nil {
			held = append(held, part.live[i])
		}
	}
	if len(held) == 0 {
		return nil
	}
	if _, err := s.a.stage(ctx, part.entity, held); err != nil {
		return err
	}
	return s.a.s.dialect.release(ctx, s.a.tx, part.entity)
}

// A knownCustomer is a customer in the tables.
type knownCustomer struct {
	Key           string
	ID            string
	CreatedImport int64
}

// keysAtOnce bounds the length of one statement.
const keysAtOnce = 5_000

// customersOf returns the customers of the source that have the keys. Those
// that are not there are left out.
func (a *attempt) customersOf(ctx context.Context, keys []string) (out []knownCustomer, err error) {
	d := a.s.dialect
	for len(keys) > 0 {
		some := keys[:min(len(keys), keysAtOnce)]
		keys = keys[len(some):]
		var found []knownCustomer
		err := a.tx.NewRaw(d.customersOf(), d.list(some), a.to.source).Scan(ctx, &found)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}
