package safehttp_test

import (
	"net/netip"
	"testing"

	"github.com/coinslot/coinslot/internal/safehttp"
)

// Written apart from the table in the code, so that a slip in one of them shows.
var refusedRanges = []string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
	"168.63.129.16/32",
	"::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/32", "2001::/23",
	"2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",
	"ff00::/8",
	// Never given out, hence unknown, hence refused.
	"::/16", "64:ff9a::/32", "200::/7", "400::/6", "1000::/4", "4000::/3", "6000::/3", "8000::/2", "e000::/4",
}

func TestSpecialRangesAreRefusedFromEndToEnd(t *testing.T) {
	for _, s := range refusedRanges {
		p := netip.MustParsePrefix(s)
		for _, a := range []netip.Addr{p.Masked().Addr(), last(p)} {
			for _, form := range notations(a) {
				if safehttp.Public(form) {
					t.Errorf("%v of %v is public", form, p)
				}
			}
		}
	}
}

func TestNeighboursOfSpecialRangesArePublic(t *testing.T) {
	for _, s := range []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
		"191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0", "192.31.195.255", "192.31.197.0", "192.52.192.255",
		"192.52.194.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "192.175.47.255",
		"192.175.49.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255",
		"203.0.114.0", "223.255.255.255",
		"2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::", "2620:4f:7fff::1", "2620:4f:8001::",
		"2606:4700:4700::1111", "2a00::1", "2000::", "3ffe:ffff::1", "3fff:1000::",
	} {
		for _, a := range notations(netip.MustParseAddr(s)) {
			if !safehttp.Public(a) {
				t.Errorf("%v is not public", a)
			}
		}
	}
}

func TestZonesAndNoAddressAtAllAreRefused(t *testing.T) {
	for _, a := range []netip.Addr{
		{},
		netip.MustParseAddr("fe80::1%eth0"),
		netip.MustParseAddr("2606:4700:4700::1111%eth0"),
		netip.MustParseAddr("::ffff:8.8.8.8%eth0"),
		netip.MustParseAddr("64:ff9b::8.8.8.8%eth0"),
	} {
		if safehttp.Public(a) {
			t.Errorf("%v is public", a)
		}
	}
}

// FuzzPublic holds Public against what net/netip knows, in every notation of an address.
func FuzzPublic(f *testing.F) {
	for _, s := range append(refusedRanges, "8.8.8.8/32", "2606:4700:4700::1111/128", "64:ff9b::/96", "::ffff:0:0/96") {
		f.Add(netip.MustParsePrefix(s).Addr().AsSlice(), "")
	}
	f.Add(netip.MustParseAddr("2a00::1").AsSlice(), "eth0")

	f.Fuzz(func(t *testing.T, b []byte, zone string) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		for _, form := range notations(a.WithZone(zone)) {
			public := safehttp.Public(form)
			if public != safehttp.Public(a.WithZone(zone)) {
				t.Errorf("%v and %v are the same address, but only one is public", form, a)
			}
			if public && (special(a) || special(a.Unmap()) || form.Zone() != "") {
				t.Errorf("%v is public", form)
			}
		}
		if a.Is4() && safehttp.Public(embed("::", a)) {
			t.Errorf("%v is public in its IPv4-compatible form", a)
		}
	})
}

func special(a netip.Addr) bool {
	return !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() ||
		a.IsLinkLocalUnicast()
}

// notations gives an address and, for IPv4, the IPv6 addresses that lead to the same place.
func notations(a netip.Addr) []netip.Addr {
	if !a.Is4() {
		return []netip.Addr{a}
	}
	return []netip.Addr{a, embed("::ffff:0:0", a), embed("64:ff9b::", a)}
}

func embed(prefix string, v4 netip.Addr) netip.Addr {
	b := netip.MustParseAddr(prefix).As16()
	copy(b[12:], v4.AsSlice())
	return netip.AddrFrom16(b)
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
