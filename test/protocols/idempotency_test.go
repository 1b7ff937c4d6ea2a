package protocols

import (
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

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
			if !proto.Equal(want, got) {
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
