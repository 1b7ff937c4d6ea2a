package pay_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coinslot/coinslot/internal/pay"
)

func TestWhatAGameSaysIsKeptCleanAndShort(t *testing.T) {
	if failure := (pay.Decision{Approve: true, Reason: "of course"}).Refusal(); failure != nil {
		t.Errorf("an approval is the failure %+v", failure)
	}
	const none = "it gave no reason"
	for name, tt := range map[string]struct{ said, kept string }{
		"a word":                  {"out_of_stock", "out_of_stock"},
		"any language":            {"売り切れ", "売り切れ"},
		"nothing":                 {"", none},
		"lines and escapes":       {"sold\r\nout\x00\x1b[31m", "soldout[31m"},
		"turned text":             {"\u202eevil\u2066\u2069", "evil"},
		"nothing but such":        {"\n\u2028\u2029", none},
		"not UTF-8":               {"sold\xff out", "sold out"},
		"too much":                {strings.Repeat("x", 1000), strings.Repeat("x", 200)},
		"too much, cut in a rune": {"xx" + strings.Repeat("€", 1000), "xx" + strings.Repeat("€", 66)},
	} {
		t.Run(name, func(t *testing.T) {
			failure := pay.Decision{Reason: tt.said}.Refusal()
			if failure == nil || failure.Code != pay.ConfirmationRejected || failure.Message != tt.kept || !utf8.ValidString(failure.Message) {
				t.Errorf("%q is kept as %+v, want %q", tt.said, failure, tt.kept)
			}
		})
	}
	if failure := pay.Unconfirmed("why"); failure.Code != pay.ConfirmationTimeout || failure.Message != "why" {
		t.Errorf("unconfirmed: %+v", failure)
	}
}

// The id of a question is what a game deduplicates by: the same each time, another one for
// each payment, and never that of an event, which a receiver may have handled already.
func TestTheIDOfAQuestionIsStableAndItsOwn(t *testing.T) {
	seen := map[pay.EventID]bool{}
	s := newSession(t, asksFirst)
	for range asksFirst.Attempts {
		c, err := s.StartPayment(pay.NewPaymentID(noon, entropy(s.Spent+2)), pay.MethodCard, pay.CardHint{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, outcome := range []pay.OutcomeKind{pay.OutcomeAuthorized, pay.OutcomeFailed} {
			c = c.Session.Settle(*c.Payment, pay.Outcome{Kind: outcome}, noon)
			for _, e := range c.Events {
				question := pay.ConfirmID(e)
				id, err := uuid.Parse(string(question))
				if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 || question != pay.ConfirmID(e) {
					t.Errorf("the id is %s, then %s: %v", question, pay.ConfirmID(e), err)
				}
				if seen[question] || seen[e.ID] || question == e.ID {
					t.Errorf("%s or %s is there already", question, e.ID)
				}
				seen[question], seen[e.ID] = true, true
			}
		}
		s = *c.Session
	}
}

func TestAGameIsAskedAboutRealMoneyOnlyOverTLS(t *testing.T) {
	for url, want := range map[string]map[pay.Environment]bool{
		"":                      {pay.Sandbox: false, pay.Production: false},
		"http://localhost:3000": {pay.Sandbox: true, pay.Production: false},
		"https://game.example":  {pay.Sandbox: true, pay.Production: true},
	} {
		g := pay.Game{ID: "g", ConfirmURL: url}
		for env, can := range want {
			if g.ConfirmableIn(env) != can {
				t.Errorf("%q can be asked in %s: %v, want %v", url, env, !can, can)
			}
			if to := g.ConfirmEndpoint(env); to.Environment != env || to.URL != url || to.Game != "g" {
				t.Errorf("it is asked at %+v", to)
			}
		}
	}
}

// What a session was made with stands, whatever becomes of the game's settings.
func TestASessionIsConfirmedAsItsGameWasWhenItWasMade(t *testing.T) {
	if s := newSession(t, asksFirst); !s.Confirm || s.TakenAtOnce() {
		t.Errorf("confirmed %v, taken at once %v", s.Confirm, s.TakenAtOnce())
	}
	if s := newSession(t, spaceShooter); s.Confirm || !s.TakenAtOnce() {
		t.Errorf("confirmed %v, taken at once %v", s.Confirm, s.TakenAtOnce())
	}
}

// What a payment ends with, by what its game decided and what the provider then says.
func TestWhatTheGameDecidedIsWhyThePaymentEnds(t *testing.T) {
	rejected := pay.Decision{Reason: "out_of_stock"}.Refusal()
	declined := &pay.Failure{Code: pay.CardDeclined, Message: "no"}
	for name, tt := range map[string]struct {
		noted   *pay.Failure
		outcome pay.Outcome
		want    pay.PaymentStatus
		failure *pay.Failure
	}{
		"approved and taken":              {nil, pay.Outcome{Kind: pay.OutcomeSucceeded}, pay.PaymentSucceeded, nil},
		"approved, the provider refuses":  {nil, pay.Outcome{Kind: pay.OutcomeFailed, Failure: declined}, pay.PaymentFailed, declined},
		"rejected and let go":             {rejected, pay.Outcome{Kind: pay.OutcomeVoided}, pay.PaymentFailed, rejected},
		"rejected, the hold was gone":     {rejected, pay.Outcome{Kind: pay.OutcomeFailed, Failure: declined}, pay.PaymentFailed, rejected},
		"rejected and taken all the same": {rejected, pay.Outcome{Kind: pay.OutcomeSucceeded}, pay.PaymentSucceeded, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := start(t, newSession(t, asksFirst), noon)
			s, p = settle(t, s, p, pay.OutcomeAuthorized, noon)
			if !p.Asking || !p.UnderWay() {
				t.Fatal("its game is not being asked")
			}
			p.Failure = tt.noted
			got := s.Settle(p, tt.outcome, noon).Payment
			if got.Status != tt.want || got.Failure != tt.failure || got.Asking || got.UnderWay() {
				t.Errorf("it is %s, %+v, asking %v; want %s, %+v", got.Status, got.Failure, got.Asking, tt.want, tt.failure)
			}
		})
	}
}

func TestASessionThatCouldNeverBePaidIsNotMade(t *testing.T) {
	for _, tt := range []struct {
		env  pay.Environment
		url  string
		code pay.Code
	}{
		{pay.Sandbox, "http://game.test/confirm", ""},
		{pay.Sandbox, "https://game.test/confirm", ""},
		{pay.Production, "http://game.test/confirm", pay.InvalidRequest},
		{pay.Production, "https://game.test/confirm", ""},
		{pay.Production, "", ""},
	} {
		game := pay.Game{ID: "arcade", ConfirmURL: tt.url}.WithDefaults()
		price := pay.ItemOrder{Title: "Coin", Price: 100, Currency: "USD"}
		_, err := pay.NewSession("sess_1", tt.env, game, pay.Order{Game: "arcade", User: "p", Item: &price, ReturnURL: "a://b"}, noon)
		if code := pay.CodeOf(err); err != nil && code != tt.code || err == nil && tt.code != "" {
			t.Errorf("%s, asked at %q: %v", tt.env, tt.url, err)
		}
	}
}
