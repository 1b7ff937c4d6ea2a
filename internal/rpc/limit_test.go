package rpc_test

import (
	"net/http"
	"testing"

	"connectrpc.com/connect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
)

// withKey is a client that sends a key with each call.
func withKey(key string) *http.Client {
	return &http.Client{Transport: keyed(key)}
}

type keyed string

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(k))
	return http.DefaultTransport.RoundTrip(r)
}

func TestARateLimitIsOfOneKeyAndSaysWhenToAskAgain(t *testing.T) {
	l := openLine(t, func(o *installation.Options) { o.RateLimit = 0.001 })
	l.create(t)
	for _, got := range []answer{l.call(t, "CreateSession", anOrder), l.send(t, "POST", "/v1/sessions", anOrder)} {
		if got.status != http.StatusTooManyRequests || got.code != "rate_limited" || got.header.Get("Retry-After") != "1" {
			t.Errorf("got %d, Retry-After %q: %s", got.status, got.header.Get("Retry-After"), got.body)
		}
	}
	_, err := payv1connect.NewPaymentServiceClient(withKey(l.key), l.url, connect.WithGRPCWeb()).
		GetSession(t.Context(), &payv1.GetSessionRequest{Id: "sess_1"})
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("gRPC-Web: %v", err)
	}
	other := &line{l.Installation, l.url, l.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})}
	other.create(t)
}
