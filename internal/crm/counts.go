package crm

// Counts says what became of rows, and of the records they carry.
type Counts struct {
	Read        int64 `json:"read"` // rows, not counting blank ones
	Blank       int64 `json:"blank"`
	Rejected    int64 `json:"rejected"`
	Duplicate   int64 `json:"duplicate"`
	Accepted    int64 `json:"accepted"`
	Unprocessed int64 `json:"unprocessed"` // not written, after a cancel or a failure
	Warnings    int64 `json:"warnings"`

	Customers Tally `json:"customers"`
	Contacts  Tally `json:"contacts"`
	Notes     Tally `json:"notes"`
}

// A Tally says what became of the records of one entity. Records of rejected
// rows are not in it.
type Tally struct {
	Records   int64 `json:"records"`
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Duplicate int64 `json:"duplicate"`
	Waiting   int64 `json:"waiting,omitempty"` // for Settle; 0 at the end
}

// Of returns the tally of entity e.
func (c *Counts) Of(e Entity) *Tally {
	return [...]*Tally{&c.Customers, &c.Contacts, &c.Notes}[e]
}

// Add adds o to c, field by field.
func (c *Counts) Add(o Counts) {
	c.Read += o.Read
	c.Blank += o.Blank
	c.Rejected += o.Rejected
	c.Duplicate += o.Duplicate
	c.Accepted += o.Accepted
	c.Unprocessed += o.Unprocessed
	c.Warnings += o.Warnings
	for _, e := range Entities {
		t, u := c.Of(e), o.Of(e)
		t.Records += u.Records
		t.Created += u.Created
		t.Updated += u.Updated
		t.Unchanged += u.Unchanged
		t.Duplicate += u.Duplicate
		t.Waiting += u.Waiting
	}
}

// Minus returns c less o, field by field: what a batch of Settle must add to
// the counts of the batch its rows came from.
func (c Counts) Minus(o Counts) Counts {
	c.Read -= o.Read
	c.Blank -= o.Blank
	c.Rejected -= o.Rejected
	c.Duplicate -= o.Duplicate
	c.Accepted -= o.Accepted
	c.Unprocessed -= o.Unprocessed
	c.Warnings -= o.Warnings
	for _, e := range Entities {
		t, u := c.Of(e), o.Of(e)
		t.Records -= u.Records
		t.Created -= u.Created
		t.Updated -= u.Updated
		t.Unchanged -= u.Unchanged
		t.Duplicate -= u.Duplicate
		t.Waiting -= u.Waiting
	}
	return c
}

// Balanced reports whether every row read and every record carried is
// accounted for (invariant 1).
func (c Counts) Balanced() bool {
	if c.Read != c.Rejected+c.Duplicate+c.Accepted+c.Unprocessed {
		return false
	}
	for _, e := range Entities {
		t := c.Of(e)
		if t.Records != t.Created+t.Updated+t.Unchanged+t.Duplicate+t.Waiting {
			return false
		}
	}
	return true
}
