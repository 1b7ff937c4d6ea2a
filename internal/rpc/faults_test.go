package rpc_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"connectrpc.com/connect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/coinslottest"
)

func openFaulty(t *testing.T) (*line, *coinslottest.FaultyStore, *coinslottest.Log) {
	t.Helper()
	faults, log := &coinslottest.FaultyStore{Store: coinslottest.OpenStore(t)}, &coinslottest.Log{}
	l := openLine(t, func(o *installation.Options) { o.Store, o.Logger = faults, log.Logger() })
	return l, faults, log
}

const innards = "SELECT * FROM secrets WHERE key = 'sk_sandbox_hush'"

var reference = regexp.MustCompile(`^internal error \(ref ([0-9a-f]{12})\)$`)

func TestInternalErrorsAndPanicsAreLoggedAndNeverTold(t *testing.T) {
	l, faults, log := openFaulty(t)
	for name, breakIt := range map[string]func(){
		"error": func() { faults.Fail(errors.New(innards)) },
		"panic": func() { faults.Panic(innards) },
	} {
		breakIt()
		for method, body := range map[string]string{
			"CreateSession": anOrder, "GetSession": `{"id":"sess_1"}`, "GetSessionStatus": `{"id":"sess_1"}`,
			"ListSessions": `{"game_id":"arcade"}`, "CancelSession": `{"id":"sess_1"}`, "GetPayment": `{"id":"pay_1"}`,
			"ListPayments": `{"game_id":"arcade"}`, "CompletePayment": `{"id":"pay_1"}`, "CancelPayment": `{"id":"pay_1"}`,
		} {
			t.Run(name+" in "+method, func(t *testing.T) {
				got := l.call(t, method, body)
				ref := reference.FindStringSubmatch(got.message)
				if got.status != 500 || got.code != "internal" || ref == nil {
					t.Fatalf("got %d %s", got.status, got.body)
				}
				if strings.Contains(got.body, "hush") {
					t.Errorf("the caller is told %s", got.body)
				}
				logged := log.Line("ref="+ref[1], method, "hush")
				if logged == "" || strings.Contains(logged, l.key) {
					t.Errorf("the line logged is %q", logged)
				}
				if name == "panic" && !strings.Contains(logged, ".go:") {
					t.Errorf("the line does not say where it panicked: %q", logged)
				}
			})
		}
	}
}

func TestInternalErrorsAreNotToldOverGRPCAndRESTEither(t *testing.T) {
	l, faults, _ := openFaulty(t)
	faults.Fail(errors.New(innards))
	for name, option := range map[string]connect.ClientOption{"gRPC-Web": connect.WithGRPCWeb(), "Connect": connect.WithProtoJSON()} {
		c := payv1connect.NewPaymentServiceClient(withKey(l.key), l.url, option)
		_, err := c.GetSession(t.Context(), &payv1.GetSessionRequest{Id: "sess_1"})
		if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "internal error (ref ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := l.send(t, "GET", "/v1/sessions/sess_1", "")
	if got.status != 500 || got.code != "internal" || !reference.MatchString(got.message) {
		t.Errorf("REST: %d %s", got.status, got.body)
	}
}

func TestAStoreOutOfReachIsUnavailableAndSaysToAskAgain(t *testing.T) {
	l, faults, log := openFaulty(t)
	faults.Fail(fmt.Errorf("%s: %w", innards, store.ErrUnavailable))
	for _, got := range []answer{l.call(t, "CreateSession", anOrder), l.send(t, "GET", "/v1/sessions/sess_1", "")} {
		if got.status != 503 || got.code != "unavailable" || strings.Contains(got.body, "hush") {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if got.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
		}
	}
	if log.Line("store unavailable", "hush") == "" {
		t.Error("nothing was logged")
	}
	faults.Mend()
	l.create(t)
}
