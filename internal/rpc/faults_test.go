package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// faulty is a store that fails, or panics, once it is told to.
type faulty struct {
	store.Store
	with atomic.Pointer[func() error]
}

func (f *faulty) fail(err error)     { f.do(func() error { return err }) }
func (f *faulty) panic(reason any)   { f.do(func() error { panic(reason) }) }
func (f *faulty) do(fn func() error) { f.with.Store(&fn) }

// broken spares upkeep, which would not outlive a panic.
func (f *faulty) broken(ctx context.Context) error {
	if fn := f.with.Load(); fn != nil && ctx.Value(http.ServerContextKey) != nil {
		return (*fn)()
	}
	return nil
}

func (f *faulty) Update(ctx context.Context, id pay.SessionID, fn func(store.Tx) error) error {
	return f.Store.Update(ctx, id, func(tx store.Tx) error {
		if err := f.broken(ctx); err != nil {
			return err
		}
		return fn(tx)
	})
}

func (f *faulty) View(ctx context.Context, fn func(store.Reader) error) error {
	return f.Store.View(ctx, func(r store.Reader) error {
		if err := f.broken(ctx); err != nil {
			return err
		}
		return fn(r)
	})
}

// logBook is a log that a test can read.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lineWith is the one line that holds all of the texts.
func (l *logBook) lineWith(texts ...string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
next:
	for line := range strings.Lines(l.text.String()) {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue next
			}
		}
		return line
	}
	return ""
}

func openFaulty(t *testing.T) (*line, *faulty, *logBook) {
	t.Helper()
	f, log := &faulty{Store: coinslottest.OpenStore(t)}, &logBook{}
	l := openLine(t, func(o *installation.Options) {
		o.Store, o.Logger = f, slog.New(slog.NewTextHandler(log, nil))
	})
	return l, f, log
}

const innards = "SELECT * FROM secrets WHERE key = 'sk_sandbox_hush'"

var reference = regexp.MustCompile(`^internal error \(ref ([0-9a-f]{12})\)$`)

func TestInternalErrorsAndPanicsAreLoggedAndNeverTold(t *testing.T) {
	l, faults, log := openFaulty(t)
	for name, breakIt := range map[string]func(){
		"error": func() { faults.fail(errors.New(innards)) },
		"panic": func() { faults.panic(innards) },
	} {
		breakIt()
		for method, body := range map[string]string{
			"CreateSession": anOrder, "GetSession": `{"id":"sess_1"}`, "GetSessionStatus": `{"id":"sess_1"}`,
			"ListSessions": `{"game_id":"arcade"}`, "CancelSession": `{"id":"sess_1"}`, "GetPayment": `{"id":"pay_1"}`,
			"ListPayments": `{"game_id":"arcade"}`, "CompletePayment": `{"id":"pay_1"}`, "CancelPayment": `{"id":"pay_1"}`,
		} {
			t.Run(name+" in "+method, func(t *testing.T) {
				got := l.call(t, method, body)
				ref := reference.FindStringSubmatch(got.message)
				if got.status != 500 || got.code != "internal" || ref == nil {
					t.Fatalf("got %d %s", got.status, got.body)
				}
				if strings.Contains(got.body, "hush") {
					t.Errorf("the caller is told %s", got.body)
				}
				logged := log.lineWith("ref="+ref[1], method, "hush")
				if logged == "" || strings.Contains(logged, l.key) {
					t.Errorf("the line logged is %q", logged)
				}
				if name == "panic" && !strings.Contains(logged, ".go:") {
					t.Errorf("the line does not say where it panicked: %q", logged)
				}
			})
		}
	}
}

func TestInternalErrorsAreNotToldOverGRPCAndRESTEither(t *testing.T) {
	l, faults, _ := openFaulty(t)
	faults.fail(errors.New(innards))
	for name, option := range map[string]connect.ClientOption{"gRPC-Web": connect.WithGRPCWeb(), "Connect": connect.WithProtoJSON()} {
		c := payv1connect.NewPaymentServiceClient(withKey(l.key), l.url, option)
		_, err := c.GetSession(t.Context(), &payv1.GetSessionRequest{Id: "sess_1"})
		if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "internal error (ref ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := l.send(t, "GET", "/v1/sessions/sess_1", "")
	if got.status != 500 || got.code != "internal" || !reference.MatchString(got.message) {
		t.Errorf("REST: %d %s", got.status, got.body)
	}
}

func TestAStoreOutOfReachIsUnavailableAndSaysToAskAgain(t *testing.T) {
	l, faults, log := openFaulty(t)
	faults.fail(fmt.Errorf("%s: %w", innards, store.ErrUnavailable))
	for _, got := range []answer{l.call(t, "CreateSession", anOrder), l.send(t, "GET", "/v1/sessions/sess_1", "")} {
		if got.status != 503 || got.code != "unavailable" || strings.Contains(got.body, "hush") {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if got.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
		}
	}
	if log.lineWith("store unavailable", "hush") == "" {
		t.Error("nothing was logged")
	}
	faults.with.Store(nil)
	l.create(t)
}
