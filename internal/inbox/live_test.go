package inbox_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/inbox"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// house is an installation whose inbox is watched over connections in memory, in a
// bubble of its own time.
type house struct {
	*testing.T
	*coinslottest.Installation
	client *http.Client
}

func inHouse(t *testing.T, test func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{T: t, Installation: coinslottest.Start(t, func(o *installation.Options) { o.PublicURL = "http://localhost" })}
		behind := h.Handler
		h.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = "127.0.0.1:50000" // a connection in memory has none
			behind.ServeHTTP(w, r)
		})
		h.client = &http.Client{Transport: h.InMemory(t).Transport(t, false)}
		for _, env := range []pay.Environment{pay.Sandbox, pay.Production} {
			for _, id := range []pay.GameID{"chess", "go"} {
				h.Key(t, env, pay.Game{ID: id})
			}
		}
		test(h)
	})
}

func (h *house) live(query string, headers ...string) *http.Response {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, "http://localhost"+inbox.Path+"/live"+query, nil)
	if err != nil {
		h.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := h.client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { res.Body.Close() })
	return res
}

func (h *house) sell(env pay.Environment, game pay.GameID) {
	h.Helper()
	order := pay.Order{Game: game, User: "ann", ReturnURL: "chess://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}}
	if _, _, err := h.Gateway.CreateSession(h.Context(), gateway.Caller{Environment: env}, order, gateway.Idempotency{}); err != nil {
		h.Fatal(err)
	}
}

// hear is the next thing that is told, and how long that took.
func (h *house) hear(res *http.Response) (told string, took time.Duration) {
	h.Helper()
	began := time.Now()
	for one := make([]byte, 1); !strings.HasSuffix(told, "\n\n"); told += string(one) {
		if _, err := io.ReadFull(res.Body, one); err != nil {
			h.Fatalf("it ends after %q: %v", told, err)
		}
	}
	return told, time.Since(began)
}

func (h *house) wantNext(res *http.Response, want string, after time.Duration) string {
	h.Helper()
	told, took := h.hear(res)
	if !regexp.MustCompile(`^`+want+`\n\n$`).MatchString(told) || took != after {
		h.Errorf("after %v comes %q, want %s after %v", took, told, want, after)
	}
	return told
}

const news = `id: [0-9]+\ndata: [0-9]+`

func TestNewsIsToldAtOnceAndBetweenThemAHeartbeat(t *testing.T) {
	inHouse(t, func(h *house) {
		h.sell(pay.Sandbox, "chess")
		all, chess := h.live("?after=1"), h.live("?after=1&game=chess")
		for _, res := range []*http.Response{all, chess} {
			if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
				h.Fatalf("answered %d %s", res.StatusCode, got)
			}
			h.wantNext(res, "retry: 2000", 0)
			h.wantNext(res, ":", 0)
		}
		h.sell(pay.Sandbox, "go")
		first := h.wantNext(all, news, 0)
		h.sell(pay.Production, "chess") // which nobody is told of
		h.wantNext(all, ":", 15*time.Second)
		h.wantNext(chess, ":", 0) // in the same moment
		h.sell(pay.Sandbox, "chess")
		h.wantNext(all, news, 0)
		h.wantNext(chess, news, 0)

		_, id, _ := strings.Cut(first, "data: ")
		again := h.live("?after=1", "Last-Event-ID", strings.TrimSpace(id))
		h.wantNext(again, "retry: 2000", 0)
		h.wantNext(again, news, 0) // of what happened meanwhile
		h.wantNext(again, ":", 0)
	})
}

func TestAStreamEndsWithTheServerAndAfterAWhile(t *testing.T) {
	inHouse(t, func(h *house) {
		began := time.Now()
		if _, err := io.Copy(io.Discard, h.live("").Body); err != nil || time.Since(began) != 15*time.Minute {
			h.Errorf("after %v it ends with %v", time.Since(began), err)
		}
		res := h.live("")
		h.wantNext(res, "retry: 2000", 0)
		h.Drain()
		if _, err := io.Copy(io.Discard, res.Body); err != nil || time.Since(began) != 15*time.Minute {
			h.Errorf("after %v of a drained server it ends with %v", time.Since(began)-15*time.Minute, err)
		}
	})
}

func TestNotMoreThanSomeStreamsAreOpen(t *testing.T) {
	inHouse(t, func(h *house) {
		var first *http.Response
		for range 32 {
			if first = h.live(""); first.StatusCode != 200 {
				h.Fatalf("answered %d", first.StatusCode)
			}
		}
		if res := h.live(""); res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
			h.Errorf("one too many is answered with %d %v", res.StatusCode, res.Header)
		}
		first.Body.Close()
		synctest.Wait()
		if res := h.live(""); res.StatusCode != 200 {
			h.Errorf("when one has gone, the next is answered with %d", res.StatusCode)
		}
	})
}
