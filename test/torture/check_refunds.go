package torture

import (
	"slices"

	"github.com/coinslot/coinslot/internal/pay"
)

// checkRefundKept looks for a refund that was acknowledged.
func checkRefundKept(w World, o Operation, breach report) {
	a := w.Truth.Accounts[o.Session]
	if a == nil {
		return // checkKept tells of the session
	}
	i := slices.IndexFunc(a.Refunds, func(r pay.Refund) bool { return string(r.ID) == o.Refund })
	switch {
	case i < 0:
		breach("refund %s of operation %d is lost", o.Refund, o.Number)
	case string(a.Refunds[i].Payment) != o.Payment || a.Refunds[i].Amount.Amount != int64(o.Amount) || a.Refunds[i].Reason != o.Reason:
		breach("refund %s of operation %d was answered as %d of %s for %q, and is %+v", o.Refund, o.Number, o.Amount, o.Payment, o.Reason, a.Refunds[i])
	}
}

// checkReasons goes by the reason, which each refund that was asked for has to itself.
func checkReasons(w World, breach report) {
	asked := map[string]string{}
	for _, o := range w.History {
		if o.Kind == GiveBack {
			asked[o.Reason] = o.Payment
		}
	}
	made := map[string]pay.RefundID{}
	for _, a := range w.Truth.Accounts {
		for _, r := range a.Refunds {
			switch {
			case made[r.Reason] != "":
				breach("a refund for %s was asked for once and became %s and %s", r.Reason, made[r.Reason], r.ID)
			case asked[r.Reason] != string(r.Payment):
				breach("nobody asked for refund %s of payment %s, for %q", r.ID, r.Payment, r.Reason)
			}
			made[r.Reason] = r.ID
		}
	}
}

func checkRefunds(w World, breach report) {
	books := map[string]Entry{}
	for _, e := range w.Truth.Ledger {
		books[e.Payment] = e
	}
	for _, a := range w.Truth.Accounts {
		for _, p := range a.Payments {
			checkSums(p, a.Refunds, breach)
		}
		for _, r := range a.Refunds {
			checkReturned(r, books[string(r.Payment)], breach)
		}
		known := map[string]bool{}
		for _, r := range a.Refunds {
			known[string(r.ID)] = true
		}
		for _, p := range a.Payments {
			if p.Late != "" {
				known[string(p.LateRefund())] = true
			}
			for _, b := range books[string(p.ID)].Refunds {
				if !known[b.ID] {
					breach("the provider has a refund %s of payment %s, and we know nothing of it", b.ID, p.ID)
				}
			}
		}
	}
	for _, e := range books {
		returned := int64(0)
		for _, b := range e.Refunds {
			returned += b.Amount * int64(e.Returned(b.ID))
		}
		if returned > e.Amount*int64(e.Taken()) {
			breach("the provider took %d for payment %s %d times, and returned %d", e.Amount, e.Payment, e.Taken(), returned)
		}
	}
}

// checkSums compares a payment with the sum of its refunds.
func checkSums(p pay.Payment, refunds []pay.Refund, breach report) {
	var succeeded, reserved int64
	for _, r := range refunds {
		if r.Payment != p.ID {
			continue
		}
		switch r.Status {
		case pay.RefundSucceeded:
			succeeded += r.Amount.Amount
			reserved += r.Amount.Amount
		case pay.RefundPending:
			reserved += r.Amount.Amount
		}
		if p.Status != pay.PaymentSucceeded && p.Status != pay.PaymentRefunded {
			breach("refund %s is of payment %s, which is %s", r.ID, p.ID, p.Status)
		}
	}
	switch all := succeeded == p.Amount.Amount; {
	case reserved > p.Amount.Amount:
		breach("of payment %s, which took %v, %d are refunded or about to be", p.ID, p.Amount, reserved)
	case succeeded != p.Refunded || reserved != p.Reserved:
		breach("of payment %s %d are refunded, %d with those pending; its row says %d and %d", p.ID, succeeded, reserved, p.Refunded, p.Reserved)
	case all != (p.Status == pay.PaymentRefunded):
		breach("payment %s is %s with %d of %v refunded", p.ID, p.Status, succeeded, p.Amount)
	}
}

// checkReturned compares a refund with the provider's books.
func checkReturned(r pay.Refund, e Entry, breach report) {
	times, want := e.Returned(string(r.ID)), 0
	if r.Status == pay.RefundSucceeded {
		want = 1
	}
	if times > 1 || r.Status != pay.RefundPending && times != want {
		breach("refund %s is %s, and the provider returned its money %d times", r.ID, r.Status, times)
	}
	for _, b := range e.Refunds {
		if b.ID == string(r.ID) && b.Amount != r.Amount.Amount {
			breach("refund %s is of %v, and with the provider of %d", r.ID, r.Amount, b.Amount)
		}
	}
}
