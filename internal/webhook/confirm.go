package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/vault"
)

// Asker asks games, before their players are charged, whether to go on: a signed request
// as a webhook is, to the game's confirm_url.
type Asker struct {
	sender
	question func(authorized pay.Event) []byte
}

// AskerOptions is all that an Asker needs from outside.
type AskerOptions struct {
	Vault  *vault.Vault
	Client func(pay.Environment) *http.Client // as Options.Client
	Now    func() time.Time

	// Question writes the body: the payload of the authorization as a payment.confirm.
	Question func(authorized pay.Event) []byte
}

// NewAsker returns an Asker.
func NewAsker(o AskerOptions) *Asker {
	return &Asker{sender{secrets: NewSecrets(o.Vault), client: o.Client, now: o.Now}, o.Question}
}

// Ask asks once. Whatever is not one of the two documented answers is an error.
func (a *Asker) Ask(ctx context.Context, game pay.Game, authorized pay.Event, attempt int) (pay.Decision, error) {
	if !game.ConfirmableIn(authorized.Environment) {
		return pay.Decision{}, errors.New("a game is asked about real money only over https")
	}
	to := game.ConfirmEndpoint(authorized.Environment)
	answer, _, whole := a.try(ctx, to, Message{ID: pay.ConfirmID(authorized), Body: a.question(authorized), Attempt: attempt})
	switch {
	case answer.Error != "":
		return pay.Decision{}, errors.New(answer.Error)
	case answer.Status != http.StatusOK:
		return pay.Decision{}, fmt.Errorf("the game answered %d, where only 200 decides", answer.Status)
	case !whole: // whoever breaks off may have been about to say something else
		return pay.Decision{}, errors.New("the game's answer broke off, or went on after 4 KiB")
	}
	return readDecision(answer.Answer)
}

// readDecision takes the names as they are documented: money moves by them, so one that
// is only similar decides nothing.
func readDecision(body []byte) (pay.Decision, error) {
	var said map[string]any
	if err := json.Unmarshal(body, &said); err != nil || !once(body) {
		return pay.Decision{}, errors.New(`the game's answer must be JSON such as {"decision":"approve"}`)
	}
	switch said["decision"] {
	case "approve":
		return pay.Decision{Approve: true}, nil
	case "reject":
		reason, _ := said["reason"].(string)
		return pay.Decision{Reason: reason}, nil
	}
	return pay.Decision{}, fmt.Errorf(`the game's answer must have the decision "approve" or "reject", got %.80q`, body)
}

// once says whether an object gives each of its names once: what is said twice could be
// read either way.
func once(object []byte) bool {
	d := json.NewDecoder(bytes.NewReader(object))
	seen := map[any]bool{}
	_, _ = d.Token() // its brace
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || seen[name] || d.Decode(&value) != nil {
			return false
		}
		seen[name] = true
	}
	return true
}
