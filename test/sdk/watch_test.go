package sdk_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	coinslot "github.com/coinslot/coinslot/sdk/go"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// cable leads over connections in memory to a whole installation. Its cuts befall the
// requests one after the other.
type cable struct {
	http.RoundTripper
	cuts []cut
	sent int
}

// cut is when the answer to a request breaks off: after so many bytes, or without an
// error, or never, with nothing coming after them.
type cut struct {
	after         int64
	clean, silent bool
}

func (c *cable) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent++
	res, err := c.RoundTripper.RoundTrip(r)
	if err != nil || len(c.cuts) == 0 {
		return res, err
	}
	next := c.cuts[0]
	c.cuts = c.cuts[1:]
	var end io.Reader = brokenReader{}
	switch {
	case next.clean:
		end = strings.NewReader("")
	case next.silent:
		end = silentReader{r.Context()}
	}
	res.Body = &cutBody{io.MultiReader(io.LimitReader(res.Body, next.after), end), res.Body}
	return res, nil
}

type cutBody struct {
	io.Reader
	io.Closer
}

type silentReader struct{ ctx context.Context }

func (s silentReader) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// house is an installation at the end of a cable.
type house struct {
	*testing.T
	*coinslottest.Installation
	client *coinslot.Client
	cable  *cable
}

func overACable(t *testing.T, cuts []cut, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{T: t, Installation: coinslottest.Start(t)}
		key := h.Key(t, pay.Sandbox, pay.Game{ID: "space_shooter"})
		h.cable = &cable{RoundTripper: h.InMemory(t).Transport(t, false), cuts: cuts}
		var err error
		h.client, err = coinslot.New(key, coinslot.WithBaseURL("http://pay.test"), coinslot.WithHTTPClient(&http.Client{Transport: h.cable}))
		if err != nil {
			t.Fatal(err)
		}
		test(h)
	})
}

var operator = gateway.Caller{Environment: pay.Sandbox}

func (h *house) sell() string {
	s, _, err := h.Gateway.CreateSession(h.Context(), operator, pay.Order{
		Game: "space_shooter", User: "ann", ReturnURL: "mygame://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"},
	}, gateway.Idempotency{})
	if err != nil {
		h.Error(err)
	}
	return string(s.ID)
}

// An event is about 400 bytes long: these connections break within one, after some, at
// once, and without an error.
func TestEventsAreWatchedOverConnectionsThatBreak(t *testing.T) {
	cuts := []cut{{after: 900}, {after: 2000}, {after: 0}, {after: 5}, {after: 1500, clean: true}, {after: 1200, silent: true}, {after: 1800}}
	overACable(t, cuts, func(h *house) {
		const sessions = 30
		var want, got []string
		for range sessions / 2 {
			want = append(want, h.sell())
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range sessions / 2 {
				time.Sleep(5 * time.Second)
				want = append(want, h.sell())
			}
		}()
		for e, err := range h.client.Events.Watch(h.Context(), nil) {
			if err != nil {
				h.Fatal(err)
			}
			if e.GetNextCursor() == "" {
				h.Error("an event came without a cursor")
			}
			if got = append(got, e.GetEvent().GetData().GetSessionId()); len(got) == sessions {
				break
			}
		}
		<-done
		if !slices.Equal(got, want) {
			h.Errorf("told %q\nwant %q", got, want)
		}
		if h.cable.sent != len(cuts)+1 {
			h.Errorf("there were %d connections, want %d", h.cable.sent, len(cuts)+1)
		}
	})
}

func TestASessionIsWatchedOverConnectionsThatBreak(t *testing.T) {
	overACable(t, []cut{{after: 400, silent: true}, {after: 400}}, func(h *house) {
		id := h.sell()
		go func() {
			time.Sleep(time.Hour)
			if _, err := h.Gateway.CancelSession(h.Context(), operator, pay.SessionID(id), gateway.Idempotency{}); err != nil {
				h.Error(err)
			}
		}()
		var told []string
		began := time.Now()
		for s, err := range h.client.Sessions.Watch(h.Context(), &coinslot.WatchSessionRequest{Id: id}) {
			if err != nil {
				h.Fatal(err)
			}
			told = append(told, s.GetStatus())
		}
		if !slices.Equal(told, []string{"pending", "cancelled"}) || time.Since(began) != time.Hour {
			h.Errorf("after %v told %q", time.Since(began), told)
		}
		if h.cable.sent != 3 {
			h.Errorf("there were %d connections, want 3", h.cable.sent)
		}
	})
}

func TestAWatchThatCannotBeEndsWithWhy(t *testing.T) {
	overACable(t, nil, func(h *house) {
		for _, err := range h.client.Sessions.Watch(h.Context(), &coinslot.WatchSessionRequest{Id: "sess_00000000000000000000000000000000"}) {
			var refused *coinslot.Error
			if !errors.As(err, &refused) || refused.Code != coinslot.CodeSessionNotFound {
				h.Errorf("the error is %v", err)
			}
		}
		if h.cable.sent != 1 {
			h.Errorf("it was asked %d times", h.cable.sent)
		}
		ctx, leave := context.WithTimeout(h.Context(), time.Hour)
		defer leave()
		var last error
		for _, last = range h.client.Events.Watch(ctx, nil) {
		}
		if !errors.Is(last, context.DeadlineExceeded) {
			h.Errorf("after an hour: %v", last)
		}
	})
	inABubble(t, slices.Repeat([]fault{unreachable}, 5), nil, func(t *testing.T, c *coinslot.Client, n *network) {
		var failed error
		for _, failed = range c.Events.Watch(t.Context(), nil) {
		}
		var told *coinslot.Error
		if !errors.As(failed, &told) || told.Code != coinslot.CodeUnavailable || len(n.sent) != 3 {
			t.Errorf("after %d attempts: %v", len(n.sent), failed)
		}
	})
}
