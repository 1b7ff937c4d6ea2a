package sqlstore_test

import (
	"context"
	"testing"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
	"github.com/coinslot/coinslot/internal/store/storetest"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// folding brings totals and marks up to date before every other look, so that lists are
// read with tallies, without any, and with both.
type folding struct {
	*postgres.Store
	looks int
}

func (f *folding) View(ctx context.Context, fn func(store.Reader) error) error {
	if f.looks++; f.looks%2 == 0 {
		if err := f.Fold(ctx); err != nil {
			return err
		}
	}
	return f.Store.View(ctx, fn)
}

func TestPostgresWithManyMarks(t *testing.T) {
	sqlstore.ShortenMarks()
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := postgres.Open(t.Context(), postgrestest.URL(t), postgres.Options{Alone: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return &folding{Store: s}
	}, "Lists", "Refunds")
}
