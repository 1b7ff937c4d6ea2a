package pay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

// noon is when most of these tests begin.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// entropy is an id's random part, the same for the same number.
func entropy(n int) (e pay.Entropy) {
	for i := range e {
		e[i] = byte(n * (i + 7))
	}
	return e
}

var spaceShooter = pay.Game{ID: "space_shooter"}.WithDefaults()

// coins is an order that breaks no rule.
func coins() pay.Order {
	return pay.Order{
		Game: "space_shooter", User: "player_42",
		Item:      &pay.ItemOrder{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
		ReturnURL: "mygame://done",
	}
}

// newSession is a session that was made at noon and has a day.
func newSession(t *testing.T, game pay.Game) pay.Session {
	t.Helper()
	c, err := pay.NewSession(pay.NewSessionID(noon, entropy(1)), pay.Sandbox, game, coins(), noon)
	if err != nil {
		t.Fatal(err)
	}
	return *c.Session
}

// start lets the player pay, and returns the session and the payment as they are then.
func start(t *testing.T, s pay.Session, now time.Time) (pay.Session, pay.Payment) {
	t.Helper()
	c, err := s.StartPayment(pay.NewPaymentID(now, entropy(s.Spent+2)), pay.MethodCard, pay.CardHint{Brand: "visa", Last4: "4242"}, now)
	if err != nil {
		t.Fatal(err)
	}
	return *c.Session, *c.Payment
}

// settle takes in what the provider said, which must be news.
func settle(t *testing.T, s pay.Session, p pay.Payment, kind pay.OutcomeKind, now time.Time) (pay.Session, pay.Payment) {
	t.Helper()
	c := s.Settle(p, pay.Outcome{Kind: kind}, now)
	if c.Empty() {
		t.Fatalf("%s says nothing new of a payment that is %s", kind, p.Status)
	}
	return *c.Session, *c.Payment
}

// giveBack starts a refund of an amount, and returns all three as they are then.
func giveBack(t *testing.T, s pay.Session, p pay.Payment, amount int64) (pay.Session, pay.Payment, pay.Refund) {
	t.Helper()
	c, err := s.StartRefund(p, pay.NewRefundID(noon, entropy(int(s.Sequence))), pay.RefundOrder{Payment: p.ID, Amount: &amount}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return *c.Session, *c.Payment, *c.Refund
}

// settleRefund takes in what the provider said of a refund, which must be news.
func settleRefund(t *testing.T, s pay.Session, p pay.Payment, r pay.Refund, status pay.RefundStatus) (pay.Session, pay.Payment, pay.Refund) {
	t.Helper()
	c := s.SettleRefund(p, r, pay.RefundOutcome{Status: status}, noon)
	if c.Empty() {
		t.Fatalf("%s says nothing new of a refund that is %s", status, r.Status)
	}
	return *c.Session, *c.Payment, *c.Refund
}

// wantRefusal checks that err is a refusal with that code and field, whose message a caller can use.
func wantRefusal(t *testing.T, err error, code pay.Code, field string) {
	t.Helper()
	var refused *pay.Error
	switch {
	case !errors.As(err, &refused):
		t.Errorf("got %v, want the refusal %s of %s", err, code, field)
	case refused.Code != code || refused.Field != field:
		t.Errorf("refused %s of %q (%s), want %s of %q", refused.Code, refused.Field, refused.Message, code, field)
	case refused.Message == "":
		t.Errorf("%s of %s says nothing", code, field)
	}
}
