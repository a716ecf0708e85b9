package mapping

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/crm"
)

// Resolve fits a header and a mapping file together. Columns that the file
// names go where it says. The others are mapped by their names, one column to
// a field, and those that stay unknown are treated as the file says. A nil spec
// leaves all to the header. Samples are rows from the file's beginning, which
// speak for and against a name as they do in [Suggest]; there may be none.
//
// There is a decision for each column, in order. Whatever cannot be is reported
// at once, in one error that wraps [crm.ErrInvalid]: a column that the header
// has not, two columns for one field, a header nothing of which is known, and
// rows that would not say which customer they are about.
func Resolve(header []string, samples [][]string, spec *Spec, o Options) (*Mapping, []crm.Decision, error) {
	if spec == nil {
		spec = &Spec{}
	}
	r := &resolver{plan: newPlan(header, spec), spec: spec}
	r.out = &Mapping{
		Version: mappingVersion, Mode: spec.Mode, Region: strings.ToUpper(o.Region), TimeZone: o.TimeZone, Now: o.Now,
		NoCustomers: !r.plan.allowed[crm.Customer],
	}
	r.settle()
	r.plan.automap()
	r.nothing()
	r.unknowns()
	r.columns()
	r.fields()
	r.key()
	decisions := r.plan.decisions()
	if len(r.faults) > 0 {
		return nil, decisions, invalid("mapping", r.faults)
	}
	if _, err := r.out.Mapper(); err != nil {
		return nil, decisions, err
	}
	return r.out, decisions, nil
}

type resolver struct {
	plan   *plan
	spec   *Spec
	out    *Mapping
	faults []string
}

func (r *resolver) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// settle takes what the mapping file says.
func (r *resolver) settle() {
	p := r.plan
	for i := range r.spec.Columns {
		c := &r.spec.Columns[i]
		name := headerText(c.Column)
		at := slices.Index(p.header, name)
		switch {
		case at < 0:
			r.fault("column %q is not in the header%s (found: %s)", name, didYouMean(name, p.header), names(p.header))
			continue
		case slices.Contains(p.header[at+1:], name):
			r.fault("the header has column %q more than once; rename them", name)
			continue
		}
		p.choices[at] = choice{to: c.To, evidence: "the mapping file says so", score: 1, settled: true, spec: c}
		for _, to := range c.To {
			if other, taken := p.taken[to]; taken {
				r.fault("%s cannot come from two columns, %q and %q; keep one of them", to, p.header[other], name)
				continue
			}
			p.taken[to] = at
			if t, ok := parseTarget(to); !ok {
				r.fault("column %q: %s", name, noField(to))
			} else if !p.may(t) {
				r.fault("column %q goes to %s, and %s are not among those imported; change only or the column", name, to, t.Entity.Plural())
			}
		}
	}
}

// nothing refuses a header that says nothing.
func (r *resolver) nothing() {
	if len(r.plan.taken) == 0 && len(r.faults) == 0 {
		// Invariant 4: a file without a header has its first row here, and so
		// nothing of it is said.
		r.fault("no column of the header is known, of %d; check that the file's first row names its columns, delete what stands above it, or name them in a mapping file", len(r.plan.header))
	}
}

// unknowns treats the columns that neither the file nor their name explains.
func (r *resolver) unknowns() {
	p := r.plan
	var refused []string
	for i := range p.choices {
		c := &p.choices[i]
		if c.settled || c.to != nil || p.header[i] == "" {
			continue
		}
		switch r.spec.Unknown {
		case RefuseUnknown:
			refused = append(refused, p.header[i])
		case CustomUnknown:
			if to := r.attribute(p.header[i]); to != "" && p.allowed[crm.Customer] {
				c.to, c.evidence, c.score = []string{to}, c.evidence+"; unknown columns become attributes", 1
				p.taken[to] = i
			}
		}
	}
	if refused != nil {
		r.fault("the mapping refuses unknown columns, and these are: %s; map them or write %s", names(refused), ignore)
	}
}

// attribute returns a custom attribute for a header text that no other column
// fills; "" if no name can be made of the text.
func (r *resolver) attribute(header string) string {
	base := attributeKey(header)
	if !validKey(base) {
		return ""
	}
	key := base
	for n := 2; ; n++ {
		to := "customer.custom." + key
		if _, taken := r.plan.taken[to]; !taken {
			return to
		}
		key = fmt.Sprintf("%s_%d", base, n)
	}
}

func (r *resolver) columns() {
	for i, c := range r.plan.choices {
		if len(c.to) == 0 {
			continue
		}
		col := Column{Index: i, Name: r.plan.header[i], To: c.to}
		if s := c.spec; s != nil {
			col.Type, col.Required, col.DateOrder = s.Type, s.Required, s.DateOrder
			for from, to := range s.Values {
				if col.Values == nil {
					col.Values = make(map[string]string, len(s.Values))
				}
				col.Values[wordKey(from)] = trimmed(to)
			}
		}
		if col.timed() && col.DateOrder == "" {
			col.DateOrder = r.spec.DateOrder
		}
		r.out.Columns = append(r.out.Columns, col)
	}
}

// fields applies what the mapping file says of fields.
func (r *resolver) fields() {
	base, err := r.out.reading()
	if err != nil {
		return // reported by Mapper
	}
	for _, f := range r.spec.Fields {
		t, ok := parseField(f.Field)
		if !ok {
			r.fault("fields: %s", noField(f.Field))
			continue
		}
		if f.Required {
			r.require(f.Field)
		}
		field := Field{Name: f.Field, Collision: f.Collision, Erase: f.Erase}
		if f.Default != "" {
			base.order = r.spec.DateOrder
			field.Default = r.canonical(t, f, &base)
		}
		if field.Default != "" || field.Collision != "" || field.Erase {
			r.out.Fields = append(r.out.Fields, field)
		}
	}
}

func (r *resolver) require(field string) {
	for i := range r.out.Columns {
		if c := &r.out.Columns[i]; slices.Contains(c.To, field) {
			c.Required = true
			return
		}
	}
	r.fault("%s is required and no column fills it; map one to it (found: %s)", field, names(r.plan.header))
}

// canonical returns the canonical form of a default.
func (r *resolver) canonical(t target, f FieldSpec, base *reading) string {
	typ := t.typ(r.given(f.Field))
	value, fault := "", crm.Reason("")
	if cell := trimmed(f.Default); cell != "" {
		value, fault = converters[typ](base, cell)
	}
	if typ == stateType {
		if code, ok := americanState(value); ok {
			value = code
		} else {
			fault = "not a state of the United States"
		}
	}
	if fault != "" {
		r.fault("%s: its default does not fit the field (%s)", f.Field, fault)
	}
	return value
}

// given returns the type that the column of an attribute chose.
func (r *resolver) given(field string) Type {
	for i := range r.out.Columns {
		if slices.Contains(r.out.Columns[i].To, field) {
			return r.out.Columns[i].Type
		}
	}
	return ""
}

// key makes sure that a row can say which customer it is about, and which
// contact.
func (r *resolver) key() {
	if r.plan.nameless() {
		r.fault("columns go to the contact and none says who it is; map one to %s", strings.Join(identities, ", "))
	}
	_, byID := r.plan.taken[customerID.String()]
	_, byEmail := r.plan.taken[customerEmail.String()]
	if !byID && !byEmail && len(r.faults) == 0 {
		r.fault("no column says which customer a row is about; map one to customer.external_id or customer.email (found: %s)", names(r.plan.header))
	}
}
