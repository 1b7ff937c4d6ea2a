package rpc_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// house is an installation whose sessions and events are watched over connections in
// memory, in a bubble of its own time.
type house struct {
	*testing.T
	*coinslottest.Installation
	lines *coinslottest.Lines
	key   string // covers every game of the sandbox
}

func openHouse(t *testing.T, edit ...func(*installation.Options)) *house {
	t.Helper()
	h := &house{T: t, Installation: coinslottest.Start(t, edit...)}
	h.lines = h.InMemory(t)
	for _, id := range []pay.GameID{"chess", "go"} {
		h.keyOf(pay.Sandbox, id)
	}
	h.key = h.newKey(pay.Key{Environment: pay.Sandbox})
	return h
}

func (h *house) keyOf(env pay.Environment, game pay.GameID) string {
	h.Helper()
	return h.Key(h, env, pay.Game{ID: game})
}

func (h *house) newKey(k pay.Key) string {
	h.Helper()
	_, text, err := h.Gateway.CreateKey(h.Context(), k)
	if err != nil {
		h.Fatal(err)
	}
	return text
}

// client calls as the holder of a key.
func (h *house) client(way way, key string) payv1connect.EventServiceClient {
	return payv1connect.NewEventServiceClient(&http.Client{Transport: bearer{h.lines.Transport(h, way.http2), key}}, "http://pay.test", way.options...)
}

type bearer struct {
	http.RoundTripper
	key string
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return b.RoundTripper.RoundTrip(r)
}

func (h *house) sell(game pay.GameID, edit ...func(*pay.Order)) string {
	h.Helper()
	order := pay.Order{Game: game, User: "ann", ReturnURL: "chess://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}}
	for _, change := range edit {
		change(&order)
	}
	s, _, err := h.Gateway.CreateSession(h.Context(), gateway.Caller{Environment: pay.Sandbox}, order, gateway.Idempotency{})
	if err != nil {
		h.Fatal(err)
	}
	return string(s.ID)
}

func (h *house) cancel(id string) {
	h.Helper()
	if _, err := h.Gateway.CancelSession(h.Context(), gateway.Caller{Environment: pay.Sandbox}, pay.SessionID(id), gateway.Idempotency{}); err != nil {
		h.Fatal(err)
	}
}

func everyWayOfWatching(t *testing.T, test func(h *house, way way)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(openHouse(t), way) })
		})
	}
}

// hear is what a stream tells next, and how long that took.
func hear[T any](t testing.TB, s *connect.ServerStreamForClient[T]) (*T, time.Duration) {
	t.Helper()
	began := time.Now()
	if !s.Receive() {
		t.Fatalf("the stream has ended: %v", s.Err())
	}
	return s.Msg(), time.Since(began)
}

func wantEnd[T any](t testing.TB, s *connect.ServerStreamForClient[T], code connect.Code) {
	t.Helper()
	if s.Receive() {
		t.Errorf("it goes on with %v", s.Msg())
	} else if got := connect.CodeOf(s.Err()); s.Err() == nil || got != code {
		t.Errorf("it ends with %v, want %v", s.Err(), code)
	}
	_ = s.Close() // says again what Err said
}

func TestASessionIsToldWithHeartbeatsUntilItHasExpired(t *testing.T) {
	everyWayOfWatching(t, func(h *house, way way) {
		id := h.sell("chess", func(o *pay.Order) { o.ExpiresIn = new(time.Minute + 5*time.Second) })
		stream, err := h.client(way, h.key).WatchSession(h.Context(), &payv1.WatchSessionRequest{Id: id})
		if err != nil {
			h.Fatal(err)
		}
		if told, took := hear(h, stream); told.GetSession().GetStatus() != "pending" || took != 0 {
			h.Errorf("after %v it is %v", took, told)
		}
		for range 4 {
			if told, took := hear(h, stream); told.GetSession() != nil || took != 15*time.Second {
				h.Errorf("after %v comes %v, want a heartbeat", took, told)
			}
		}
		if told, took := hear(h, stream); told.GetSession().GetStatus() != "expired" || took < 5*time.Second || took > 6*time.Second {
			h.Errorf("after %v it is %v", took, told)
		}
		if stream.Receive() || stream.Err() != nil {
			h.Errorf("then comes %v, %v", stream.Msg(), stream.Err())
		}
	})
}

func TestWatchesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openHouse(t)
		id := h.sell("chess")
		for _, tt := range []struct {
			name, key, id string
			code          connect.Code
		}{
			{"another game's", h.keyOf(pay.Sandbox, "go"), id, connect.CodeNotFound},
			{"another environment's", h.newKey(pay.Key{Environment: pay.Production}), id, connect.CodeNotFound},
			{"nobody's", h.key, "sess_00000000000000000000000000000000", connect.CodeNotFound},
			{"no id", h.key, "chess", connect.CodeInvalidArgument},
			{"no key", "", id, connect.CodeUnauthenticated},
		} {
			stream, err := h.client(ways[0], tt.key).WatchSession(h.Context(), &payv1.WatchSessionRequest{Id: tt.id})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(tt.name)
			wantEnd(t, stream, tt.code)
		}
		for name, tt := range map[string]struct {
			key  string
			req  *payv1.WatchEventsRequest
			code string
		}{
			"another game": {h.keyOf(pay.Sandbox, "go"), &payv1.WatchEventsRequest{GameId: proto.String("chess")}, "game_id"},
			"no cursor":    {h.key, &payv1.WatchEventsRequest{Cursor: proto.String("here")}, "cursor"},
			"no type":      {h.key, &payv1.WatchEventsRequest{Types: []string{"session.lost"}}, "types"},
			"no consumer":  {h.key, &payv1.WatchEventsRequest{Consumer: proto.String("two words")}, "consumer"},
		} {
			stream, err := h.client(ways[0], tt.key).WatchEvents(h.Context(), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if wantEnd(t, stream, connect.CodeInvalidArgument); !strings.Contains(stream.Err().Error(), tt.code) {
				t.Errorf("%s: %v", name, stream.Err())
			}
		}
	})
}

// follow watches until it has been told so many events, and returns them with the last cursor.
func (h *house) follow(client payv1connect.EventServiceClient, req *payv1.WatchEventsRequest, n int) (told []string, cursor string) {
	h.Helper()
	ctx, leave := context.WithCancel(h.Context())
	stream, err := client.WatchEvents(ctx, req)
	if err != nil {
		h.Fatal(err)
	}
	for present := false; len(told) < n || n == 0 && !present; {
		m, _ := hear(h, stream)
		if cursor = m.GetNextCursor(); m.GetEvent() != nil {
			told = append(told, m.GetEvent().GetData().GetSessionId()+" "+m.GetEvent().GetType())
		} else {
			present = true
		}
	}
	leave()
	_ = stream.Close()
	synctest.Wait()
	return told, cursor
}

func (h *house) wantTold(what string, got []string, want ...string) {
	h.Helper()
	if !slices.Equal(got, want) {
		h.Errorf("%s: told %q, want %q", what, got, want)
	}
}

func TestEventsAreFilteredAndGoOnByCursorOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := coinslottest.OpenStore(t)
		on := func(o *installation.Options) { o.Store = s }
		h := openHouse(t, on)
		c := h.client(ways[0], h.key)
		a, b := h.sell("chess"), h.sell("go")
		h.cancel(a)
		all, end := h.follow(c, &payv1.WatchEventsRequest{}, 3)
		h.wantTold("all", all, a+" session.created", b+" session.created", a+" session.cancelled")
		one, _ := h.follow(c, &payv1.WatchEventsRequest{SessionId: &b}, 1)
		h.wantTold("of a session", one, b+" session.created")
		game, _ := h.follow(c, &payv1.WatchEventsRequest{GameId: proto.String("chess")}, 2)
		h.wantTold("of a game", game, a+" session.created", a+" session.cancelled")
		kind, _ := h.follow(c, &payv1.WatchEventsRequest{Types: []string{"session.cancelled"}}, 1)
		h.wantTold("of a type", kind, a+" session.cancelled")
		limited, mine := h.follow(h.client(ways[0], h.keyOf(pay.Sandbox, "go")), &payv1.WatchEventsRequest{}, 1)
		h.wantTold("by a key for one game", limited, b+" session.created")
		production, _ := h.follow(h.client(ways[0], h.newKey(pay.Key{Environment: pay.Production})), &payv1.WatchEventsRequest{}, 0)
		h.wantTold("of the other environment", production)
		if _, err := c.AcknowledgeEvents(h.Context(), &payv1.AcknowledgeEventsRequest{Consumer: "grants", Cursor: end}); err != nil {
			t.Fatal(err)
		}
		h.cancel(b)

		again := openHouse(t, on)
		c = again.client(ways[0], again.key)
		since, _ := again.follow(c, &payv1.WatchEventsRequest{Cursor: &end}, 1)
		again.wantTold("since the cursor", since, b+" session.cancelled")
		since, _ = again.follow(c, &payv1.WatchEventsRequest{Consumer: proto.String("grants"), FromNow: true}, 1)
		again.wantTold("since the consumer's", since, b+" session.cancelled")
		since, _ = again.follow(c, &payv1.WatchEventsRequest{FromNow: true}, 0)
		again.wantTold("from now", since)
		// The place of one key's feed is not another's.
		stream, err := c.WatchEvents(again.Context(), &payv1.WatchEventsRequest{Cursor: &mine})
		if err != nil {
			t.Fatal(err)
		}
		wantEnd(t, stream, connect.CodeInvalidArgument)
	})
}

// The first cursor of a feed in which nothing has happened is a place too, which from_now
// does not skip.
func TestFromNowSkipsNothingAfterACursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openHouse(t)
		c := h.client(ways[0], h.key)
		_, cursor := h.follow(c, &payv1.WatchEventsRequest{FromNow: true}, 0)
		id := h.sell("chess")
		told, _ := h.follow(c, &payv1.WatchEventsRequest{FromNow: true, Cursor: &cursor}, 1)
		h.wantTold("after the cursor", told, id+" session.created")
	})
}

// A reader who takes nothing is cut off; what it has not read it gets later, once.
func TestASlowReaderIsCutOffAndMissesNothing(t *testing.T) {
	everyWayOfWatching(t, func(h *house, way way) {
		const sessions = 60
		values := map[string]string{}
		for i := range 50 {
			noise := make([]byte, 250) // which no packing makes small
			_, _ = rand.Read(noise)
			values[fmt.Sprint("part ", i)] = hex.EncodeToString(noise)
		}
		c := h.client(way, h.key)
		ctx, leave := context.WithCancel(h.Context())
		defer leave()
		stream, err := c.WatchEvents(ctx, &payv1.WatchEventsRequest{})
		if err != nil {
			h.Fatal(err)
		}
		_, _ = hear(h, stream)
		var want, told []string
		for range sessions {
			want = append(want, h.sell("chess", func(o *pay.Order) { o.Metadata = &pay.Metadata{Values: values} })+" session.created")
		}
		time.Sleep(patience + time.Second)
		var cursor string
		for stream.Receive() {
			cursor = stream.Msg().GetNextCursor()
			told = append(told, stream.Msg().GetEvent().GetData().GetSessionId()+" session.created")
		}
		if stream.Err() == nil || len(told) == sessions {
			h.Errorf("after %d events: %v", len(told), stream.Err())
		}
		_ = stream.Close()
		req := &payv1.WatchEventsRequest{}
		if cursor != "" {
			req.Cursor = &cursor
		}
		rest, _ := h.follow(h.client(way, h.key), req, sessions-len(told))
		h.wantTold("in all", append(told, rest...), want...)
	})
}

func TestAShutdownEndsEveryWatchAtOnce(t *testing.T) {
	everyWayOfWatching(t, func(h *house, way way) {
		c := h.client(way, h.key)
		session, err := c.WatchSession(h.Context(), &payv1.WatchSessionRequest{Id: h.sell("chess")})
		if err != nil {
			h.Fatal(err)
		}
		events, err := c.WatchEvents(h.Context(), &payv1.WatchEventsRequest{FromNow: true})
		if err != nil {
			h.Fatal(err)
		}
		_, _ = hear(h, session)
		_, _ = hear(h, events)
		began := time.Now()
		h.Drain()
		wantEnd(h, session, connect.CodeUnavailable)
		wantEnd(h, events, connect.CodeUnavailable)
		if took := time.Since(began); took > 0 {
			h.Errorf("that took %v", took)
		}
	})
}

func TestWhatIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openHouse(t)
		c := h.client(ways[0], h.key)
		h.sell("chess")
		_, cursor := h.follow(c, &payv1.WatchEventsRequest{}, 1)
		_, filtered := h.follow(c, &payv1.WatchEventsRequest{GameId: proto.String("chess")}, 1)
		acknowledge := func(key, consumer, cursor string) error {
			_, err := h.client(ways[0], key).AcknowledgeEvents(h.Context(), &payv1.AcknowledgeEventsRequest{Consumer: consumer, Cursor: cursor})
			return err
		}
		reader := h.newKey(pay.Key{Environment: pay.Sandbox, ReadOnly: true})
		beyond := "AAAAAAAAOTk5" // "999"
		for _, tt := range []struct {
			name, key, consumer, cursor string
			code                        connect.Code
		}{
			{"a key that may only read", reader, "grants", cursor, connect.CodePermissionDenied},
			{"a name with a space", h.key, "two words", cursor, connect.CodeInvalidArgument},
			{"no name", h.key, "", cursor, connect.CodeInvalidArgument},
			{"no cursor", h.key, "grants", "", connect.CodeInvalidArgument},
			{"a cursor of nothing", h.key, "grants", "nonsense", connect.CodeInvalidArgument},
			{"a place where nothing has happened yet", h.key, "grants", beyond, connect.CodeInvalidArgument},
		} {
			if err := acknowledge(tt.key, tt.consumer, tt.cursor); connect.CodeOf(err) != tt.code {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.code)
			}
		}
		if err := acknowledge(h.key, "grants", filtered); err != nil {
			t.Fatal(err)
		}
		_, err := c.ListEvents(h.Context(), &payv1.ListEventsRequest{Consumer: proto.String("grants")})
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), "other filters") {
			t.Errorf("with other filters: %v", err)
		}
		if err := acknowledge(h.key, "grants", cursor); err != nil { // the same place, and the right filters
			t.Fatal(err)
		}
		if page, err := c.ListEvents(h.Context(), &payv1.ListEventsRequest{Consumer: proto.String("grants")}); err != nil || len(page.Events) != 0 {
			t.Error(page, err)
		}
		// The consumer of a key for one game is another one.
		page, err := h.client(ways[0], h.keyOf(pay.Sandbox, "chess")).ListEvents(h.Context(), &payv1.ListEventsRequest{Consumer: proto.String("grants")})
		if err != nil || len(page.Events) != 1 {
			t.Error(page, err)
		}
	})
}
