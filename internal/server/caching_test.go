package server_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func TestNoCacheKeepsWhatCanChange(t *testing.T) {
	i := coinslottest.Start(t, func(o *installation.Options) { o.CORSOrigins = []string{"https://game.test"} })
	key := i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})
	made := ask(t, i, "POST", "/v1/sessions", "Authorization", "Bearer "+key, "Content-Type", "application/json")
	if made.Code != 400 || made.Header().Get("Cache-Control") != "" {
		t.Errorf("a POST is answered with %d, Cache-Control %q", made.Code, made.Header().Get("Cache-Control"))
	}
	byConnect := func(method, message string) string {
		return "/pay.v1.PaymentService/" + method + "?connect=v1&encoding=json&message=" + url.QueryEscape(message)
	}
	for _, tt := range []struct {
		path, key string
		status    int
	}{
		{"/v1/sessions?game_id=arcade", key, 200},
		{byConnect("ListSessions", `{"game_id":"arcade"}`), key, 200},
		{"/v1/sessions/sess_1", key, 404},
		{byConnect("GetSession", `{"id":"sess_1"}`), key, 404},
		{"/v1/nothing", key, 404},
		{"/v1/sessions?game_id=arcade", "", 401},
		{byConnect("ListSessions", `{"game_id":"arcade"}`), "", 401},
		{"/pay.v1.PaymentService/CreateSession", key, 405},
		{"/v1/events/evt_1", key, 400},
		{"/v1/events", key, 200},
		{"/v1/refunds?game_id=arcade", key, 200},
	} {
		got := ask(t, i, "GET", tt.path, "Authorization", "Bearer "+tt.key, "Origin", "https://game.test")
		if got.Code != tt.status || got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s is answered with %d, Cache-Control %q", tt.path, got.Code, got.Header().Get("Cache-Control"))
		}
		vary := strings.Join(got.Header().Values("Vary"), ", ")
		for _, name := range []string{"Authorization", "Accept-Encoding", "Origin"} {
			if !strings.Contains(vary, name) {
				t.Errorf("%s varies by %q, not %s", tt.path, vary, name)
			}
		}
	}
}

func TestAnEventMayBeKeptByItsCaller(t *testing.T) {
	i := coinslottest.Start(t)
	key := i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})
	askWith(t, i, "POST", "/v1/sessions", `{"game_id":"arcade","user_id":"p","item":{"title":"Coin","price":100,"currency":"USD"},"return_url":"a://b"}`,
		"Authorization", "Bearer "+key, "Content-Type", "application/json")
	var events []struct{ ID string }
	listed := ask(t, i, "GET", "/v1/events", "Authorization", "Bearer "+key)
	if err := json.Unmarshal(listed.Body.Bytes(), &events); err != nil || len(events) == 0 {
		t.Fatal(listed.Body, err)
	}
	byConnect := "/pay.v1.EventService/GetEvent?connect=v1&encoding=json&message=" + url.QueryEscape(`{"id":"`+events[0].ID+`"}`)
	for _, path := range []string{"/v1/events/" + events[0].ID, byConnect} {
		got := ask(t, i, "GET", path, "Authorization", "Bearer "+key)
		if kept := got.Header().Get("Cache-Control"); got.Code != 200 || kept != "private, max-age=31536000, immutable" {
			t.Errorf("%s is answered with %d, Cache-Control %q", path, got.Code, kept)
		}
	}
}

func TestBrowsersSeeAllThatAnswersCarry(t *testing.T) {
	i := coinslottest.Start(t, func(o *installation.Options) { o.CORSOrigins = []string{"https://game.test"} })
	key := i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})
	for _, tt := range []struct{ verb, path string }{
		{"POST", "/pay.v1.PaymentService/CreateSession"}, {"POST", "/v1/sessions"}, {"GET", "/v1/sessions?game_id=arcade"}, {"GET", "/v1/events"},
		{"POST", "/pay.v1.PaymentService/Nothing"},
	} {
		t.Run(tt.verb+" "+tt.path, func(t *testing.T) {
			asked := ask(t, i, "OPTIONS", tt.path, "Origin", "https://game.test", "Access-Control-Request-Method", tt.verb,
				"Access-Control-Request-Headers", "authorization,connect-protocol-version,connect-timeout-ms,content-type,grpc-timeout,idempotency-key,x-grpc-web,x-user-agent")
			if h := asked.Header(); asked.Code != 204 || h.Get("Access-Control-Allow-Origin") != "https://game.test" || h.Get("Access-Control-Max-Age") != "7200" {
				t.Errorf("a browser that asks first is told %d %v", asked.Code, h)
			}
			got := ask(t, i, tt.verb, tt.path, "Authorization", "Bearer "+key, "Content-Type", "application/json", "Origin", "https://game.test")
			exposed := strings.Join(got.Header().Values("Access-Control-Expose-Headers"), ", ") + ", "
			for _, name := range []string{
				"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin", // gRPC-Web
				"Link", "X-Total-Count", "X-Next-Cursor", "Idempotent-Replayed", "Retry-After", "X-Request-Id",
			} {
				if !strings.Contains(exposed, name+", ") {
					t.Errorf("scripts may not read %s, only %s", name, exposed)
				}
			}
		})
	}
}
