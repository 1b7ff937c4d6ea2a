package webhook

import "context"

// Settle returns once no delivery is due and none is under way. Whoever moves the clock
// waits for it: a post that is under way would outlive its lease, and be made twice. Run
// must be running.
func (r *Relay) Settle(ctx context.Context) error {
	settled := make(chan struct{})
	select {
	case r.settling <- settled:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitRest takes in one who waits for rest.
func (d *dispatcher) awaitRest(settled chan struct{}) {
	d.waiting = append(d.waiting, settled)
	d.hurry()
}

// rested answers those who wait for rest, if a look has found nothing due and there is
// nothing under way. Otherwise there is another look soon.
func (d *dispatcher) rested(found bool) {
	if len(d.waiting) == 0 {
		return
	}
	if found || !d.atRest() {
		d.hurry()
		return
	}
	for _, settled := range d.waiting {
		close(settled)
	}
	d.waiting = nil
}

func (d *dispatcher) atRest() bool {
	for _, l := range d.lanes {
		if !l.idle() {
			return false
		}
	}
	return d.busy == 0 && d.recording == 0 && len(d.taken) == 0
}
