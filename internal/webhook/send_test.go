package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/safehttp"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// tested sends a test event to a real server, or to url where there is none, through
// the client that production and sandbox have.
func tested(t *testing.T, url string, change ...func(*pay.Endpoint)) (pay.EventID, pay.Attempt) {
	t.Helper()
	v := vault.New([32]byte{})
	sealed := webhook.NewSecrets(v).Seal("we_1", newSecret)
	e := pay.Endpoint{ID: "we_1", Environment: pay.Sandbox, URL: url, Secrets: []pay.SealedSecret{{Sealed: sealed}}}
	for _, c := range change {
		c(&e)
	}
	relay := webhook.NewRelay(webhook.Options{Vault: v, Client: func(env pay.Environment) *http.Client {
		client := safehttp.NewClient(safehttp.Options{AllowLoopback: env == pay.Sandbox})
		t.Cleanup(client.CloseIdleConnections)
		return client
	}})
	return relay.SendTest(t.Context(), e)
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestATestEventIsShapedAsOthers(t *testing.T) {
	var header http.Header
	var body []byte
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "thanks")
	})
	id, attempt := tested(t, url)
	if attempt.Status != 200 || !attempt.Delivered() || string(attempt.Answer) != "thanks" || attempt.Number != 1 || attempt.Error != "" {
		t.Errorf("attempt = %+v", attempt)
	}
	verifier, _ := standardwebhooks.NewWebhook(newSecret)
	if err := verifier.Verify(body, header); err != nil {
		t.Error(err)
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, fmt.Sprint(got["timestamp"]))
	if err != nil || time.Since(at) > time.Minute {
		t.Errorf("timestamp = %v, %v", got["timestamp"], err)
	}
	want := fmt.Sprintf(`{"id":%q,"event":"endpoint.test","type":"endpoint.test","timestamp":%q,"environment":"sandbox","sequence":0,"data":{}}`, id, got["timestamp"])
	if string(body) != want {
		t.Errorf("body = %s\nwant   %s", body, want)
	}
	if len(id) != 36 || id[14] != '7' || header.Get("webhook-id") != string(id) {
		t.Errorf("id = %s, webhook-id = %s", id, header.Get("webhook-id"))
	}
}

func TestAnAnswerIsReadInPart(t *testing.T) {
	for _, size := range []int{0, 10, pay.MostAnswerKept, pay.MostAnswerKept + 1, 1 << 20} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", size)) })
		_, attempt := tested(t, url)
		if attempt.Status != 200 || len(attempt.Answer) != min(size, pay.MostAnswerKept) {
			t.Errorf("answer of %d bytes: %d are kept, status %d", size, len(attempt.Answer), attempt.Status)
		}
	}
}

func TestAnEndlessAnswerEnds(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
				return
			}
		}
	})
	if _, attempt := tested(t, url); attempt.Status != 200 || len(attempt.Answer) != pay.MostAnswerKept {
		t.Errorf("attempt = %+v", attempt)
	}
}

func TestTheStatusDecidesThoughTheAnswerBreaksOff(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	})
	if _, attempt := tested(t, url); !attempt.Delivered() || string(attempt.Answer) != "half" {
		t.Errorf("attempt = %+v", attempt)
	}
}

func TestARedirectIsAFailure(t *testing.T) {
	elsewhere := 0
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere++ })
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, status) })
		relay := webhook.NewRelay(webhook.Options{
			Vault:  vault.New([32]byte{}),
			Client: func(pay.Environment) *http.Client { return http.DefaultClient }, // which follows redirects
		})
		sealed := webhook.NewSecrets(vault.New([32]byte{})).Seal("", newSecret)
		_, attempt := relay.SendTest(t.Context(), pay.Endpoint{URL: url, Secrets: []pay.SealedSecret{{Sealed: sealed}}})
		if attempt.Status != status || attempt.Delivered() {
			t.Errorf("attempt = %+v", attempt)
		}
	}
	if elsewhere > 0 {
		t.Errorf("%d redirects were followed", elsewhere)
	}
}

func TestWhyThereWasNoAnswer(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	garbage := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "\x00\x1b[31m"+strings.Repeat("nonsense", 200)+"\r\n\r\n")
			_ = conn.Close()
		}
	})
	open := serve(t, func(http.ResponseWriter, *http.Request) {})
	tests := []struct {
		name, url string
		change    func(*pay.Endpoint)
		want      string
	}{
		{"nobody listens", closed.URL, nil, "connection refused"},
		{"no such host", "http://no-such-host.invalid", nil, "no-such-host.invalid"},
		{"private address", "http://192.168.0.1:1", nil, "refused to connect to 192.168.0.1"},
		{"loopback in production", open, func(e *pay.Endpoint) { e.Environment = pay.Production }, "refused to connect to 127.0.0.1"},
		{"not HTTP", garbage, nil, "malformed HTTP"},
		{"bad URL", "http://[::1", nil, "missing ']'"},
		{"no secret", open, func(e *pay.Endpoint) { e.Secrets = nil }, "no signing secret"},
		{"another master key", open, func(e *pay.Endpoint) { e.Secrets[0].Sealed[5] ^= 1 }, "open the endpoint's signing secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.change == nil {
				tt.change = func(*pay.Endpoint) {}
			}
			_, attempt := tested(t, tt.url+"/hook?password=hunter2", tt.change)
			if attempt.Status != 0 || attempt.Delivered() || !strings.Contains(attempt.Error, tt.want) {
				t.Errorf("attempt = %+v, want an error with %q", attempt, tt.want)
			}
			if strings.Contains(attempt.Error, "hunter2") || strings.ContainsAny(attempt.Error, "\x00\x1b\n") || len(attempt.Error) > 500 {
				t.Errorf("error = %q", attempt.Error)
			}
		})
	}
}

func TestSendTestEndsWithItsCaller(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	v := vault.New([32]byte{})
	sealed := webhook.NewSecrets(v).Seal("", newSecret)
	relay := webhook.NewRelay(webhook.Options{Vault: v, Client: func(pay.Environment) *http.Client {
		return safehttp.NewClient(safehttp.Options{AllowCIDR: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, attempt := relay.SendTest(ctx, pay.Endpoint{URL: url, Secrets: []pay.SealedSecret{{Sealed: sealed}}})
	if attempt.Status != 0 || attempt.Error == "" {
		t.Errorf("attempt = %+v", attempt)
	}
}
