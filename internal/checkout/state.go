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
	Note    string            `json:"note,omitempty"` // what is waited for, where the payment alone does not tell
}

func stateOf(c gateway.Checkout) state {
	s := state{Status: c.Session.Status, Attempt: c.Session.Spent}
	if c.Payment != nil {
		s.Payment = c.Payment.Status
	}
	switch shownAs(c) {
	case "verify":
		s.Note = "action_required"
	case "authorized":
		s.Note = waitsFor(*c.Payment)
	}
	return s
}

// String is the state in one word, which the page carries to be compared with.
func (s state) String() string {
	return string(s.Status) + "." + string(s.Payment) + "." + strconv.Itoa(s.Attempt) + "." + s.Note
}

func (v *visit) state(id pay.SessionID, _ string) {
	c, err := v.Service.Checkout(v.r.Context(), id)
	if err != nil {
		v.noState(id, err)
		return
	}
	v.json(http.StatusOK, stateOf(c))
}

// noState tells the script that there is nothing to follow, or not just now.
func (v *visit) noState(id pay.SessionID, err error) {
	if pay.CodeOf(err) == pay.SessionNotFound {
		status, code := http.StatusNotFound, pay.SessionNotFound
		if !v.missed() {
			status, code = http.StatusTooManyRequests, pay.RateLimited
		}
		v.json(status, map[string]string{"error": string(code)})
		return
	}
	v.report(id, err)
	v.w.Header().Set("Retry-After", "5")
	v.json(http.StatusServiceUnavailable, map[string]string{"error": string(pay.Unavailable)})
}

func (v *visit) json(status int, body any) {
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(status)
	// The status is sent: a player who has gone is nobody to tell.
	_ = json.NewEncoder(v.w).Encode(body)
}
