package storetest

import (
	"cmp"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var listCases = []testCase{
	{"a list of a game that sold nothing is empty", func(w *world) {
		w.view(func(r store.Reader) {
			s, err := r.Sessions(store.SessionQuery{Environment: home.env, Game: home.game, Window: store.Window{Limit: 10}})
			w.must(err)
			w.same("rows", len(s.Rows), 0)
			w.same("total", s.Total, int64(0))
			p, err := r.Payments(store.PaymentQuery{Environment: home.env, Game: home.game, Window: store.Window{Limit: 10, Offset: 100000}})
			w.must(err)
			w.same("rows", len(p.Rows), 0)
			w.same("more", p.More, false)
		})
	}},
	{"rows of a list are whole", func(w *world) {
		p := w.paid(home)
		w.view(func(r store.Reader) {
			sessions, err := r.Sessions(store.SessionQuery{Environment: home.env, Game: home.game, Window: store.Window{Limit: 10}})
			w.must(err)
			session, err := r.Session(p.Session)
			w.must(err)
			w.same("sessions", sessions.Rows, []pay.Session{session})
			payments, err := r.Payments(store.PaymentQuery{Environment: home.env, Game: home.game, Window: store.Window{Limit: 10}})
			w.must(err)
			w.same("payments", payments.Rows, []pay.Payment{p})
		})
	}},
	{"every page of every list is what a plain filter over everything gives", everyPage},
}

// Few of each, so that every filter has hits and misses.
var (
	shelves = []shelf{home, {pay.Production, "chess"}, {pay.Sandbox, "go"}}
	users   = []pay.UserID{"ann", "bob"}
	orders  = []string{"", "o1", "o2"}
)

// model is what a store should hold: everything, in the order of ids.
type model struct {
	sessions []pay.SessionID
}

// everyPage grows a history at random and compares random pages against a filter,
// within the transaction that made them and in a View.
func everyPage(w *world) {
	m := &model{}
	rapid.Check(w.T, func(rt *rapid.T) {
		before := len(m.sessions)
		w.must(w.store.Update(w.Context(), "sess_0", func(tx store.Tx) error {
			m.sessions = m.sessions[:before] // fn may run again
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				c := m.step(w, rt, tx)
				if err := tx.Apply(withPayloads(c)); err != nil {
					return err
				}
			}
			m.compare(w, rt, tx, 1)
			return nil
		}))
		w.view(func(r store.Reader) { m.compare(w, rt, r, 4) })
	})
}

func (m *model) compare(w *world, rt *rapid.T, r store.Reader, pages int) {
	sessions, payments := m.read(w, r)
	for range pages {
		comparePage(w, rt, r, sessions, payments)
	}
}

// step makes a session or moves one on.
func (m *model) step(w *world, rt *rapid.T, tx store.Tx) (c pay.Change) {
	if len(m.sessions) == 0 || rapid.Bool().Draw(rt, "new") {
		c = w.order(rapid.SampledFrom(shelves).Draw(rt, "shelf"), rapid.SampledFrom(users).Draw(rt, "user"), rapid.SampledFrom(orders).Draw(rt, "order"))
		m.sessions = append(m.sessions, c.Session.ID)
		return c
	}
	s, err := tx.Session(rapid.SampledFrom(m.sessions).Draw(rt, "session"))
	w.must(err)
	now := w.tick()
	switch {
	case s.Status != pay.SessionPending:
	case s.Live:
		p, err := tx.Payment(s.Payment)
		w.must(err)
		outcomes := []pay.OutcomeKind{pay.OutcomeSucceeded, pay.OutcomeFailed, pay.OutcomeAuthorized}
		return s.Settle(p, pay.Outcome{Kind: rapid.SampledFrom(outcomes).Draw(rt, "outcome")}, now)
	case rapid.Bool().Draw(rt, "cancel"):
		c, err = s.Cancel(now)
	default:
		c, err = s.StartPayment(pay.NewPaymentID(now, w.entropy()), pay.MethodCard, pay.CardHint{}, now)
	}
	w.must(err)
	return c
}

// read is everything, newest first.
func (m *model) read(w *world, r store.Reader) (sessions []pay.Session, sold []pay.Payment) {
	for _, id := range m.sessions {
		s, err := r.Session(id)
		w.must(err)
		sessions = append(sessions, s)
		payments, err := r.SessionPayments(id)
		w.must(err)
		for _, p := range payments {
			if p.Status == pay.PaymentSucceeded {
				sold = append(sold, p)
			}
		}
	}
	slices.SortFunc(sold, func(a, b pay.Payment) int { return cmp.Compare(b.ID, a.ID) })
	slices.Reverse(sessions)
	return sessions, sold
}

func comparePage(w *world, rt *rapid.T, r store.Reader, sessions []pay.Session, sold []pay.Payment) {
	at := rapid.SampledFrom(shelves).Draw(rt, "shelf")
	user := rapid.SampledFrom(append(users, "")).Draw(rt, "user")
	status := rapid.SampledFrom(append(pay.SessionStatuses, "")).Draw(rt, "status")
	order := rapid.SampledFrom(orders).Draw(rt, "order")
	win := store.Window{Limit: rapid.IntRange(1, 8).Draw(rt, "limit"), Offset: rapid.IntRange(0, 40).Draw(rt, "offset")}
	if rapid.Bool().Draw(rt, "cursor") {
		win.After = string(rapid.SampledFrom(sessions).Draw(rt, "after").ID)
	}
	got, err := r.Sessions(store.SessionQuery{Environment: at.env, Game: at.game, User: user, Status: status, OrderID: order, Window: win})
	w.must(err)
	want := pageOf(sessions, win, func(s pay.Session) (string, bool) {
		return string(s.ID), s.Environment == at.env && s.Game == at.game && (user == "" || s.User == user) &&
			(status == "" || s.Status == status) && (order == "" || s.OrderID == order)
	})
	w.same(fmt.Sprintf("sessions of %v, user %q, status %q, order %q, %+v", at, user, status, order, win), got, want)

	win.After = ""
	if len(sold) > 0 && rapid.Bool().Draw(rt, "cursor") {
		win.After = string(rapid.SampledFrom(sold).Draw(rt, "after").ID)
	}
	gotSold, err := r.Payments(store.PaymentQuery{Environment: at.env, Game: at.game, User: user, Window: win})
	w.must(err)
	wantSold := pageOf(sold, win, func(p pay.Payment) (string, bool) {
		return string(p.ID), p.Environment == at.env && p.Game == at.game && (user == "" || p.User == user)
	})
	w.same(fmt.Sprintf("payments of %v, user %q, %+v", at, user, win), gotSold, wantSold)
}

// pageOf is the plain way: filter everything, then cut.
func pageOf[T any](rows []T, win store.Window, matches func(T) (id string, ok bool)) (p store.Page[T]) {
	var found []T
	for _, row := range rows {
		id, ok := matches(row)
		if !ok {
			continue
		}
		p.Total++
		if win.After == "" || id < win.After {
			found = append(found, row)
		}
	}
	found = found[min(win.Offset, len(found)):]
	p.More = len(found) > win.Limit
	p.Rows = append([]T(nil), found[:min(win.Limit, len(found))]...)
	return p
}
