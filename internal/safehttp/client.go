// Package safehttp is the HTTP client for URLs that somebody else chose. It connects to public addresses only, so that
// a webhook's URL cannot be used to reach into the operator's own network, and it bounds what an answer may cost.
package safehttp

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

const (
	defaultTimeout = 10 * time.Second

	maxResponseHeaderBytes = 64 << 10

	// A server may send this much on an HTTP/2 stream, and on all streams of a connection, before anybody reads it.
	// The defaults of net/http, 4 MiB and 1 GiB, would let a hostile one fill the memory.
	maxUnreadPerStream     = 64 << 10
	maxUnreadPerConnection = 1 << 20

	// Many endpoints with few events each are the usual load, so idle connections are few per host.
	maxIdleConns        = 256
	maxIdleConnsPerHost = 8
	idleTimeout         = time.Minute

	// An HTTP/2 connection whose other end vanished would fail every request on it until TCP notices. A ping notices
	// within the sum of these.
	pingAfter   = 15 * time.Second
	pingTimeout = 5 * time.Second
)

// Options of a client. The zero value is the strict one, for production.
type Options struct {
	// AllowLoopback opens 127.0.0.0/8 and ::1, for a sandbox whose receiver runs on the same machine.
	AllowLoopback bool
	// AllowCIDR opens further ranges. IPv4 ranges are written as IPv4: 10.1.0.0/16 also opens ::ffff:10.1.0.1,
	// whereas ::ffff:10.1.0.0/112 and ::/0 open nothing of IPv4.
	AllowCIDR []netip.Prefix
	// Timeout of a whole request, from the lookup to the last byte read of the answer. 10 s if zero.
	Timeout time.Duration
	// MaxConnsPerHost bounds the connections to one host. No bound if zero: a request that waits for a connection
	// spends its Timeout, so a caller that bounds its own work had better leave it.
	MaxConnsPerHost int
	// RootCAs that servers are verified against. The system's if nil.
	RootCAs *x509.CertPool
	// Resolver of host names. The system's if nil.
	Resolver *net.Resolver
}

// NewClient returns a client that dials public addresses and what the options open, and nothing else; a refusal is a
// *RefusedError. It goes through no proxy, whatever the environment says, follows no redirect but returns the 3xx
// answer, keeps no cookies and verifies TLS. It reuses connections, so one client should serve all callers with the
// same options.
//
// The body of an answer is neither decompressed nor bounded in size: read it through an io.LimitReader.
func NewClient(o Options) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return &http.Client{
		Transport:     newTransport(o),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       o.Timeout,
	}
}

// newTransport starts from nothing instead of a clone of http.DefaultTransport, which asks the environment for a proxy.
func newTransport(o Options) *http.Transport {
	return &http.Transport{
		DialContext:     newDialer(o).DialContext,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		// The transport dials in the background and keeps at it when the request has been given up. Hence its own
		// timeout, here and in the dialer.
		TLSHandshakeTimeout:    o.Timeout,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		MaxConnsPerHost:        o.MaxConnsPerHost,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConnsPerHost,
		IdleConnTimeout:        idleTimeout,
		// A short answer could unpack into a long one.
		DisableCompression: true,
		// Not by itself once the dialer is our own.
		ForceAttemptHTTP2: true,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     maxUnreadPerStream,
			MaxReceiveBufferPerConnection: maxUnreadPerConnection,
			SendPingTimeout:               pingAfter,
			PingTimeout:                   pingTimeout,
			WriteByteTimeout:              o.Timeout,
		},
	}
}

func newDialer(o Options) *net.Dialer {
	g := guard{loopback: o.AllowLoopback, allow: slices.Clone(o.AllowCIDR)}
	return &net.Dialer{
		Timeout:        o.Timeout,
		Resolver:       o.Resolver,
		ControlContext: g.control,
	}
}
