package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/coinslot/coinslot/test/postgrestest"
)

// Siege says how several servers on one PostgreSQL are tortured.
type Siege struct {
	Options
	Servers int // two or more, so that one can be stopped
	Faults  int
	Only    FaultKind // empty: every kind
	Pair    *postgrestest.Pair
	Naps    []time.Duration                  // for how long servers are stopped, in turn
	Logf    func(format string, args ...any) // gets a line now and then; nil: nobody does
}

// FaultKind is what the nemesis does to several servers and their database.
type FaultKind string

// The kinds of fault. LatePlace is no fair one: something is acknowledged that the standby
// does not have, as happens where it is not synchronous.
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
	n := &nemesis{Siege: s, history: r.history, beds: make(chan struct{}, s.Servers-1), asleep: map[*process]bool{}}
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
