package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Numbers of the sandbox's cards, of which package sandbox says what comes of them.
const (
	cardThatSucceeds     = "4242424242424242"
	cardThatIsDeclined   = "4000000000000002"
	cardWithFailedRefund = "4000000000005126"
)

// Triggered is what was made to happen.
type Triggered struct {
	Session pay.SessionID
	Events  []pay.EventType // in order
	Later   time.Time       // when the event that was asked for comes; zero: it is there
}

// flow is what leads to an event.
type flow struct {
	manual bool   // the money is held, and stays so unless something follows
	card   string // empty: nobody pays
	then   func(*Service, context.Context, Caller, pay.Payment) error
	later  func(pay.Session) time.Time
}

var flows = map[pay.EventType]flow{
	pay.SessionCreatedEvent:    {},
	pay.SessionPaidEvent:       {card: cardThatSucceeds},
	pay.SessionFailedEvent:     {card: cardThatIsDeclined},
	pay.SessionExpiredEvent:    {later: func(s pay.Session) time.Time { return s.ExpiresAt }},
	pay.SessionCancelledEvent:  {}, // by the player, below
	pay.PaymentCreatedEvent:    {card: cardThatSucceeds},
	pay.PaymentAuthorizedEvent: {card: cardThatSucceeds, manual: true},
	pay.PaymentSucceededEvent:  {card: cardThatSucceeds},
	pay.PaymentFailedEvent:     {card: cardThatIsDeclined},
	pay.PaymentCancelledEvent: {card: cardThatSucceeds, manual: true, then: func(s *Service, ctx context.Context, c Caller, p pay.Payment) error {
		_, err := s.CancelPayment(ctx, c, p.ID, Idempotency{})
		return err
	}},
	pay.RefundCreatedEvent:   {card: cardThatSucceeds, then: refundIt},
	pay.RefundSucceededEvent: {card: cardThatSucceeds, then: refundIt},
	pay.RefundFailedEvent: {card: cardWithFailedRefund, then: refundIt, later: func(s pay.Session) time.Time {
		return s.PaidAt.Add(15 * time.Second) // ten, and the look-up that finds it
	}},
}

// Triggerable lists the events that Trigger can make happen.
func Triggerable() []pay.EventType {
	return slices.DeleteFunc(slices.Clone(pay.EventTypes), func(t pay.EventType) bool { _, ok := flows[t]; return !ok })
}

func refundIt(s *Service, ctx context.Context, c Caller, p pay.Payment) error {
	_, _, err := s.CreateRefund(ctx, c, pay.RefundOrder{Payment: p.ID, Reason: "triggered"}, Idempotency{})
	return err
}

// Trigger makes an event happen in a game's sandbox, by what leads to it in earnest: a game
// that captures by hand does so, and one that is asked beforehand is asked.
func (s *Service) Trigger(ctx context.Context, id pay.GameID, t pay.EventType) (Triggered, error) {
	flow, err := flowTo(t)
	if err != nil {
		return Triggered{}, err
	}
	game, err := s.Game(ctx, id)
	if err != nil {
		return Triggered{}, err
	}
	session, err := s.sellOnce(ctx, game, flow)
	if err != nil {
		return Triggered{}, err
	}
	if flow.card != "" {
		err = s.payAndThen(ctx, session, flow)
	} else if t == pay.SessionCancelledEvent {
		_, err = s.Leave(ctx, session)
	}
	if err != nil {
		return Triggered{Session: session}, err
	}
	return s.whatHappened(ctx, session, t, flow)
}

func flowTo(t pay.EventType) (flow, error) {
	known, ok := flows[t]
	switch {
	case ok:
		return known, nil
	case slices.Contains(pay.EventTypes, t):
		return flow{}, pay.RefuseField(pay.InvalidSetting, "event", "must be one that the sandbox can make happen; nothing there leads to %s", t)
	}
	return flow{}, pay.RefuseField(pay.InvalidSetting, "event", "must be one of %v, got %.60q", Triggerable(), string(t))
}

// sellOnce makes a session as the game would, with one attempt and the least time to pay.
func (s *Service) sellOnce(ctx context.Context, game pay.Game, f flow) (pay.SessionID, error) {
	now := s.now()
	game.Attempts = 1
	if f.manual {
		game.Capture, game.ConfirmURL = pay.CaptureManual, ""
	}
	currency := pay.Currency("USD")
	if len(game.Currencies) > 0 {
		currency = game.Currencies[0]
	}
	ttl := pay.ShortestExpiresIn
	order := pay.Order{
		Game: game.ID, User: "trigger", ReturnURL: wayBackTo(game), ExpiresIn: &ttl,
		Item: &pay.ItemOrder{Title: "Triggered item", Price: 499, Currency: string(currency)},
	}
	id := pay.NewSessionID(now, entropy())
	return id, s.store.Update(ctx, id, func(tx store.Tx) error {
		change, err := pay.NewSession(id, pay.Sandbox, game, order, now)
		if err != nil {
			return err
		}
		return s.apply(tx, change)
	})
}

// wayBackTo is a return URL that the game allows.
func wayBackTo(game pay.Game) string {
	scheme, host := "coinslot", "triggered"
	if len(game.ReturnSchemes) > 0 {
		scheme = game.ReturnSchemes[0]
	}
	if len(game.ReturnHosts) > 0 {
		host = game.ReturnHosts[0]
	}
	return scheme + "://" + host
}

func (s *Service) payAndThen(ctx context.Context, id pay.SessionID, f flow) error {
	card := pay.Card{Number: f.card, ExpiryMonth: 12, ExpiryYear: s.now().Year() + 1, CVC: "123"}
	page, err := s.Pay(ctx, id, Tender{Method: pay.MethodCard, Card: &card})
	if err == nil {
		page, err = s.AtRest(ctx, page)
	}
	if err != nil {
		return err
	}
	operator := Caller{Environment: pay.Sandbox}
	switch paid := *page.Payment; {
	case paid.UnderWay():
		return pay.Refuse(pay.PaymentInProgress, "payment %s of session %s is still being decided", paid.ID, id)
	case paid.Status == pay.PaymentFailed && f.card != cardThatIsDeclined:
		return pay.Refuse(pay.SessionNotPending, "payment %s of session %s failed, so nothing more can happen: %s: %s", paid.ID, id, paid.Failure.Code, paid.Failure.Message)
	case paid.Status == pay.PaymentAuthorized && !f.manual:
		_, err = s.CompletePayment(ctx, operator, paid.ID, Idempotency{})
	}
	if err != nil || f.then == nil {
		return err
	}
	return f.then(s, ctx, operator, *page.Payment)
}

// The gateway stops waiting for a slow payment sooner than a script does.
const (
	askAgain     = 47 * time.Millisecond // no round number: what takes whole seconds must not end at the very moment of a look
	longestAtAll = 50 * time.Second      // a call that takes a minute is cut off
)

// AtRest waits until nobody is being asked about the payment any more, or for as long as makes
// sense, and returns the session as it is then.
func (s *Service) AtRest(ctx context.Context, page Checkout) (Checkout, error) {
	ctx, cancel := context.WithTimeout(ctx, longestAtAll)
	defer cancel()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for page.Payment != nil && page.Payment.UnderWay() {
		select {
		case <-ctx.Done():
			return page, nil
		case <-tick.C:
		}
		now, err := s.Checkout(ctx, page.Session.ID)
		if err != nil {
			return page, err
		}
		page = now
	}
	return page, nil
}

func (s *Service) whatHappened(ctx context.Context, id pay.SessionID, wanted pay.EventType, f flow) (Triggered, error) {
	out := Triggered{Session: id}
	err := s.store.View(ctx, func(r store.Reader) error {
		events, err := r.SessionEvents(id)
		if err != nil {
			return err
		}
		out.Events = nil
		for _, e := range events {
			out.Events = append(out.Events, e.Type)
		}
		session, err := r.Session(id)
		if err == nil && f.later != nil && !slices.Contains(out.Events, wanted) {
			out.Later = f.later(session)
		}
		return err
	})
	return out, err
}
