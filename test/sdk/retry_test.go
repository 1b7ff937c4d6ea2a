package sdk_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	coinslot "github.com/coinslot/coinslot/sdk/go"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// What the Go client does when the network fails is tried here and not beside it: these
// tests need a whole installation in their own process, for the sake of its clock, and who
// uses the client should not have to download what that is made of.

// network leads to a whole installation in this process, so that the clock is the test's.
// Its faults befall the requests one after the other, and then no more.
type network struct {
	server http.Handler
	faults []fault
	sent   []sent
}

type sent struct {
	at  time.Time
	key string
}

type roundTrip func(*http.Request) (*http.Response, error)

// A fault is what happens to a request on its way to the server and back.
type fault func(r *http.Request, server roundTrip) (*http.Response, error)

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.sent = append(n.sent, sent{time.Now(), r.Header.Get("Idempotency-Key")})
	serve := func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		n.server.ServeHTTP(w, r)
		return w.Result(), nil
	}
	if len(n.faults) == 0 {
		return serve(r)
	}
	next := n.faults[0]
	n.faults = n.faults[1:]
	return next(r, serve)
}

// waits are the times between the requests.
func (n *network) waits() (waits []time.Duration) {
	for i := range n.sent[1:] {
		waits = append(waits, n.sent[i+1].at.Sub(n.sent[i].at))
	}
	return waits
}

func unreachable(*http.Request, roundTrip) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

// lost lets the server do what it was asked, and breaks the connection in its answer.
func lost(r *http.Request, server roundTrip) (*http.Response, error) {
	res, err := server(r)
	res.Body = io.NopCloser(io.MultiReader(io.LimitReader(res.Body, 5), brokenReader{}))
	return res, err
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// silent never answers.
func silent(r *http.Request, _ roundTrip) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func broken(*http.Request, roundTrip) (*http.Response, error) {
	return nil, &net.OpError{Op: "write", Err: syscall.EPIPE}
}

// breaking breaks the connection when the caller goes away.
func breaking(r *http.Request, _ roundTrip) (*http.Response, error) {
	<-r.Context().Done()
	return broken(r, nil)
}

// says answers as the server does when it refuses, with a header Retry-After unless that is empty.
func says(status connect.Code, code, retryAfter string) fault {
	return func(r *http.Request, _ roundTrip) (*http.Response, error) {
		refusal := connect.NewError(status, errors.New("not now"))
		detail, err := connect.NewErrorDetail(&payv1.Error{Code: code, Message: "not now"})
		if err != nil {
			return nil, err
		}
		refusal.AddDetail(detail)
		if retryAfter != "" {
			refusal.Meta().Set("Retry-After", retryAfter)
		}
		w := httptest.NewRecorder()
		err = connect.NewErrorWriter().Write(w, r, refusal)
		return w.Result(), err
	}
}

// proxied is the answer of a proxy that knows nothing of us.
func proxied(status int) fault {
	return func(*http.Request, roundTrip) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, err := w.WriteString("<h1>Sorry</h1>")
		return w.Result(), err
	}
}

// inABubble runs a test with a clock of its own and a client of an installation behind
// a network.
func inABubble(t *testing.T, faults []fault, opts []coinslot.Option, do func(*testing.T, *coinslot.Client, *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		whole := coinslottest.Start(t)
		key := whole.Key(t, pay.Sandbox, pay.Game{ID: "space_shooter"})
		n := &network{server: whole.Handler, faults: faults}
		c, err := coinslot.New(key, append([]coinslot.Option{coinslot.WithBaseURL("http://pay.test"), coinslot.WithHTTPClient(&http.Client{Transport: n})}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		do(t, c, n)
	})
}

func TestRetries(t *testing.T) {
	rateLimited := func(retryAfter string) fault {
		return says(connect.CodeResourceExhausted, "rate_limited", retryAfter)
	}
	for _, tt := range []struct {
		name   string
		faults []fault
		sent   int
		code   string // of the error; empty: success
		least  time.Duration
		most   time.Duration
	}{
		{"nothing goes wrong", nil, 1, "", 0, 0},
		{"nobody is there at first", []fault{unreachable, unreachable}, 3, "", 750 * time.Millisecond, 1500 * time.Millisecond},
		{"nobody is there", []fault{unreachable, unreachable, unreachable}, 3, "unavailable", 750 * time.Millisecond, 1500 * time.Millisecond},
		{"the answer is lost", []fault{lost}, 2, "", 250 * time.Millisecond, 500 * time.Millisecond},
		{"the connection breaks while the request is sent", []fault{broken}, 2, "", 250 * time.Millisecond, 500 * time.Millisecond},
		{"the server is unavailable", []fault{says(connect.CodeUnavailable, "unavailable", "")}, 2, "", 250 * time.Millisecond, 500 * time.Millisecond},
		{"the server is unavailable and says for how long", []fault{says(connect.CodeUnavailable, "unavailable", "7")}, 2, "", 7 * time.Second, 7 * time.Second},
		{"an error within the server", []fault{says(connect.CodeInternal, "internal", "")}, 2, "", 250 * time.Millisecond, 500 * time.Millisecond},
		{"too many calls", []fault{rateLimited("3"), rateLimited("2")}, 3, "", 5 * time.Second, 5 * time.Second},
		{"too many calls until a time", []fault{rateLimited("Sat, 01 Jan 2000 00:00:04 GMT")}, 2, "", 4 * time.Second, 4 * time.Second},
		{"too many calls, and nonsense", []fault{rateLimited("soon")}, 2, "", 250 * time.Millisecond, 500 * time.Millisecond},
		{"too many calls, for too long", []fault{rateLimited("61")}, 1, "rate_limited", 0, 0},
		{"too many calls, still", []fault{rateLimited("1"), rateLimited("1"), rateLimited("1")}, 3, "rate_limited", 2 * time.Second, 2 * time.Second},
		{"a request that is too large", []fault{says(connect.CodeResourceExhausted, "invalid_request", "")}, 1, "invalid_request", 0, 0},
		{"a refusal", []fault{says(connect.CodeFailedPrecondition, "session_expired", "1")}, 1, "session_expired", 0, 0},
		{"a key that is not valid", []fault{says(connect.CodeUnauthenticated, "unauthorized", "")}, 1, "unauthorized", 0, 0},
		{"a proxy without a server", []fault{proxied(502), proxied(503)}, 3, "", 750 * time.Millisecond, 1500 * time.Millisecond},
		{"a proxy that limits", []fault{proxied(429)}, 2, "", 250 * time.Millisecond, 500 * time.Millisecond},
		{"another server", []fault{proxied(404)}, 1, "not_found", 0, 0},
		{"a page instead of an answer", []fault{proxied(200)}, 1, "unknown", 0, 0},
		{"no answer", []fault{silent}, 2, "", 30250 * time.Millisecond, 30500 * time.Millisecond},
		{"never an answer", []fault{silent, silent, silent}, 3, "unavailable", 90750 * time.Millisecond, 91500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inABubble(t, tt.faults, nil, func(t *testing.T, c *coinslot.Client, n *network) {
				began := time.Now()
				_, err := c.Checkout(t.Context(), coins())
				took := time.Since(began)
				if tt.code != "" {
					wantCode(t, err, tt.code)
				} else if err != nil {
					t.Error(err)
				}
				if len(n.sent) != tt.sent || took < tt.least || took > tt.most {
					t.Errorf("%d requests within %v, want %d within %v to %v", len(n.sent), took, tt.sent, tt.least, tt.most)
				}
				for _, s := range n.sent {
					if s.key == "" || s.key != n.sent[0].key {
						t.Errorf("the keys are %v", n.sent)
					}
				}
				wantSessions(t, c, tt.code == "")
			})
		})
	}
}

func coins() *coinslot.CreateSessionRequest {
	return &coinslot.CreateSessionRequest{
		GameId: "space_shooter", UserId: "player_42", ReturnUrl: "mygame://payment-complete",
		Item: &coinslot.Item{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var failed *coinslot.Error
	if !errors.As(err, &failed) || failed.Code != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}

// wantSessions counts what was sold in the end.
func wantSessions(t *testing.T, c *coinslot.Client, sold bool) {
	t.Helper()
	page, err := c.Sessions.List(t.Context(), &coinslot.ListSessionsRequest{GameId: "space_shooter"})
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	if sold {
		want = 1
	}
	if len(page.Sessions) != want {
		t.Errorf("%d sessions were made, want %d", len(page.Sessions), want)
	}
}

func TestWaitsDoubleUpToEightSeconds(t *testing.T) {
	faults := make([]fault, 8)
	for i := range faults {
		faults[i] = unreachable
	}
	inABubble(t, faults, []coinslot.Option{coinslot.WithRetries(7)}, func(t *testing.T, c *coinslot.Client, n *network) {
		_, err := c.Sessions.Get(t.Context(), nil)
		wantCode(t, err, coinslot.CodeUnavailable)
		most := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second, 8 * time.Second}
		waits := n.waits()
		if len(waits) != len(most) {
			t.Fatalf("it waited %v", waits)
		}
		for i, w := range waits {
			if w <= most[i]/2 || w > most[i] {
				t.Errorf("wait %d is %v, want more than %v and at most %v", i, w, most[i]/2, most[i])
			}
		}
	})
}

func TestWaitsAreLeftToChance(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 10 {
		inABubble(t, []fault{unreachable}, nil, func(t *testing.T, c *coinslot.Client, n *network) {
			if _, err := c.Checkout(t.Context(), coins()); err != nil {
				t.Fatal(err)
			}
			seen[n.waits()[0]] = true
		})
	}
	if len(seen) < 5 {
		t.Errorf("ten clients waited only %v", seen)
	}
}

func TestSettingsOfRetries(t *testing.T) {
	settings := []coinslot.Option{coinslot.WithRetries(0), coinslot.WithTimeout(time.Second)}
	inABubble(t, []fault{silent}, settings, func(t *testing.T, c *coinslot.Client, n *network) {
		began := time.Now()
		_, err := c.Checkout(t.Context(), coins())
		wantCode(t, err, "unavailable")
		if took := time.Since(began); took != time.Second || len(n.sent) != 1 {
			t.Errorf("%d requests within %v", len(n.sent), took)
		}
	})
}

// TestTheContextEndsACall tries it during an attempt, during a pause, and where a
// pause would last too long.
func TestTheContextEndsACall(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []fault
		ctx    func(context.Context) (context.Context, context.CancelFunc)
		is     error // of what the error is
		code   string
		again  bool // whether it may be tried again
		took   time.Duration
	}{
		{"a deadline during an attempt", []fault{silent}, deadline(10 * time.Second), context.DeadlineExceeded, "unavailable", true, 10 * time.Second},
		{"cancelled during an attempt", []fault{silent}, cancelled(10 * time.Second), context.Canceled, "canceled", false, 10 * time.Second},
		{"cancelled during a pause", []fault{unreachable}, cancelled(100 * time.Millisecond), context.Canceled, "unavailable", true, 100 * time.Millisecond},
		{"cancelled as the connection breaks", []fault{breaking}, cancelled(time.Second), context.Canceled, "canceled", false, time.Second},
		{"a deadline before the end of a pause", []fault{says(connect.CodeUnavailable, "unavailable", "20")}, deadline(20 * time.Second), nil, "unavailable", true, 0},
		{"cancelled before", nil, cancelled(0), context.Canceled, "canceled", false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inABubble(t, tt.faults, nil, func(t *testing.T, c *coinslot.Client, n *network) {
				ctx, cancel := tt.ctx(t.Context())
				defer cancel()
				began := time.Now()
				_, err := c.Checkout(ctx, coins())
				wantCode(t, err, tt.code)
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("the error is %v, want one that is %v", err, tt.is)
				}
				var failed *coinslot.Error
				if errors.As(err, &failed); failed.Retryable != tt.again {
					t.Errorf("%v is retryable: %v", err, failed.Retryable)
				}
				if took := time.Since(began); took != tt.took || len(n.sent) > 1 {
					t.Errorf("%d requests within %v, want one within %v", len(n.sent), took, tt.took)
				}
			})
		})
	}
}

func deadline(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
}

func cancelled(after time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		if after == 0 {
			cancel()
			return ctx, cancel
		}
		timer := time.AfterFunc(after, cancel)
		return ctx, func() { timer.Stop(); cancel() }
	}
}

// TestWhatAnErrorTells reads all of one.
func TestWhatAnErrorTells(t *testing.T) {
	inABubble(t, []fault{says(connect.CodeResourceExhausted, "rate_limited", "90")}, nil, func(t *testing.T, c *coinslot.Client, _ *network) {
		_, err := c.Checkout(t.Context(), coins())
		var got *coinslot.Error
		if !errors.As(err, &got) {
			t.Fatal(err)
		}
		want := &coinslot.Error{Code: "rate_limited", Message: "not now", RPCCode: connect.CodeResourceExhausted, Retryable: true, RetryAfter: 90 * time.Second}
		if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return strings.HasSuffix(p.String(), "cause") }, cmp.Ignore())); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
	})
}
