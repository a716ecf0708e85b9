package fakesaas

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hubspotMaxURL is where this HubSpot's limit lies; nobody knows the other's.
const hubspotMaxURL = 5 << 10

// hubspotList answers a page of all objects of a kind, by their ids.
func (s *Server) hubspotList(w http.ResponseWriter, r *http.Request, kind hubspotKind) {
	q := r.URL.Query()
	size, above, err := atoi(q.Get("limit"), 10), 0, error(nil)
	if after := q.Get("after"); after != "" {
		above, err = strconv.Atoi(after)
	}
	switch {
	case len(r.URL.RequestURI()) > hubspotMaxURL:
		w.WriteHeader(http.StatusRequestURITooLong)
		return
	case size < 1 || size > 100 || err != nil:
		hubspotFault(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	names := hubspotNames(q["properties"])
	linked := kind == hubspotContacts && slices.Contains(hubspotNames(q["associations"]), string(hubspotCompanies))
	results := make([]any, 0, size)
	last, more := hubspotObject{}, false
	s.World.View(func(all []*Customer) {
		if q.Get("archived") == "true" {
			return // what is deleted is gone for good
		}
		hubspotEach(all, kind, above, func(o hubspotObject) bool {
			if more = len(results) == size; more {
				return false
			}
			v := o.json(kind, names)
			if linked {
				hubspotLink(v, hubspotCompaniesOf(all, o))
			}
			results, last = append(results, v), o
			return true
		})
	})
	out := map[string]any{"results": results}
	if more {
		after := strconv.Itoa(last.id())
		out["paging"] = map[string]any{"next": map[string]any{"after": after, "link": "https://api.hubapi.com" + r.URL.Path + "?after=" + after}}
	}
	writeJSON(w, http.StatusOK, out)
	s.deleteLast(hubspot, len(results) > 0, func() { s.World.Delete(last.customer.N) })
}

// hubspotNames reads lists with commas between.
func hubspotNames(values []string) []string {
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return nil
	}
	return strings.Split(strings.Join(values, ","), ",")
}

// hubspotLink adds a contact's companies to its object: each once for being the
// contact's, and the primary one once more.
func hubspotLink(object map[string]any, companies []int) {
	if len(companies) == 0 {
		return
	}
	var links []any
	for i, id := range companies {
		if i == len(companies)-1 {
			links = append(links, map[string]any{"id": strconv.Itoa(id), "type": "contact_to_company"})
		}
		links = append(links, map[string]any{"id": strconv.Itoa(id), "type": "contact_to_company_unlabeled"})
	}
	object["associations"] = map[string]any{"companies": map[string]any{"results": links}}
}

// hubspotText is a text, which clients write as a number too.
type hubspotText string

func (t *hubspotText) UnmarshalJSON(b []byte) error {
	*t = hubspotText(strings.Trim(string(b), `"`))
	if *t == "null" {
		*t = ""
	}
	return nil
}

type hubspotInputs struct {
	Inputs []struct {
		ID hubspotText `json:"id"`
	} `json:"inputs"`
	Properties []string `json:"properties"`
}

// hubspotBody reads a request's body, of any length if most is 0.
func hubspotBody(w http.ResponseWriter, r *http.Request, most int, into any) bool {
	b, err := io.ReadAll(r.Body)
	if err != nil || most > 0 && len(b) > most || json.Unmarshal(b, into) != nil {
		hubspotFault(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return false
	}
	return true
}

// hubspotBatch answers with what there is of the inputs, and with status 207 if
// there is nothing of some.
func hubspotBatch(w http.ResponseWriter, now time.Time, results, faults []any) {
	out := map[string]any{"status": "COMPLETE", "results": results, "startedAt": hubspotTime(now), "completedAt": hubspotTime(now)}
	status := http.StatusOK
	if len(faults) > 0 {
		status, out["numErrors"], out["errors"] = http.StatusMultiStatus, len(faults), faults
	}
	writeJSON(w, status, out)
}

// hubspotByID answers the objects of at most 100 ids, in an order of its own.
func (s *Server) hubspotByID(w http.ResponseWriter, r *http.Request, kind hubspotKind) {
	var in hubspotInputs
	if !hubspotBody(w, r, 0, &in) {
		return
	}
	if len(in.Inputs) > 100 {
		hubspotFault(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	results := []any{}
	var missing []string
	s.World.View(func(all []*Customer) {
		for _, input := range slices.Backward(in.Inputs) {
			if o, ok := hubspotFind(all, kind, string(input.ID)); ok {
				results = append(results, o.json(kind, in.Properties))
			} else {
				missing = append(missing, string(input.ID))
			}
		}
	})
	var faults []any
	if len(missing) > 0 {
		faults = append(faults, map[string]any{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some objects, they may be deleted or not exist.",
			"context": map[string]any{"ids": missing}})
	}
	hubspotBatch(w, s.World.clock.Now(), results, faults)
}

// hubspotLinks answers which companies at most 1,000 contacts belong to.
func (s *Server) hubspotLinks(w http.ResponseWriter, r *http.Request) {
	var in hubspotInputs
	if !hubspotBody(w, r, 0, &in) {
		return
	}
	if len(in.Inputs) > 1000 {
		hubspotFault(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	kind := func(id int, label any) any {
		return map[string]any{"category": "HUBSPOT_DEFINED", "typeId": id, "label": label}
	}
	results := []any{}
	var faults []any
	s.World.View(func(all []*Customer) {
		for _, input := range in.Inputs {
			var companies []int
			if o, ok := hubspotFind(all, hubspotContacts, string(input.ID)); ok {
				companies = hubspotCompaniesOf(all, o)
			}
			if len(companies) == 0 {
				faults = append(faults, map[string]any{"status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
					"message": fmt.Sprintf("No company is associated with contact %s.", input.ID),
					"context": map[string]any{"fromObjectId": []string{string(input.ID)}, "fromObjectType": []string{"contact"}, "toObjectType": []string{"company"}}})
				continue
			}
			to := []any{}
			for i, id := range companies {
				kinds := []any{kind(279, nil)}
				if i == len(companies)-1 {
					kinds = append(kinds, kind(1, "Primary"))
				}
				to = append(to, map[string]any{"toObjectId": id, "associationTypes": kinds}) // the one id that is a number
			}
			results = append(results, map[string]any{"from": map[string]any{"id": string(input.ID)}, "to": to})
		}
	})
	hubspotBatch(w, s.World.clock.Now(), results, faults)
}

// hubspotQuery is what a search asks for
// (developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm).
type hubspotQuery struct {
	Groups []struct {
		Filters []hubspotFilter `json:"filters"`
	} `json:"filterGroups"`
	Sorts      []json.RawMessage `json:"sorts"`
	Properties []string          `json:"properties"`
	Limit      int               `json:"limit"`
	After      hubspotText       `json:"after"`
}

type hubspotFilter struct {
	Property  string      `json:"propertyName"`
	Operator  string      `json:"operator"`
	Value     hubspotText `json:"value"`
	HighValue hubspotText `json:"highValue"`
}

// What a search may be asked for: so many characters, and so many results at a
// time and in all.
const (
	hubspotMaxSearch, hubspotMaxPage, hubspotMaxResults = 3000, 200, 10_000
)

// hubspotSearch answers a page of the objects that a query finds. What changed a
// short while ago is not found yet, if there is a lag.
func (s *Server) hubspotSearch(w http.ResponseWriter, r *http.Request, kind hubspotKind) {
	var q hubspotQuery
	if !hubspotBody(w, r, hubspotMaxSearch, &q) {
		return
	}
	if q.Limit == 0 {
		q.Limit = 10
	}
	after := atoi(string(q.After), 0)
	finds, above, ok := q.compile(kind)
	order, sorted := q.order(kind)
	if !ok || !sorted || q.Limit < 0 || q.Limit > hubspotMaxPage || after+q.Limit > hubspotMaxResults {
		hubspotFault(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	seen := s.World.clock.Now().Add(-s.Traps().Lag)
	total, results := 0, make([]any, 0, q.Limit)
	s.World.View(func(all []*Customer) {
		var found []hubspotObject // where they have to be sorted, all; else the page
		hubspotEach(all, kind, above, func(o hubspotObject) bool {
			if o.updated().After(seen) || !finds(o) {
				return true
			}
			if total++; order != nil || total > after && len(found) < q.Limit {
				found = append(found, o)
			}
			return true
		})
		if order != nil {
			slices.SortStableFunc(found, order)
			found = found[min(after, len(found)):min(after+q.Limit, len(found))]
		}
		for _, o := range found {
			results = append(results, o.json(kind, q.Properties))
		}
	})
	out := map[string]any{"total": total, "results": results}
	if after+len(results) < total {
		out["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(after + len(results))}}
	}
	writeJSON(w, http.StatusOK, out)
}

// order is by what the results are sorted; nil: by their ids. False if by
// something that this HubSpot cannot sort by.
func (q *hubspotQuery) order(kind hubspotKind) (func(a, b hubspotObject) int, bool) {
	if len(q.Sorts) == 0 {
		return nil, true
	}
	var by struct {
		Property  string `json:"propertyName"`
		Direction string `json:"direction"`
	}
	if json.Unmarshal(q.Sorts[0], &by) != nil && json.Unmarshal(q.Sorts[0], &by.Property) != nil {
		return nil, false
	}
	value := hubspotNumber(kind, by.Property)
	if value == nil {
		return nil, false
	}
	order := func(a, b hubspotObject) int { return cmp.Compare(value(a), value(b)) }
	switch {
	case by.Direction == "DESCENDING":
		return func(a, b hubspotObject) int { return order(b, a) }, true
	case by.Property == "hs_object_id":
		return nil, true
	}
	return order, true
}

// hubspotNumber is the value of a property that is a number, or a time as
// milliseconds since 1970; nil if it is neither.
func hubspotNumber(kind hubspotKind, property string) func(hubspotObject) int64 {
	switch {
	case property == "hs_object_id":
		return func(o hubspotObject) int64 { return int64(o.id()) }
	case property == "createdate":
		return func(o hubspotObject) int64 { return o.created().UnixMilli() }
	case property == "lastmodifieddate" && kind == hubspotContacts, property == "hs_lastmodifieddate" && kind == hubspotCompanies:
		return func(o hubspotObject) int64 { return o.updated().UnixMilli() }
	}
	return nil
}

// compile returns what finds the objects of a query, all of which have ids above
// the one returned. False if a filter makes no sense.
func (q *hubspotQuery) compile(kind hubspotKind) (finds func(hubspotObject) bool, above int, ok bool) {
	var groups [][]func(hubspotObject) bool
	for _, g := range q.Groups {
		var all []func(hubspotObject) bool
		for _, f := range g.Filters {
			holds := f.compile(kind)
			if holds == nil {
				return nil, 0, false
			}
			if f.Property == "hs_object_id" && f.Operator == "GT" && len(q.Groups) == 1 {
				above = atoi(string(f.Value), 0)
			}
			all = append(all, holds)
		}
		if len(all) == 0 {
			return nil, 0, false
		}
		groups = append(groups, all)
	}
	return func(o hubspotObject) bool {
		if len(groups) == 0 {
			return true
		}
		return slices.ContainsFunc(groups, func(all []func(hubspotObject) bool) bool {
			return !slices.ContainsFunc(all, func(holds func(hubspotObject) bool) bool { return !holds(o) })
		})
	}, above, true
}

// compile returns what a filter says of an object; nil if it makes no sense.
// Times that are at least, or after, something are found a millisecond early.
func (f hubspotFilter) compile(kind hubspotKind) func(hubspotObject) bool {
	value := hubspotNumber(kind, f.Property)
	if value == nil {
		want := string(f.Value)
		if _, there := (hubspotObject{&Customer{}, map[hubspotKind]*Contact{hubspotContacts: {}}[kind]}).property(f.Property); !there || f.Operator != "EQ" {
			return nil
		}
		return func(o hubspotObject) bool { have, _ := o.property(f.Property); return strings.EqualFold(have, want) }
	}
	at, ok := hubspotMillis(f.Value)
	high, highOK := hubspotMillis(f.HighValue)
	early := int64(1)
	if f.Property == "hs_object_id" {
		early = 0
	}
	holds := map[string]func(v int64) bool{
		"EQ": func(v int64) bool { return v == at }, "NEQ": func(v int64) bool { return v != at },
		"LT": func(v int64) bool { return v < at }, "LTE": func(v int64) bool { return v <= at },
		"GT": func(v int64) bool { return v > at-early }, "GTE": func(v int64) bool { return v >= at-early },
		"BETWEEN": func(v int64) bool { return v >= at-early && v <= high },
	}[f.Operator]
	if holds == nil || !ok || f.Operator == "BETWEEN" && !highOK {
		return nil
	}
	return func(o hubspotObject) bool { return holds(value(o)) }
}

// hubspotMillis reads a number, or a time.
func hubspotMillis(v hubspotText) (int64, bool) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, true
	}
	at, err := time.Parse(time.RFC3339, string(v))
	return at.UnixMilli(), err == nil
}
