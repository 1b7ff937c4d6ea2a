package torture

import (
	"slices"

	"github.com/coinslot/coinslot/internal/pay"
)

// booked is where a payment can stand with the provider, by where it stands with us.
// The empty text is a payment that the provider never heard of.
var booked = map[pay.PaymentStatus][]string{
	pay.PaymentProcessing: {"", "unknown", "authorized", "succeeded", "failed", "voided"}, // checkRest refuses it
	pay.PaymentAuthorized: {"authorized"},
	pay.PaymentSucceeded:  {"succeeded"},
	pay.PaymentFailed:     {"", "unknown", "failed", "voided"},
	pay.PaymentCancelled:  {"voided"},
	pay.PaymentRefunded:   {"succeeded"},
}

func checkMoney(w World, breach report) {
	books := map[string]Entry{}
	taken := map[string]int{} // by session
	for _, e := range w.Truth.Ledger {
		books[e.Payment] = e
		taken[e.Session] += e.Taken() - e.Returned(string(pay.Payment{ID: pay.PaymentID(e.Payment)}.LateRefund()))
	}
	for session, n := range taken {
		if session != "" && n > 1 {
			breach("the provider took the money for session %s %d times", session, n)
		}
	}
	for id, a := range w.Truth.Accounts {
		succeeded := 0
		for _, p := range a.Payments {
			if p.Status == pay.PaymentSucceeded || p.Status == pay.PaymentRefunded {
				succeeded++
			}
			checkPayment(a.Row, p, books[string(p.ID)], breach)
			delete(books, string(p.ID))
		}
		if succeeded > 1 || (succeeded == 1) != (a.Row.Status == pay.SessionPaid) {
			breach("session %s is %s with %d succeeded payments", id, a.Row.Status, succeeded)
		}
	}
	for _, e := range books {
		if e.State != "unknown" {
			breach("the provider has payment %s of session %s as %s, and we know nothing of it", e.Payment, e.Session, e.State)
		}
	}
}

// checkPayment compares a payment with its session and with the provider's books.
func checkPayment(s pay.Session, p pay.Payment, e Entry, breach report) {
	if p.Amount != s.Item.Price || p.Session != s.ID || p.Game != s.Game || p.User != s.User {
		breach("payment %s is of %v, its session %s of %v", p.ID, p.Amount, s.ID, s.Item.Price)
	}
	if p.Late != "" {
		if p.Late != pay.LateReturned || e.State == "succeeded" && e.Returned(string(p.LateRefund())) != 1 || e.State == "authorized" {
			breach("late money of payment %s is %s, and %q with the provider", p.ID, p.Late, e.State)
		}
	} else if !slices.Contains(booked[p.Status], e.State) {
		breach("payment %s is %s, and %q with the provider", p.ID, p.Status, e.State)
	}
	if (e.Taken() == 1) != (e.State == "succeeded") {
		breach("the provider has payment %s as %s, its money taken %d times", p.ID, e.State, e.Taken())
	}
	if e.Session != "" && (e.Session != string(s.ID) || e.Amount != p.Amount.Amount || e.Currency != string(p.Amount.Currency)) {
		breach("payment %s is of %v for session %s, with the provider of %d %s for session %s", p.ID, p.Amount, s.ID, e.Amount, e.Currency, e.Session)
	}
}
