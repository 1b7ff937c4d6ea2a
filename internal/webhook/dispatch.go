package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const (
	// mostDue bounds the endpoints that one look takes in. It must be more than there
	// are dead ones, which are always due and come first.
	mostDue = 4096

	// mostLanes is how many endpoints are remembered; beyond it those are forgotten
	// that have nothing to do.
	mostLanes = 10_000

	// lookPause is the least time between two looks that new events cause. A stream
	// of them then costs a hundred looks a second and no more.
	lookPause = 10 * time.Millisecond

	// busyPause is the time until the next look where something is due that we cannot
	// take now, or the store failed.
	busyPause = time.Second

	// idlePause is the longest time between looks. It bounds how late we see what no
	// token tells of, such as a clock that was set.
	idlePause = time.Minute

	// recordFactor bounds what was taken and is not recorded yet, as a multiple of what is
	// posted at a time. The more there is, the more one write records; after a crash all
	// of it arrives twice.
	recordFactor = 4

	// drainFor is how long what is held may still be begun after the end was called.
	drainFor = time.Second
)

// dispatcher decides who works on what. One goroutine, that of Run, owns all of
// it; jobs run on other goroutines, at most workers of them, as recording does, and hand
// back what is to be done about their outcome. So nothing here is locked.
type dispatcher struct {
	*Relay
	looks context.Context    // for the dispatcher's own reads: ends with Run
	jobs  context.Context    // for jobs: what has begun is finished
	next  chan func() func() // for goroutines that wait for a job
	done  chan func()

	lanes      map[pay.EndpointID]*lane
	proven     turns // lanes whose last attempt succeeded
	doubtful   turns // those of which nothing is known
	failing    turns // those whose last attempt failed; with the doubtful they get half of the workers
	flip       bool  // whose turn it is of the proven and the others
	busy       int   // jobs under way
	doubting   int   // those of them for lanes that are not proven
	despairing int   // those of them for lanes that fail
	taken      []taken
	recording  int // how much was taken before and is being recorded
	closing    bool

	timer   *clock.Timer
	lookAt  time.Time // the next look
	hurried bool      // a token asks for one before that, or one who waits for rest
	hurryAt time.Time // the earliest that it can have one

	waiting []chan struct{} // are closed at rest
}

func newDispatcher(ctx context.Context, r *Relay) *dispatcher {
	return &dispatcher{
		Relay: r, looks: ctx, jobs: context.WithoutCancel(ctx), next: make(chan func() func()), done: make(chan func(), r.workers),
		lanes: map[pay.EndpointID]*lane{}, timer: r.clock.NewTimer(0),
	}
}

// turns is a queue of lanes.
type turns []*lane

func (t *turns) pop() *lane {
	if len(*t) == 0 {
		return nil
	}
	l := (*t)[0]
	*t = (*t)[1:]
	l.queued = false
	return l
}

func (d *dispatcher) run(ctx context.Context, written <-chan struct{}) {
	defer close(d.next)
	defer d.timer.Stop()
	for {
		d.assign()
		select {
		case <-ctx.Done():
			d.drain()
			return
		case _, open := <-written:
			if !open {
				written = nil // the store is closed; a closed channel would never let us wait
			}
			d.hurry()
		case settled := <-d.settling:
			d.awaitRest(settled)
		case <-d.timer.C:
			d.look()
		case finish := <-d.done:
			finish()
		}
	}
}

// drain works off what is under way, and for a moment what is held.
func (d *dispatcher) drain() {
	d.closing = true
	until := d.now().Add(drainFor)
	for {
		if d.now().Before(until) {
			d.assign()
		}
		if d.busy == 0 && d.recording == 0 {
			return
		}
		finish := <-d.done
		finish()
	}
}

// look asks the store who is due and when to look again.
func (d *dispatcher) look() {
	now := pay.Clock(d.now())
	if d.hurried {
		d.hurried, d.hurryAt = false, now.Add(lookPause)
	}
	if len(d.lanes) > mostLanes {
		d.forget()
	}
	ctx, cancel := context.WithTimeout(d.looks, storeTimeout)
	defer cancel()
	due, err := d.store.DueEndpoints(ctx, now, mostDue)
	for _, id := range due {
		l := d.lane(id)
		l.due = true
		d.queue(l)
	}
	var next time.Time
	if err == nil {
		next, err = d.store.NextDue(ctx)
	}
	failed := err != nil && !errors.Is(err, store.ErrNotFound)
	if failed && d.looks.Err() == nil {
		d.log.ErrorContext(ctx, "look for due webhooks", "error", err)
	}
	d.schedule(now, next, err)
	d.rested(failed || len(due) > 0)
}

// schedule sets the time of the next look. What is due later is looked for exactly
// then. What is due already was just seen, and hides from NextDue what comes after it;
// so a time that we know of otherwise is kept.
func (d *dispatcher) schedule(now, next time.Time, err error) {
	known := d.lookAt
	switch {
	case errors.Is(err, store.ErrNotFound):
		d.lookAt = now.Add(idlePause)
	case err == nil && next.After(now):
		d.lookAt = earlier(next, now.Add(idlePause))
	default:
		d.lookAt = now.Add(busyPause)
		if known.After(now) {
			d.lookAt = earlier(known, d.lookAt)
		}
	}
	d.rearm()
}

// expect makes sure that we look at a time at which we know that something is due.
func (d *dispatcher) expect(at time.Time) {
	if at.Before(d.lookAt) {
		d.lookAt = at
		d.rearm()
	}
}

// hurry has the next look come soon.
func (d *dispatcher) hurry() {
	d.hurried = true
	d.rearm()
}

// rearm sets the timer. What a token asks for is never far away, even if the clock was
// set back and makes it seem so.
func (d *dispatcher) rearm() {
	now := d.now()
	wait := d.lookAt.Sub(now)
	if d.hurried {
		wait = min(wait, d.hurryAt.Sub(now), lookPause)
	}
	d.timer.Reset(wait)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (d *dispatcher) lane(id pay.EndpointID) *lane {
	l := d.lanes[id]
	if l == nil {
		l = newLane(id)
		d.lanes[id] = l
	}
	return l
}

// forget drops every lane that has nothing to do, proven or not.
func (d *dispatcher) forget() {
	for id, l := range d.lanes {
		if l.idle() && !l.queued {
			delete(d.lanes, id)
		}
	}
}
