package webhook

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
)

// inward4 are the IPv4 addresses that lead nowhere on the internet: the special-purpose registry of IANA but for what is
// globally reachable there, multicast, and one that a cloud answers its guests at.
var inward4 = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network, unspecified
	netip.MustParsePrefix("10.0.0.0/8"),       // private
	netip.MustParsePrefix("100.64.0.0/10"),    // carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),      // loopback
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's own services
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local, metadata of clouds
	netip.MustParsePrefix("172.16.0.0/12"),    // private
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),   // private
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("224.0.0.0/4"),      // multicast
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved, broadcast
}

// outward6 are the IPv6 addresses of the internet. What is not in it is inward: loopback, unique local, link-local,
// multicast, NAT64 (64:ff9b::/96), and whatever is assigned one day.
var outward6 = netip.MustParsePrefix("2000::/3") //nolint:gochecknoglobals // a constant that Go cannot write

// inward6 are those among them that are not, or that hold an IPv4 address which says where they really lead.
var inward6 = []netip.Prefix{
	netip.MustParsePrefix("2001::/23"),     // protocol assignments: Teredo, benchmarks, ORCHID
	netip.MustParsePrefix("2001:db8::/32"), // documentation
	netip.MustParsePrefix("2002::/16"),     // 6to4
	netip.MustParsePrefix("3fff::/20"),     // documentation
}

// inward reports whether an address is inside a network, or may be.
func inward(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap()
	if !addr.IsValid() || addr.Is6() && !outward6.Contains(addr) {
		return true
	}
	among := inward6
	if addr.Is4() {
		among = inward4
	}
	for _, p := range among {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// errInward says that a host leads inside a network. It does not say where to: a caller could map the network by it.
var errInward = errors.New("the address is inside a network")

// refuseInward is asked by the dialer about every address that it is about to connect to, after the name was resolved: what
// a name resolved to when somebody looked before means nothing.
func refuseInward(_ context.Context, _, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil || inward(addr.Addr()) {
		return errInward
	}
	return nil
}
