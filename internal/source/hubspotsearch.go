package source

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"sluice/internal/crm"
)

// hubspotQuery is what a search asks for
// (developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm).
type hubspotQuery struct {
	Groups     []hubspotGroup `json:"filterGroups,omitempty"`
	Sorts      []hubspotSort  `json:"sorts,omitempty"`
	Properties []string       `json:"properties"`
	Limit      int            `json:"limit"`
}

type hubspotGroup struct {
	Filters []hubspotFilter `json:"filters"`
}

type hubspotFilter struct {
	Property string `json:"propertyName"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

type hubspotSort struct {
	Property  string `json:"propertyName"`
	Direction string `json:"direction"`
}

// query asks for what was changed within a partition and has an id above one.
// HubSpot counts in milliseconds, so the window is rounded outwards.
func (r *hubspotReading) query(p crm.Partition, above int64) hubspotQuery {
	var filters []hubspotFilter
	add := func(property, operator string, value int64) {
		filters = append(filters, hubspotFilter{property, operator, strconv.FormatInt(value, 10)})
	}
	if !p.From.IsZero() {
		add(r.modified(), "GTE", p.From.UnixMilli())
	}
	if !p.To.IsZero() {
		add(r.modified(), "LT", p.To.Add(time.Millisecond-1).UnixMilli())
	}
	add("hs_object_id", "GT", above)
	return hubspotQuery{Groups: []hubspotGroup{{filters}}, Sorts: []hubspotSort{{"hs_object_id", "ASCENDING"}}, Limit: hubspotSearchPage}
}

// changed reads a page of what has changed, with what a search does not tell: a
// contact's companies, and properties that its body has no room for.
func (r *hubspotReading) changed(ctx context.Context, p crm.Partition, at hubspotCursor) ([]*hubspotObject, *hubspotCursor, error) {
	query := r.query(p, at.ID)
	whole := r.fits(func(names []string) int {
		query.Properties = names
		b, _ := json.Marshal(query) // it is text and numbers
		return len(b)
	}, hubspotMaxSearch)
	var l hubspotList
	if err := r.post(ctx, hubspotSearches, r.path("/search"), query, &l); err != nil {
		return nil, nil, err
	}
	if err := l.check(); err != nil {
		return nil, nil, err
	}
	var next *hubspotCursor
	if l.Paging.Next.After != "" {
		last, err := hubspotLast(l.Results)
		if err != nil {
			return nil, nil, err
		}
		if last <= at.ID {
			return nil, nil, errors.New("the search says that there is more, and does not show it")
		}
		next = &hubspotCursor{ID: last}
	}
	// A search also shows what was changed up to a millisecond before, or
	// after its index was made: that belongs to another window.
	objects := slices.DeleteFunc(l.Results, func(o *hubspotObject) bool {
		when := hubspotTime(o.Properties[r.modified()])
		return !when.IsZero() && (when.Before(p.From) || !p.To.IsZero() && !when.Before(p.To))
	})
	if r.object == hubspotContacts {
		if err := r.companies(ctx, objects); err != nil {
			return nil, nil, err
		}
	}
	if !whole {
		if err := r.fill(ctx, objects); err != nil {
			return nil, nil, err
		}
	}
	return objects, next, nil
}

// hubspotLast is the greatest id; 0 of none.
func hubspotLast(objects []*hubspotObject) (int64, error) {
	var last int64
	for _, o := range objects {
		id, err := strconv.ParseInt(string(o.ID), 10, 64)
		if err != nil {
			return 0, errors.New("an object's id is no number") // the error would repeat it
		}
		last = max(last, id)
	}
	return last, nil
}

// companies finds the companies of contacts, of 1,000 at the most
// (developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/batch/get-associations).
func (r *hubspotReading) companies(ctx context.Context, contacts []*hubspotObject) error {
	if len(contacts) == 0 {
		return nil
	}
	byID := map[hubspotID]*hubspotObject{}
	var in hubspotInputs
	for _, o := range contacts {
		byID[o.ID] = o
		in.Inputs = append(in.Inputs, hubspotInput{string(o.ID)})
	}
	var out struct {
		Results []struct {
			From struct {
				ID hubspotID `json:"id"`
			} `json:"from"`
			To []struct {
				ID    hubspotID `json:"toObjectId"`
				Types []struct {
					Category string `json:"category"`
					ID       int    `json:"typeId"`
				} `json:"associationTypes"`
			} `json:"to"`
		} `json:"results"`
		Errors []hubspotError `json:"errors"`
	}
	path := "/crm/associations/" + hubspotVersion + "/contacts/companies/batch/read"
	if err := r.post(ctx, "", path, in, &out); err != nil {
		return err
	}
	for _, link := range out.Results {
		o := byID[link.From.ID]
		if o == nil {
			return errors.New("HubSpot answers with an object that was not asked for")
		}
		for _, to := range link.To {
			primary := false
			for _, t := range to.Types {
				primary = primary || t.Category == "HUBSPOT_DEFINED" && t.ID == 1 // from a contact to its primary company
			}
			o.belongs(to.ID, primary)
		}
	}
	return hubspotPartly(out.Errors)
}

// belongs notes one of a contact's companies. Without a primary one it is that
// with the lowest id: in which order they come is not said anywhere.
func (o *hubspotObject) belongs(to hubspotID, primary bool) {
	lower := len(to) < len(o.company) || len(to) == len(o.company) && to < o.company
	if to != "" && !o.primary && (primary || o.company == "" || lower) {
		o.company, o.primary = to, primary
	}
}

// fill reads the further properties of objects by their ids, in a request that
// may be of any length. An object that is gone meanwhile keeps what it has.
func (r *hubspotReading) fill(ctx context.Context, objects []*hubspotObject) error {
	byID := map[hubspotID]*hubspotObject{}
	for some := range slices.Chunk(objects, hubspotBatch) {
		in := hubspotInputs{Properties: r.extra}
		for _, o := range some {
			byID[o.ID] = o
			in.Inputs = append(in.Inputs, hubspotInput{string(o.ID)})
		}
		var out hubspotList
		if err := r.post(ctx, "", r.path("/batch/read"), in, &out); err != nil {
			return err
		}
		if err := out.check(); err != nil {
			return err
		}
		if err := hubspotPartly(out.Errors); err != nil {
			return err
		}
		for _, from := range out.Results {
			o := byID[from.ID]
			if o == nil {
				return errors.New("HubSpot answers with an object that was not asked for")
			}
			for _, name := range r.extra {
				o.Properties[name] = from.Properties[name]
			}
		}
	}
	return nil
}

// hubspotInputs are objects to read something of.
type hubspotInputs struct {
	Inputs     []hubspotInput `json:"inputs"`
	Properties []string       `json:"properties,omitempty"`
}

type hubspotInput struct {
	ID string `json:"id"`
}

// A hubspotError is why a part of a request came to nothing. The answer's status
// is 207 then, a success.
type hubspotError struct {
	Category string `json:"category"`
}

// hubspotPartly is the error of an answer that lacks something: not what is not
// there, such as a company that a contact does not have.
func hubspotPartly(faults []hubspotError) error {
	if slices.ContainsFunc(faults, func(f hubspotError) bool { return f.Category != "OBJECT_NOT_FOUND" }) {
		return errors.New("HubSpot answers a part of the request only (207)")
	}
	return nil
}
