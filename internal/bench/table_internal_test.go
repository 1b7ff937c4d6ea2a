package bench

import (
	"testing"
	"time"
)

func TestARoundInWhichOthersWereBusyDoesNotCount(t *testing.T) {
	f := figure{must: 0.5, aim: 0.8}
	quiet, busy := Result{Rate: 90}, Result{Rate: 10, Others: 0.31}
	to := []Result{{Rate: 100}, {Rate: 100}}

	good, all := f.rounds([]Result{quiet, busy}, to)
	if len(good) != 1 || len(all) != 2 || byRate(good[0]) != 0.9 {
		t.Errorf("of two rounds %d count, the first as %.2f", len(good), byRate(good[0]))
	}
	good, all = f.rounds([]Result{busy, busy}, to)
	if len(good) != 2 || len(all) != 2 {
		t.Errorf("where all are void %d are shown, want 2", len(good))
	}
}

func TestVerdict(t *testing.T) {
	least, most := figure{must: 0.5, aim: 0.8}, figure{must: 20, aim: 3, most: true}
	for _, tt := range []struct {
		figure figure
		value  float64
		void   bool
		want   string
	}{
		{least, 0.8, false, "aim"}, {least, 0.7, false, "must"}, {least, 0.4, false, "MISSED"},
		{most, 3, false, "aim"}, {most, 4, false, "must"}, {most, 21, false, "MISSED"},
		{least, 0.9, true, "aim (rounds left out)"},
	} {
		if got := tt.figure.verdict(tt.value, tt.void); got != tt.want {
			t.Errorf("%.1f is %q, want %q", tt.value, got, tt.want)
		}
	}
}

// The clocks are read before and after, so what they show must only grow, and what
// others used is never less than nothing.
func TestClocks(t *testing.T) {
	before := readClocks(1, 1)
	if !before.known {
		t.Skip("there is no /proc here")
	}
	for began := time.Now(); time.Since(began) < 30*time.Millisecond; {
	}
	used := readClocks(1, 1).since(before)
	if used.ours < 0 || used.all < 0 || used.others() < 0 {
		t.Errorf("the clocks went back: %+v", used)
	}
	if ticks("250") != 2500*time.Millisecond {
		t.Errorf("250 ticks are %v", ticks("250"))
	}
}

func TestMedian(t *testing.T) {
	same := func(x int) int { return x }
	if median([]int{3, 1, 2}, same) != 2 || median(nil, same) != 0 {
		t.Error("the middle one of 3, 1, 2 is 2, and of none 0")
	}
}
