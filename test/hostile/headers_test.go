package hostile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/server"
)

func TestBadHeadersAreRefused(t *testing.T) {
	x := open(t)
	for _, bad := range []struct {
		name    string
		headers []string
		status  int
		code    string
	}{
		{"two idempotency keys", []string{"Idempotency-Key: attack", "Idempotency-Key: other"}, 400, "invalid_idempotency_key"},
		{"an empty idempotency key", []string{"Idempotency-Key: "}, 400, "invalid_idempotency_key"},
		{"an idempotency key of 256 characters", []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, 400, "invalid_idempotency_key"},
		{"an idempotency key beyond ASCII", []string{"Idempotency-Key: clé"}, 400, "invalid_idempotency_key"},
		{"an idempotency key with a tab", []string{"Idempotency-Key: a\tb"}, 400, "invalid_idempotency_key"},
		{"no key", []string{"Authorization"}, 401, "unauthorized"},
		{"an empty key", []string{"Authorization: Bearer "}, 401, "unauthorized"},
		{"another scheme", []string{"Authorization: Basic c2s6"}, 401, "unauthorized"},
		{"two keys, the first of which is none", []string{"Authorization: Bearer x", "Authorization: Bearer " + x.key}, 401, "unauthorized"},
		{"a key that is cut off", []string{"Authorization: Bearer " + x.key[:len(x.key)-1]}, 401, "unauthorized"},
		{"a key of the other environment", []string{"Authorization: Bearer " + strings.Replace(x.key, "sandbox", "production", 1)}, 401, "unauthorized"},
		{"a key of thirty kilobytes", []string{"Authorization: Bearer " + strings.Repeat("k", 30<<10)}, 401, "unauthorized"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			for _, path := range []string{createSession, restSessions} {
				x.post(t, path, goodOrder, bad.headers...).is(t, bad.status, bad.code)
			}
		})
	}
}

// What is no HTTP is answered by the HTTP server itself, before anything of ours.
func TestWhatIsNoHTTPIsRefused(t *testing.T) {
	x := open(t)
	length := fmt.Sprintf("Content-Length: %d", len(goodOrder))
	for _, bad := range []struct {
		name    string
		path    string
		headers []string
		status  int
	}{
		{"two lengths", createSession, []string{length, "Content-Length: 1"}, 400},
		{"a negative length", createSession, []string{"Content-Length: -1"}, 400},
		{"a length in words", createSession, []string{"Content-Length: all"}, 400},
		{"an unknown transfer", createSession, []string{"Content-Length", "Transfer-Encoding: gzip, chunked"}, 501},
		{"two transfers", createSession, []string{"Content-Length", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}, 501},
		{"a NUL in a header", createSession, []string{"X-A: a\x00b"}, 400},
		{"a blank in a header's name", createSession, []string{"X A: b"}, 400},
		{"no host", createSession, []string{"Host"}, 400},
		{"two hosts", createSession, []string{"Host: a", "Host: b"}, 400},
		{"a header of 40 KiB", createSession, []string{"X-A: " + strings.Repeat("a", 40<<10)}, 431},
		{"a thousand headers", createSession, strings.Split(strings.Repeat("X-A: "+strings.Repeat("a", 40)+"\n", 1000), "\n")[:1000], 431},
		{"a URL of 800 kB", createSession + "?x=" + strings.Repeat("x", 800<<10), nil, 431},
		{"a path of 800 kB", "/" + strings.Repeat("x", 800<<10), nil, 431},
		{"a path that is none", "pay.v1", nil, 400},
	} {
		t.Run(bad.name, func(t *testing.T) {
			if got := x.post(t, bad.path, goodOrder, bad.headers...); got.status != bad.status {
				t.Errorf("got %v, want %d", got, bad.status)
			}
		})
	}
	for name, text := range map[string]string{
		"noise":             strings.Repeat("\xde\xad\xbe\xef", 100) + "\r\n\r\n",
		"TLS":               "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"HTTP of no number": "GET / HTTP/x.y\r\n\r\n",
		"a request in two":  "GET /healthz\r\n HTTP/1.1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got := x.raw(t, "GET", strings.NewReader(text)); got.status != 400 {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestAClientThatDawdlesIsHungUpOn shortens the deadlines of the product's own server,
// so as not to wait for them, having seen that there are some.
func TestAClientThatDawdlesIsHungUpOn(t *testing.T) {
	x := open(t)
	s := server.HTTP(x.Handler, slog.New(slog.DiscardHandler))
	for name, deadline := range map[string]*time.Duration{"header": &s.ReadHeaderTimeout, "whole request": &s.ReadTimeout, "idle connection": &s.IdleTimeout} {
		if *deadline <= 0 || *deadline > 5*time.Minute {
			t.Errorf("the deadline for the %s is %v", name, *deadline)
		}
		*deadline = 50 * time.Millisecond
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { _ = s.Close() })
	slow := &target{Installation: x.Installation, address: l.Addr().String()}
	for name, sent := range map[string]string{
		"nothing":         "",
		"half a line":     "POST /pay.v1",
		"half a header":   "POST " + createSession + " HTTP/1.1\r\nHost: a\r\nX-A: ",
		"half a body":     "POST " + createSession + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + x.key + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
		"half of HTTP/2":  "PRI * HTTP/2.0\r\n\r\nSM",
		"an idle HTTP/2":  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"one good answer": "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := slow.dial(t)
			defer conn.Close()
			if _, err := io.WriteString(conn, sent); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, bufio.NewReader(conn)); isTimeout(err) {
				t.Errorf("the server does not hang up: %v", err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
