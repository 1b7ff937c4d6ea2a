package sandbox

import "github.com/coinslot/coinslot/internal/pay"

// Card is one of the sandbox's cards: its number alone decides what comes of a
// payment. Any date that has not passed and any security code will do.
type Card struct {
	Number  string          // as it is printed on a card, in groups
	Outcome string          // in words, for the payment page
	Failure pay.FailureCode // empty: the payment succeeds

	slowly slowly
}

// Cards lists the sandbox's cards in the order in which the payment page shows
// them. Developers know the numbers from other test modes, with like outcomes.
var Cards = []Card{
	{Number: "4242 4242 4242 4242", Outcome: "succeeds (Visa)"},
	{Number: "5555 5555 5555 4444", Outcome: "succeeds (Mastercard)"},
	{Number: "3782 822463 10005", Outcome: "succeeds (American Express)"},
	{Number: "4000 0000 0000 0002", Outcome: "is declined", Failure: pay.CardDeclined},
	{Number: "4000 0000 0000 9995", Outcome: "has insufficient funds", Failure: pay.InsufficientFunds},
	{Number: "4000 0000 0000 0069", Outcome: "has expired", Failure: pay.ExpiredCard},
	{Number: "4000 0000 0000 0127", Outcome: "has another security code", Failure: pay.IncorrectCVC},
	{Number: "4000 0000 0000 0119", Outcome: "fails while it is processed", Failure: pay.ProcessingError},
	{Number: "4000 0000 0000 7726", Outcome: "succeeds; its refunds are pending for 10 seconds, then succeed", slowly: slowlyReturned},
	{Number: "4000 0000 0000 5126", Outcome: "succeeds; its refunds are pending for 10 seconds, then fail", slowly: slowlyFailed},
}

var cardsByDigits = index(Cards)

func index(cards []Card) map[string]Card {
	byDigits := make(map[string]Card, len(cards))
	for _, c := range cards {
		byDigits[pay.Card{Number: c.Number}.Digits()] = c
	}
	return byDigits
}
