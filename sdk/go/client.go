package coinslot

import (
	"context"
	"net/http"

	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

// Client calls one server with one access token.
type Client struct {
	Sessions *Sessions
	Payments *Payments
	Refunds  *Refunds
	Events   *Events
}

// New makes a Client. An empty access token stands for $COINSLOT_ACCESS_TOKEN. It calls
// nobody yet; what it refuses is a setting that cannot work.
func New(accessToken string, opts ...Option) (*Client, error) {
	s, err := newSettings(accessToken, opts)
	if err != nil {
		return nil, err
	}
	web := courier{newHTTPClient()}
	if s.httpClient != nil {
		web = courier{s.httpClient}
	}
	c := &caller{token: s.token, timeout: s.timeout, retries: s.retries}
	payments, events := payv1connect.NewPaymentServiceClient(web, s.baseURL), payv1connect.NewEventServiceClient(web, s.baseURL)
	return &Client{
		Sessions: &Sessions{c, payments, events},
		Payments: &Payments{c, payments},
		Refunds:  &Refunds{c, payv1connect.NewRefundServiceClient(web, s.baseURL)},
		Events:   &Events{c, events},
	}, nil
}

// Checkout offers one item to one player: Sessions.Create under its short name. Send the
// player to the session's Url.
func (c *Client) Checkout(ctx context.Context, req *CreateSessionRequest, opts ...CallOption) (*Session, error) {
	return c.Sessions.Create(ctx, req, opts...)
}

// Refund returns money from a payment, all that is left of it unless req says how much:
// Refunds.Create under its short name.
func (c *Client) Refund(ctx context.Context, req *CreateRefundRequest, opts ...CallOption) (*Refund, error) {
	return c.Refunds.Create(ctx, req, opts...)
}

// idleConnections is how many connections to the server are kept open. The default of
// net/http, two, opens and closes connections all the time once many calls run at once.
const idleConnections = 64

func newHTTPClient() *http.Client {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program has put its own in that place, and knows why
		return &http.Client{CheckRedirect: stay}
	}
	own := shared.Clone()
	own.MaxIdleConnsPerHost = idleConnections
	return &http.Client{Transport: own, CheckRedirect: stay}
}

// stay follows no redirect: the token and what is paid go to the server that was named, and
// nowhere that this one points to.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
