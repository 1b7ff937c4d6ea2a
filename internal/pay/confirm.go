package pay

import (
	"crypto/sha256"
	"strings"
)

// ConfirmType is the type of the question that a game is asked before its player is
// charged. No endpoint can subscribe to it.
const ConfirmType EventType = "payment.confirm"

// Decision is what a game answered to it.
type Decision struct {
	Approve bool
	Reason  string // why not, in the game's words
}

// mostDecisionReason bounds what is kept of a game's reason, in bytes.
const mostDecisionReason = 200

// Refusal is why the payment fails, or nil where the game approves.
func (d Decision) Refusal() *Failure {
	if d.Approve {
		return nil
	}
	reason := strings.Map(func(r rune) rune {
		if controls(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(d.Reason, ""))
	if len(reason) > mostDecisionReason {
		reason = strings.ToValidUTF8(reason[:mostDecisionReason], "")
	}
	if reason == "" {
		reason = "it gave no reason"
	}
	return &Failure{ConfirmationRejected, reason}
}

// Unconfirmed is why a payment fails whose game could not be made to decide.
func Unconfirmed(why string) *Failure { return &Failure{ConfirmationTimeout, why} }

// ConfirmID is the id of the question about a payment whose authorization is told by
// event: the same however often the game is asked, and that of no event.
func ConfirmID(authorized Event) EventID {
	h := sha256.Sum256([]byte(string(ConfirmType) + " " + string(authorized.ID)))
	var u [16]byte
	copy(u[:], h[:])
	return stampUUID(u, authorized.At)
}

// ConfirmEndpoint is where the game is asked about payments of an environment. Its
// secrets are the same in both.
func (g Game) ConfirmEndpoint(env Environment) Endpoint {
	return Endpoint{
		ID: "confirm:" + EndpointID(g.ID), Environment: env, Game: g.ID, URL: g.ConfirmURL,
		Enabled: true, Secrets: g.ConfirmSecret,
	}
}

// ConfirmableIn says whether the game can be asked about payments of an environment: about
// real money only over TLS.
func (g Game) ConfirmableIn(env Environment) bool {
	return g.ConfirmURL != "" && (env != Production || strings.HasPrefix(g.ConfirmURL, "https:"))
}
