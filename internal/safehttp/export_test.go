package safehttp

import (
	"context"
	"net/http"
	"syscall"
)

// NewHookedClient is NewClient with a hook that is called after the guard, right before a
// socket is connected, with the address. An error of the hook keeps it from being connected.
func NewHookedClient(o Options, hook func(address string) error) *http.Client {
	client, dialer := NewClient(o), newDialer(o)
	guard := dialer.ControlContext
	dialer.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
		if err := guard(ctx, network, address, c); err != nil {
			return err
		}
		return hook(address)
	}
	client.Transport.(*http.Transport).DialContext = dialer.DialContext
	return client
}
