package sandbox

import (
	"errors"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// What the sheet of the sandbox's wallets hands over. A sheet that the player
// dismisses hands over nothing, and no payment is tried.
const (
	TokenApproved = "tok_approved"
	TokenDeclined = "tok_declined"
)

// No message tells what the player typed, nor any whole card number: messages are
// stored and logged, and a number in a log must always mean that something is wrong.
var (
	unlistedCard = failure{pay.CardDeclined, "the number is not one of the sandbox's cards; " +
		"use 4242 four times over, which succeeds, or another of the cards that the payment page lists"}
	declinedWallet = failure{pay.CardDeclined, "the player chose to decline in the sandbox's wallet"}
	strangeToken   = failure{pay.CardDeclined, "the token is not one of the sandbox's wallets; " +
		"use " + TokenApproved + " or " + TokenDeclined}
	strangeMethod = failure{pay.ProcessingError, "the sandbox does not take this method; " +
		"use card, apple_pay, google_pay, paypal, paylater or venmo"}
	tooLate = pay.Failure{Code: pay.Abandoned, Message: "the payment was told to be unknown before it reached the provider, " +
		"so it can no longer be charged"}
	notConfirmed = failure{pay.AuthenticationFailed, "the player did not confirm the payment on the sandbox's page"}
)

// check refuses a charge that the gateway should not have sent. Nothing is kept of
// it, so Lookup says truthfully that the payment is unknown.
func check(c provider.Charge) error {
	switch {
	case c.Payment == "" || c.Session == "":
		return errors.New("a charge needs a payment and a session")
	case c.Amount.Amount < 1 || !c.Amount.Currency.Known():
		return errors.New("a charge needs a positive amount in a known currency")
	case (c.Method == pay.MethodCard) != (c.Card != nil):
		return errors.New("a charge needs a card with the method card, and only then")
	}
	return nil
}

// decide says why the charge is refused, or nil where it is approved.
func decide(c provider.Charge) *failure {
	switch c.Method {
	case pay.MethodCard:
		return decideCard(*c.Card)
	case pay.MethodApplePay, pay.MethodGooglePay, pay.MethodPayPal, pay.MethodPayLater, pay.MethodVenmo:
		return decideWallet(c.Token)
	}
	return &strangeMethod
}

func decideCard(typed pay.Card) *failure {
	card, listed := cardsByDigits[typed.Digits()]
	switch {
	case !listed:
		return &unlistedCard
	case card.Failure == "":
		return nil
	}
	return &failure{card.Failure, "the sandbox's card that " + card.Outcome}
}

func decideWallet(token string) *failure {
	switch token {
	case TokenApproved:
		return nil
	case TokenDeclined:
		return &declinedWallet
	}
	return &strangeToken
}

// habitOf is what the provider makes of a charge beside deciding on it.
func habitOf(c provider.Charge) habit {
	if c.Card == nil {
		return ""
	}
	return cardsByDigits[c.Card.Digits()].habit
}
