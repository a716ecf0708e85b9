package mapping

import (
	"fmt"
	"strings"
	"testing"

	"sluice/internal/crm"
)

// chosen resolves a table without a mapping file and returns what became of
// each column, or the error.
func chosen(t *testing.T, table string) (map[string]crm.Decision, *Mapping) {
	t.Helper()
	var rows [][]string
	for line := range strings.Lines(table) {
		rows = append(rows, strings.Split(strings.TrimSpace(line), ","))
	}
	m, decisions, err := Resolve(rows[0], rows[1:], nil, Options{})
	if err != nil {
		t.Fatalf("%s%v", table, err)
	}
	by := make(map[string]crm.Decision)
	for i, d := range decisions {
		if i < len(rows[0]) {
			by[rows[0][i]] = d
		} else {
			by[d.About+": "+d.Choice] = d
		}
	}
	return by, m
}

func TestCellsSpeakForAndAgainstAName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, table, column, want, evidence string
	}{
		{"addresses under any name", "id,Kanal\n1,a@x.com\n2,b@x.com", "Kanal", "customer.email", "all 2 cells looked at are e-mail addresses"},
		{"but not those of a colleague", "id,Zust\n1,a@x.com\n2,a@x.com\n3,a@x.com", "Zust", ignore, "no field is called so"},
		{"nor where the name has another meaning", "id,Created by\n1,a@x.com\n2,b@x.com", "Created by", ignore, "bookkeeping"},
		{"web addresses of different hosts", "id,Auftritt\n1,https://x.com\n2,www.y.com/\n3,http://z.com", "Auftritt", "customer.website_url", "web addresses"},
		{"but not pages of one", "id,First page seen\n1,https://x.com\n2,https://x.com\n3,https://x.com", "First page seen", ignore, ""},
		{"nor with paths", "id,Seen\n1,https://x.com/a\n2,https://y.com/b", "Seen", ignore, ""},
		{"telephone numbers of a contact", "id,first_name,Durchwahl\n1,Ana,+49 30 123456\n2,Bo,+49 30 1234567", "Durchwahl", "contact.phone", "telephone numbers"},
		{"countries", "id,Markt\n1,DE\n2,FR\n3,US", "Markt", "customer.country", "countries"},
		{"but not states", "id,Where\n1,CA\n2,AL\n3,CO\n4,DE", "Where", ignore, ""},
		{"nor languages", "id,Spr\n1,de\n2,fr\n3,es", "Spr", ignore, ""},
		{"words of billing are no lead status", "id,Status\n1,active\n2,past_due", "Status", ignore, "2 of 2 cells looked at do not fit it"},
		{"names are no owner", "id,Owner\n1,Petra Voss\n2,Ulf Kern", "Owner", ignore, "do not fit it"},
		{"addresses are", "id,Lead Owner\n1,p@x.com\n2,p@x.com", "Lead Owner", "customer.owner", ""},
		{"and without cells nobody knows", "id,Account Manager\n1,", "Account Manager", ignore, "no cell looked at"},
		{"a blank column is no id", "Customer ID,Email\n,a@x.com\n,b@x.com", "Customer ID", ignore, "blank in 2 of 2 rows"},
		{"nor is one of repeats that is only called id", "id,Email\n1,a@x.com\n1,b@x.com\n1,c@x.com\n2,d@x.com\n2,e@x.com", "id", ignore, "repeat others"},
		{"a company has several rows", "Customer ID,Contact email\n1,a@x.com\n1,b@x.com\n1,c@x.com\n2,d@x.com\n2,e@x.com", "Customer ID", "customer.external_id", ""},
		{"a name made of first and last is a person's", "id,First Name,Last Name,Name\n1,Ana,Silva,Ana Silva", "Name", "customer.name", ""},
		{"another one is a company's", "id,First Name,Last Name,Name\n1,Ana,Silva,Acme\n2,Bo,Li,Birch", "Name", "customer.company", "not made of them in 2 of 2 rows"},
		{"a name beside a company is a contact's too", "id,Name,Company,Phone\n1,Ana Silva,Acme,+4930123456", "Name", "customer.name, contact.name", ""},
		{"and no contact's where it may be a company's", "email,Name,Phone\na@x.com,Acme Inc,+4930123456", "Name", "customer.name", ""},
		{"a contact person names the customer if nothing else does", "id,Ansprechpartner\n1,Ana Silva", "Ansprechpartner", "contact.name, customer.name", ""},
		{"words that say nothing are passed over", "id,Primary Contact Postal Code\n1,12", "Primary Contact Postal Code", "customer.zip", "2 of its 4 words"},
		{"words that say something are not", "id,Email opt in\n1,true", "Email opt in", ignore, ""},
		{"nor is how somebody logs in a name", "id,User Name\n1,ana", "User Name", ignore, ""},
		{"a street is known and has no field", "id,Straße\n1,Markt 1", "Straße", ignore, "no field for streets"},
		{"in whatever spelling", "id,STRASSE\n1,Markt 1", "STRASSE", ignore, "no field for streets"},
		{"a few misfits are told of", "id,Country\n1,DE\n2,FR\n3,Atlantis", "Country", "customer.country", "2 of 3 cells looked at fit it"},
		{"and many, where the name is plain", "id,Country\n1,DE\n2,Narnia\n3,Atlantis\n4,Oz", "Country", "customer.country", "1 of 4 cells looked at fit it"},
		{"a column in which nothing fits is another", "id,Country\n1,Narnia\n2,Atlantis", "Country", ignore, "2 of 2 cells looked at do not fit it"},
		{"but addresses, however bad, are wanted", "id,Email\n1,ana\n2,bo@", "Email", "customer.email", "0 of 2 cells looked at fit it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			by, _ := chosen(t, tt.table)
			if d := by[tt.column]; d.Choice != tt.want || !strings.Contains(d.Evidence, tt.evidence) || d.Evidence == "" || (d.Score > 0) != (d.Choice != ignore) {
				t.Errorf("%q: %+v, want %s for %q", tt.column, d, tt.want, tt.evidence)
			}
		})
	}
}

func TestVendorsStatusWordsAreTranslatedAndShown(t *testing.T) {
	t.Parallel()
	by, m := chosen(t, "Record ID,Lifecycle Stage,Lead Status\n1,lead,NEW\n2,lead,\n3,lead,BAD_TIMING\n4,lead,open_deal")
	for choice, want := range map[string]string{"New Lead": "HubSpot's New, Open", "Qualified Lead": "HubSpot's OPEN_DEAL", "blank": "all others, with a warning"} {
		if d := by[`values of column "Lead Status": `+choice]; !strings.Contains(d.Evidence, want) {
			t.Errorf("decision %+v, want one for %q", d, want)
		}
	}
	p, err := m.Mapper()
	if err != nil {
		t.Fatal(err)
	}
	var out Mapped
	for in, want := range map[string]string{
		"NEW": "New Lead", "In Progress": "Working Lead", "OPEN_DEAL": "Qualified Lead", "unqualified": "Unqualified Lead", "Working Lead": "Working Lead", "": "",
		"Bad timing": "Lead Status bad_status",
	} {
		p.Map(&crm.Row{Cells: []string{"1", "", in}}, &out)
		if got := record(&out, crm.Customer)["status"] + said(out.Warnings) + said(out.Faults); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

// TestAStatusNobodySetCostsNoRow has the words come after the rows that are
// looked at.
func TestAStatusNobodySetCostsNoRow(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Lead ID,Lead Source,Lead Status", "id,x,Status"} {
		_, m := chosen(t, header+"\n1,,\n2,,")
		p, err := m.Mapper()
		if err != nil {
			t.Fatal(err)
		}
		var out Mapped
		if p.Map(&crm.Row{Cells: []string{"3", "", "whatever"}}, &out); len(out.Faults) > 0 || len(out.Warnings) != 1 {
			t.Errorf("%s: faults %v, warnings %v", header, out.Faults, out.Warnings)
		}
	}
}

func TestOtherNumbersStandInForABlankOne(t *testing.T) {
	t.Parallel()
	by, m := chosen(t, "id,email,Mobile,Phone,Fax\n1,a@x.com,+49 171 5550102,,1")
	if by["Mobile"].Choice != "contact.phone" || by["Phone"].Choice != "contact.phone" || by["Fax"].Choice != ignore {
		t.Errorf("decisions %+v", by)
	}
	p, err := m.Mapper()
	if err != nil {
		t.Fatal(err)
	}
	var out Mapped
	for _, tt := range [][3]string{{"+491715550102", "+49305550102", "+49305550102"}, {"+491715550102", "", "+491715550102"}, {"", "", ""}} {
		p.Map(&crm.Row{Cells: []string{"1", "a@x.com", tt[0], tt[1]}}, &out)
		if got := record(&out, crm.Contact)["phone"]; got != tt[2] {
			t.Errorf("mobile %q and phone %q give %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}

// TestSynonymsAreOfOneFieldEach guards the tables: no text stands for two
// fields with the same certainty, unless other columns decide.
func TestSynonymsAreOfOneFieldEach(t *testing.T) {
	t.Parallel()
	if len(synonyms()) < 900 {
		t.Errorf("%d header texts are known", len(synonyms()))
	}
	for header, list := range synonyms() {
		seen := make(map[string]string)
		for _, c := range list {
			if c.with != nil || c.to == contactName.String() {
				continue
			}
			score := fmt.Sprintf("%.2f", c.score)
			if other, twice := seen[score]; twice {
				t.Errorf("%q stands for %s and %s alike", header, other, c.to)
			}
			seen[score] = c.to
		}
	}
}
