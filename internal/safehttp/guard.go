package safehttp

import (
	"context"
	"net/netip"
	"syscall"
)

// RefusedError says that a connection was not made because of where it would have led. It reaches the caller inside
// the errors of net and net/http, where errors.As finds it; its own message is fit for an operator to read.
type RefusedError struct {
	Addr   netip.Addr // as dialled; invalid when the URL named no host
	Reason string
}

func (e *RefusedError) Error() string {
	if !e.Addr.IsValid() {
		return "refused to connect: " + e.Reason
	}
	return "refused to connect to " + e.Addr.String() + ": " + e.Reason
}

// guard decides which addresses may be dialled: the public ones and what the operator opened.
type guard struct {
	loopback bool
	allow    []netip.Prefix
}

// control is a net.Dialer.ControlContext. The dialer calls it with the address it is about to connect to, after
// resolution and for each address it tries. So there is no text to be fooled by (0x7f000001, 2130706433) and no
// second resolution that could answer differently from the one that was checked.
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	dialled, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{Reason: "the URL leads to no IP address"}
	}
	return g.check(dialled.Addr())
}

func (g guard) check(a netip.Addr) error {
	if g.opened(a) {
		return nil
	}
	if reason := refusal(a); reason != "" {
		return &RefusedError{Addr: a, Reason: reason}
	}
	return nil
}

// opened unwraps IPv4-mapped addresses only, since a socket treats those as IPv4. What NAT64 does with a private
// address is up to the network, so opening 10.0.0.0/8 does not open 64:ff9b::10.0.0.1.
func (g guard) opened(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if g.loopback && a.IsLoopback() {
		return true
	}
	for _, p := range g.allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
