package mapping

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
)

func TestTemplatesMapThemselvesAndTheirRowsImport(t *testing.T) {
	t.Parallel()
	for _, kind := range TemplateKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			header, rows, notes, err := Template(kind)
			if err != nil {
				t.Fatal(err)
			}
			if len(notes) != len(header)+1 || len(rows) < 2 {
				t.Fatalf("%d columns, %d notes, %d rows", len(header), len(notes), len(rows))
			}
			for _, samples := range [][][]string{nil, rows} {
				m, decisions, err := Resolve(header, samples, nil, Options{Now: askedAt})
				if err != nil {
					t.Fatal(err)
				}
				for i, d := range decisions {
					to, _, _ := strings.Cut(d.Choice, ", ") // an e-mail may go on to the contact
					if field := notes[i+1][1]; to != field || notes[i+1][0] != header[i] {
						t.Errorf("column %q is for %s and goes to %s", header[i], field, d.Choice)
					}
					if kind != "customers" && strings.Contains(d.Choice, ", ") {
						t.Errorf("column %q goes to %s", header[i], d.Choice)
					}
				}
				p, err := m.Mapper()
				if err != nil {
					t.Fatal(err)
				}
				var out Mapped
				for i, row := range rows {
					if p.Map(&crm.Row{Cells: row}, &out); len(out.Faults)+len(out.Warnings) > 0 {
						t.Errorf("row %d: faults %v, warnings %v", i+1, out.Faults, out.Warnings)
					}
				}
			}
		})
	}
	if _, _, _, err := Template("leads"); !errors.Is(err, crm.ErrInvalid) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestEveryFieldIsDescribed(t *testing.T) {
	t.Parallel()
	var described []string
	for _, a := range fieldAbouts {
		described = append(described, a.field)
		target, ok := parseTarget(a.field)
		if !ok || a.takes == "" {
			t.Errorf("%+v", a)
			continue
		}
		base := reading{order: DMY, zone: time.UTC}
		if _, fault := converters[target.typ("")](&base, nil, a.example); fault != "" {
			t.Errorf("the example of %s does not fit it: %s", a.field, fault)
		}
	}
	for _, name := range targetNames() {
		if !slices.Contains(described, name) {
			t.Errorf("nothing is said of %s", name)
		}
	}
	for _, typ := range attributeTypes {
		if typeAbouts[typ] == "" {
			t.Errorf("nothing is said of type %s", typ)
		}
	}
}
