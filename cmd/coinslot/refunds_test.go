package main

import (
	"strings"
	"testing"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
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
