package source

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/crm"
	"sluice/internal/fakesaas"
)

func TestHubSpotLongListsOfPropertiesAreReadWhole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		names int
		byID  bool
	}{{"few go along", 5, false}, {"many are read by ids", 75, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := hubspotSubject
			s.customers = 90
			x := s.begin(t)
			w := watchHubspot(x)
			var names []string
			for i := range tt.names {
				names = append(names, fmt.Sprintf("custom_property_with_a_name_of_about_as_many_letters_as_hubspot_allows_%03d", i))
			}
			x.access.Settings["properties"] = strings.Join(names, ", ")
			begin := x.world.Clock().Now()
			x.world.Clock().Move(time.Hour)
			x.world.Crowd(0, x.world.Len())
			x.world.Clock().Move(time.Hour)
			for _, want := range []Want{x.everything(), {Span: crm.Span{From: begin, To: x.world.Clock().Now()}, Changes: true}} {
				h := x.read(want)
				x.checkHaul(h, x.ids(x.world))
				for id, row := range h.rows {
					_, number, _ := strings.Cut(id, ":")
					for _, name := range names {
						if got, want := row.Extra["properties."+name], fakesaas.HubSpotProperty(name, number); got != want {
							t.Fatalf("%s has %s %q, want %q", id, name, got, want)
						}
					}
				}
			}
			if n := w.count(func(s hubspotSeen) bool { return len(s.url) > hubspotMaxURL }); n > 0 {
				t.Errorf("%d addresses are longer than 5 KB", n)
			}
			if n := w.count(func(s hubspotSeen) bool { return strings.HasSuffix(s.url, "/search") && len(s.body) > hubspotMaxSearch }); n > 0 {
				t.Errorf("%d searches are longer than 3,000 characters", n)
			}
			if n := w.count(func(s hubspotSeen) bool {
				return strings.HasSuffix(s.url, "s/batch/read") && !strings.Contains(s.url, "associations")
			}); n > 0 != tt.byID {
				t.Errorf("%d requests by ids", n)
			}
		})
	}
}

func TestHubSpotRowsSayWhatThereIs(t *testing.T) {
	t.Parallel()
	x := hubspotSubject.begin(t)
	begin := x.world.Clock().Now()
	x.world.Clock().Move(time.Hour)
	x.world.Crowd(0, x.world.Len())
	x.world.Clock().Move(time.Hour)
	listed := x.read(x.everything())
	changed := x.read(Want{Span: crm.Span{From: begin, To: x.world.Clock().Now()}, Changes: true})
	for _, c := range x.world.Customers(nil) {
		id, stage := fakesaas.HubSpotCompany(c.N), fakesaas.HubSpotStage(c.N)
		at, created := c.Updated.Format(time.RFC3339Nano), c.Created.Format(time.RFC3339Nano)
		extra := Fields{"lifecyclestage": stage}
		want := map[string]Row{}
		place := func(f Fields) Fields {
			for name, value := range map[string]string{"country": c.Country, "state": c.State, "city": c.City, "zip": c.Zip,
				"lead_created_at": created, "source_updated_at": at, "status": hubspotUsual[stage]} {
				f.Set(name, value)
			}
			return f
		}
		if c.Company != "" {
			want["company:"+id] = Row{Extra: extra, Customer: place(Fields{"external_id": id, "name": c.Company, "company": c.Company,
				"website_url": fmt.Sprintf("c%d.example.com", c.N)})}
		}
		for _, p := range c.Contacts {
			number := fakesaas.HubSpotContact(p.N)
			row := Row{Extra: extra, Customer: Fields{"external_id": id}}
			if c.Company == "" {
				row.Customer = place(Fields{"external_id": "contact:" + number, "name": p.First + " " + p.Last, "email": p.Email})
			}
			for name, value := range map[string]string{"external_id": number, "first_name": p.First, "last_name": p.Last, "title": p.Title,
				"email": p.Email, "phone": p.Phone, "source_updated_at": at} {
				row.Contact.Set(name, value)
			}
			want["contact:"+number] = row
		}
		for id, row := range want {
			for how, got := range map[string]Row{"listed": listed.rows[id], "changed": changed.rows[id]} {
				if !sameRows([]Row{{Customer: got.Customer, Contact: got.Contact, Extra: got.Extra}}, []Row{row}) {
					t.Fatalf("%s, %s: got %v, want %v", id, how, got, row)
				}
			}
		}
	}
}

func TestHubSpotAnswersThatLackSomethingAreNotTakenForWhole(t *testing.T) {
	t.Parallel()
	const found = `{"total":2,"results":[{"id":"7","properties":{"email":"a@example.com"}}]}`
	const passing, none = "passing", ""
	for _, tt := range []struct {
		name    string
		stream  string
		after   Cursor
		answers hubspotAnswers
		want    string
	}{
		{"a contact without a company", hubspotChangedContacts, nil, hubspotAnswers{{"/search", 200, found},
			{"/associations/", 207, `{"results":[],"errors":[{"category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND"}]}`}}, none},
		{"companies that cannot be read", hubspotChangedContacts, nil, hubspotAnswers{{"/search", 200, found},
			{"/associations/", 207, `{"results":[],"errors":[{"category":"INTERNAL_ERROR"}]}`}}, passing},
		{"companies of somebody else", hubspotChangedContacts, nil, hubspotAnswers{{"/search", 200, found},
			{"/associations/", 200, `{"results":[{"from":{"id":"8"},"to":[]}]}`}}, passing},
		{"a page that is empty and not the last", hubspotChangedCompanies, nil,
			hubspotAnswers{{"/search", 200, `{"total":2,"results":[],"paging":{"next":{"after":"200"}}}`}}, passing},
		{"a page that repeats the one before", hubspotChangedCompanies, Cursor(`{"id":7}`),
			hubspotAnswers{{"/search", 200, `{"total":2,"results":[{"id":"7","properties":{}}],"paging":{"next":{"after":1}}}`}}, passing},
		{"an object without properties", hubspotCompanies, nil, hubspotAnswers{{"/companies", 200, `{"results":[{"id":"7"}]}`}}, passing},
		{"no object", hubspotCompanies, nil, hubspotAnswers{{"/companies", 200, `{"results":[null]}`}}, passing},
		{"an id that is none", hubspotChangedCompanies, nil, hubspotAnswers{{"/search", 200, `{"results":[{"id":"a@example.com","properties":{}}],"paging":{"next":{"after":"1"}}}`}}, passing},
		{"a cursor that is refused", hubspotCompanies, Cursor(`{"after":"7"}`), hubspotAnswers{{"/companies", 400, `{"message":"a@example.com"}`}}, string(crm.FailCursorLost)},
		{"a request that is refused", hubspotCompanies, nil, hubspotAnswers{{"/companies", 400, `{"message":"a@example.com"}`}}, string(crm.FailInvalid)},
		{"a cursor of another version", hubspotCompanies, Cursor(`"7"`), nil, string(crm.FailCursorLost)},
		{"a stream that there is not", "deals", nil, nil, string(crm.FailInvalid)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &Access{Settings: map[string]string{"access_token": "x", "api": "https://api.example.com"}, HTTP: tt.answers, Now: func() time.Time { return start }}
			_, err := HubSpot.Read(t.Context(), a, crm.Partition{ID: "x", Stream: tt.stream}, tt.after)
			got := string(crm.TypeOf(err))
			if err != nil && got == "" {
				got = passing
			}
			if got != tt.want || err != nil && strings.Contains(err.Error(), "@") {
				t.Errorf("got %q: %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestHubSpotPrimaryCompanyIsTheCustomer(t *testing.T) {
	t.Parallel()
	type to struct {
		id      hubspotID
		primary bool
	}
	for _, tt := range []struct {
		name string
		in   []to
		want hubspotID
	}{
		{"none", nil, ""},
		{"the only one", []to{{"7", false}}, "7"},
		{"the primary one, last", []to{{"7", false}, {"99", true}}, "99"},
		{"the primary one, first", []to{{"99", true}, {"7", false}}, "99"},
		{"without a primary one the lowest", []to{{"1000", false}, {"999", false}, {"2000", false}}, "999"},
	} {
		var o hubspotObject
		for _, c := range tt.in {
			o.belongs(c.id, c.primary)
		}
		if o.company != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, o.company, tt.want)
		}
	}
}

func TestHubSpotStagesAreLeadStatuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ setting, stage, want string }{
		{"", "subscriber", "New Lead"},
		{"", "lead", "New Lead"},
		{"", "other", "New Lead"},
		{"", "marketingqualifiedlead", "Working Lead"},
		{"", "salesqualifiedlead", "Qualified Lead"},
		{"", "opportunity", "Qualified Lead"},
		{"", "customer", ""}, // billing says so
		{"", "evangelist", ""},
		{"", "48291001", ""}, // of the owner's own making
		{"48291001=Working Lead", "48291001", "Working Lead"},
		{" 48291001 = working lead , other=", "48291001", "Working Lead"},
		{"48291001=Working Lead,other=", "other", ""},
		{"48291001=Working Lead,other=", "lead", "New Lead"},
		{"customer=Unqualified Lead,", "customer", "Unqualified Lead"},
	} {
		stages, err := hubspotStages(tt.setting)
		if err != nil || stages[tt.stage] != tt.want {
			t.Errorf("%q, %s: got %q, %v, want %q", tt.setting, tt.stage, stages[tt.stage], err, tt.want)
		}
	}
}
