// Package clock tells the time and waits for it. A server goes by the machine's clock, or
// in a sandbox by one that can be moved forward, so that what takes days is seen in a moment.
//
// Only what the product promises goes by it: deadlines, schedules, ages. How long a
// connection or another's answer may take is the machine's time, whatever the clock says.
package clock

import "time"

// A Clock tells the time and makes timers that go by it.
type Clock interface {
	Now() time.Time
	NewTimer(time.Duration) *Timer
}

// A Timer sends the time on C once when it comes due. As with those of package time, after
// Stop or Reset has returned nothing is received that was sent before.
type Timer struct {
	C <-chan time.Time
	waiting
}

// waiting is what a timer stands on. Stop and Reset say whether it was still to be received.
type waiting interface {
	Stop() bool
	Reset(time.Duration) bool
}

// System is the machine's clock.
var System = Reading(time.Now)

// Reading is a clock that tells the time as it is told to, and waits as the machine does.
func Reading(now func() time.Time) Clock { return reading(now) }

type reading func() time.Time

func (r reading) Now() time.Time { return r() }

func (reading) NewTimer(d time.Duration) *Timer {
	t := time.NewTimer(d)
	return &Timer{t.C, t}
}

// Sleep waits until that much time has passed by a clock, and says false where stop was
// closed meanwhile.
func Sleep(c Clock, d time.Duration, stop <-chan struct{}) bool {
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-stop:
	}
	select {
	case <-stop: // even where both have happened
		return false
	default:
		return true
	}
}
