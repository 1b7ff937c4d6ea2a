package webhook_test

import (
	"path/filepath"
	"testing"

	"github.com/coinslot/coinslot/internal/store/sqlite"
)

func openStore(t *testing.T) fullStore {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "coinslot.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
