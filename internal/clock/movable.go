package clock

import (
	"sync"
	"time"
)

// Movable is a clock that is ahead of the machine's, and can be moved further ahead. It
// goes on with the machine's, and never goes back.
type Movable struct {
	mu     sync.Mutex
	offset time.Duration
	alarms map[*alarm]struct{} // those that are set
}

// New returns a clock that is that far ahead of the machine's.
func New(offset time.Duration) *Movable {
	if offset < 0 {
		panic("clock: a clock that is behind")
	}
	return &Movable{offset: offset, alarms: map[*alarm]struct{}{}}
}

// Now is the machine's time and what the clock is ahead.
func (m *Movable) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now()
}

func (m *Movable) now() time.Time { return time.Now().Add(m.offset) }

// Offset is how far the clock is ahead of the machine's.
func (m *Movable) Offset() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.offset
}

// Advance moves the clock. Timers that have come due by then have fired when it returns.
func (m *Movable) Advance(d time.Duration) {
	if d < 0 {
		panic("clock: a clock never goes back")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.offset+d < m.offset {
		panic("clock: a clock that is ahead by more than can be said")
	}
	m.offset += d
	now := m.now()
	for a := range m.alarms {
		if rest := a.due.Sub(now); rest > 0 {
			a.machine.Reset(rest)
		} else {
			a.fire(now)
		}
	}
}

// NewTimer returns a timer that comes due when that much time has passed by this clock,
// and at once if the clock is moved past that.
func (m *Movable) NewTimer(d time.Duration) *Timer {
	a := &alarm{clock: m, c: make(chan time.Time, 1)}
	m.mu.Lock()
	defer m.mu.Unlock()
	a.set(d)
	return &Timer{a.c, a}
}

// alarm is a timer of a clock that can be moved. Its clock's lock is held wherever it changes.
type alarm struct {
	clock   *Movable
	c       chan time.Time // holds one
	due     time.Time
	machine *time.Timer // wakes it if the clock is not moved
}

func (a *alarm) set(d time.Duration) {
	a.due = a.clock.now().Add(d)
	a.clock.alarms[a] = struct{}{}
	if a.machine == nil {
		a.machine = time.AfterFunc(d, a.wake)
	} else {
		a.machine.Reset(d)
	}
}

// wake is called when the machine's time has come. By then the timer can have been stopped
// or set again.
func (a *alarm) wake() {
	a.clock.mu.Lock()
	defer a.clock.mu.Unlock()
	now := a.clock.now()
	if _, set := a.clock.alarms[a]; set && !now.Before(a.due) {
		a.fire(now)
	}
}

func (a *alarm) fire(now time.Time) {
	a.clear()
	a.c <- now // there is room: whoever sets it takes out what was there
}

// clear ends the wait, and says whether there was one.
func (a *alarm) clear() bool {
	_, was := a.clock.alarms[a]
	delete(a.clock.alarms, a)
	a.machine.Stop()
	return was
}

// Stop ends the wait, and takes back what nobody has received.
func (a *alarm) Stop() bool {
	a.clock.mu.Lock()
	defer a.clock.mu.Unlock()
	return a.stop()
}

func (a *alarm) stop() bool {
	was := a.clear()
	select {
	case <-a.c:
		was = true
	default:
	}
	return was
}

// Reset begins another wait in place of the one under way.
func (a *alarm) Reset(d time.Duration) bool {
	a.clock.mu.Lock()
	defer a.clock.mu.Unlock()
	was := a.stop()
	a.set(d)
	return was
}
