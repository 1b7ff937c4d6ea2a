package sqlite_test

import (
	"testing"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, sqlite.Options{}) })
}

func TestStoreOneTransactionEach(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, sqlite.Options{Solo: true}) }, "Update")
}
