package store

import (
	"strings"

	"sluice/internal/crm"
)

// ours lists the columns of a record that no import fills.
var ours = []string{"created_import", "created_address", "changed_import", "changed_address", "rev", "changed_by", "stored_at", "updated_at"}

// tableColumns lists the columns of an entity's table.
func tableColumns(e crm.Entity) []string {
	cols := []string{"id", "source_id", "customer_uuid"}
	if e != crm.Customer {
		cols = []string{"id", "customer_id", "match_key"}
	}
	for _, f := range crm.Fields(e) {
		cols = append(cols, f.Name)
	}
	return append(cols, ours...)
}

// A merging is the SQL that settles a staged record s with the record t.
type merging struct{ columns, values []string }

// merge says what becomes of each field of a record that is there: by its rule
// the import's value s, or the record's own value t.
func merge(d dialect, e crm.Entity, rules crm.Rules) (m merging) {
	for i, f := range crm.Fields(e) {
		rule := rules.Of(e, i)
		if rule.Collision == crm.Never || e == crm.Customer && f.Name == "external_id" {
			continue
		}
		m.columns = append(m.columns, f.Name)
		m.values = append(m.values, mergedValue(d, e, f, rule))
	}
	return m
}

func mergedValue(d dialect, e crm.Entity, f crm.Field, rule crm.Rule) string {
	s, t := "s."+f.Name, "t."+f.Name
	fill := rule.Collision == crm.FillBlank
	switch {
	case f.Kind == crm.Attributes && rule.Erase:
		return newValue(d, e, f)
	case f.Kind == crm.Attributes:
		return mergedAttributes(d, s, t, fill)
	case fill:
		return "COALESCE(" + t + ", " + s + ")"
	case rule.Erase:
		return newValue(d, e, f)
	}
	return "COALESCE(" + s + ", " + t + ")"
}

// mergedAttributes merges key by key. The record's members come first, so that
// an object that gains nothing keeps its text: SQLite compares texts.
func mergedAttributes(d dialect, s, t string, fill bool) string {
	old := "COALESCE(" + t + ", '{}')"
	both := d.patch(old, d.noNulls(s))
	if fill {
		both = d.patch(both, old)
	}
	return "CASE WHEN " + s + " IS NULL OR " + s + " = " + t + " THEN " + t + " ELSE NULLIF(" + both + ", '{}') END"
}

// newValue is the value of a field of a record that is created, and of one
// that is erased.
func newValue(d dialect, e crm.Entity, f crm.Field) string {
	s := "s." + f.Name
	switch {
	case f.Kind == crm.Attributes:
		return "NULLIF(" + d.noNulls(s) + ", '{}')"
	case e == crm.Customer && f.Name == "status":
		return "COALESCE(" + s + ", '" + defaultStatus + "')"
	}
	return s
}

// changes is true if the record differs from what it should become.
func (m merging) changes() string {
	if len(m.columns) == 0 {
		return "1 = 0"
	}
	var any []string
	for i, c := range m.columns {
		any = append(any, m.values[i]+" IS DISTINCT FROM t."+c)
	}
	return strings.Join(any, " OR ")
}
