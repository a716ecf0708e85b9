package mapping

import (
	"slices"

	yaml "go.yaml.in/yaml/v3"

	"sluice/internal/crm"
)

// field reads one entry of fields.
func (p *specParser) field(name, v *yaml.Node) {
	f := FieldSpec{Field: name.Value}
	t, ok := parseField(f.Field)
	if !ok {
		p.fault(name, "fields: %s", noField(f.Field))
		return
	}
	p.settings(v, f.Field, map[string]setting{
		"required":  func(v *yaml.Node) { p.flag(v, "required", &f.Required) },
		"collision": func(v *yaml.Node) { oneOf(p, v, "collision", &f.Collision, crm.Overwrite, crm.FillBlank, crm.Never) },
		"erase":     func(v *yaml.Node) { p.flag(v, "erase", &f.Erase) },
		"default":   func(v *yaml.Node) { p.str(v, "default", &f.Default) },
		"value":     func(v *yaml.Node) { p.value(v, &f.Value) },
		"first_of":  func(v *yaml.Node) { p.headers(v, "first_of", &f.FirstOf) },
		"join":      func(v *yaml.Node) { p.headers(v, "join", &f.Join) },
		"with":      func(v *yaml.Node) { p.with(v, &f.With) },
	})
	for _, fault := range f.faults(t) {
		p.fault(name, "%s: %s", f.Field, fault)
	}
	p.spec.Fields = append(p.spec.Fields, f)
}

// value reads a constant. A blank one would say nothing.
func (p *specParser) value(v *yaml.Node, to *string) {
	p.str(v, "value", to)
	if v.Kind == yaml.ScalarNode && v.Tag != "!!null" && trimmed(*to) == "" {
		p.fault(v, "value must not be blank")
	}
}

func (p *specParser) with(v *yaml.Node, to *string) {
	p.str(v, "with", to)
	if v.Kind == yaml.ScalarNode && v.Tag != "!!null" && *to == "" {
		p.fault(v, "with must be at least one character; leave it away for a space")
	}
}

// headers reads a list of header texts.
func (p *specParser) headers(v *yaml.Node, name string, to *[]string) {
	for _, item := range p.list(v, name) {
		var column string
		p.str(item, name, &column)
		switch column = trimmed(column); {
		case column == "":
			p.fault(item, "%s: a column without a name cannot be used; name it in the file's header", name)
		case slices.Contains(*to, column):
			p.fault(item, "%s: column %q stands there twice", name, column)
		default:
			*to = append(*to, column)
		}
	}
	if v.Kind == yaml.SequenceNode && len(v.Content) == 0 {
		p.fault(v, "%s: name the columns", name)
	}
}

// filled reports whether the field is filled without a column that goes to it.
func (f *FieldSpec) filled() bool { return f.Value != "" || len(f.FirstOf)+len(f.Join) > 0 }

// faults says which settings of a field do not go together.
func (f *FieldSpec) faults(t target) []string {
	ways := 0
	for _, is := range []bool{f.Value != "", len(f.FirstOf) > 0, len(f.Join) > 0} {
		if is {
			ways++
		}
	}
	rule := f.Collision != "" || f.Erase
	all := t.Key == "" && t.Field == customField[t.Entity]
	var faults []string
	for _, wrong := range []struct {
		is   bool
		what string
	}{
		{f.Erase && f.Collision != "" && f.Collision != crm.Overwrite, "erase only goes with collision: " + string(crm.Overwrite)},
		{f.Erase && f.Default != "", "a field with a default is never blank, so nothing would be erased"},
		{f.Erase && f.Value != "", "a field with a value is never blank, so nothing would be erased"},
		{f.Required && f.Default != "", "a field with a default is never blank, so it cannot be required"},
		{f.Required && f.Value != "", "a field with a value is never blank, so it cannot be required"},
		{f.Default != "" && f.Value != "", "value is for every row, so there is no use for a default"},
		{ways > 1, "only one of value, first_of and join can fill it"},
		{f.With != "" && len(f.Join) == 0, "with stands between the parts of join, and there is no join"},
		{t.Key != "" && rule, "collision and erase are set for all attributes together; write them under " + t.Entity.String() + ".custom"},
		{all && (f.Required || f.Default != "" || ways > 0), "required, default, value, first_of and join are set for one attribute; write " + f.Field + ".NAME"},
		{t == contactName && (rule || f.Default != "" || f.Value != ""), "only required, first_of and join are for the whole name; set the others for contact.first_name and contact.last_name"},
	} {
		if wrong.is {
			faults = append(faults, wrong.what)
		}
	}
	if t == customerID && (rule || f.Default != "") {
		faults = append(faults, "customers are known by it, so it takes no collision, erase or default")
	}
	return faults
}
