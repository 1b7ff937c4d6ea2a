package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/internal/webhook"
	"github.com/coinslot/coinslot/test/coinslottest"
)

var someEvent = func() *adminv1.ListenResponse {
	id := "01978c2e-0000-7000-8000-000000000000"
	return &adminv1.ListenResponse{EventId: &id, EventType: "session.paid", SessionId: "sess_1", Payload: []byte(`{}`)}
}()

// TestWhatAReceiverAnswers is shown in one line.
func TestWhatAReceiverAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"taken":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "204 in # ms"},
		"refused": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no\nsuch \x1b[31mgame", 404) }, "404 in # ms: no such [31mgame"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "<h1>")
		}, "500 in # ms: internal server error"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, "307 in # ms: redirects are not followed"},
		"broken": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "failed after # ms: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			web := httptest.NewServer(c.answer)
			defer web.Close()
			var out strings.Builder
			l := &listener{printer: quietPrinter(&out), to: destination{web.URL}, secret: webhook.NewSecret([32]byte{1})}
			if err := l.forward(t.Context(), someEvent); err != nil {
				t.Fatal(err)
			}
			fields := strings.SplitN(strings.TrimSpace(out.String()), "  ", 2)
			if diff := cmp.Diff("session.paid        sess_1  "+c.want, withoutTimes(fields[1])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// withoutTimes has # where the milliseconds were.
func withoutTimes(text string) string {
	words := strings.Split(text, " ")
	for i := range words {
		if i > 0 && strings.HasPrefix(words[i], "ms") {
			words[i-1] = "#"
		}
	}
	return strings.Join(words, " ")
}

func TestAReceiverHasTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		usual := localClient
		defer func() { localClient = usual }()
		patient := *usual
		patient.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, server) }()
			return client, nil
		}}
		localClient = &patient
		var out strings.Builder
		l := &listener{printer: quietPrinter(&out), to: destination{"http://receiver.test"}, secret: webhook.NewSecret([32]byte{1})}
		if err := l.forward(t.Context(), someEvent); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(out.String(), "  failed after 10000 ms: no answer within 10s\n") {
			t.Error(out.String())
		}
	})
}

func quietPrinter(out io.Writer) *printer {
	return &printer{console: &console{out: out, err: out, env: func(string) (string, bool) { return "", false }}}
}

// line leads to an installation in this process, and can be bad.
type line struct {
	*coinslottest.Installation
	conns  chan net.Conn
	closed chan struct{}

	mute     atomic.Bool  // what the server sends gets lost
	loseCall atomic.Int32 // so many calls of Heard do not get there
}

func openLine(t *testing.T) *line {
	l := &line{Installation: coinslottest.Start(t), conns: make(chan net.Conn), closed: make(chan struct{})}
	web := server.HTTP(l.Handler, slog.New(slog.DiscardHandler))
	go func() { _ = web.Serve(l) }()
	t.Cleanup(func() { _ = web.Close() })
	return l
}

func (l *line) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *line) Close() error   { close(l.closed); return nil }
func (l *line) Addr() net.Addr { return &net.TCPAddr{} }

func (l *line) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	l.conns <- muting{server, &l.mute}
	return client, nil
}

// muting is a connection whose peer hears nothing while mute is set.
type muting struct {
	net.Conn
	mute *atomic.Bool
}

func (m muting) Write(b []byte) (int, error) {
	if m.mute.Load() {
		return len(b), nil
	}
	return m.Conn.Write(b)
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/Heard") && l.loseCall.Add(-1) >= 0 {
		return nil, errors.New("connection reset")
	}
	return (&http.Transport{DialContext: l.dial, DisableKeepAlives: true}).RoundTrip(r)
}

// paper is printed on by one goroutine and read by another.
type paper struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// listens runs a listener in the bubble until the test ends, and returns what it prints.
func (l *line) listens(t *testing.T) (printed func() string) {
	receiver := &coinslottest.Receiver{}
	usual := localClient
	localClient = &http.Client{Transport: receiver}
	out := &paper{}
	ear := &listener{printer: quietPrinter(out), to: destination{"http://receiver.test"}, request: &adminv1.ListenRequest{Environment: "sandbox", Name: "ear"}}
	ear.find = func() (adminv1connect.AdminServiceClient, string, error) {
		return adminv1connect.NewAdminServiceClient(&http.Client{Transport: bearer{coinslottest.AdminToken, l}}, "http://pay.test"), "http://pay.test", nil
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ear.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		localClient = usual
	})
	synctest.Wait()
	return out.String
}

// TestAServerThatFallsSilent is left after 45 seconds: no connection breaks by itself when
// a laptop changes its network.
func TestAServerThatFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLine(t)
		l.Key(t, pay.Sandbox, pay.Game{ID: "space_shooter"})
		printed := l.listens(t)
		time.Sleep(10 * time.Minute)
		if strings.Contains(printed(), "broke") {
			t.Fatalf("in ten quiet minutes it said %s", printed())
		}
		l.mute.Store(true)
		if _, err := l.Gateway.Trigger(t.Context(), "space_shooter", pay.SessionCreatedEvent); err != nil {
			t.Fatal(err)
		}
		time.Sleep(longestSilence + time.Second)
		l.mute.Store(false)
		time.Sleep(longestSilence + longestPause + time.Second) // what was asked while it was mute is given up too
		for _, want := range []string{"nothing was heard of it for too long", "Connected again", "session.created"} {
			if !strings.Contains(printed(), want) {
				t.Errorf("%q is not in\n%s", want, printed())
			}
		}
	})
}

// TestAnEventThatWasAnsweredDoesNotComeAgain, though the server could not be told at first.
func TestAnEventThatWasAnsweredDoesNotComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLine(t)
		l.Key(t, pay.Sandbox, pay.Game{ID: "space_shooter"})
		printed := l.listens(t)
		l.loseCall.Store(3)
		if _, err := l.Gateway.Trigger(t.Context(), "space_shooter", pay.SessionCancelledEvent); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for _, event := range []string{"session.created", "session.cancelled"} {
			if n := strings.Count(printed(), event); n != 1 {
				t.Errorf("%s came %d times:\n%s", event, n, printed())
			}
		}
	})
}
