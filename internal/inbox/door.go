package inbox

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Local says whether URLs lead to the machine that asks for them. A server whose own do
// has no players elsewhere, and is one that somebody develops against.
func Local(addresses ...string) bool {
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || !loopback(u.Hostname()) {
			return false
		}
	}
	return len(addresses) > 0
}

// loopback says whether a host is this machine by name or number. Names that a stranger's
// DNS could have lead here are not.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// admits says whether a request comes from this machine and not through it: neither by a
// proxy, which is a neighbour to us whoever asks it, nor by a page of another site in a
// browser that runs here.
func admits(r *http.Request) bool {
	return fromHere(r) && !forwarded(r) && ownSite(r)
}

// fromHere wants the peer to be this machine, and to have asked for it by its own name:
// a page of another site can have its name lead here, but not have the browser hide it.
func fromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && loopback(hostname(r.Host))
}

// hostname takes the port off, and the brackets of an IPv6 address.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			return inner
		}
	}
	return host
}

// forwarded says whether a proxy has passed the request on. Not all say so in a header;
// some of those that do not speak HTTP/1.0, which no browser does any more.
func forwarded(r *http.Request) bool {
	for name := range r.Header {
		switch name = strings.ToLower(strings.ReplaceAll(name, "_", "-")); {
		case name == "forwarded", name == "via", strings.HasPrefix(name, "x-forwarded"), strings.HasPrefix(name, "x-original"), name == "x-real-ip",
			name == "x-client-ip", name == "true-client-ip", strings.HasPrefix(name, "cf-"):
			return true
		}
	}
	return !r.ProtoAtLeast(1, 1)
}

// ownSite says whether the browser asks because of its user or of a page of ours. What
// is no browser says nothing.
func ownSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return false
}
