package checkout

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// state is what the script asks for to see whether the page still tells the truth.
type state struct {
	Status  pay.SessionStatus `json:"status"`
	Payment pay.PaymentStatus `json:"payment,omitempty"` // of the latest payment
	Attempt int               `json:"attempt"`
}

func stateOf(c gateway.Checkout) state {
	s := state{Status: c.Session.Status, Attempt: c.Session.Spent}
	if c.Payment != nil {
		s.Payment = c.Payment.Status
	}
	if shownAs(c) == "verify" {
		s.Payment = "action_required"
	}
	return s
}

// String is the state in one word, which the page carries to be compared with.
func (s state) String() string {
	return string(s.Status) + "." + string(s.Payment) + "." + strconv.Itoa(s.Attempt)
}

func (v *visit) state(id pay.SessionID, _ string) {
	c, err := v.Service.Checkout(v.r.Context(), id)
	switch {
	case pay.CodeOf(err) == pay.SessionNotFound:
		v.json(http.StatusNotFound, map[string]string{"error": string(pay.SessionNotFound)})
	case err != nil:
		v.report(id, err)
		v.json(http.StatusServiceUnavailable, map[string]string{"error": string(pay.Unavailable)})
	default:
		v.json(http.StatusOK, stateOf(c))
	}
}

func (v *visit) json(status int, body any) {
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(status)
	// The status is sent: a player who has gone is nobody to tell.
	_ = json.NewEncoder(v.w).Encode(body)
}
