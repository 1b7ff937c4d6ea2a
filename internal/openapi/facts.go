package openapi

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/coinslot/coinslot/internal/pay"
)

// What the contract's fields do not say of themselves. Whatever a bound here says, the
// server is asked in test/openapi whether it is so.

// enums are the fields with a closed set of values, each of which the field's comment
// must have too.
var enums = map[protoreflect.FullName][]string{
	"pay.v1.Session.status":                  words(pay.SessionStatuses),
	"pay.v1.GetSessionStatusResponse.status": words(pay.SessionStatuses),
	"pay.v1.ListSessionsRequest.status":      words(pay.SessionStatuses),
	"pay.v1.Payment.status":                  words(pay.PaymentStatuses),
	"pay.v1.Payment.method": words([]pay.Method{
		pay.MethodCard, pay.MethodTokenizedCard, pay.MethodApplePay, pay.MethodGooglePay,
		pay.MethodPayPal, pay.MethodPayLater, pay.MethodVenmo, pay.MethodToffeeWallet,
	}),
	"pay.v1.Refund.status":             words(pay.RefundStatuses),
	"pay.v1.ListRefundsRequest.status": words(pay.RefundStatuses),
	"pay.v1.Session.environment":       environments,
	"pay.v1.Payment.environment":       environments,
	"pay.v1.Event.environment":         environments,
}

// eventTypes are the fields that name types of event, whose comments list them by entity.
var eventTypes = map[protoreflect.FullName][]string{
	"pay.v1.Event.event":             words(pay.EventTypes),
	"pay.v1.Event.type":              words(pay.EventTypes),
	"pay.v1.ListEventsRequest.types": words(pay.EventTypes),
}

var environments = words([]pay.Environment{pay.Sandbox, pay.Production})

func words[S ~string](values []S) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// bounds says what else must be so of a field.
var bounds = map[protoreflect.FullName]func(*Schema){
	"pay.v1.Item.title":                    length(1, pay.MostTitle),
	"pay.v1.Item.price":                    atLeast(1),
	"pay.v1.Item.currency":                 pattern(`^[A-Z]{3}$`),
	"pay.v1.Item.country":                  pattern(`^[A-Z]{2}$`),
	"pay.v1.Item.exponent":                 atLeast(0),
	"pay.v1.Tax.amount":                    atLeast(0),
	"pay.v1.SessionMetadata.offer_id":      length(0, mostOfferID),
	"pay.v1.SessionMetadata.values":        pairs,
	"pay.v1.Session.url":                   format("uri"),
	"pay.v1.Payment.amount":                atLeast(1),
	"pay.v1.Payment.currency":              pattern(`^[A-Z]{3}$`),
	"pay.v1.Payment.exponent":              atLeast(0),
	"pay.v1.Payment.refunded_amount":       atLeast(0),
	"pay.v1.Refund.amount":                 atLeast(1),
	"pay.v1.Refund.currency":               pattern(`^[A-Z]{3}$`),
	"pay.v1.Refund.exponent":               atLeast(0),
	"pay.v1.Event.id":                      format("uuid"),
	"pay.v1.Event.sequence":                atLeast(1),
	"pay.v1.GetEventRequest.id":            format("uuid"),
	"pay.v1.CreateSessionRequest.user_id":  length(1, pay.MostUserID),
	"pay.v1.CreateSessionRequest.order_id": length(0, pay.MostOrderID),
	"pay.v1.CreateSessionRequest.locale":   length(0, mostLocale),
	"pay.v1.CreateSessionRequest.return_url": func(s *Schema) {
		length(1, pay.LongestURL)(s)
		s.Examples = []string{"mygame://payment-complete"}
	},
	"pay.v1.CreateSessionRequest.cancel_url":   length(0, pay.LongestURL),
	"pay.v1.CreateRefundRequest.amount":        atLeast(1),
	"pay.v1.CreateRefundRequest.reason":        length(0, mostReason),
	"pay.v1.Refund.reason":                     length(0, mostReason),
	"pay.v1.ListSessionsRequest.limit":         limit,
	"pay.v1.ListSessionsRequest.offset":        atLeast(0),
	"pay.v1.ListPaymentsRequest.limit":         limit,
	"pay.v1.ListPaymentsRequest.offset":        atLeast(0),
	"pay.v1.ListRefundsRequest.limit":          limit,
	"pay.v1.ListRefundsRequest.offset":         atLeast(0),
	"pay.v1.ListEventsRequest.limit":           limit,
	"pay.v1.AcknowledgeEventsRequest.consumer": pattern(consumerName),
	"pay.v1.ListEventsRequest.consumer":        pattern(consumerName),
}

// Bounds that their owners keep to themselves.
const (
	mostOfferID        = 500
	mostLocale         = 35
	mostReason         = 500
	mostIdempotencyKey = 255
	defaultLimit       = 100
	mostLimit          = 250
	consumerName       = `^[A-Za-z0-9._:-]{1,100}$`
)

func length(least, most int) func(*Schema) {
	return func(s *Schema) {
		if least > 0 {
			s.MinLength = &least
		}
		s.MaxLength = &most
	}
}

func atLeast(n int64) func(*Schema) { return func(s *Schema) { s.Minimum = &n } }

func pattern(p string) func(*Schema) { return func(s *Schema) { s.Pattern = p } }

func format(f string) func(*Schema) { return func(s *Schema) { s.Format = f } }

func limit(s *Schema) {
	least, most, usual := int64(1), int64(mostLimit), int64(defaultLimit)
	s.Minimum, s.Maximum, s.Default = &least, &most, &usual
}

func pairs(s *Schema) {
	shortest, longest, most, mostValue := 1, pay.MostMetadataKey, pay.MostMetadataPairs, pay.MostMetadataValue
	s.MaxProperties = &most
	s.PropertyNames = &Schema{MinLength: &shortest, MaxLength: &longest}
	s.AdditionalProperties.MaxLength = &mostValue
}

// sometimes are the messages that an answer can lack although they are not optional:
// an event has those entities that it touches.
var sometimes = map[protoreflect.FullName]bool{
	"pay.v1.EventData.session": true,
	"pay.v1.EventData.payment": true,
	"pay.v1.EventData.refund":  true,
}

// overREST is the prose of fields whose comment speaks of what REST has in another
// place: a list is a bare array, and all else of it is in headers.
var overREST = map[protoreflect.FullName]string{
	"pay.v1.ListSessionsRequest.cursor": cursorProse,
	"pay.v1.ListPaymentsRequest.cursor": cursorProse,
	"pay.v1.ListRefundsRequest.cursor":  cursorProse,
	"pay.v1.ListEventsRequest.cursor": "Where to go on: the `X-Next-Cursor` of the previous answer, with the same filters; " +
		"by default from the first event.",
	"pay.v1.AcknowledgeEventsRequest.cursor": "The `X-Next-Cursor` after the last event that was worked off.",
	"pay.v1.ListEventsRequest.limit": "How many to return at most, 1 to 250; by default 100. A page can be shorter, even empty, " +
		"although more follow: go by the `Link` header.",
}

const cursorProse = "Where to go on: as the `Link` header of the previous answer has it, with the same filters. Not to be combined with `offset`."
