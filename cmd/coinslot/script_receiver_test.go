package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands by which scripts receive webhooks.

type receiverKey struct{}

// receiver takes webhooks for one script.
type receiver struct {
	got  chan request
	hold chan struct{} // nothing is answered until it is closed
}

type request struct {
	header http.Header
	body   []byte
}

// receiver [STATUS|hold]: takes webhooks at RECEIVER from now on. It answers with the
// status, 200 where none is given; with hold only after `release`.
func receive(ts *testscript.TestScript, _ bool, args []string) {
	to := ts.Value(receiverKey{}).(*receiver)
	got, hold, status := make(chan request, 1000), make(chan struct{}), http.StatusOK
	to.got, to.hold = got, hold
	if len(args) == 0 || args[0] != "hold" {
		close(hold)
	}
	if len(args) > 0 && args[0] != "hold" {
		var err error
		status, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.Header, body}
		<-hold
		w.WriteHeader(status)
	}))
	ts.Defer(web.Close)
	ts.Setenv("RECEIVER", web.URL)
}

// release: lets a receiver that holds answer.
func release(ts *testscript.TestScript, _ bool, _ []string) {
	close(ts.Value(receiverKey{}).(*receiver).hold)
}

// received TYPE: waits for a webhook of that type. The command's output is its
// signatures and its body.
func received(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "received TYPE")
	patience := time.After(30 * time.Second)
	for {
		select {
		case r := <-ts.Value(receiverKey{}).(*receiver).got:
			var event struct{ Type string }
			ts.Check(json.Unmarshal(r.body, &event))
			if event.Type != args[0] {
				continue
			}
			for _, name := range []string{"X-ToffeePay-Signature", "webhook-id", "webhook-timestamp", "webhook-signature"} {
				printOut(ts, "%s: %s\n", name, r.header.Get(name))
			}
			printOut(ts, "%s\n", r.body)
			return
		case <-patience:
			ts.Fatalf("no %s was received", args[0])
		}
	}
}
