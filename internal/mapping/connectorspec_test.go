package mapping

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/crm"
)

func TestRowsOfAConnectorNeedNoMapping(t *testing.T) {
	t.Parallel()
	header := []string{"customer.external_id", "customer.email", "customer.status", "customer.lead_created_at", "contact.name", "contact.custom.size", "metadata.plan", "email"}
	cells := []string{"cus_1", "not an address", "past_due", "2024-02-29T10:00:00Z", "Ada Berg", "7", "gold", "x@example.com"}
	spec, err := ParseSpec([]byte("columns: {metadata.plan: customer.custom.plan, gone: customer.city}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		spec *Spec
		plan string
	}{"nothing said": {nil, ""}, "a column named": {spec, `{"plan":"gold"}`}} {
		m, decisions, err := Resolve(header, [][]string{cells}, tt.spec, Options{Named: true})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(decisions) != len(header) || decisions[7].Choice != "ignore" {
			t.Errorf("%s: a column that bears no field's whole name is taken: %+v", name, decisions)
		}
		if m.Survey() != nil {
			t.Errorf("%s: the order of dates is looked for", name)
		}
		mapper, err := m.Mapper()
		if err != nil {
			t.Fatal(err)
		}
		var out Mapped
		mapper.Map(&crm.Row{Line: 2, Cells: cells}, &out)
		if len(out.Faults) > 0 {
			t.Fatalf("%s: rejected: %+v", name, out.Faults)
		}
		customer, contact := out.Records[crm.Customer], out.Records[crm.Contact]
		got := []string{customer[0], customer[2], customer[10], customer[8], customer[14], contact[2], contact[3]}
		want := []string{"cus_1", "", "Past Due", "2024-02-29T10:00:00.000Z", tt.plan, "Ada", "Berg"}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if !strings.Contains(contact[10], "size") {
			t.Errorf("%s: the contact's attribute is missing: %q", name, contact[10])
		}
	}
}
