package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The commands by which scripts receive webhooks.

type receiverKey struct{}

// receiver takes webhooks for one script.
type receiver struct {
	got  chan request
	hold chan struct{} // nothing is answered until it is closed
	web  *httptest.Server
	last request // that was waited for
}

type request struct {
	header http.Header
	body   []byte
}

// receiver [STATUS [BODY]|hold]: takes webhooks at RECEIVER from now on: where the last one
// was, if that one has left. It answers with the status, 200 where none is given, and the
// body, in which Go's escapes may stand; with hold only after `release`.
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
	body := ""
	if len(args) > 1 {
		var err error
		body, err = strconv.Unquote(`"` + args[1] + `"`)
		ts.Check(err)
	}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		got <- request{r.Header, sent}
		<-hold
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	if to.web != nil && to.web.Config.Handler == nil {
		again, err := net.Listen("tcp", to.web.Listener.Addr().String())
		ts.Check(err)
		ts.Check(web.Listener.Close())
		web.Listener = again
	}
	web.Start()
	to.web = web
	ts.Defer(web.Close)
	ts.Setenv("RECEIVER", web.URL)
}

// leave: nobody is at RECEIVER any more.
func leave(ts *testscript.TestScript, _ bool, _ []string) {
	web := ts.Value(receiverKey{}).(*receiver).web
	web.Close()
	web.Config.Handler = nil
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
			ts.Value(receiverKey{}).(*receiver).last = r
			for _, name := range []string{"X-ToffeePay-Signature", "webhook-attempt", "webhook-id", "webhook-timestamp", "webhook-signature"} {
				printOut(ts, "%s: %s\n", name, r.header.Get(name))
			}
			printOut(ts, "%s\n", r.body)
			return
		case <-patience:
			ts.Fatalf("no %s was received", args[0])
		}
	}
}

// verify SECRET: the webhook that was waited for last must be signed with the secret, in both
// documented ways, by the word of the published library and of openssl.
func verify(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "verify SECRET")
	r := ts.Value(receiverKey{}).(*receiver).last
	verifier, err := standardwebhooks.NewWebhook(args[0])
	ts.Check(err)
	ts.Check(verifier.Verify(r.body, r.header))
	at, v1, _ := strings.Cut(strings.TrimPrefix(r.header.Get("X-ToffeePay-Signature"), "t="), ",v1=")
	openssl := exec.Command("openssl", "dgst", "-sha256", "-hmac", args[0], "-r")
	openssl.Stdin = strings.NewReader(at + "." + string(r.body))
	out, err := openssl.Output()
	ts.Check(err)
	if want, _, _ := strings.Cut(string(out), " "); v1 != want {
		ts.Fatalf("X-ToffeePay-Signature says %s, openssl says %s", v1, want)
	}
}

// await deliveries ENDPOINT STATUS NUMBER, await failing ENDPOINT, await disabled ENDPOINT:
// waits until the server has written down what came of a webhook that was received.
func await(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "await deliveries|failing|disabled ENDPOINT [STATUS NUMBER]")
	for patience := time.Now().Add(30 * time.Second); time.Now().Before(patience); time.Sleep(10 * time.Millisecond) {
		if seen(ts, args) {
			return
		}
	}
	ts.Fatalf("%v did not come true", args)
}

func seen(ts *testscript.TestScript, args []string) bool {
	switch args[0] {
	case "deliveries":
		ts.Check(ts.Exec("coinslot", "webhooks", "deliveries", args[1], "--status", args[2]))
		return strconv.Itoa(strings.Count(ts.ReadFile("stdout"), "\ndlv_")) == args[3]
	case "failing":
		ts.Check(ts.Exec("coinslot", "webhooks", "list", "--json"))
		return strings.Contains(ts.ReadFile("stdout"), `"failing_since"`)
	case "disabled":
		ts.Check(ts.Exec("coinslot", "webhooks", "list"))
		return strings.Contains(ts.ReadFile("stdout"), args[1]+"  space_shooter  sandbox      disabled")
	}
	ts.Fatalf("nobody can await %s", args[0])
	return false
}
