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
// leaves all to the header. Samples are rows from the file's beginning: cells
// that do not fit speak against a name, and cells that can be but one thing
// speak for a column whose name says nothing. There may be none. [Suggest]
// decides alike.
//
// There is a decision for each column, in order, and behind them one for each
// column whose words are translated. Whatever cannot be is reported at once, in
// one error that wraps [crm.ErrInvalid]: a column that the header has not, two
// columns for one field, a header nothing of which is known, and rows that
// would not say which customer they are about.
func Resolve(header []string, samples [][]string, spec *Spec, o Options) (*Mapping, []crm.Decision, error) {
	if spec == nil {
		spec = &Spec{}
	}
	if o.Named {
		spec = connectorSpec(header, spec)
	}
	r := &resolver{plan: newPlan(header, samples, spec, o.Region), spec: spec}
	r.out = &Mapping{
		Version: mappingVersion, Mode: spec.Mode, Match: spec.Match,
		Region: strings.ToUpper(o.Region), TimeZone: o.TimeZone, Now: o.Now,
		NoCustomers: !r.plan.allowed[crm.Customer], Billed: o.Named,
	}
	r.settle()
	r.settleFields()
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

// settle takes what the mapping file says of columns.
func (r *resolver) settle() {
	p := r.plan
	for i := range r.spec.Columns {
		c := &r.spec.Columns[i]
		at, ok := r.column(c.Column)
		if !ok {
			continue
		}
		p.choices[at] = choice{to: c.To, evidence: "the mapping file says so", score: 1, settled: true, spec: c}
		for _, to := range c.To {
			r.claim(to, at)
		}
	}
}

// column finds a column of the header by its text.
func (r *resolver) column(text string) (at int, ok bool) {
	header, name := r.plan.header, headerText(text)
	switch at = slices.Index(header, name); {
	case at < 0:
		r.fault("column %q is not in the header%s (found: %s)", name, didYouMean(name, header), names(header))
		return 0, false
	case slices.Contains(header[at+1:], name):
		r.fault("the header has column %q more than once; rename them", name)
		return 0, false
	}
	return at, true
}

// claim gives a field to a column, or to what the mapping file fills it with.
func (r *resolver) claim(field string, at int) {
	p := r.plan
	by := "the mapping file"
	if at != byFile {
		by = fmt.Sprintf("column %q", p.header[at])
	}
	t, ok := parseTarget(field)
	if !ok {
		r.fault("%s: %s", by, noField(field))
		return
	}
	switch rival := p.rival(field); {
	case rival == field && at != byFile && p.taken[rival] != byFile:
		r.fault("%s cannot come from two columns, %q and %q; keep one of them", field, p.header[p.taken[rival]], p.header[at])
		return
	case rival == field:
		r.fault("%s is filled by value, first_of or join, so no column can go to it too", field)
		return
	case rival != "":
		r.fault("%s and %s cannot both be filled: a whole name is divided into first and last; keep one of them", rival, field)
		return
	}
	p.taken[field] = at
	if why := p.barred(t); why != "" {
		r.fault("%s goes to %s, and %s; change match, only or the mapping of %[2]s", by, field, why)
	}
}

// settleFields takes what the mapping file fills without a column of its own.
func (r *resolver) settleFields() {
	for i := range r.spec.Fields {
		f := &r.spec.Fields[i]
		if !f.filled() {
			continue
		}
		r.claim(f.Field, byFile)
		for _, text := range append(slices.Clone(f.FirstOf), f.Join...) {
			if at, ok := r.column(text); ok {
				r.plan.choices[at].part = append(r.plan.choices[at].part, f.Field)
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
		if c.settled || c.to != nil || c.part != nil || p.header[i] == "" {
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

// columns keeps every column that is used, in the header's order.
func (r *resolver) columns() {
	for i, c := range r.plan.choices {
		if len(c.to)+len(c.part) == 0 {
			continue
		}
		col := Column{Index: i, Name: r.plan.header[i], To: slices.Clone(c.to), BadCells: r.spec.BadCells}
		for _, field := range c.part {
			if r.isFirst(field) {
				col.To = append(col.To, field)
			}
		}
		values := c.values
		if c.badCells != "" {
			col.BadCells = c.badCells
		}
		if s := c.spec; s != nil {
			col.Type, col.Required, col.DateOrder, col.Separator, col.Decimal = s.Type, s.Required, s.DateOrder, s.Separator, s.Decimal
			values = s.Values
			if s.BadCells != "" {
				col.BadCells = s.BadCells
			}
		}
		if len(values) > 0 {
			col.Values = make(map[string]string, len(values))
			for _, from := range sortedKeys(values) {
				col.Values[wordKey(from)] = trimmed(values[from])
			}
		}
		if col.Type == "" {
			col.Type = r.typeOfPart(&col)
		}
		if col.DateOrder == "" && (col.timed() || len(col.To) == 0) {
			col.DateOrder = r.spec.DateOrder
		}
		if col.BadCells == RejectRow {
			col.BadCells = ""
		}
		r.out.Columns = append(r.out.Columns, col)
	}
}

// typeOfPart returns the type of a column that does nothing but fill an
// attribute together with others: that which the first of them has.
func (r *resolver) typeOfPart(c *Column) Type {
	if len(c.To) != 1 || !r.isFirst(c.To[0]) {
		return ""
	}
	for i := range r.spec.Fields {
		if r.spec.Fields[i].Field != c.To[0] {
			continue
		}
		for _, text := range r.spec.Fields[i].FirstOf {
			at := slices.IndexFunc(r.spec.Columns, func(s ColumnSpec) bool { return headerText(s.Column) == headerText(text) })
			if at >= 0 && r.spec.Columns[at].Type != "" {
				return r.spec.Columns[at].Type
			}
		}
	}
	return ""
}

// isFirst reports whether the mapping file fills a field by first_of.
func (r *resolver) isFirst(field string) bool {
	return slices.ContainsFunc(r.spec.Fields, func(f FieldSpec) bool { return f.Field == field && len(f.FirstOf) > 0 })
}

// key makes sure that a row can say which customer it is about, and which
// contact.
func (r *resolver) key() {
	if r.plan.nameless() {
		r.fault("columns go to the contact and none says who it is; map one to %s", strings.Join(identities, ", "))
	}
	if missing := r.plan.keyless(); missing != "" && len(r.faults) == 0 {
		r.fault("%s (found: %s)", missing, names(r.plan.header))
	}
}
