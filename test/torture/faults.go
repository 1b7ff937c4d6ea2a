package torture

import (
	"context"
	"errors"
	"sync"
	"time"
)

// nemesis does what is planned, and lets the servers and their database live again.
type nemesis struct {
	Siege
	fleet   *fleet
	history *History
	faults  []Fault
	naps    sync.WaitGroup
	beds    chan struct{} // one server is always awake

	mu     sync.Mutex
	asleep map[*process]bool
}

// heard waits until the crowd has had so many answers more.
func (n *nemesis) heard(ctx context.Context, answers int) error {
	select {
	case <-n.history.acknowledgements(answers):
		return n.fleet.alive()
	case <-time.After(roundWithin):
		return errors.Join(errors.New("there is no service any more"), n.fleet.alive())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// strike waits for the moment of a fault, does it, and mends what can be mended.
func (n *nemesis) strike(ctx context.Context, b blow) error {
	if err := n.heard(ctx, b.answers); err != nil {
		return err
	}
	if b.kind == Promotion { // else it might be the second fault at once, which nothing survives
		if err := n.Pair.Await(); err != nil {
			return err
		}
	}
	if b.kind == StopServer {
		n.beds <- struct{}{}
	}
	time.Sleep(b.moment)
	victim := n.awake(b.server)
	fault := Fault{Kind: b.kind, Server: victim.program.Number, At: n.history.now()}
	err := n.hit(ctx, b, victim)
	fault.Done = n.history.now()
	n.faults = append(n.faults, fault)
	if err != nil {
		return err
	}
	return n.mend(ctx, b, victim)
}

func (n *nemesis) hit(ctx context.Context, b blow, victim *process) error {
	switch b.kind {
	case KillServer:
		victim.kill()
		n.fleet.takeOut(victim)
		return nil
	case StopServer:
		return victim.cmd.Process.Signal(standStill)
	case CrashBase, Promotion:
		return n.Pair.Primary.Crash()
	case RestartBase:
		return n.Pair.Primary.Stop()
	case LatePlace:
		if err := errors.Join(n.Pair.Standby.Stop(), n.heard(ctx, mostAnswers)); err != nil {
			return err
		}
		return n.Pair.Primary.Crash()
	}
	panic("torture: nobody knows how to do a " + string(b.kind))
}

func (n *nemesis) mend(ctx context.Context, b blow, victim *process) error {
	switch b.kind {
	case KillServer:
		again, err := victim.program.start(ctx)
		if err == nil {
			n.fleet.put(again)
		}
		return err
	case StopServer:
		n.setAsleep(victim, true)
		n.naps.Go(func() { n.wake(victim, b.nap) })
		return nil
	case LatePlace:
		if err := n.Pair.Standby.Restart(); err != nil {
			return err
		}
		fallthrough
	case Promotion:
		return errors.Join(n.Pair.Promote(), n.Pair.Follow())
	}
	return n.Pair.Primary.Restart()
}

// noticed is how long it takes until no more callers are led to a server that hangs.
const noticed = time.Second

// wake has a server go on after its nap.
func (n *nemesis) wake(victim *process, nap time.Duration) {
	time.Sleep(min(noticed, nap))
	n.fleet.takeOut(victim)
	time.Sleep(nap - min(noticed, nap))
	_ = victim.cmd.Process.Signal(goOn)
	n.fleet.put(victim)
	n.setAsleep(victim, false)
	<-n.beds
}

func (n *nemesis) setAsleep(server *process, is bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asleep[server] = is
}

// awake is the server of that number, or the next one that is awake.
func (n *nemesis) awake(number int) *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.asleep[n.fleet.at(number)] {
		number = number%n.Servers + 1 // there is one: see beds
	}
	return n.fleet.at(number)
}

// Back is how long it took after a fault until a call was answered that was made after
// it and wrote something. Zero: none ever was.
func (w World) Back(f Fault) time.Duration {
	for _, o := range w.History { // in the order of their ends
		writes := o.Kind == Create || o.Kind == Pay || o.Kind == Cancel || o.Kind == GiveBack || o.Kind == Complete
		if o.Outcome == Acknowledged && writes && o.Begin >= f.Done {
			return o.End - f.At
		}
	}
	return 0
}
