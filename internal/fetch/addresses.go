package fetch

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Networks that are no public ones, beyond those that net/netip knows, from the
// registries of RFC 6890: what is sent there stays in the house, or leads nowhere, or
// is another address in disguise.
var internalNetworks = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// All public addresses of version 6 are of this one so far.
var publicV6 = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// odd tells whether an address is of this machine or its link, or of many machines.
func odd(ip netip.Addr) bool {
	return ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast()
}

// public tells whether an address is one of the internet, at which anybody may ask.
func public(ip netip.Addr) bool {
	if ip = ip.Unmap(); !ip.IsValid() || ip.Zone() != "" || odd(ip) || ip.IsPrivate() || (ip.Is6() && !publicV6.Contains(ip)) {
		return false
	}
	for _, n := range internalNetworks {
		if n.Contains(ip) {
			return false
		}
	}
	return true
}

// refusedAddress says that a name led to an address that may not be called.
type refusedAddress struct{ address string }

func (r refusedAddress) Error() string { return fmt.Sprintf("%s may not be called", r.address) }

// dialed looks at the address to which a connection is about to be made, after names
// are resolved: whatever a name server answers later does not matter (DNS rebinding).
func dialed(may func(netip.Addr) bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		ip, err := netip.ParseAddr(host)
		if err != nil || !may(ip) {
			return refusedAddress{host}
		}
		return nil
	}
}
