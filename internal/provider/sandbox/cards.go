package sandbox

import "github.com/coinslot/coinslot/internal/pay"

// Card is one of the sandbox's cards: its number alone decides what comes of a
// payment. Any date that has not passed and any security code will do.
type Card struct {
	Number  string          // as it is printed on a card, in groups
	Outcome string          // in words, for the payment page
	Failure pay.FailureCode // empty: the payment succeeds

	// Challenges: it is pending until the player has confirmed, and what the rest says
	// comes after that. A player who refuses, or does not answer, ends it.
	Challenges bool

	slowly slowly
	habit  habit
}

// habit is what the provider makes of a payment beside deciding on it.
type habit string

const (
	challenges    habit = "challenges"
	takesTime     habit = "takes time"
	neverAnswers  habit = "never answers"
	reportsThrice habit = "reports three times"
	reportsEarly  habit = "reports before it answers"
	succeedsLate  habit = "succeeds after it failed"
	reportsMixed  habit = "reports out of order"
)

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
	{Number: "4000 0025 0000 3155", Outcome: "asks for 3-D Secure, then succeeds", Challenges: true, habit: challenges},
	{Number: "4000 0000 0000 3220", Outcome: "asks for 3-D Secure, then succeeds (another such card)", Challenges: true, habit: challenges},
	{Number: "4000 0084 0000 1629", Outcome: "asks for 3-D Secure, then is declined", Failure: pay.CardDeclined, Challenges: true, habit: challenges},
	{Number: "4000 0099 0000 0012", Outcome: "succeeds after 10 seconds of processing", habit: takesTime},
	{Number: "4000 0099 0000 0020", Outcome: "is never answered for by the provider; the payment fails after half a minute", habit: neverAnswers},
	{Number: "4000 0099 0000 0038", Outcome: "succeeds, and is reported three times", habit: reportsThrice},
	{Number: "4000 0099 0000 0046", Outcome: "succeeds, and is reported before the provider has answered", habit: reportsEarly},
	{Number: "4000 0099 0000 0053", Outcome: "fails, and succeeds 5 seconds later; the late money is returned", Failure: pay.ProcessingError, habit: succeedsLate},
	{Number: "4000 0099 0000 0061", Outcome: "succeeds, and is reported out of order", habit: reportsMixed},
}

var cardsByDigits = index(Cards)

func index(cards []Card) map[string]Card {
	byDigits := make(map[string]Card, len(cards))
	for _, c := range cards {
		byDigits[pay.Card{Number: c.Number}.Digits()] = c
	}
	return byDigits
}
