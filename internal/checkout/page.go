package checkout

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// input is what a refused form leaves to be told on the page that comes back.
type input struct {
	notice string            // a text's key
	errors map[string]string // a text's key by the field of the card
	expiry string            // as it was typed
}

// page shows a session as it stands.
func (v *visit) page(id pay.SessionID, _ string) { v.show(id, http.StatusOK, input{}) }

func (v *visit) toPage(id pay.SessionID, _ string) {
	// A browser asks already of the redirect whether it may be in a frame.
	if c, err := v.Service.Checkout(v.r.Context(), id); err == nil {
		v.allowFrames(c)
	}
	http.Redirect(v.w, v.r, v.Address.page(id), http.StatusSeeOther)
}

func (v *visit) show(id pay.SessionID, status int, in input) {
	c, ok := v.checkout(id)
	if !ok {
		return
	}
	shown := v.view(c)
	if shown.Form == nil {
		// The session has moved on, and what was typed in no longer matters.
		status = http.StatusOK
	} else {
		shown.blame(in)
	}
	v.render(status, templateFor(shown.State), shown)
}

// checkout looks the session up. Where it returns false it has answered already.
func (v *visit) checkout(id pay.SessionID) (gateway.Checkout, bool) {
	c, err := v.Service.Checkout(v.r.Context(), id)
	switch {
	case err == nil:
		v.allowFrames(c)
		return c, true
	case pay.CodeOf(err) == pay.SessionNotFound:
		v.notFound()
	default:
		v.failed("broken", id, err)
	}
	return c, false
}

// view says what the page shows of a session.
func (v *visit) view(c gateway.Checkout) *view {
	l := v.localeOf(c.Session)
	s := &view{
		locale: l, State: shownAs(c), Owed: true, Order: v.order(c, l), Sandbox: c.Session.Environment == pay.Sandbox,
		Poll: v.Address.do(c.Session.ID, "state"), Seen: stateOf(c).String(), Back: wayBack(l, c.Session, c.Game),
	}
	s.dress(c)
	v.allowImage(s.Order.Image)
	v.allowImage(s.Order.Logo)
	switch s.State {
	case "pending":
		s.Heading = l.text("title_pay", s.Order.Price, s.Order.Game)
		s.Form = v.form(c, l)
		if c.Payment != nil {
			s.Problem = l.sentences(l.text(reason(*c.Payment), s.Order.Game), l.text("try_again"), attemptsLeft(l, c.Session))
		}
	case "processing":
		s.Heading, s.Says = l.text("processing"), l.text("processing_says")
		s.Refresh = v.Address.page(c.Session.ID)
	case "verify":
		s.Heading, s.Says = l.text("verify"), l.text("verify_says")
		s.Link, s.LinkText = c.Payment.Action, l.text("verify_go")
	case "authorized":
		s.Heading, s.Says = held(l, c.Payment, s.Order.Game)
		s.Refresh = v.Address.page(c.Session.ID)
	case "paid", "refunded":
		s.Heading, s.Says = l.text(s.State), l.text(s.State+"_says", s.Order.Price, s.Order.Title)
		s.PaidWith = paidWith(l, c.Payment)
	default:
		s.Owed = false
		s.Heading, s.Says = l.text(s.State), l.text(s.State+"_says", s.Order.Game)
		if s.State == "failed" && c.Payment != nil {
			s.Problem = l.text(reason(*c.Payment), s.Order.Game)
		}
	}
	if s.Back != nil {
		s.Back.Auto = s.State == "paid" || s.State == "cancelled"
	}
	return s
}

// held says what a payment waits for whose amount is set aside: for its game to take it,
// to say whether it will, or for the provider to let it go because the game will not.
func held(l locale, p *pay.Payment, game string) (heading, says string) {
	switch waits := waitsFor(*p); waits {
	case releasing:
		return l.text(waits), l.sentences(l.text(reason(*p), game), l.text("releasing_says"))
	case asking:
		return l.text(waits, game), l.text("asking_says", game)
	}
	return l.text("authorized"), l.text("authorized_says", game)
}

const asking, releasing = "asking", "releasing"

// waitsFor is what an authorized payment waits for: nothing in particular, its game's
// word on it, or the end of its hold.
func waitsFor(p pay.Payment) string {
	switch {
	case p.Failure != nil:
		return releasing
	case p.Asking:
		return asking
	}
	return ""
}

func attemptsLeft(l locale, s pay.Session) string {
	if left := s.Attempts - s.Spent; left > 1 {
		return l.count("attempts_left", left)
	}
	return l.text("last_attempt")
}

// shownAs names the page that a session is shown as: its status, and while that
// is pending where its payment is.
func shownAs(c gateway.Checkout) string {
	switch {
	case c.Session.Status == pay.SessionPending && c.Session.Live && c.Payment != nil && c.Payment.Status == pay.PaymentAuthorized:
		return "authorized"
	case c.Session.Status == pay.SessionPending && c.Session.Live && c.Payment != nil && c.Payment.Action != "":
		return "verify"
	case c.Session.Status == pay.SessionPending && c.Session.Live:
		return "processing"
	case c.Session.Status == pay.SessionPaid && c.Payment != nil && c.Payment.Status == pay.PaymentRefunded:
		return "refunded"
	}
	return string(c.Session.Status)
}

func (v *visit) form(c gateway.Checkout, l locale) *form {
	id, attempt := c.Session.ID, c.Session.Spent
	f := &form{
		Pay: v.Address.do(id, "pay"), Cancel: v.Address.do(id, "cancel"),
		Token: v.token(id, attempt), Attempt: strconv.Itoa(attempt),
		Card: slices.Contains(c.Methods, pay.MethodCard),
	}
	if c.Session.Environment != pay.Sandbox {
		return f
	}
	f.TestCards, f.TestExpiry = v.TestCards, testExpiry(v.Now())
	v.offerWallets(f, c, l)
	return f
}

// offerWallets puts a button on the page for each wallet that makes sense on the device,
// and lists the others for developers. A player whose app withholds one is told how to
// get out of it.
func (v *visit) offerWallets(f *form, c gateway.Checkout, l locale) {
	d, id := deviceOf(v.r.Header), c.Session.ID
	for _, m := range c.Methods {
		switch w := (wallet{l.text(string(m)), v.Address.wallet(id, m)}); {
		case !sheets[m]:
		case d.shows(m, c.Session.Item.Price.Currency):
			f.Wallets = append(f.Wallets, w)
		default:
			f.OtherWallets = append(f.OtherWallets, w)
		}
	}
	if m := d.missesOut(); m != "" && slices.Contains(c.Methods, m) {
		page := v.Address.PageURL(id)
		f.InApp = &inApp{Says: l.text("in_app", l.text(string(m))), Open: d.elsewhere(page), Page: page}
	}
}

// blame tells what was wrong with a form, beside the fields.
func (s *view) blame(in input) {
	if in.notice != "" {
		s.Problem = s.T(in.notice)
	}
	s.Form.Expiry.Value = in.expiry
	focused := false
	for _, f := range []struct {
		name string
		*field
	}{{"number", &s.Form.Number}, {"expiry", &s.Form.Expiry}, {"cvc", &s.Form.CVC}} {
		if key := in.errors[f.name]; key != "" {
			f.Error = s.T(key)
			f.Focus, focused = !focused, true
		}
	}
}

// reason is the key of the text that says why a payment came to nothing, which may name
// the game.
func reason(p pay.Payment) string {
	switch {
	case p.Status == pay.PaymentCancelled:
		return "released"
	case p.Failure == nil:
		return string(pay.ProcessingError)
	case p.Failure.Code == pay.CardDeclined && p.Method != pay.MethodCard:
		return "declined"
	case english[string(p.Failure.Code)] == "":
		return string(pay.ProcessingError)
	}
	return string(p.Failure.Code)
}

var brands = map[string]string{
	"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover",
	"jcb": "JCB", "diners": "Diners Club", "unionpay": "UnionPay",
}

// paidWith is how the player paid, as a receipt says it.
func paidWith(l locale, p *pay.Payment) string {
	switch {
	case p == nil:
		return ""
	case p.Card.Last4 == "":
		return l.text(string(p.Method))
	case brands[p.Card.Brand] == "":
		return l.text("ending", l.text("card"), p.Card.Last4)
	}
	return l.text("ending", brands[p.Card.Brand], p.Card.Last4)
}
