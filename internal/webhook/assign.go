package webhook

import (
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// queue gives a lane a place among those that wait for a turn, unless it has one.
func (d *dispatcher) queue(l *lane) {
	switch {
	case l.queued:
		return
	case l.proven:
		d.proven = append(d.proven, l)
	case l.failing:
		d.failing = append(d.failing, l)
	default:
		d.doubtful = append(d.doubtful, l)
	}
	l.queued = true
}

// assign gives out work while there is any and a worker is free: one job for each
// lane in turn. A lane that could do nothing now leaves the queue; whatever changes that puts it
// back.
func (d *dispatcher) assign() {
	for d.busy < d.workers && len(d.taken)+d.recording < recordFactor*d.workers {
		l := d.nextLane()
		if l == nil {
			return
		}
		switch {
		case d.give(l):
			d.queue(l)
		case l.idle() && !l.proven:
			delete(d.lanes, l.id) // a new one is as doubtful
		}
	}
}

// nextLane takes from the proven and the others by turns. The others never get more than
// half of the workers, so that however many endpoints are dead, the proven have the rest.
func (d *dispatcher) nextLane() *lane {
	d.flip = !d.flip
	if d.flip {
		if l := d.nextDoubtful(); l != nil {
			return l
		}
	}
	for len(d.proven) > 0 {
		l := d.proven.pop()
		if l.proven {
			return l
		}
		d.queue(l) // it failed while it was waiting
	}
	return d.nextDoubtful()
}

// nextDoubtful prefers those of whom nothing is known. Those known to fail get half of what
// the two have: so after a start, when nobody is proven, the dead do not stand before the
// others either.
func (d *dispatcher) nextDoubtful() *lane {
	if d.doubting >= max(d.workers/2, 1) {
		return nil
	}
	for len(d.doubtful) > 0 {
		l := d.doubtful.pop()
		if !l.failing {
			return l
		}
		d.queue(l) // that came out while it was waiting
	}
	if d.despairing >= max(d.workers/4, 1) {
		return nil
	}
	return d.failing.pop()
}

// give starts one job for the lane, if it has one to do.
func (d *dispatcher) give(l *lane) bool {
	if c, ok := l.take(d.now()); ok {
		d.post(l, c)
		return true
	}
	if most := l.room(); most > 0 && !d.closing {
		d.claimFor(l, most)
		return true
	}
	return false
}

// post makes an attempt and has it recorded. What was taken gives up its worker as soon
// as it is, so that the next is posted while this one is written, and many are written
// together. What failed keeps it until its endpoint is known to be disabled or not.
func (d *dispatcher) post(l *lane, c claimed) {
	to := l.to
	d.begin(l, func() func() {
		done, err := d.attempt(d.jobs, to, c.Delivery)
		if err == nil && done.attempt.Delivered() {
			return func() {
				l.posted(done, d.perEndpoint)
				d.taken = append(d.taken, taken{l, c.Session, done.outcome()})
				d.record()
				d.queue(l)
			}
		}
		if err == nil {
			err = d.settle(d.jobs, c.Delivery, done)
		}
		return func() {
			l.posted(done, d.perEndpoint)
			d.fault("deliver webhook", l.id, err)
			d.ended(l, c.Session)
			if !done.next.IsZero() {
				d.expect(done.next)
			}
		}
	})
}

// taken is what a receiver took and what is to be recorded of it.
type taken struct {
	lane    *lane
	session pay.SessionID
	outcome store.Outcome
}

// record keeps all that was taken, on a goroutine that is no worker. What is taken
// meanwhile comes next.
func (d *dispatcher) record() {
	if d.recording > 0 || len(d.taken) == 0 {
		return
	}
	all := d.taken
	d.taken, d.recording = nil, len(all)
	outcomes := make([]store.Outcome, len(all))
	for i, t := range all {
		outcomes[i] = t.outcome
	}
	d.start(func() func() {
		err := d.Relay.record(d.jobs, outcomes...)
		return func() {
			d.recording = 0
			d.fault("record webhooks", all[0].lane.id, err)
			for _, t := range all {
				d.ended(t.lane, t.session)
			}
			d.record()
		}
	})
}

// ended lets the next of a session go.
func (d *dispatcher) ended(l *lane, session pay.SessionID) {
	l.ended(session)
	d.queue(l)
}

func (d *dispatcher) claimFor(l *lane, most int) {
	l.claiming, l.due = true, false // a look meanwhile may find more due
	d.begin(l, func() func() {
		to, found, err := d.claim(d.jobs, l.id, most)
		return func() {
			d.fault("claim webhooks", l.id, err)
			l.claiming = false
			l.hold(to, found, most)
			d.queue(l)
		}
	})
}

// begin has a worker run a job, and runs what it returns back here.
func (d *dispatcher) begin(l *lane, job func() func()) {
	doubted, despaired := 0, 0
	if !l.proven {
		doubted = 1
	}
	if l.failing {
		despaired = 1
	}
	d.busy++
	d.doubting += doubted
	d.despairing += despaired
	d.start(func() func() {
		finish := job()
		return func() {
			d.busy--
			d.doubting -= doubted
			d.despairing -= despaired
			finish()
		}
	})
}

// start runs a job on a goroutine that has none to do, or a new one: the stack of one that
// is used again has already grown to what a post or a write needs.
func (d *dispatcher) start(job func() func()) {
	select {
	case d.next <- job:
	default:
		go d.work(job)
	}
}

// work does one job after the other, until there are no more for good.
func (d *dispatcher) work(job func() func()) {
	for ok := true; ok; job, ok = <-d.next {
		d.done <- job()
	}
}

// fault logs what the store would not do. The queue still holds what it concerns, and
// is looked at again soon.
func (d *dispatcher) fault(what string, id pay.EndpointID, err error) {
	if err == nil {
		return
	}
	d.log.ErrorContext(d.jobs, what, "endpoint", id, "error", err)
	d.expect(pay.Clock(d.now()).Add(busyPause))
}
