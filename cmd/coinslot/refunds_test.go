package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// The sandbox fails a refund only after a while, so a script would have to wait for it.
func TestARefundThatReturnsNothingIsAFailureOfItsCommand(t *testing.T) {
	for status, want := range map[string]string{
		"succeeded": "",
		"pending":   "",
		"failed":    "nothing was returned: processing_error: the account is closed",
		"cancelled": "nothing was returned: the provider called the refund off",
	} {
		for _, asJSON := range []bool{false, true} {
			var out, errs strings.Builder
			p := &printer{console: &console{out: &out, err: &errs}, json: asJSON}
			refund := &adminv1.Refund{Id: "ref_1", Status: status}
			if status == "failed" {
				refund.Error = &payv1.Error{Code: "processing_error", Message: "the account is closed"}
			}
			got := ""
			if err := p.newRefund(&adminv1.CreateRefundResponse{Refund: refund}, refund); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: %q, want %q", status, got, want)
			}
			if !strings.Contains(out.String(), "ref_1") {
				t.Errorf("%s is not shown: %q", status, out.String())
			}
			if noted := errs.Len() > 0; noted != (status == "pending" && !asJSON) {
				t.Errorf("%s, JSON %v: the note is %q", status, asJSON, errs.String())
			}
		}
	}
}

// register is a server that writes down the idempotency keys of the refunds it is asked for.
type register struct {
	adminv1connect.UnimplementedAdminServiceHandler
	keys []string
}

func (r *register) CreateRefund(ctx context.Context, _ *adminv1.CreateRefundRequest) (*adminv1.CreateRefundResponse, error) {
	call, _ := connect.CallInfoForHandlerContext(ctx)
	r.keys = append(r.keys, call.RequestHeader().Get("Idempotency-Key"))
	return &adminv1.CreateRefundResponse{Refund: &adminv1.Refund{Id: "ref_1", Status: "succeeded"}}, nil
}

func TestEachRefundCommandHasAKeyOfItsOwn(t *testing.T) {
	asked := &register{}
	_, handler := adminv1connect.NewAdminServiceHandler(asked)
	server := httptest.NewServer(handler)
	defer server.Close()
	c := &console{out: io.Discard, err: io.Discard, env: func(name string) (string, bool) {
		value, found := map[string]string{"COINSLOT_URL": server.URL, "COINSLOT_ADMIN_TOKEN": "token"}[name]
		return value, found
	}}
	for range 2 {
		if status := dispatch(t.Context(), c, commands, []string{"refunds", "create", "pay_1"}); status != 0 {
			t.Fatalf("the exit status is %d", status)
		}
	}
	if len(asked.keys) != 2 || len(asked.keys[0]) < 26 || asked.keys[0] == asked.keys[1] {
		t.Errorf("the keys are %q", asked.keys)
	}
}

// The admin token is worth all the money there is.
func TestTheAdminTokenFollowsNoRedirect(t *testing.T) {
	var seen []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, status := range []int{302, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		_, err := target{url: server.URL, token: "secret"}.client().ListRefunds(t.Context(), &adminv1.ListRefundsRequest{})
		server.Close()
		if err == nil || len(seen) > 0 {
			t.Errorf("%d: %v, and the other host saw %q", status, err, seen)
		}
	}
}
