package checkout

import (
	"net/http"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// pay takes the card form, or a wallet's sheet.
func (v *visit) pay(id pay.SessionID) {
	attempt, ok := v.openForm(id)
	if !ok {
		return
	}
	posted := v.r.PostForm
	t := gateway.Tender{Method: pay.Method(posted.Get("method")), Token: posted.Get("wallet_token"), Attempt: attempt}
	if t.Method == pay.MethodCard {
		card := readCard(posted.Get("number"), posted.Get("expiry"), posted.Get("cvc"))
		if wrong := wrongParts(card, v.Now()); len(wrong) > 0 {
			v.show(id, http.StatusUnprocessableEntity, input{"check_card", wrong, shownAgain(posted.Get("expiry"))})
			return
		}
		t.Card, t.Token = &card, ""
	}
	c, err := v.Service.Pay(v.r.Context(), id, t)
	if err == nil && c.Payment != nil && v.Address.has(c.Payment.Action) {
		http.Redirect(v.w, v.r, c.Payment.Action, http.StatusSeeOther)
		return
	}
	v.afterPay(id, err)
}

// longestDate is what the page's input takes.
const longestDate = 9

// shownAgain is a date as it was typed, unless it is too long for one: a browser may have
// filled in the card's number there, which is never put back into a page.
func shownAgain(expiry string) string {
	if len(expiry) > longestDate {
		return ""
	}
	return expiry
}

// afterPay sends the browser to the page, which tells how things stand: so a
// reload asks again for the page and never for the payment.
func (v *visit) afterPay(id pay.SessionID, err error) {
	switch pay.CodeOf(err) {
	case pay.InvalidCard:
		v.show(id, http.StatusUnprocessableEntity, input{notice: "check_card", errors: blamed(err, v.Now())})
	case pay.SessionNotFound:
		v.notFound()
	case pay.InvalidRequest:
		v.show(id, http.StatusBadRequest, input{notice: "unknown_method"})
	case pay.PaymentInProgress, pay.SessionNotPending, pay.SessionHasExpired:
		v.toPage(id, "")
	default:
		if err != nil {
			v.failed("unsure", id, err)
			return
		}
		v.toPage(id, "")
	}
}

// cancel is the player's "no, thanks".
func (v *visit) cancel(id pay.SessionID) {
	if _, ok := v.openForm(id); !ok {
		return
	}
	_, err := v.Service.Leave(v.r.Context(), id)
	switch {
	case err == nil:
		v.toPage(id, "")
	case pay.CodeOf(err) == pay.SessionNotFound:
		v.notFound()
	case pay.CodeOf(err) == pay.Internal, pay.CodeOf(err) == pay.Unavailable:
		v.failed("not_left", id, err)
	default:
		v.toPage(id, "") // it has ended meanwhile, or is being paid
	}
}

// testExpiry is a date that every test card takes.
func testExpiry(now time.Time) string { return now.AddDate(3, 0, 0).Format("01/06") }
