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
type receiver struct{ got chan request }

type request struct {
	header http.Header
	body   []byte
}

// receiver [STATUS]: takes webhooks at RECEIVER from now on, and answers with the
// status, 200 where none is given.
func receive(ts *testscript.TestScript, neg bool, args []string) {
	status := http.StatusOK
	if len(args) > 0 {
		var err error
		status, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	got := make(chan request, 1000)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		got <- request{r.Header, body}
	}))
	ts.Defer(web.Close)
	ts.Value(receiverKey{}).(*receiver).got = got
	ts.Setenv("RECEIVER", web.URL)
}

// received TYPE: waits for a webhook of that type. Its headers, that should sign it,
// and its body are the command's output.
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
