package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// ask serves one request without a wire.
func ask(t *testing.T, h http.Handler, verb, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	body := "{}"
	if verb == http.MethodGet {
		body = ""
	}
	return askWith(t, h, verb, path, body, headers...)
}

func askWith(t *testing.T, h http.Handler, verb, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(verb, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// full is a store that can take no more.
type full struct {
	store.Store
	now atomic.Bool
}

func (f *full) Check(ctx context.Context) error {
	if f.now.Load() {
		return errors.New("the disk is full")
	}
	return f.Store.Check(ctx)
}

func TestReadinessFollowsTheStoreAndTheDrain(t *testing.T) {
	synctest.Test(t, readinessFollows)
}

func readinessFollows(t *testing.T) {
	disk := &full{Store: coinslottest.OpenStore(t)}
	i := coinslottest.Start(t, func(o *installation.Options) { o.Store = disk })
	want := func(what string, health, ready int) {
		t.Helper()
		time.Sleep(time.Second) // for so long readiness may be remembered
		if got := ask(t, i, "GET", "/healthz").Code; got != health {
			t.Errorf("%s: healthz answers %d, want %d", what, got, health)
		}
		if got := ask(t, i, "GET", "/readyz"); got.Code != ready {
			t.Errorf("%s: readyz answers %d %s, want %d", what, got.Code, got.Body, ready)
		}
	}
	want("at first", 200, 200)
	disk.now.Store(true)
	want("with a full disk", 200, 503)
	disk.now.Store(false)
	want("with room again", 200, 200)
	i.Drain()
	want("while it shuts down", 200, 503)
}

func TestEveryAnswerHasARequestID(t *testing.T) {
	i := coinslottest.Start(t)
	id := regexp.MustCompile(`^[0-9a-f]{16}$`)
	seen := map[string]bool{}
	for _, path := range []string{"/healthz", "/nothing", "/v1/sessions", "/pay.v1.PaymentService/GetSession", "/pay/sess_1"} {
		got := ask(t, i, "GET", path).Header().Get("X-Request-Id")
		if !id.MatchString(got) || seen[got] {
			t.Errorf("%s is called %q", path, got)
		}
		seen[got] = true
	}
}

func TestMetricsNameRoutesAndNoSession(t *testing.T) {
	i := coinslottest.Start(t)
	i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})
	for _, path := range []string{"/pay/sess_secret", "/v1/sessions/sess_secret", "/pay.v1.PaymentService/sess_secret", "/sess_secret"} {
		ask(t, i, "POST", path, "Content-Type", "application/json")
	}
	ask(t, i, "POST", "/pay.v1.PaymentService/GetSession", "Content-Type", "application/json")
	got := ask(t, i, "GET", "/metrics").Body.String()
	if strings.Contains(got, "sess_secret") {
		t.Errorf("the metrics name a session:\n%s", got)
	}
	for _, route := range []string{`route="/pay.v1.PaymentService/GetSession",status="401"`, `route="/pay/"`, `route="/v1/"`, `route="/"`} {
		if !strings.Contains(got, route) {
			t.Errorf("the metrics lack %s:\n%s", route, got)
		}
	}
}

func TestAPanicOfThePageIsLoggedAndNotTold(t *testing.T) {
	var log bytes.Buffer
	s, err := server.New(server.Options{
		Admin: adminv1connect.UnimplementedAdminServiceHandler{},
		Page:  http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("hush") }), PageMount: "/pay",
		Registry: prometheus.NewRegistry(), Logger: slog.New(server.LogHandler{Handler: slog.NewTextHandler(&log, nil)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := ask(t, s, "GET", "/pay/sess_1")
	id := got.Header().Get("X-Request-Id")
	if got.Code != 500 || strings.Contains(got.Body.String(), "hush") || !strings.Contains(got.Body.String(), id) {
		t.Errorf("answered %d %s", got.Code, got.Body)
	}
	if !strings.Contains(log.String(), "hush") || !strings.Contains(log.String(), "request="+id) {
		t.Errorf("logged %s", log.String())
	}
}

func TestOnlyNamedOriginsMayCallFromAPage(t *testing.T) {
	i := coinslottest.Start(t, func(o *installation.Options) { o.CORSOrigins = []string{"https://game.test"} })
	for origin, want := range map[string]string{"https://game.test": "https://game.test", "https://evil.test": "", "null": ""} {
		for _, path := range []string{"/pay.v1.PaymentService/CreateSession", "/v1/sessions", "/pay.v1.PaymentService/Nothing"} {
			got := ask(t, i, "OPTIONS", path, "Origin", origin, "Access-Control-Request-Method", "POST",
				"Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
			if allowed := got.Header().Get("Access-Control-Allow-Origin"); allowed != want {
				t.Errorf("%s: pages of %s are allowed as %q", path, origin, allowed)
			}
		}
		got := ask(t, i, "OPTIONS", "/admin.v1.AdminService/ListGames", "Origin", origin, "Access-Control-Request-Method", "POST")
		if allowed := got.Header().Get("Access-Control-Allow-Origin"); allowed != "" {
			t.Errorf("the operator's API is open to pages of %s", allowed)
		}
	}
}

// The page can have a host of its own, at whose root it is. Calls still find their
// way, and what is no call is the page's.
func TestThePageCanBeAtTheRoot(t *testing.T) {
	i := coinslottest.Start(t, func(o *installation.Options) { o.CheckoutURL = "https://pay.game.test" })
	for _, tt := range []struct {
		verb, path, contentType string
		status                  int
		says                    string
	}{
		{"POST", "/pay.v1.PaymentService/GetSession", "application/json", 401, `"unauthorized"`},
		{"POST", "/pay.v1.PaymentService/Nothing", "application/json", 404, `"unimplemented"`},
		{"POST", "/pay.v2.Nothing/Nothing", "application/proto", 404, `"unimplemented"`},
		{"GET", "/v1/nothing", "", 401, `"unauthorized"`},
		{"GET", "/sess_1", "", 404, "<html"},
		{"GET", "/healthz", "", 200, "ok"},
	} {
		got := ask(t, i, tt.verb, tt.path, "Content-Type", tt.contentType)
		body, err := io.ReadAll(got.Body)
		if err != nil || got.Code != tt.status || !strings.Contains(string(body), tt.says) {
			t.Errorf("%s %s is answered with %d %s, want %d %s", tt.verb, tt.path, got.Code, body, tt.status, tt.says)
		}
	}
}
