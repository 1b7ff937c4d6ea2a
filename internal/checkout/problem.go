package checkout

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// notFound is one page for whatever is not there: nothing in it tells an id that
// was never given out from one that could not be.
func (v *visit) notFound() {
	v.frames = nil
	v.lock()
	if !v.missed() {
		v.render(http.StatusTooManyRequests, "problem", v.trouble("too_many"))
		return
	}
	v.render(http.StatusNotFound, "problem", v.trouble("not_found"))
}

func (v *visit) wrongMethod(a action) {
	allow := "GET, HEAD"
	if a.post != nil {
		allow += ", POST"
	}
	v.w.Header().Set("Allow", allow)
	v.render(http.StatusMethodNotAllowed, "problem", v.trouble("wrong_method"))
}

// problem says why a form was refused, and leads back to the page.
func (v *visit) problem(status int, text string, id pay.SessionID) {
	s := v.troubleWith(id, text)
	s.Link, s.LinkText = v.Address.page(id), s.T("to_payment")
	v.render(status, "problem", s)
}

// failed says that something of ours broke. It claims no more than is known: after
// a payment was begun nobody can say that nothing was charged.
func (v *visit) failed(text string, id pay.SessionID, err error) {
	var s *view
	if text == "broken" { // the session itself cannot be looked up
		s = v.trouble(text)
		s.LinkText = s.T("reload")
	} else {
		s = v.troubleWith(id, text)
		s.LinkText = s.T("to_payment")
	}
	s.Link = v.Address.page(id)
	s.Reference = s.T("reference", v.report(id, err))
	status := http.StatusInternalServerError
	if gateway.Unavailable(err) {
		status = http.StatusServiceUnavailable
		v.w.Header().Set("Retry-After", "5")
	}
	v.render(status, "problem", s)
}

func (v *visit) trouble(text string) *view {
	return v.troubleIn(localeFor("", v.acceptLanguage()), text)
}

// troubleWith is told in the session's own language, where it can still be looked up.
func (v *visit) troubleWith(id pay.SessionID, text string) *view {
	c, err := v.Service.Checkout(v.r.Context(), id)
	if err != nil {
		return v.trouble(text)
	}
	v.allowFrames(c)
	s := v.troubleIn(v.localeOf(c.Session), text)
	s.dress(c)
	return s
}

func (v *visit) troubleIn(l locale, text string) *view {
	return &view{locale: l, State: "problem", Heading: l.text(text), Says: l.text(text + "_says")}
}

func (v *visit) localeOf(s pay.Session) locale { return localeFor(s.Locale, v.acceptLanguage()) }

// acceptLanguage is the whole header: a proxy may have sent it in several lines.
func (v *visit) acceptLanguage() string {
	return strings.Join(v.r.Header.Values("Accept-Language"), ",")
}

// report logs an error whole and returns the reference that the player is shown.
// Of the session's id it logs only the time of its making, since the whole opens the page.
func (v *visit) report(id pay.SessionID, err error) string {
	reference := rand.Text()[:8]
	if !errors.Is(err, context.Canceled) { // the player went away
		v.Logger.ErrorContext(v.r.Context(), "payment page failed", "reference", reference, "session", id[:min(len(id), 12)]+"…", "method", v.r.Method, "error", err)
	}
	return reference
}
