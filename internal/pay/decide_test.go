package pay_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
)

func TestAPaymentIsOfWhatItsSessionSells(t *testing.T) {
	s := newSession(t, spaceShooter)
	now := noon.Add(time.Minute)
	c, err := s.StartPayment("pay_1", pay.MethodApplePay, pay.CardHint{Brand: "visa", Last4: "4242"}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := &pay.Payment{
		ID: "pay_1", Session: s.ID, Environment: pay.Sandbox, Game: "space_shooter", User: "player_42",
		Status: pay.PaymentProcessing, Amount: pay.Money{Amount: 499, Currency: "USD"}, Method: pay.MethodApplePay,
		Title: "50 Gold Coins", Card: pay.CardHint{Brand: "visa", Last4: "4242"}, CreatedAt: now,
	}
	if diff := cmp.Diff(want, c.Payment); diff != "" {
		t.Errorf("payment (-want +got):\n%s", diff)
	}
}

func TestADecisionLeavesItsReceiverAlone(t *testing.T) {
	s, p := start(t, newSession(t, twoAttempts), noon)
	session, payment := s, p
	settle(t, s, p, pay.OutcomeFailed, noon)
	s.At(s.ExpiresAt)
	if !cmp.Equal(s, session) || !cmp.Equal(p, payment) {
		t.Errorf("session %+v, payment %+v", s, p)
	}
}

func TestWhyAPaymentFailed(t *testing.T) {
	declined := &pay.Failure{Code: pay.CardDeclined, Message: "do not honour"}
	for _, tt := range []struct {
		name    string
		outcome pay.Outcome
		want    pay.FailureCode
	}{
		{"the provider's reason", pay.Outcome{Kind: pay.OutcomeFailed, Failure: declined}, pay.CardDeclined},
		{"none given", pay.Outcome{Kind: pay.OutcomeFailed}, pay.ProcessingError},
		{"voided before anybody knew of the hold", pay.Outcome{Kind: pay.OutcomeVoided}, pay.Abandoned},
		{"voided for a reason", pay.Outcome{Kind: pay.OutcomeVoided, Failure: declined}, pay.CardDeclined},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, p := start(t, newSession(t, spaceShooter), noon)
			c := s.Settle(p, tt.outcome, noon)
			if f := c.Payment.Failure; f == nil || f.Code != tt.want || f.Message == "" {
				t.Errorf("failure is %+v, want %s", f, tt.want)
			}
		})
	}
}

func TestTheProvidersReferenceStays(t *testing.T) {
	s, p := start(t, newSession(t, spaceShooter), noon)
	c := s.Settle(p, pay.Outcome{Kind: pay.OutcomeAuthorized, Reference: "ch_1"}, noon)
	c = c.Session.Settle(*c.Payment, pay.Outcome{Kind: pay.OutcomeSucceeded}, noon)
	if c.Payment.Reference != "ch_1" {
		t.Errorf("reference is %q after an outcome without one", c.Payment.Reference)
	}
}

func TestAPaymentEndsNoSoonerThanItBegan(t *testing.T) {
	s, p := start(t, newSession(t, spaceShooter), noon.Add(time.Hour))
	s, p = settle(t, s, p, pay.OutcomeAuthorized, noon.Add(2*time.Hour))
	s, p = settle(t, s, p, pay.OutcomeSucceeded, noon.Add(-time.Hour)) // the clock was set back
	if want := noon.Add(2 * time.Hour); p.SucceededAt != want || s.PaidAt != want {
		t.Errorf("succeeded at %s, paid at %s, want both at %s", p.SucceededAt, s.PaidAt, want)
	}
}

func TestBrokenInvariantsPanic(t *testing.T) {
	s, p := start(t, newSession(t, twoAttempts), noon)
	for name, settle := range map[string]func(){
		"payment of another session": func() { p := p; p.Session = "sess_other"; s.Settle(p, pay.Outcome{}, noon) },
		"payment of another amount":  func() { p := p; p.Amount.Amount++; s.Settle(p, pay.Outcome{}, noon) },
		"payment of another currency": func() {
			p := p
			p.Amount.Currency = "EUR"
			s.Settle(p, pay.Outcome{}, noon)
		},
		"live payment that is not the session's latest": func() {
			p := p
			p.ID = "pay_other"
			s.Settle(p, pay.Outcome{Kind: pay.OutcomeSucceeded}, noon)
		},
		"live payment of a session that knows of none": func() {
			s := s
			s.Live = false
			s.Settle(p, pay.Outcome{Kind: pay.OutcomeSucceeded}, noon)
		},
		"live payment of a session that has ended": func() {
			s := s
			s.Status = pay.SessionPaid
			s.Settle(p, pay.Outcome{Kind: pay.OutcomeSucceeded}, noon)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			settle()
		})
	}
}

func TestTheWayBack(t *testing.T) {
	for _, status := range pay.SessionStatuses {
		s := pay.Session{Status: status, ReturnURL: "mygame://done", CancelURL: "mygame://left"}
		want := pay.ReturnURL("mygame://left")
		if status == pay.SessionPaid {
			want = "mygame://done"
		}
		if got := s.WayBack(); got != want {
			t.Errorf("%s: %s, want %s", status, got, want)
		}
		if s.CancelURL = ""; s.WayBack() != "mygame://done" {
			t.Errorf("%s without a cancel URL: %s", status, s.WayBack())
		}
	}
}

func TestClockKeepsWhatCanBeStored(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	got := pay.Clock(time.Date(2026, 3, 1, 13, 0, 0, 123456789, berlin))
	if want := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
