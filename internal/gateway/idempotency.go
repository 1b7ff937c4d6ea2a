package gateway

import (
	"errors"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Idempotency is what a caller sent so that its retry does nothing twice.
type Idempotency struct {
	Key         string   // empty: none was sent
	Fingerprint [32]byte // of the request after parsing: the same message, the same fingerprint
}

// once runs effect unless the call was answered before. Effect and answer are
// written by the same transaction, so after a crash either both are there or neither.
// It returns what the first call's effect returned: the id of what it made.
func (i Idempotency) once(tx store.Tx, scope store.Scope, now time.Time, window time.Duration, effect func() (string, error)) (result string, replayed bool, err error) {
	if result, replayed, err = i.replay(tx, scope, now); replayed || err != nil {
		return result, replayed, err
	}
	if result, err = effect(); err != nil {
		return "", false, err
	}
	return result, false, i.remember(tx, scope, result, now, window)
}

// remember keeps what a call did for its repeats.
func (i Idempotency) remember(tx store.Tx, scope store.Scope, result string, now time.Time, window time.Duration) error {
	if i.Key == "" {
		return nil
	}
	return tx.Remember(store.Answer{
		Scope: scope, Key: i.Key, Fingerprint: i.Fingerprint, Result: result, ExpiresAt: pay.Clock(now.Add(window)),
	}, pay.Clock(now))
}

// replay looks for the answer that was given before, and refuses a key that came
// with another request.
func (i Idempotency) replay(r store.Reader, scope store.Scope, now time.Time) (string, bool, error) {
	if i.Key == "" {
		return "", false, nil
	}
	answer, err := r.Answer(scope, i.Key, now)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", false, nil
	case err != nil:
		return "", false, err
	case answer.Fingerprint != i.Fingerprint:
		return "", false, pay.Refuse(pay.IdempotencyConflict, "Idempotency-Key was used with another request within the last day; use a new key for a new request")
	}
	return answer.Result, true, nil
}

func (i Idempotency) check() error {
	if i.Key == "" {
		return nil
	}
	return pay.CheckIdempotencyKey(i.Key)
}
