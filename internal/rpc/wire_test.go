package rpc_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// line is a running installation and a key that calls it.
type line struct {
	*coinslottest.Installation
	url, key string
}

func openLine(t *testing.T, edit ...func(*installation.Options)) *line {
	t.Helper()
	i := coinslottest.Start(t, edit...)
	return &line{i, i.Listen(t), i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})}
}

// answer is what came back: of an error, its documented code and message.
type answer struct {
	status  int
	header  http.Header
	body    string
	code    string
	message string
}

// call makes a Connect JSON call. headers are names and values in turn.
// call calls a method of PaymentService, or of the service that stands before its slash.
func (l *line) call(t testing.TB, method, body string, headers ...string) answer {
	t.Helper()
	if !strings.Contains(method, "/") {
		method = "PaymentService/" + method
	}
	return l.send(t, http.MethodPost, "/pay.v1."+method, body, headers...)
}

func (l *line) send(t testing.TB, verb, path, body string, headers ...string) answer {
	t.Helper()
	res, text := coinslottest.Ask(t, l.key, verb, l.url+path, body, headers...)
	a := answer{status: res.StatusCode, header: res.Header, body: text}
	a.readError([]byte(text))
	return a
}

// readError reads an error in Connect's form, or in that of REST.
func (a *answer) readError(raw []byte) {
	type told struct{ Code, Message string }
	var form struct {
		told
		Details []struct{ Debug told }
		Error   told
	}
	if json.Unmarshal(raw, &form) != nil {
		return // a list, say
	}
	a.code, a.message = form.Error.Code, form.Error.Message
	for _, d := range form.Details {
		a.code, a.message = d.Debug.Code, d.Debug.Message
	}
}

// create makes a session and returns its id. changes are texts of the order and what
// takes their place, in turn.
func (l *line) create(t testing.TB, changes ...string) string {
	t.Helper()
	made := l.call(t, "CreateSession", order(changes...))
	var told struct{ ID string }
	if err := json.Unmarshal([]byte(made.body), &told); err != nil || told.ID == "" {
		t.Fatalf("CreateSession answered %s", made.body)
	}
	return told.ID
}

const anOrder = `{"game_id":"arcade","user_id":"p","item":{"title":"Coin","price":100,"currency":"USD"},"return_url":"arcade://done"}`

func order(changes ...string) string { return strings.NewReplacer(changes...).Replace(anOrder) }

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // into memory
	_ = w.Close()
	return b.String()
}
