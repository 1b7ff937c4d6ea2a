package protocols

import (
	"context"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const replayed = "Idempotent-Replayed"

func TestOneIdempotencyKeyIsOneSessionWhateverTheProtocol(t *testing.T) {
	s := openShop(t)
	first, w := s.client(t, protocols[0], s.key)
	w.header.Set("Idempotency-Key", "order-1")
	asked := order("space_shooter", "player_42")
	asked.Metadata = &payv1.SessionMetadata{Values: map[string]string{"a": "1", "b": "2", "c": "3"}}
	want, err := first.CreateSession(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if w.got.Header.Get(replayed) != "" {
		t.Error("the first answer says that it is a repeated one")
	}
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			c, w := s.client(t, p, s.key)
			w.header.Set("Idempotency-Key", "order-1")
			got, err := c.CreateSession(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(p.shown(t, want), got) {
				t.Errorf("the repeat was answered\n%v, the first call\n%v", got, want)
			}
			if w.got.Header.Get(replayed) != "true" {
				t.Error("the repeat does not say that it is one")
			}
			other := proto.CloneOf(asked)
			other.Item.Price = 1
			_, err = c.CreateSession(t.Context(), other)
			refusedAs(t, err, connect.CodeAlreadyExists, "idempotency_conflict")
		})
	}
	if n := s.sold(t); n != 1 {
		t.Errorf("there are %d sessions, want 1", n)
	}
}

// changes are the methods that change something, each with what makes it ready to be
// called for a player, and a call of it.
var changes = map[string]struct {
	manual bool // in the game that captures by hand
	ready  func(t *testing.T, s *shop, player string) (id string)
	make   func(ctx context.Context, c client, id string) (proto.Message, error)
}{
	"CreateSession": {
		ready: func(_ *testing.T, _ *shop, player string) string { return player },
		make: func(ctx context.Context, c client, player string) (proto.Message, error) {
			return c.CreateSession(ctx, order("space_shooter", player))
		},
	},
	"CancelSession": {
		ready: func(t *testing.T, s *shop, player string) string {
			return string(s.create(t, s.key, "space_shooter", player))
		},
		make: func(ctx context.Context, c client, id string) (proto.Message, error) {
			return c.CancelSession(ctx, &payv1.CancelSessionRequest{Id: id})
		},
	},
	"CompletePayment": {
		manual: true, ready: hold,
		make: func(ctx context.Context, c client, id string) (proto.Message, error) {
			return c.CompletePayment(ctx, &payv1.CompletePaymentRequest{Id: id})
		},
	},
	"CancelPayment": {
		manual: true, ready: hold,
		make: func(ctx context.Context, c client, id string) (proto.Message, error) {
			return c.CancelPayment(ctx, &payv1.CancelPaymentRequest{Id: id})
		},
	},
	"CreateRefund": {
		ready: func(t *testing.T, s *shop, player string) string {
			return string(s.buy(t, s.key, "space_shooter", player).Payment.ID)
		},
		make: func(ctx context.Context, c client, id string) (proto.Message, error) {
			return c.CreateRefund(ctx, &payv1.CreateRefundRequest{PaymentId: id, Amount: proto.Int32(200)})
		},
	},
}

func hold(t *testing.T, s *shop, player string) string {
	return string(s.buy(t, s.manualKey, "chess", player).Payment.ID)
}

func TestEveryChangeIsMadeOnceForItsKeyWhateverTheProtocol(t *testing.T) {
	s := openShop(t)
	for _, method := range methods() {
		change, ok := changes[string(method.Name())]
		if needsNone := reads(method) || method.IsStreamingServer() || repeatable(method); ok == needsNone {
			t.Errorf("%s: is repeated here %v, needs no key %v", method.Name(), ok, needsNone)
		}
		if !ok {
			continue
		}
		t.Run(string(method.Name()), func(t *testing.T) {
			key := s.key
			if change.manual {
				key = s.manualKey
			}
			id, other := change.ready(t, s, "one"), change.ready(t, s, "other")
			first, w := s.client(t, protocols[0], key)
			w.header.Set("Idempotency-Key", "ticket-7")
			want, err := change.make(t.Context(), first, id)
			if err != nil || w.got.Header.Get(replayed) != "" {
				t.Fatal(w.got.Header, err)
			}
			for _, p := range protocols {
				t.Run(p.name, func(t *testing.T) {
					c, w := s.client(t, p, key)
					w.header.Set("Idempotency-Key", "ticket-7")
					got, err := change.make(t.Context(), c, id)
					if err != nil || w.got.Header.Get(replayed) != "true" {
						t.Fatalf("%v, %s: %q", err, replayed, w.got.Header.Get(replayed))
					}
					if diff := cmp.Diff(p.shown(t, want), got, protocmp.Transform()); diff != "" {
						t.Errorf("the repeat was answered otherwise (-first +repeat):\n%s", diff)
					}
					_, err = change.make(t.Context(), c, other)
					refusedAs(t, err, connect.CodeAlreadyExists, "idempotency_conflict")
				})
			}
		})
	}
}

func TestTenConcurrentCallsWithOneKeyMakeOneSession(t *testing.T) {
	s := openShop(t)
	const callers, rounds = 10, 5
	for round := range rounds {
		var (
			all     sync.WaitGroup
			ready   = make(chan struct{})
			answers [callers]*payv1.CreateSessionResponse
			repeats [callers]bool
		)
		for i := range callers {
			c, w := s.client(t, protocols[i%len(protocols)], s.key)
			w.header.Set("Idempotency-Key", "round-"+string(rune('a'+round)))
			all.Go(func() {
				<-ready
				var err error
				if answers[i], err = c.CreateSession(t.Context(), order("space_shooter", "player_42")); err != nil {
					t.Error(err)
					return
				}
				repeats[i] = w.got.Header.Get(replayed) == "true"
			})
		}
		close(ready)
		all.Wait()
		originals := 0
		for i := range callers {
			if !proto.Equal(answers[0], answers[i]) {
				t.Errorf("one caller was answered\n%v, another\n%v", answers[0], answers[i])
			}
			if !repeats[i] {
				originals++
			}
		}
		if originals != 1 {
			t.Errorf("%d answers say that they are the first, want 1", originals)
		}
		if n := s.sold(t); n != round+1 {
			t.Fatalf("there are %d sessions after %d rounds", n, round+1)
		}
	}
}

// sold is how many sessions space_shooter has, in any state.
func (s *shop) sold(t *testing.T) int {
	t.Helper()
	var n int64
	if err := s.Store.View(t.Context(), func(r store.Reader) error {
		page, err := r.Sessions(store.SessionQuery{Environment: pay.Sandbox, Game: "space_shooter", Window: store.Window{Limit: 1}})
		n = page.Total
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return int(n)
}
