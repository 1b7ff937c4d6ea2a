package gateway

import (
	"context"
	"errors"
	"regexp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var consumerName = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)

func (c Caller) consumer(name string) (store.Consumer, error) {
	if !consumerName.MatchString(name) {
		return store.Consumer{}, pay.RefuseField(pay.InvalidConsumer, "consumer", "must be 1 to 100 letters, digits and . _ : -, got %.120q", name)
	}
	if c.Key == "" {
		// The operator's listeners have a place that no key can name: no game is called so.
		return store.Consumer{Environment: c.Environment, Game: "*", Name: name}, nil
	}
	return store.Consumer{Environment: c.Environment, Game: c.Game, Name: name}, nil
}

// Acknowledge moves a consumer's place forward, and returns it as it is then.
func (s *Service) Acknowledge(ctx context.Context, c Caller, name string, p store.Place) (store.Place, error) {
	if err := c.mayWrite(); err != nil {
		return store.Place{}, err
	}
	consumer, err := c.consumer(name)
	if err != nil {
		return store.Place{}, err
	}
	latest, err := s.Latest(ctx, Caller{}, "")
	if err != nil {
		return store.Place{}, err
	}
	if p.Position < 0 || p.Position > latest { // beyond it the consumer would miss what is still to happen
		return store.Place{}, pay.RefuseField(pay.InvalidCursor, "cursor", "must be a next_cursor of ListEvents or WatchEvents")
	}
	p.At = pay.Clock(s.now())
	return s.store.Acknowledge(ctx, consumer, p)
}

// Consumer is how far a consumer has come; the zero Place where it has acknowledged nothing.
func (s *Service) Consumer(ctx context.Context, c Caller, name string) (store.Place, error) {
	consumer, err := c.consumer(name)
	if err != nil {
		return store.Place{}, err
	}
	place, err := view(ctx, s.store, func(r store.Reader) (store.Place, error) { return r.Consumer(consumer) })
	if errors.Is(err, store.ErrNotFound) {
		return store.Place{}, nil
	}
	return place, err
}
