package safehttp

import "net/netip"

// Public reports whether an address is one that anybody on the Internet could reach, and so one that a stranger's URL
// may lead to. It refuses what it does not know: an IPv6 address must come from the only block that IANA gives
// addresses out of, and an IPv4 address must be outside every special-purpose range.
//
// Some ranges in the registries are marked globally reachable (AS112, AMT, 192.0.0.9, ORCHIDv2 …). They are refused
// as well, since no web server lives there.
//
// Two things cannot be told from an address: that it is public but the operator's own, and that it lies in a NAT64
// prefix which a network chose for itself (RFC 6052, section 2.2). Both are for the operator's firewall.
//
// Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), the IANA IPv6 Address Space registry
// (RFC 4291, section 2.4), the IANA multicast registries, and the RFC named on each range.
func Public(a netip.Addr) bool {
	return refusal(a) == ""
}

// refusal says why an address is not public, or nothing when it is.
func refusal(a netip.Addr) string {
	// A zone names an interface of this machine (RFC 4007), which no public address needs. It also hides an address
	// from netip.Prefix.Contains, so it must be looked at first.
	if a.Zone() != "" {
		return "zoned address (RFC 4007)"
	}
	a = embedded(a)
	for _, r := range special {
		if r.prefix.Contains(a) {
			return r.what
		}
	}
	if !a.IsGlobalUnicast() || a.Is6() && !allocated.Contains(a) {
		return "not global unicast (RFC 4291)"
	}
	return ""
}

// embedded gives the IPv4 address that a packet would end up at: IPv4-mapped is how sockets write IPv4, and on a
// network with NAT64 the well-known prefix is how all of IPv4 is reached. Other embeddings (IPv4-compatible, 6to4,
// Teredo) are obsolete and refused whatever they contain.
func embedded(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	allocated = netip.MustParsePrefix("2000::/3")     // RFC 4291, section 2.4
)

// special lists the ranges that are refused. The first that contains an address gives the reason, so a range stands
// before the wider one around it. Those of IPv6 outside 2000::/3 would be refused anyway, but with a poorer reason.
var special = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private network (RFC 1918)"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared address space of providers (RFC 6598)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback (RFC 1122)"},
	// The platform services of one cloud, virtual in each of its networks although the number is a public one.
	{netip.MustParsePrefix("168.63.129.16/32"), "metadata address of a cloud"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local, as cloud metadata is (RFC 3927)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private network (RFC 1918)"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments (RFC 6890)"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("192.31.196.0/24"), "AS112 (RFC 7535)"},
	{netip.MustParsePrefix("192.52.193.0/24"), "multicast tunnelling (RFC 7450)"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay (RFC 7526)"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private network (RFC 1918)"},
	{netip.MustParsePrefix("192.175.48.0/24"), "AS112 (RFC 7534)"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking (RFC 2544)"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast (RFC 5771)"},
	{netip.MustParsePrefix("255.255.255.255/32"), "broadcast (RFC 919)"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved (RFC 1112)"},

	{netip.MustParsePrefix("::/128"), "unspecified address (RFC 4291)"},
	{netip.MustParsePrefix("::1/128"), "loopback (RFC 4291)"},
	{netip.MustParsePrefix("::/96"), "IPv4-compatible address (RFC 4291)"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local-use NAT64 (RFC 8215)"},
	{netip.MustParsePrefix("100::/64"), "discard-only (RFC 6666)"},
	{netip.MustParsePrefix("100:0:0:1::/64"), "dummy prefix (RFC 9780)"},
	{netip.MustParsePrefix("2001::/32"), "Teredo (RFC 4380)"},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments (RFC 2928)"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation (RFC 3849)"},
	{netip.MustParsePrefix("2002::/16"), "6to4 (RFC 3056)"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "AS112 (RFC 7534)"},
	{netip.MustParsePrefix("3fff::/20"), "documentation (RFC 9637)"},
	{netip.MustParsePrefix("5f00::/16"), "segment routing (RFC 9602)"},
	{netip.MustParsePrefix("fc00::/7"), "private network (RFC 4193)"},
	{netip.MustParsePrefix("fe80::/10"), "link-local (RFC 4291)"},
	{netip.MustParsePrefix("fec0::/10"), "site-local (RFC 3879)"},
	{netip.MustParsePrefix("ff00::/8"), "multicast (RFC 4291)"},
}
