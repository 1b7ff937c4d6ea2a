package gateway

import (
	"context"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// What the operator sees and does of deliveries.

// recoverBatch is how many deliveries are sent again in one transaction.
const recoverBatch = 500

// Deliveries pages through what an endpoint was sent or is to be, newest event first.
func (s *Service) Deliveries(ctx context.Context, q store.DeliveryQuery) (store.Deliveries, error) {
	found, err := view(ctx, s.store, func(r store.Reader) (store.Deliveries, error) { return r.Deliveries(q) })
	return found, notFound(err, pay.NotFound, "webhook endpoint", string(q.Endpoint))
}

// Attempts is a delivery and all that was tried.
func (s *Service) Attempts(ctx context.Context, id pay.DeliveryID) (d store.DeliveryState, attempts []pay.Attempt, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		if d, err = r.Delivery(id); err != nil {
			return notFound(err, pay.NotFound, "delivery", id.String())
		}
		attempts, err = r.Attempts(id)
		return err
	})
	return d, attempts, err
}

// Redeliver sends a delivery again, whatever became of it.
func (s *Service) Redeliver(ctx context.Context, id pay.DeliveryID) error {
	return notFound(s.store.Redeliver(ctx, id, pay.Clock(s.now())), pay.NotFound, "delivery", id.String())
}

// RedeliverEvent sends an event again to whoever was sent it or wants it by now, and says
// to how many that is.
func (s *Service) RedeliverEvent(ctx context.Context, id pay.EventID) (int, error) {
	sent, err := s.store.RedeliverEvent(ctx, id, pay.Clock(s.now()))
	return sent, notFound(err, pay.EventNotFound, "event", string(id))
}

// Recover sends again all that an endpoint was never given, of events since a time, and
// says how much that is.
func (s *Service) Recover(ctx context.Context, id pay.EndpointID, since time.Time) (sent int, err error) {
	for now := pay.Clock(s.now()); ; {
		n, err := s.store.Recover(ctx, id, since, now, recoverBatch)
		sent += n
		if err != nil || n < recoverBatch {
			return sent, notFound(err, pay.NotFound, "webhook endpoint", string(id))
		}
	}
}
