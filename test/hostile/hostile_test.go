// Package hostile sends what no honest client would. Each request must get a clear
// error and leave nothing behind, and the server must go on working.
package hostile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/coinslottest"
)

const (
	createSession = "/pay.v1.PaymentService/CreateSession"
	restSessions  = "/v1/sessions"
	goodOrder     = `{"game_id":"arcade","user_id":"p","item":{"title":"Coin","price":100,"currency":"USD"},"return_url":"arcade://done"}`
)

// patience is how long any answer may take. It only bounds a test that fails.
const patience = 30 * time.Second

// target is a running installation that must come to no harm.
type target struct {
	*coinslottest.Installation
	url, address, key string
}

// open starts an installation, and checks when the test has ended that nothing was
// left behind in it and that it still works.
func open(t *testing.T, edit ...func(*installation.Options)) *target {
	t.Helper()
	i := coinslottest.Start(t, edit...)
	x := &target{Installation: i, key: i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})}
	x.url = x.Listen(t)
	x.address = strings.TrimPrefix(x.url, "http://")
	before := x.holdings(t)
	t.Cleanup(func() {
		if diff := cmp.Diff(before, x.holdings(t)); diff != "" {
			t.Errorf("something was left behind (-before +after):\n%s", diff)
		}
		// The key that came with each attack is still free: no refusal was remembered.
		got := x.post(t, createSession, goodOrder)
		if got.status != http.StatusOK || got.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("afterwards CreateSession answers %v", got)
		}
	})
	return x
}

// holdings is how much there is of all that calls could make.
type holdings struct{ Sessions, Payments, Processing, Games, Keys, Endpoints int64 }

func (x *target) holdings(t *testing.T) (h holdings) {
	t.Helper()
	// Not t.Context, which has ended when a cleanup runs.
	err := x.Store.View(context.WithoutCancel(t.Context()), func(r store.Reader) error {
		one := store.Window{Limit: 1}
		sessions, err := r.Sessions(store.SessionQuery{Environment: pay.Sandbox, Game: "arcade", Window: one})
		if err != nil {
			return err
		}
		payments, err := r.Payments(store.PaymentQuery{Environment: pay.Sandbox, Game: "arcade", Window: one})
		if err != nil {
			return err
		}
		live, err := r.LivePayments(pay.PaymentProcessing, time.Now().Add(time.Hour), "", 1000)
		if err != nil {
			return err
		}
		games, err := r.Games()
		if err != nil {
			return err
		}
		keys, err := r.Keys()
		if err != nil {
			return err
		}
		endpoints, err := r.Endpoints()
		h = holdings{sessions.Total, payments.Total, int64(len(live)), int64(len(games)), int64(len(keys)), int64(len(endpoints))}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// reply is an answer: of an error, its documented code and message.
type reply struct {
	status        int
	header        http.Header
	code, message string
	body          string
}

func (r reply) String() string { return fmt.Sprintf("%d %.500s", r.status, r.body) }

// post makes a JSON call with a good key.
func (x *target) post(t testing.TB, path, body string, headers ...string) reply {
	t.Helper()
	return x.send(t, "POST", path, body, headers...)
}

// send writes a request by hand, since no HTTP library would agree to send most of
// these. headers are whole lines, which take the place of the usual ones of that name;
// "Name" alone leaves that one out.
func (x *target) send(t testing.TB, verb, path, body string, headers ...string) reply {
	t.Helper()
	usual := []string{
		"Host: pay.test", "Authorization: Bearer " + x.key, "Content-Type: application/json", "Idempotency-Key: attack",
		fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close",
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\n", verb, path)
	for _, line := range usual {
		if !named(headers, line) {
			head.WriteString(line + "\r\n")
		}
	}
	for _, line := range headers {
		if strings.Contains(line, ":") {
			head.WriteString(line + "\r\n")
		}
	}
	return x.raw(t, verb, io.MultiReader(strings.NewReader(head.String()+"\r\n"), strings.NewReader(body)))
}

// named says whether headers holds one of the same name as line.
func named(headers []string, line string) bool {
	name, _, _ := strings.Cut(line, ":")
	for _, h := range headers {
		if other, _, _ := strings.Cut(h, ":"); strings.EqualFold(name, other) {
			return true
		}
	}
	return false
}

// raw writes bytes to a connection of its own while it reads the answer.
func (x *target) raw(t testing.TB, verb string, request io.Reader) reply {
	t.Helper()
	conn := x.dial(t)
	defer conn.Close()
	go func() { _, _ = io.Copy(conn, request) }() // fails where the server has heard enough
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: verb})
	if err != nil {
		t.Errorf("no answer: %v", err)
		return reply{}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) { // as it may be, with half of the request unread
		t.Errorf("half an answer: %v", err)
	}
	return readReply(res.StatusCode, res.Header, body)
}

func (x *target) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", x.address, patience)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// readReply reads an error in Connect's form, or in that of REST.
func readReply(status int, header http.Header, body []byte) reply {
	type told struct{ Code, Message string }
	var form struct {
		told
		Details []struct{ Debug told }
		Error   told
	}
	r := reply{status: status, header: header, body: string(body)}
	if json.Unmarshal(body, &form) != nil {
		return r
	}
	r.code, r.message = form.Error.Code, form.Error.Message
	if r.code == "" {
		r.code, r.message = form.Code, form.Message
	}
	for _, d := range form.Details {
		r.code = d.Debug.Code
	}
	return r
}

// is checks an error's status and code, and that it says something.
func (r reply) is(t testing.TB, status int, code string) {
	t.Helper()
	if r.status != status || r.code != code || r.message == "" {
		t.Errorf("got %v, want %d %s", r, status, code)
	}
}
