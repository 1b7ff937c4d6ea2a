package rpc

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc/wirejson"
)

// Converter writes entities as messages. Answers and webhook payloads come from the
// same one, so that both show an entity alike.
type Converter struct {
	PageURL  func(pay.SessionID) string // of the payment page
	ImageURL func(pay.ImageName) string // of a stored image
}

// Session is a session as a message.
func (c Converter) Session(s pay.Session) *payv1.Session {
	return &payv1.Session{
		Id: string(s.ID), Url: c.PageURL(s.ID), Status: string(s.Status), PaymentId: optional(string(s.Payment)),
		UserId: string(s.User), GameId: string(s.Game), Item: c.item(s.Item),
		CreatedAt: timestamp(s.CreatedAt), PaidAt: timestamp(s.PaidAt), FailedAt: timestamp(s.FailedAt),
		CancelledAt: timestamp(s.CancelledAt), ExpiredAt: timestamp(s.ExpiredAt),
		Metadata:  metadataMessage(s.Metadata),
		ReturnUrl: string(s.ReturnURL), CancelUrl: optional(string(s.CancelURL)), ExpiresAt: timestamp(s.ExpiresAt),
		OrderId: optional(s.OrderID), Environment: string(s.Environment),
	}
}

// image is where a picture is shown: the URL that the caller gave, or our own.
func (c Converter) image(r pay.ImageRef) string {
	if name, ok := r.Stored(); ok {
		return c.ImageURL(name)
	}
	return string(r)
}

func (c Converter) item(i pay.Item) *payv1.Item {
	return &payv1.Item{
		Title: i.Title, Price: int32(i.Price.Amount), Currency: string(i.Price.Currency),
		Image: optional(c.image(i.Image)), Country: optional(i.Country), Exponent: int32(i.Price.Currency.Exponent()),
	}
}

// Payment is a payment as a message, without its extra data.
func (c Converter) Payment(p pay.Payment) *payv1.Payment {
	out := &payv1.Payment{
		Id: string(p.ID), SessionId: string(p.Session), Status: string(p.Status),
		Amount: int32(p.Amount.Amount), Currency: string(p.Amount.Currency), Method: string(p.Method), Details: p.Title,
		CreatedAt: timestamp(p.CreatedAt), AuthorizedAt: timestamp(p.AuthorizedAt), CancelledAt: timestamp(p.CancelledAt),
		SucceededAt: timestamp(p.SucceededAt), FailedAt: timestamp(p.FailedAt), RefundedAt: timestamp(p.RefundedAt),
		RefundedAmount: int32(p.Refunded), Exponent: int32(p.Amount.Currency.Exponent()),
		GameId: string(p.Game), UserId: string(p.User), Environment: string(p.Environment),
	}
	if p.Failure != nil && p.Status == pay.PaymentFailed {
		out.Error = &payv1.Error{Code: string(p.Failure.Code), Message: p.Failure.Message}
	}
	return out
}

// paymentWithExtra is a payment with what only callers who ask for it are told: how
// much of it was real money. There is no bonus money in Coinslot.
func (c Converter) paymentWithExtra(p pay.Payment, wanted bool) *payv1.Payment {
	out := c.Payment(p)
	if wanted {
		out.ExtraData = &payv1.PaymentExtraData{RealAmount: int32(p.Amount.Amount)}
	}
	return out
}

// Refund is a refund as a message.
func (c Converter) Refund(r pay.Refund) *payv1.Refund {
	out := &payv1.Refund{
		Id: string(r.ID), PaymentId: string(r.Payment), Status: string(r.Status), Reason: optional(r.Reason),
		CreatedAt: timestamp(r.CreatedAt), SucceededAt: timestamp(r.SucceededAt), FailedAt: timestamp(r.FailedAt),
		CancelledAt: timestamp(r.CancelledAt),
		Amount:      int32(r.Amount.Amount), Currency: string(r.Amount.Currency), Exponent: int32(r.Amount.Currency.Exponent()),
	}
	if r.Failure != nil {
		out.Error = &payv1.Error{Code: string(r.Failure.Code), Message: r.Failure.Message}
	}
	return out
}

// Event is an event as a message: change is the decision that it came from.
func (c Converter) Event(change pay.Change, e pay.Event) *payv1.Event {
	s := change.Session
	out := &payv1.Event{
		Id: string(e.ID), Event: string(e.Type), Type: string(e.Type), Timestamp: timestamp(e.At),
		Environment: string(e.Environment), Sequence: int32(e.Sequence),
		Data: &payv1.EventData{
			SessionId: optional(string(s.ID)), GameId: optional(string(s.Game)), UserId: optional(string(s.User)),
			Session: c.Session(*s),
		},
	}
	if p := change.Payment; p != nil {
		out.Data.PaymentId = optional(string(p.ID))
		if e.Payment != "" { // the event is the payment's
			out.Data.Payment = c.Payment(*p)
		}
	}
	if r := change.Refund; r != nil {
		out.Data.RefundId, out.Data.Refund = optional(string(r.ID)), c.Refund(*r)
	}
	return out
}

// payloadRoom is what most payloads fit in.
const payloadRoom = 1 << 10

// Payload is an event as the bytes that its receivers get.
func (c Converter) Payload(change pay.Change, e pay.Event) []byte {
	return payload(c.Event(change, e))
}

// Question is what a game is asked about a payment whose authorization an event told of:
// its payload as a payment.confirm of an id of its own.
func (c Converter) Question(authorized pay.Event) []byte {
	event, err := written(authorized)
	if err != nil {
		panic("rpc: " + err.Error()) // we wrote it ourselves
	}
	event.Id, event.Event, event.Type = string(pay.ConfirmID(authorized)), string(pay.ConfirmType), string(pay.ConfirmType)
	return payload(event)
}

func payload(event *payv1.Event) []byte {
	text, err := wirejson.MarshalAppend(make([]byte, 0, payloadRoom), event)
	if err != nil {
		panic("rpc: an event that JSON cannot hold: " + err.Error()) // pay lets only valid UTF-8 in
	}
	return text
}

// orderOf is what a CreateSession request asks for.
func orderOf(req *payv1.CreateSessionRequest) pay.Order {
	o := pay.Order{
		Game: pay.GameID(req.GetGameId()), User: pay.UserID(req.GetUserId()),
		ReturnURL: req.GetReturnUrl(), CancelURL: req.CancelUrl, OrderID: req.OrderId, Locale: req.Locale,
	}
	if i := req.GetItem(); i != nil {
		o.Item = &pay.ItemOrder{Title: i.GetTitle(), Price: int64(i.GetPrice()), Currency: i.GetCurrency(), Image: i.Image, Country: i.Country}
	}
	if m := req.GetMetadata(); m != nil {
		o.Metadata = &pay.Metadata{OfferID: m.GetOfferId(), Values: m.GetValues()}
	}
	if d := req.GetExpiresIn(); d != nil {
		var ttl time.Duration // none, which is refused, where seconds and nanos contradict
		if d.IsValid() {
			ttl = d.AsDuration()
		}
		o.ExpiresIn = &ttl
	}
	return o
}

func metadataMessage(m *pay.Metadata) *payv1.SessionMetadata {
	if m == nil {
		return nil
	}
	return &payv1.SessionMetadata{OfferId: optional(m.OfferID), Values: m.Values}
}

// optional is a field with presence: absent where it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
