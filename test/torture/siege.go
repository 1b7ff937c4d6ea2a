package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/coinslot/coinslot/test/postgrestest"
)

// Siege says how several servers on one PostgreSQL are tortured.
type Siege struct {
	Options
	Servers int
	Faults  int
	Only    FaultKind // empty: every kind
	Pair    *postgrestest.Pair
	Naps    []time.Duration                  // for how long servers are stopped, in turn
	Logf    func(format string, args ...any) // gets a line now and then; nil: nobody does
}

// FaultKind is what the nemesis does to several servers and their database.
type FaultKind string

// The kinds of fault. The last one is no fair one: something is acknowledged that the
// standby does not have, as happens where it is not synchronous.
const (
	KillServer  FaultKind = "kill -9 of a server"
	StopServer  FaultKind = "stop of a server that wakes up late"
	CrashBase   FaultKind = "kill -9 of PostgreSQL"
	RestartBase FaultKind = "restart of PostgreSQL"
	Promotion   FaultKind = "promotion of the standby"
	LatePlace   FaultKind = "promotion of a standby that is behind"
	Upgrade     FaultKind = "start of a newer server" // which is none, but a moment to remember
)

// Fault is one that was done.
type Fault struct {
	Kind   FaultKind
	Server int
	At     time.Duration // since the start of the run
	Done   time.Duration // when nothing of what was killed ran any more
}

// blow is a fault as it is planned.
type blow struct {
	kind    FaultKind
	server  int
	answers int // heard before
	moment  time.Duration
	nap     time.Duration
}

// odds of a hundred. A run begins with one of each.
var odds = []struct {
	kind FaultKind
	of   int
}{{KillServer, 40}, {StopServer, 4}, {CrashBase, 19}, {RestartBase, 19}, {Promotion, 18}}

// plan plans the whole siege.
func (s Siege) plan() []blow {
	random := rand.New(rand.NewPCG(s.Seed, nemesisStream))
	plan := make([]blow, s.Faults)
	first := random.Perm(len(odds))
	naps := 0
	for i := range plan {
		b := &plan[i]
		b.server, b.answers, b.moment = 1+random.IntN(s.Servers), 1+random.IntN(mostAnswers), time.Duration(random.Int64N(int64(longestPause)))
		at := random.IntN(100)
		for _, o := range odds {
			if at -= o.of; at < 0 {
				b.kind = o.kind
				break
			}
		}
		if i < len(first) {
			b.kind = odds[first[i]].kind
		}
		if s.Only != "" {
			b.kind = s.Only
		}
		if b.kind == StopServer {
			b.nap = s.Naps[naps%len(s.Naps)]
			naps++
		}
	}
	return plan
}

// siegePatience is how long a caller waits for an answer before it goes to another server,
// with the same key where it has one.
const siegePatience = 5 * time.Second

// Run tortures the servers. The history is there even where an error ended the run.
func (s Siege) Run(ctx context.Context) (World, *History, error) {
	var programs []Program
	for n := range s.Servers {
		programs = append(programs, s.Program.numbered(n+1))
	}
	s.Program = programs[0]
	r := newRun(s.Options)
	defer r.close()
	r.crowd.patience = siegePatience
	n := &nemesis{Siege: s, history: r.history}
	err := r.besiege(ctx, programs, func(ctx context.Context, f *fleet) (err error) {
		n.fleet = f
		for i, b := range s.plan() {
			if err = n.strike(ctx, b); err != nil {
				err = fmt.Errorf("fault %d, %s: %w", i+1, b.kind, err)
				break
			}
			if s.Logf != nil && (i+1)%50 == 0 {
				s.Logf("%d faults in %v, %d operations", i+1, r.history.now().Round(time.Second), len(r.history.Operations()))
			}
		}
		n.naps.Wait()
		return errors.Join(err, n.heard(ctx, mostAnswers))
	})
	if err != nil {
		return World{}, r.history, err
	}
	world, err := r.settle(ctx)
	world.Faults = n.faults
	return world, r.history, err
}

// nemesis is what does it.
type nemesis struct {
	Siege
	fleet   *fleet
	history *History
	faults  []Fault
	naps    sync.WaitGroup

	mu     sync.Mutex
	asleep *process
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
		n.naps.Wait()
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
		return victim.cmd.Process.Signal(syscall.SIGSTOP)
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
		n.setAsleep(victim)
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
	_ = victim.cmd.Process.Signal(syscall.SIGCONT)
	n.fleet.put(victim)
	n.setAsleep(nil)
}

func (n *nemesis) setAsleep(server *process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asleep = server
}

// awake is the server of that number, or the next one where that is asleep.
func (n *nemesis) awake(number int) *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	if found := n.fleet.at(number); found != n.asleep {
		return found
	}
	return n.fleet.at(number%n.Servers + 1)
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
