package checkout

import (
	"net/netip"
	"strconv"
	"sync"
	"time"
)

const (
	// missesAllowed is how often an address may ask in missWindow for what is not there.
	missesAllowed = 60
	missWindow    = time.Minute

	// mostMissers is how many addresses are counted. Where there are more, those that came
	// last have no misses left: which costs them nothing but another text.
	mostMissers = 10_000
)

// misses counts how often each address has asked for what is not there. What is there is
// shown to everybody whatever the count, so that nobody suffers for who shares an address
// with them.
type misses struct {
	now func() time.Time

	mu    sync.Mutex
	began time.Time // of the window that is counted
	of    map[netip.Prefix]int
}

// note counts a miss, and says whether the address has more than it may; where it has,
// also for how long yet.
func (m *misses) note(from netip.Prefix) (tooMany bool, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if since := now.Sub(m.began); since < 0 || since >= missWindow {
		m.began, m.of = now, map[netip.Prefix]int{}
	}
	counted, known := m.of[from]
	if counted >= missesAllowed || !known && len(m.of) >= mostMissers {
		return true, m.began.Add(missWindow).Sub(now)
	}
	m.of[from]++
	return false, 0
}

// missed counts a miss of this visit's. Where it returns false it has said when to come back.
func (v *visit) missed() bool {
	tooMany, wait := v.misses.note(neighbourhood(v.r.RemoteAddr))
	if tooMany {
		v.w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	}
	return !tooMany
}

// neighbourhood is the address that a request came from: of IPv6 the 64 bits that one
// customer has, who may use a new one of the rest each time.
func neighbourhood(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{} // no address, as in memory: one neighbourhood
	}
	address := at.Addr().Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	near, _ := address.Prefix(bits) // in range
	return near
}
