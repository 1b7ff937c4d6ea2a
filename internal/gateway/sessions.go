package gateway

import (
	"context"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// CreateSession makes a session, or gives the first answer again where the
// idempotency key was used for the same order before.
func (s *Service) CreateSession(ctx context.Context, c Caller, o pay.Order, idem Idempotency) (session pay.Session, replayed bool, err error) {
	if err := c.checkWrite(idem); err != nil {
		return pay.Session{}, false, err
	}
	game, err := s.game(c, o.Game)
	if err != nil {
		return pay.Session{}, false, err
	}
	now := s.now()
	id := pay.NewSessionID(now, entropy())
	order, refusal := pay.NewSession(id, c.Environment, game, o, now)
	if refusal != nil && idem.Key == "" {
		return pay.Session{}, false, refusal
	}
	s.writePayloads(order)
	scope := store.Scope{Environment: c.Environment, Game: game.ID, Method: "CreateSession"}
	err = s.store.Update(ctx, id, func(tx store.Tx) error {
		var made string
		made, replayed, err = idem.once(tx, scope, now, s.window, func() (string, error) {
			if refusal != nil {
				return "", refusal
			}
			session = *order.Session
			return string(id), tx.Apply(pay.Change{Session: &session, Image: order.Image, Events: order.Events})
		})
		if replayed {
			session, err = tx.Session(pay.SessionID(made))
			session = session.AsCreated()
		}
		return err
	})
	return session, replayed, err
}

// Session is a session as of now. An expiry that is not stored yet is stored before
// anybody is told: a payment that was decided on in time may be on its way into the
// store, and no end that was seen may be followed by another.
func (s *Service) Session(ctx context.Context, c Caller, id pay.SessionID) (pay.Session, error) {
	read := func(r store.Reader) (pay.Session, error) { return c.session(r, id) }
	session, err := view(ctx, s.store, read)
	if err == nil && session.Standing().Overdue(s.now()) {
		if err = s.expire(ctx, id, s.now()); err == nil {
			session, err = view(ctx, s.store, read)
		}
	}
	return session, err
}

// SessionStatus is a session's status as of now.
func (s *Service) SessionStatus(ctx context.Context, c Caller, id pay.SessionID) (pay.SessionStatus, error) {
	standing, err := view(ctx, s.store, func(r store.Reader) (pay.Standing, error) { return c.standing(r, id) })
	if err == nil && standing.Overdue(s.now()) {
		session, err := s.Session(ctx, c, id)
		return session.Status, err
	}
	return standing.Status, err
}

// CancelSession calls a session off before anything was charged.
func (s *Service) CancelSession(ctx context.Context, c Caller, id pay.SessionID, idem Idempotency) (replayed bool, err error) {
	if err := c.checkWrite(idem); err != nil {
		return false, err
	}
	now := s.now()
	err = s.store.Update(ctx, id, func(tx store.Tx) error {
		session, err := c.session(tx, id)
		if err != nil {
			return err
		}
		scope := store.Scope{Environment: session.Environment, Game: session.Game, Method: "CancelSession"}
		_, replayed, err = idem.once(tx, scope, now, s.window, func() (string, error) {
			change, err := session.Cancel(s.now())
			if err != nil {
				return "", err
			}
			return string(id), s.apply(tx, change)
		})
		return err
	})
	return replayed, s.storeExpiry(ctx, id, err)
}

// storeExpiry stores the expiry that a refusal is about to tell of.
func (s *Service) storeExpiry(ctx context.Context, id pay.SessionID, refusal error) error {
	if pay.CodeOf(refusal) == pay.SessionHasExpired {
		if err := s.expire(context.WithoutCancel(ctx), id, s.now()); err != nil {
			return err
		}
	}
	return refusal
}

// Sessions pages through a game's sessions, newest first, each as of now.
func (s *Service) Sessions(ctx context.Context, c Caller, q store.SessionQuery) (store.Page[pay.Session], error) {
	if _, err := s.game(c, q.Game); err != nil {
		return store.Page[pay.Session]{}, err
	}
	q.Environment = c.Environment
	// What the clock has decided is stored first, so that rows, filter and total are as of now.
	if err := s.sweep(ctx, s.now()); err != nil {
		return store.Page[pay.Session]{}, err
	}
	return view(ctx, s.store, func(r store.Reader) (store.Page[pay.Session], error) { return r.Sessions(q) })
}

// checkWrite refuses a call that changes something from a caller that may not, or
// with a malformed idempotency key.
func (c Caller) checkWrite(idem Idempotency) error {
	if err := c.mayWrite(); err != nil {
		return err
	}
	return idem.check()
}

// overdueBatch bounds how many overdue sessions one look brings up.
const overdueBatch = 512

// sweep stores the expiry of every session whose deadline has passed.
func (s *Service) sweep(ctx context.Context, now time.Time) error {
	for {
		ids, err := view(ctx, s.store, func(r store.Reader) ([]pay.SessionID, error) { return r.Overdue(now, overdueBatch) })
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := each(ids, func(id pay.SessionID) error { return s.expire(ctx, id, now) }); err != nil {
			return err
		}
	}
}

func (s *Service) expire(ctx context.Context, id pay.SessionID, now time.Time) error {
	_, err := s.change(ctx, id, func(_ store.Tx, session pay.Session) (pay.Change, error) {
		return session.Expire(now), nil
	})
	return err
}
