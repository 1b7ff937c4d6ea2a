package webhook_test

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/safehttp"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// question is what is asked in these tests: the body, with the event's own id to see
// that it is made of that.
func question(e pay.Event) []byte { return fmt.Appendf(nil, `{"of":%q}`, e.ID) }

var authorizedEvent = pay.Event{
	ID: "0196b1c2-0000-7000-8000-000000000001", Type: pay.PaymentAuthorizedEvent, Environment: pay.Sandbox,
	At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
}

// confirming is a game that is asked at url, and the asker that the binary has.
func confirming(t *testing.T, url string) (*webhook.Asker, pay.Game) {
	t.Helper()
	v := vault.New([vault.KeySize]byte{7})
	clients := map[pay.Environment]*http.Client{
		pay.Sandbox: safehttp.NewClient(safehttp.Options{AllowLoopback: true}), pay.Production: safehttp.NewClient(safehttp.Options{}),
	}
	for _, c := range clients {
		t.Cleanup(c.CloseIdleConnections)
	}
	g := pay.Game{ID: "chess", ConfirmURL: url}
	g.ConfirmSecret = []pay.SealedSecret{{Sealed: webhook.NewSecrets(v).Seal(g.ConfirmEndpoint(pay.Sandbox).ID, newSecret)}}
	return webhook.NewAsker(webhook.AskerOptions{
		Vault: v, Client: func(env pay.Environment) *http.Client { return clients[env] }, Now: time.Now, Question: question,
	}), g
}

func TestAQuestionIsSignedAsAWebhookIs(t *testing.T) {
	var mu sync.Mutex
	var got []call
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, call{header: r.Header, body: string(body)})
		_, _ = io.WriteString(w, `{"decision":"approve"}`)
	})
	asker, g := confirming(t, url+"/confirm?token=x")
	retired := pay.SealedSecret{Sealed: webhook.NewSecrets(vault.New([vault.KeySize]byte{7})).Seal("confirm:chess", oldSecret)}
	for attempt, secrets := range [][]string{{newSecret}, {newSecret, oldSecret}, {newSecret}} {
		switch attempt {
		case 1: // a rotation overlaps
			retired.ExpiresAt = time.Now().Add(time.Minute)
			g.ConfirmSecret = append(g.ConfirmSecret, retired)
		case 2: // and has ended
			g.ConfirmSecret[1].ExpiresAt = time.Now().Add(-time.Second)
		}
		if d, err := asker.Ask(t.Context(), g, authorizedEvent, attempt+1); err != nil || !d.Approve {
			t.Fatalf("%+v, %v", d, err)
		}
		asked := got[attempt]
		if asked.attempt() != fmt.Sprint(attempt+1) || asked.header.Get("webhook-id") != string(pay.ConfirmID(authorizedEvent)) ||
			asked.header.Get("Content-Type") != "application/json" || asked.body != string(question(authorizedEvent)) {
			t.Errorf("asked %s with %v", asked.body, asked.header)
		}
		toffee := asked.header.Get("X-ToffeePay-Signature")
		if n := strings.Count(toffee, "v1="); n != len(secrets) {
			t.Errorf("%d signatures, want %d: %s", n, len(secrets), toffee)
		}
		for _, secret := range secrets {
			verifier, err := standardwebhooks.NewWebhook(secret)
			if err == nil {
				err = verifier.Verify([]byte(asked.body), asked.header)
			}
			if err != nil || !strings.Contains(toffee, "v1="+hex.EncodeToString(hmacOf([]byte(secret), asked.header.Get("webhook-timestamp")+"."+asked.body))) {
				t.Errorf("%s does not verify by %s: %v", toffee, secret, err)
			}
		}
	}
}

// Only the two documented answers decide. Whatever else a game says is an error that says why.
func TestOnlyADocumentedAnswerDecides(t *testing.T) {
	elsewhere := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		t.Error("a redirect was followed")
		_, _ = io.WriteString(w, `{"decision":"approve"}`)
	})
	for name, tt := range map[string]struct {
		status int
		body   string
		want   pay.Decision
		err    string // empty: it decides
	}{
		"approve":                    {200, `{"decision":"approve"}`, pay.Decision{Approve: true}, ""},
		"approve, more said":         {200, ` {"decision" : "approve", "reason": "why not", "x": [1]}` + "\n", pay.Decision{Approve: true}, ""},
		"reject":                     {200, `{"decision":"reject","reason":"out_of_stock"}`, pay.Decision{Reason: "out_of_stock"}, ""},
		"reject without reason":      {200, `{"decision":"reject"}`, pay.Decision{}, ""},
		"reject for a number":        {200, `{"decision":"reject","reason":7}`, pay.Decision{}, ""},
		"approve as 201":             {201, `{"decision":"approve"}`, pay.Decision{}, "201"},
		"approve as 202":             {202, `{"decision":"approve"}`, pay.Decision{}, "202"},
		"approve as 500":             {500, `{"decision":"approve"}`, pay.Decision{}, "500"},
		"gone":                       {410, ``, pay.Decision{}, "410"},
		"a redirect":                 {307, `{"decision":"approve"}`, pay.Decision{}, "307"},
		"nothing":                    {200, ``, pay.Decision{}, "must be JSON"},
		"no content":                 {204, ``, pay.Decision{}, "204"},
		"text":                       {200, `approve`, pay.Decision{}, "must be JSON"},
		"a page":                     {200, `<html>approve</html>`, pay.Decision{}, "must be JSON"},
		"cut off":                    {200, `{"decision":"approve"`, pay.Decision{}, "must be JSON"},
		"two answers":                {200, `{"decision":"approve"}{"decision":"reject"}`, pay.Decision{}, "must be JSON"},
		"a list":                     {200, `[{"decision":"approve"}]`, pay.Decision{}, "must be JSON"},
		"null":                       {200, `null`, pay.Decision{}, "must have the decision"},
		"another word":               {200, `{"decision":"approved"}`, pay.Decision{}, "approved"},
		"another case":               {200, `{"decision":"APPROVE"}`, pay.Decision{}, "must have the decision"},
		"another name":               {200, `{"Decision":"approve"}`, pay.Decision{}, "must have the decision"},
		"yes":                        {200, `{"decision":true}`, pay.Decision{}, "must have the decision"},
		"a huge answer":              {200, `{"decision":"approve","x":"` + strings.Repeat("x", 1<<20) + `"}`, pay.Decision{}, "went on after 4 KiB"},
		"an answer with a tail":      {200, `{"decision":"approve"}` + strings.Repeat(" ", 4096) + `{"decision":"reject"}`, pay.Decision{}, "went on after 4 KiB"},
		"one answer and another":     {200, `{"decision":"reject","decision":"approve"}`, pay.Decision{}, "must be JSON"},
		"control characters in JSON": {200, "{\"decision\":\"\\u001b[31m\"}", pay.Decision{}, "must have the decision"},
	} {
		t.Run(name, func(t *testing.T) {
			asker, g := confirming(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", elsewhere)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			d, err := asker.Ask(t.Context(), g, authorizedEvent, 1)
			if d != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%+v, %v; want %+v, %q", d, err, tt.want, tt.err)
			}
			if err != nil && (len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\x00\x1b\n")) {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

func TestAnAnswerThatDoesNotComeInTimeDecidesNothing(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	drip := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client leaves
		_, _ = io.WriteString(w, `{"decision":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	for name, url := range map[string]string{
		"nobody there": gone.URL, "half an answer": drip,
		"silence": serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}),
	} {
		asker, g := confirming(t, url)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if d, err := asker.Ask(ctx, g, authorizedEvent, 1); err == nil || d.Approve {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
		cancel()
	}
}

// Real money is asked about only over verified TLS and at public addresses.
func TestProductionIsAskedSafely(t *testing.T) {
	asked := 0
	approve := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = io.WriteString(w, `{"decision":"approve"}`)
	})
	plain, secure := httptest.NewServer(approve), httptest.NewUnstartedServer(approve)
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	real := authorizedEvent
	real.Environment = pay.Production
	for _, tt := range []struct {
		url  string
		of   pay.Event
		want string
	}{
		{plain.URL, real, "only over https"},
		{"http://game.example", real, "only over https"},
		{secure.URL, real, "refused to connect to 127.0.0.1"},
		{"https://169.254.169.254/latest", real, "refused to connect to 169.254.169.254"},
		{"http://10.0.0.1", authorizedEvent, "refused to connect to 10.0.0.1"},
		{secure.URL, authorizedEvent, "certificate"},
	} {
		asker, g := confirming(t, tt.url)
		if d, err := asker.Ask(t.Context(), g, tt.of, 1); err == nil || d.Approve || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s in %s: %+v, %v; want %s", tt.url, tt.of.Environment, d, err, tt.want)
		}
	}
	if asked > 0 {
		t.Errorf("asked %d times", asked)
	}
}

func TestAQuestionThatCannotBeSignedIsNotAsked(t *testing.T) {
	asker, g := confirming(t, serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	g.ConfirmSecret = nil
	if _, err := asker.Ask(t.Context(), g, authorizedEvent, 1); err == nil {
		t.Error("no error")
	}
	g.ID = "go" // whose secret it is not
	asker, other := confirming(t, g.ConfirmURL)
	g.ConfirmSecret = other.ConfirmSecret
	if _, err := asker.Ask(t.Context(), g, authorizedEvent, 1); err == nil {
		t.Error("another game's secret signs")
	}
}

// Whoever breaks off in the middle of an answer may have been about to say something else.
func TestAnAnswerThatBrokeOffDecidesNothing(t *testing.T) {
	for name, answer := range map[string]string{
		"shorter than it said":     "Content-Length: 5000\r\n\r\n{\"decision\":\"approve\"}",
		"a chunk and no end":       "Transfer-Encoding: chunked\r\n\r\n16\r\n{\"decision\":\"approve\"}\r\n",
		"a chunk and then garbage": "Transfer-Encoding: chunked\r\n\r\n16\r\n{\"decision\":\"approve\"}\r\nZZ\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			asker, g := confirming(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
				conn, out, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_, _ = out.WriteString("HTTP/1.1 200 OK\r\n" + answer)
				_ = out.Flush()
			}))
			if d, err := asker.Ask(t.Context(), g, authorizedEvent, 1); err == nil || d.Approve || !strings.Contains(err.Error(), "broke off") {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
}
