package pay

import (
	"fmt"
	"time"
)

// Records are all that is stored of a session: the rows, and the events that tell how
// they came to be as they are.
type Records struct {
	Session  Session
	Payments []Payment
	Refunds  []Refund
	Events   []Event // by sequence
}

// Check says where the rows are not what their events tell, or nil. No decision leads
// there: something else has written to the rows, or lost some.
func (r Records) Check() error {
	told := fold(r)
	if err := told.wrong; err != nil {
		return err
	}
	for _, check := range []func(Records, *retold) error{checkSessionRow, checkPaymentRows, checkRefundRows} {
		if err := check(r, told); err != nil {
			return err
		}
	}
	return nil
}

// standing is where events say that a row stands, and since when it stood where.
type standing struct {
	status string
	since  map[string]time.Time
}

func (x *standing) becomes(status string, at time.Time) {
	if x.since == nil {
		x.since = map[string]time.Time{}
	}
	x.status, x.since[status] = status, at
}

// retold is a session as its events tell it.
type retold struct {
	session  standing
	payments map[PaymentID]*standing
	refunds  map[RefundID]*standing
	latest   PaymentID
	live     bool
	spent    int
	wrong    error // the first event that cannot be
}

// fold goes through the events as a receiver would. What a payment and a refund come to is
// in no event, so it is taken from the rows, which never change it.
func fold(r Records) *retold {
	x := &retold{payments: map[PaymentID]*standing{}, refunds: map[RefundID]*standing{}}
	amounts, sums := map[RefundID]int64{}, map[PaymentID]int64{}
	for _, refund := range r.Refunds {
		amounts[refund.ID] = refund.Amount.Amount
	}
	for i, e := range r.Events {
		if e.Sequence != int64(i+1) {
			x.wrong = fmt.Errorf("event %d is missing", i+1)
			return x
		}
		if e.Environment != r.Session.Environment || e.Game != r.Session.Game {
			x.wrong = fmt.Errorf("event %s is of another game or environment", e.ID)
			return x
		}
		x.take(e)
		if e.Type == RefundSucceededEvent {
			if sums[e.Payment] += amounts[e.Refund]; sums[e.Payment] == r.Session.Item.Price.Amount {
				x.payment(e.Payment).becomes(string(PaymentRefunded), e.At)
			}
		}
	}
	return x
}

func (x *retold) payment(id PaymentID) *standing {
	if x.payments[id] == nil {
		x.payments[id] = &standing{}
	}
	return x.payments[id]
}

func (x *retold) refund(id RefundID) *standing {
	if x.refunds[id] == nil {
		x.refunds[id] = &standing{}
	}
	return x.refunds[id]
}

// take is what one event does. One that moves no row does nothing.
func (x *retold) take(e Event) {
	switch e.Type {
	case SessionCreatedEvent:
		x.session.becomes(string(SessionPending), e.At)
	case SessionPaidEvent:
		x.session.becomes(string(SessionPaid), e.At)
	case SessionFailedEvent:
		x.session.becomes(string(SessionFailed), e.At)
	case SessionCancelledEvent:
		x.session.becomes(string(SessionCancelled), e.At)
	case SessionExpiredEvent:
		x.session.becomes(string(SessionExpired), e.At)
	case PaymentCreatedEvent:
		x.payment(e.Payment).becomes(string(PaymentProcessing), e.At)
		x.latest, x.live = e.Payment, true
	case PaymentAuthorizedEvent:
		x.payment(e.Payment).becomes(string(PaymentAuthorized), e.At)
	case PaymentSucceededEvent:
		x.payment(e.Payment).becomes(string(PaymentSucceeded), e.At)
		x.live = false
	case PaymentFailedEvent:
		x.payment(e.Payment).becomes(string(PaymentFailed), e.At)
		x.live = false
		x.spent++
	case PaymentCancelledEvent:
		x.payment(e.Payment).becomes(string(PaymentCancelled), e.At)
		x.live = false
		x.spent++
	case RefundCreatedEvent:
		x.refund(e.Refund).becomes(string(RefundPending), e.At)
	case RefundSucceededEvent:
		x.refund(e.Refund).becomes(string(RefundSucceeded), e.At)
	case RefundFailedEvent:
		x.refund(e.Refund).becomes(string(RefundFailed), e.At)
	case RefundCancelledEvent:
		x.refund(e.Refund).becomes(string(RefundCancelled), e.At)
	}
}

// same compares a row's status and times with what events tell of it.
func (x *standing) same(what, status string, times map[string]time.Time) error {
	if x == nil {
		return fmt.Errorf("%s is in no event", what)
	}
	if x.status != status {
		return fmt.Errorf("%s is %s, but its events make it %s", what, status, x.status)
	}
	for name, at := range times {
		if !at.Equal(x.since[name]) {
			return fmt.Errorf("%s was %s at %s, but its events say %s", what, name, moment(at), moment(x.since[name]))
		}
	}
	return nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func checkSessionRow(r Records, told *retold) error {
	s := r.Session
	if int64(len(r.Events)) != s.Sequence {
		return fmt.Errorf("the session counts %d events, and has %d", s.Sequence, len(r.Events))
	}
	if err := told.session.same("the session", string(s.Status), map[string]time.Time{
		string(SessionPending): s.CreatedAt, string(SessionPaid): s.PaidAt, string(SessionFailed): s.FailedAt,
		string(SessionCancelled): s.CancelledAt, string(SessionExpired): s.ExpiredAt,
	}); err != nil {
		return err
	}
	switch {
	case s.Payment != told.latest:
		return fmt.Errorf("the session's latest payment is %q, but its events name %q", s.Payment, told.latest)
	case s.Live != told.live:
		return fmt.Errorf("that a payment of the session is live is %v, but its events say %v", s.Live, told.live)
	case s.Spent != told.spent:
		return fmt.Errorf("%d payments of the session ended in vain, but its events tell of %d", s.Spent, told.spent)
	}
	return nil
}

func checkPaymentRows(r Records, told *retold) error {
	if len(r.Payments) != len(told.payments) {
		return fmt.Errorf("the session has %d payments, but events of %d", len(r.Payments), len(told.payments))
	}
	reserved, refunded := map[PaymentID]int64{}, map[PaymentID]int64{}
	for _, refund := range r.Refunds {
		switch refund.Status {
		case RefundSucceeded:
			refunded[refund.Payment] += refund.Amount.Amount
			reserved[refund.Payment] += refund.Amount.Amount
		case RefundPending:
			reserved[refund.Payment] += refund.Amount.Amount
		}
	}
	for _, p := range r.Payments {
		what := "payment " + string(p.ID)
		if err := told.payments[p.ID].same(what, string(p.Status), map[string]time.Time{
			string(PaymentProcessing): p.CreatedAt, string(PaymentAuthorized): p.AuthorizedAt, string(PaymentSucceeded): p.SucceededAt,
			string(PaymentFailed): p.FailedAt, string(PaymentCancelled): p.CancelledAt, string(PaymentRefunded): p.RefundedAt,
		}); err != nil {
			return err
		}
		switch {
		case p.Amount != r.Session.Item.Price:
			return fmt.Errorf("%s is of %d %s, but the price is %d %s", what, p.Amount.Amount, p.Amount.Currency, r.Session.Item.Price.Amount, r.Session.Item.Price.Currency)
		case p.Refunded != refunded[p.ID] || p.Reserved != reserved[p.ID]:
			return fmt.Errorf("%s has returned %d and set aside %d, but its refunds come to %d and %d", what, p.Refunded, p.Reserved, refunded[p.ID], reserved[p.ID])
		}
	}
	return nil
}

func checkRefundRows(r Records, told *retold) error {
	if len(r.Refunds) != len(told.refunds) {
		return fmt.Errorf("the session has %d refunds, but events of %d", len(r.Refunds), len(told.refunds))
	}
	for _, x := range r.Refunds {
		if err := told.refunds[x.ID].same("refund "+string(x.ID), string(x.Status), map[string]time.Time{
			string(RefundPending): x.CreatedAt, string(RefundSucceeded): x.SucceededAt,
			string(RefundFailed): x.FailedAt, string(RefundCancelled): x.CancelledAt,
		}); err != nil {
			return err
		}
	}
	return nil
}
