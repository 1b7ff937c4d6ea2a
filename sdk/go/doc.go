// Package coinslot is the client of Coinslot, a payment-session server for games.
//
//	client, err := coinslot.New(os.Getenv("COINSLOT_ACCESS_TOKEN"))
//	session, err := client.Checkout(ctx, &coinslot.CreateSessionRequest{…})
//	// send the player to session.Url
//
// Requests and answers are the messages of the API itself: their fields are documented
// where proto/pay/v1 declares them. Amounts are in the minor unit of their currency, so
// 499 is $4.99. A Client may be used by many goroutines at once.
//
// Every call that changes something carries an idempotency key, so a call that got no
// answer is asked again without selling or refunding twice; see [WithRetries]. What the
// server refuses is an [*Error].
//
// A server that is told of payments by webhook verifies each with [VerifyWebhook].
package coinslot
