package clock_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
)

// fired says whether a timer has come due and was not received yet.
func fired(t *clock.Timer) bool {
	synctest.Wait()
	select {
	case <-t.C:
		return true
	default:
		return false
	}
}

// eachClock runs a test on every kind of clock, in a bubble.
func eachClock(t *testing.T, test func(*testing.T, clock.Clock)) {
	for name, made := range map[string]func() clock.Clock{
		"the machine's":            func() clock.Clock { return clock.System },
		"one that can be moved":    func() clock.Clock { return clock.New(0) },
		"one that was moved":       func() clock.Clock { return clock.New(25 * time.Hour) },
		"one that reads otherwise": func() clock.Clock { return clock.Reading(func() time.Time { return time.Unix(1, 0) }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, made()) })
		})
	}
}

func TestATimerFiresOnceWhenItIsDue(t *testing.T) {
	eachClock(t, func(t *testing.T, c clock.Clock) {
		timer := c.NewTimer(time.Minute)
		time.Sleep(time.Minute - time.Nanosecond)
		if fired(timer) {
			t.Error("it fired too early")
		}
		time.Sleep(time.Nanosecond)
		if !fired(timer) {
			t.Error("it did not fire")
		}
		time.Sleep(time.Hour)
		if fired(timer) {
			t.Error("it fired twice")
		}
	})
}

func TestATimerOfNoTimeFiresAtOnce(t *testing.T) {
	eachClock(t, func(t *testing.T, c clock.Clock) {
		for _, d := range []time.Duration{0, -time.Hour} {
			timer := c.NewTimer(d)
			if !fired(timer) {
				t.Errorf("a timer of %v did not fire", d)
			}
		}
	})
}

func TestAStoppedTimerNeverFires(t *testing.T) {
	eachClock(t, func(t *testing.T, c clock.Clock) {
		timer := c.NewTimer(time.Minute)
		if !timer.Stop() {
			t.Error("Stop = false for one that was running")
		}
		if timer.Stop() {
			t.Error("Stop = true for one that was stopped")
		}
		time.Sleep(time.Hour)
		if fired(timer) {
			t.Error("it fired")
		}
	})
}

func TestNothingOldIsReceivedAfterStopOrReset(t *testing.T) {
	eachClock(t, func(t *testing.T, c clock.Clock) {
		timer := c.NewTimer(time.Minute)
		time.Sleep(time.Hour)
		if !timer.Stop() || fired(timer) {
			t.Error("what it had sent was there after Stop")
		}
		timer.Reset(time.Minute)
		time.Sleep(time.Hour)
		if !timer.Reset(time.Minute) || fired(timer) {
			t.Error("what it had sent was there after Reset")
		}
		time.Sleep(time.Minute)
		if !fired(timer) {
			t.Error("it did not fire after Reset")
		}
		if timer.Stop() || timer.Reset(time.Second) {
			t.Error("Stop or Reset = true after it was received")
		}
		time.Sleep(time.Second)
		if !fired(timer) {
			t.Error("it did not fire the third time")
		}
	})
}

func TestSleepWaitsUnlessItIsStopped(t *testing.T) {
	eachClock(t, func(t *testing.T, c clock.Clock) {
		stop := make(chan struct{})
		began := time.Now()
		if !clock.Sleep(c, time.Minute, stop) || time.Since(began) != time.Minute {
			t.Errorf("it slept %v, want a minute to the end", time.Since(began))
		}
		time.AfterFunc(time.Second, func() { close(stop) })
		if clock.Sleep(c, time.Minute, stop) || time.Since(began) != time.Minute+time.Second {
			t.Errorf("it ended after %v, want a second more", time.Since(began))
		}
		if clock.Sleep(c, 0, stop) {
			t.Error("it went on though it was told to stop before")
		}
	})
}

func TestAMovedClockIsAheadAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New(time.Hour)
		if got := time.Until(c.Now()); got != time.Hour {
			t.Errorf("it is %v ahead, want 1h", got)
		}
		c.Advance(25 * time.Hour)
		c.Advance(0)
		time.Sleep(time.Minute)
		if got := time.Until(c.Now()); got != 26*time.Hour || c.Offset() != got {
			t.Errorf("it is %v ahead and says %v, want 26h", got, c.Offset())
		}
	})
}

func TestAdvanceFiresWhatIsDueAndShortensTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New(0)
		past, due, later := c.NewTimer(time.Hour), c.NewTimer(2*time.Hour), c.NewTimer(3*time.Hour)
		c.Advance(2 * time.Hour)
		for _, timer := range []*clock.Timer{past, due} {
			select {
			case at := <-timer.C:
				if !at.Equal(c.Now()) {
					t.Errorf("it sent %v, want %v", at, c.Now())
				}
			default:
				t.Error("a timer that was due had not fired when Advance returned")
			}
		}
		if fired(later) {
			t.Error("a timer fired an hour early")
		}
		time.Sleep(time.Hour)
		if !fired(later) {
			t.Error("a timer did not fire after the hour that was left")
		}
		time.Sleep(24 * time.Hour)
		if fired(past) || fired(due) || fired(later) {
			t.Error("a timer fired twice")
		}
	})
}

func TestAdvanceLeavesStoppedTimersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New(0)
		stopped, again := c.NewTimer(time.Hour), c.NewTimer(time.Hour)
		stopped.Stop()
		again.Reset(3 * time.Hour)
		c.Advance(2 * time.Hour)
		if fired(stopped) || fired(again) {
			t.Error("a timer fired that was stopped or set later")
		}
		c.Advance(time.Hour)
		if fired(stopped) || !fired(again) {
			t.Error("only the one that was set again should have fired")
		}
	})
}

func TestManyMayUseAClockAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New(0)
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				timer := c.NewTimer(time.Duration(i) * time.Minute)
				timer.Reset(time.Duration(i+1) * time.Minute)
				<-timer.C
			})
			all.Go(func() { c.Advance(time.Second) })
		}
		all.Wait()
		if c.Offset() != 50*time.Second {
			t.Errorf("it is %v ahead, want 50s", c.Offset())
		}
	})
}

func TestAClockNeverGoesBack(t *testing.T) {
	const century = 100 * 365 * 24 * time.Hour
	for name, wrong := range map[string]func(){
		"New":                     func() { clock.New(-1) },
		"Advance":                 func() { clock.New(0).Advance(-1) },
		"Advance, by overflowing": func() { c := clock.New(2 * century); c.Advance(century) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not panic")
				}
			}()
			wrong()
		})
	}
}
