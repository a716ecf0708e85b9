package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"code.dny.dev/ssrf"

	"sluice/internal/crm"
)

// A Policy says what an administrator allows beyond https to public addresses.
// The zero Policy allows nothing beyond that.
type Policy struct {
	// Networks are reached although they are not public, on every port, and by
	// plain http.
	Networks []netip.Prefix

	// Ports are reached on public addresses, by https, beside 443.
	Ports []uint16

	// Hosts, if there are any, are the only names that are reached, in lower
	// case; ".example.com" stands for every name below example.com.
	Hosts []string
}

// ParsePolicy reads a Policy from settings: prefixes such as "10.1.0.0/16" or
// single addresses, ports, and names of hosts, each list separated by commas or
// white space. What is none wraps [crm.ErrInvalid].
func ParsePolicy(networks, ports, hosts string) (Policy, error) {
	var p Policy
	for _, s := range list(networks) {
		prefix, err := netip.ParsePrefix(s)
		if addr, e := netip.ParseAddr(s); err != nil && e == nil && addr.Zone() == "" {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || prefix != prefix.Masked() {
			return Policy{}, fmt.Errorf("allowed networks: %w: %q is no network; write it as 10.1.0.0/16 or fd00:1::/64", crm.ErrInvalid, s)
		}
		p.Networks = append(p.Networks, prefix)
	}
	for _, s := range list(ports) {
		port, err := strconv.ParseUint(s, 10, 16)
		if err != nil || port == 0 {
			return Policy{}, fmt.Errorf("allowed ports: %w: %q is no port", crm.ErrInvalid, s)
		}
		p.Ports = append(p.Ports, uint16(port))
	}
	for _, s := range list(hosts) {
		p.Hosts = append(p.Hosts, strings.ToLower(s))
	}
	return p, nil
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
}

// public are the addresses that IANA's registries of special-purpose addresses
// (RFC 6890) leave, as the library has them.
var public = ssrf.New(ssrf.WithAnyPort())

// allowed reports whether a name may be reached.
func (p Policy) allowed(host string) bool {
	if len(p.Hosts) == 0 {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, h := range p.Hosts {
		if host == h || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h) {
			return true
		}
	}
	return false
}

// check says whether a connection to an address may be made: plain ones only to
// networks that are allowed, others also to public addresses on one of the ports.
func (p Policy) check(to netip.AddrPort, plain bool, ports ...uint16) error {
	addr := to.Addr()
	mapped := addr.Unmap()
	if addr.Zone() == "" && slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return n.Contains(mapped) }) {
		return nil
	}
	switch {
	case public.SafeAddr(addr) != nil:
		return refuse("%s is not a public address; an administrator may allow its network with SLUICE_EGRESS_NETWORKS", addr)
	case plain:
		return refuse("http is for networks that an administrator has allowed with SLUICE_EGRESS_NETWORKS; use https")
	case !slices.Contains(ports, to.Port()) && !slices.Contains(p.Ports, to.Port()):
		return refuse("port %d of a public address is not allowed; an administrator may allow it with SLUICE_EGRESS_PORTS", to.Port())
	}
	return nil
}
