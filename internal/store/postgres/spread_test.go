package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/storetest"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// spread is a store whose calls go to one server after the other, so that the contract is
// kept by all of them together.
type spread struct {
	store.Store // the first, for what is left
	all         []store.Store
	calls       atomic.Uint64
}

func (s *spread) next() store.Store { return s.all[s.calls.Add(1)%uint64(len(s.all))] }

func (s *spread) Update(ctx context.Context, id pay.SessionID, fn func(store.Tx) error) error {
	return s.next().Update(ctx, id, fn)
}

func (s *spread) View(ctx context.Context, fn func(store.Reader) error) error {
	return s.next().View(ctx, fn)
}

func (s *spread) Configure(ctx context.Context, fn func(store.Settings) error) error {
	return s.next().Configure(ctx, fn)
}

func (s *spread) Acknowledge(ctx context.Context, c store.Consumer, p store.Place) (store.Place, error) {
	return s.next().Acknowledge(ctx, c, p)
}

func (s *spread) Claim(ctx context.Context, e pay.EndpointID, now, until time.Time, most int) ([]pay.Delivery, error) {
	return s.next().Claim(ctx, e, now, until, most)
}

func (s *spread) Record(ctx context.Context, made ...store.Outcome) error {
	return s.next().Record(ctx, made...)
}

func (s *spread) NextDue(ctx context.Context) (time.Time, error) { return s.next().NextDue(ctx) }

// The rules of Update itself are about goroutines of one process; between servers they are
// tested above.
func TestSeveralServersAreOneStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		url := postgrestest.URL(t)
		s := &spread{}
		for range 3 {
			s.all = append(s.all, open(t, url))
		}
		s.Store = s.all[0]
		return s
	}, "Answers", "Reading", "Feed", "Settings", "Queue", "Redelivery", "Following")
}
