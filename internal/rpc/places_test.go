package rpc

import (
	"strings"
	"testing"
)

func TestAPlaceIsReadByWhoHasTheKeyAndTheFilters(t *testing.T) {
	ours, others := NewPlaces([32]byte{1}), NewPlaces([32]byte{2})
	chess, arcade := []string{"events", "chess"}, []string{"events", "arcade"}
	for _, at := range []int64{0, 1, 255, 1 << 39} {
		c := ours.cursor(at, chess)
		if got, ok := ours.at(c, chess); !ok || got != at {
			t.Errorf("%d is read as %d, %t", at, got, ok)
		}
		if got, ok := ours.whatever(c); !ok || got != at {
			t.Errorf("%d is read as %d, %t, whatever its filters", at, got, ok)
		}
		if _, ok := ours.at(c, arcade); ok {
			t.Errorf("%d is good with other filters", at)
		}
		if _, ok := others.whatever(c); ok {
			t.Errorf("%d is good with another key", at)
		}
		if c != ours.cursor(at, chess) {
			t.Errorf("%d has two cursors", at)
		}
	}
	// The cursors of neighbours show nothing of how near they are.
	a, b := ours.cursor(41, chess), ours.cursor(42, chess)
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	if same > len(a)/2 {
		t.Errorf("%s and %s look alike", a, b)
	}
	for _, forged := range []string{"", "x", strings.Repeat("A", 22), newCursor("5", chess), a + "A", a[:21]} {
		if at, ok := ours.whatever(forged); ok {
			t.Errorf("%q is taken for place %d", forged, at)
		}
	}
}
