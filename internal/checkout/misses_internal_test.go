package checkout

import (
	"net/netip"
	"testing"
	"time"
)

func TestANeighbourhoodIsAnAddressOrSixtyFourBits(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234":                  "192.0.2.1/32",
		"[::ffff:192.0.2.1]:1234":         "192.0.2.1/32",
		"[2001:db8:1:2:3:4:5:6]:1234":     "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::]:80":        "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":               "fe80::/64",
		"[2001:db8:1:3:3:4:5:6]:1234":     "2001:db8:1:3::/64",
		"pipe":                            "invalid Prefix",
		"":                                "invalid Prefix",
		"[2001:db8:1:2:3:4:5:6%25x]:1234": "2001:db8:1:2::/64",
	} {
		if got := neighbourhood(remote).String(); got != want {
			t.Errorf("%q is in %s, want %s", remote, got, want)
		}
	}
}

func TestMissesAreCountedInBoundedMemory(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := misses{now: func() time.Time { return now }}
	address := func(n int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
	}
	for n := range 3 * mostMissers {
		tooMany, wait := m.note(address(n))
		if tooMany != (n >= mostMissers) || tooMany && wait != missWindow {
			t.Fatalf("address %d: too many %v, wait %v", n, tooMany, wait)
		}
	}
	if len(m.of) > mostMissers {
		t.Errorf("%d addresses are remembered", len(m.of))
	}
	if tooMany, _ := m.note(address(0)); tooMany {
		t.Error("who was counted before has no misses left")
	}
	now = now.Add(missWindow)
	if tooMany, _ := m.note(address(2 * mostMissers)); tooMany || len(m.of) != 1 {
		t.Errorf("in the next window: %v, %d are remembered", tooMany, len(m.of))
	}
	now = now.Add(-time.Hour) // a clock that was set back
	if tooMany, _ := m.note(address(1)); tooMany {
		t.Error("after the clock was set back nobody may miss")
	}
}
