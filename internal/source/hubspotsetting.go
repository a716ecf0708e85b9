package source

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/crm"
)

func checkHubspotTier(value string) error {
	if _, ok := hubspotBursts[value]; !ok {
		return fmt.Errorf("%w: it is one of free, pro and enterprise", crm.ErrInvalid)
	}
	return nil
}

func checkHubspotZone(value string) error {
	if _, err := time.LoadLocation(value); err != nil || value == "" || value == "Local" {
		return fmt.Errorf("%w: it is no time zone such as Europe/Berlin", crm.ErrInvalid)
	}
	return nil
}

func checkHubspotLag(value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 24*60 {
		return fmt.Errorf("%w: it is a number of minutes, a day's at the most", crm.ErrInvalid)
	}
	return nil
}

// hubspotNames reads a list of properties, each once.
func hubspotNames(value string) []string {
	var names []string
	for _, name := range strings.Split(value, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func checkHubspotProperties(value string) error {
	for _, name := range hubspotNames(value) {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return fmt.Errorf("%w: an internal name is of a-z, 0-9 and _; HubSpot shows it with the property's details", crm.ErrInvalid)
		}
	}
	return nil
}

// hubspotUsual is the lead status of the stages that every account begins with.
// A customer's and an evangelist's is left to billing.
var hubspotUsual = map[string]string{
	"subscriber": crm.StatusNewLead, "lead": crm.StatusNewLead, "other": crm.StatusNewLead,
	"marketingqualifiedlead": "Working Lead", "salesqualifiedlead": "Qualified Lead", "opportunity": "Qualified Lead",
}

// hubspotStages reads which status each stage stands for: the usual ones, and
// what the setting says instead. What cannot be read wraps [crm.ErrInvalid].
func hubspotStages(setting string) (map[string]string, error) {
	out := maps.Clone(hubspotUsual)
	for _, one := range strings.Split(setting, ",") {
		if strings.TrimSpace(one) == "" {
			continue
		}
		stage, status, ok := strings.Cut(one, "=")
		stage, status = strings.TrimSpace(stage), strings.TrimSpace(status)
		if !ok || stage == "" {
			return nil, fmt.Errorf("lifecycle: %w: write it as stage=Status,stage=Status", crm.ErrInvalid)
		}
		at := slices.IndexFunc(hubspotStatuses, func(s string) bool { return strings.EqualFold(s, status) })
		if at < 0 {
			return nil, fmt.Errorf("lifecycle: %w: a status is one of %s, or blank", crm.ErrInvalid, strings.Join(hubspotStatuses[1:], ", "))
		}
		out[stage] = hubspotStatuses[at]
	}
	return out, nil
}

// hubspotStatuses are those that a lead may have. Those of subscribers come from
// billing alone.
var hubspotStatuses = []string{"", crm.StatusNewLead, "Working Lead", "Qualified Lead", "Unqualified Lead"}

func checkHubspotLifecycle(value string) error {
	_, err := hubspotStages(value)
	return err
}
