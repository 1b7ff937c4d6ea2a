package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/webhook"
)

// The steps of a delivery between which a process can die. What dies while it records is
// in one of the last two: a record is one transaction.
const (
	beforeClaim  = "before it claims"
	afterClaim   = "after it claimed"
	beforeSend   = "before it sends"
	afterSend    = "after it sent, before it knows of an answer"
	beforeRecord = "before it records"
	afterRecord  = "after it recorded"
)

var steps = []string{beforeClaim, afterClaim, beforeSend, afterSend, beforeRecord, afterRecord}

// process is a relay that stands still at a step for good, as kill -9 would have it: from
// then on nothing that it does has any effect.
type process struct {
	fullStore
	receiver http.RoundTripper
	step     string
	left     int // times that the step is reached before it dies there

	// unrecorded is how many posts the receiver took of which nothing was recorded. More than
	// one step can be on its way when the process dies at one of them.
	unrecorded atomic.Int64

	reached chan func() // what is to be done at a step is asked for here
	dead    chan struct{}
	buried  chan struct{} // the test is over
}

var errDead = errors.New("this process is dead")

// at is called at each step. It returns only where the process lives on.
func (p *process) at(step string) error {
	select {
	case <-p.dead:
		<-p.buried
		return errDead
	default:
	}
	died := make(chan bool)
	p.reached <- func() {
		if step == p.step {
			p.left--
		}
		dies := step == p.step && p.left == 0
		if dies {
			close(p.dead)
		}
		died <- dies
	}
	if <-died {
		<-p.buried
		return errDead
	}
	return nil
}

func (p *process) Claim(ctx context.Context, id pay.EndpointID, now, until time.Time, most int) ([]pay.Delivery, error) {
	if err := p.at(beforeClaim); err != nil {
		return nil, err
	}
	found, err := p.fullStore.Claim(ctx, id, now, until, most)
	return found, errors.Join(err, p.at(afterClaim))
}

func (p *process) Record(ctx context.Context, made ...store.Outcome) error {
	if err := p.at(beforeRecord); err != nil {
		return err
	}
	err := p.fullStore.Record(ctx, made...)
	if err == nil {
		p.unrecorded.Add(-int64(len(made)))
	}
	return errors.Join(err, p.at(afterRecord))
}

func (p *process) Configure(ctx context.Context, fn func(store.Settings) error) error {
	if err := p.at(""); err != nil {
		return err
	}
	return p.fullStore.Configure(ctx, fn)
}

func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.at(beforeSend); err != nil {
		return nil, err
	}
	answer, err := p.receiver.RoundTrip(r)
	p.unrecorded.Add(1)
	if dead := p.at(afterSend); dead != nil {
		return nil, dead
	}
	return answer, err
}

// runUntil runs a relay that dies when it has reached a step so many times.
func (w *world) runUntil(step string, times int) *process {
	p := &process{
		fullStore: w.store, receiver: w.receiver, step: step, left: times,
		reached: make(chan func()), dead: make(chan struct{}), buried: make(chan struct{}),
	}
	ctx, stop := context.WithCancel(w.Context())
	o := w.options
	o.Store = p
	o.Client = func(pay.Environment) *http.Client { return &http.Client{Transport: p} }
	returned := make(chan error, 1)
	go func() { returned <- webhook.NewRelay(o).Run(ctx) }()
	over := make(chan struct{})
	go func() {
		for {
			select {
			case f := <-p.reached:
				f()
			case <-over:
				return
			}
		}
	}()
	w.Cleanup(func() {
		stop()
		close(p.buried)
		if err := <-returned; err != nil {
			w.Error(err)
		}
		close(over)
	})
	return p
}

func (p *process) died() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// Whatever the receiver answers, and wherever the process dies, another one that is
// started delivers every event: a repeat has the same id, body and number, there is one
// repeat for each attempt that could not be recorded, and nothing else is repeated.
func TestAProcessMayDieAtEveryStep(t *testing.T) {
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			deaths := 0
			for times := 1; dieAndRecover(t, step, times); times++ {
				deaths++
			}
			if deaths < 2 {
				t.Errorf("the step was reached %d times, want at least at each attempt of an event", deaths)
			}
		})
	}
}

// dieAndRecover says whether the process died at all. The receiver takes every event at its
// second attempt, so that it dies on the way to a failure as well as to a success.
func dieAndRecover(t *testing.T, step string, times int) (died bool) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(c call) reply {
			if c.attempt() == "1" {
				return reply{status: 500}
			}
			return reply{}
		}
		e := w.endpoint("game.test")
		p := w.runUntil(step, times)
		for range crashEvents {
			w.offer()
		}
		w.pass(10 * time.Second)
		died = p.died()
		repeated := int(p.unrecorded.Load())
		if died && (step == afterSend || step == beforeRecord) && repeated == 0 {
			w.Errorf("it died %s, and no attempt is without a record", step)
		}
		w.run()
		w.pass(time.Minute)
		checkAfterDeath(w, e, repeated)
	})
	return died
}

const crashEvents = 2

// checkAfterDeath wants all events delivered, as many posts repeated as were not recorded,
// and every attempt recorded under its own number.
func checkAfterDeath(w *world, e pay.Endpoint, repeated int) {
	w.Helper()
	const want, needed = crashEvents, 2 // attempts
	bodies, posts := map[string]string{}, map[string]int{}
	calls := w.receiver.got("game.test")
	for _, c := range calls {
		id := c.header.Get("webhook-id")
		if first, ok := bodies[id]; ok && first != c.body {
			w.Errorf("event %s came as %s and as %s", id, first, c.body)
		}
		bodies[id] = c.body
		posts[id+" attempt "+c.attempt()]++
	}
	if len(bodies) != want || len(posts) != want*needed {
		w.Errorf("%d events and %d different attempts came, want %d and %d", len(bodies), len(posts), want, want*needed)
	}
	if allowed := want*needed + repeated; len(calls) != allowed {
		w.Errorf("%d posts, want %d", len(calls), allowed)
	}
	w.view(func(r store.Reader) error {
		found, err := r.Deliveries(store.DeliveryQuery{Endpoint: e.ID, Limit: 10})
		for _, d := range found.Rows {
			attempts, fault := r.Attempts(d.ID)
			if d.Status != pay.DeliveryDelivered || d.Attempts != needed || len(attempts) != needed {
				w.Errorf("delivery of %s is %s after %d attempts, %d of them kept", d.Type, d.Status, d.Attempts, len(attempts))
			}
			err = errors.Join(err, fault)
		}
		return err
	})
}

func (w *world) view(fn func(store.Reader) error) {
	w.Helper()
	if err := w.store.View(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

// stopped is a relay's store and client that stand still once for a while, as a process
// does that gets SIGSTOP and then SIGCONT. It does not notice: no deadline wakes it.
type stopped struct {
	fullStore
	receiver http.RoundTripper
	step     string
	pause    time.Duration
	once     chan struct{} // full from then on
	awake    chan struct{} // closed at the end of it
}

// DueEndpoints keeps still what would go on meanwhile: the relay looks for more to do.
func (s *stopped) DueEndpoints(ctx context.Context, now time.Time, most int) ([]pay.EndpointID, error) {
	if len(s.once) == cap(s.once) {
		<-s.awake
	}
	return s.fullStore.DueEndpoints(context.WithoutCancel(ctx), now, most)
}

func (s *stopped) at(step string) {
	if step != s.step {
		return
	}
	select {
	case s.once <- struct{}{}:
		time.Sleep(s.pause)
		close(s.awake)
	default:
	}
}

func (s *stopped) Claim(ctx context.Context, id pay.EndpointID, now, until time.Time, most int) ([]pay.Delivery, error) {
	found, err := s.fullStore.Claim(ctx, id, now, until, most)
	s.at(afterClaim)
	return found, err
}

func (s *stopped) Record(ctx context.Context, made ...store.Outcome) error {
	s.at(beforeRecord)
	return s.fullStore.Record(context.WithoutCancel(ctx), made...)
}

func (s *stopped) RoundTrip(r *http.Request) (*http.Response, error) {
	s.at(beforeSend)
	answer, err := s.receiver.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	s.at(afterSend)
	return answer, err
}

// A process that was stopped past its lease, while another one took over, wakes up late.
// What it then says changes nothing of what the other has recorded.
func TestAStoppedProcessThatWakesLateChangesNothing(t *testing.T) {
	for _, tt := range []struct {
		step  string
		posts int // of the one event: by the other process, and by the one that was stopped
	}{{afterClaim, 2}, {beforeSend, 3}, {afterSend, 3}, {beforeRecord, 3}} {
		t.Run(tt.step, func(t *testing.T) {
			inWorld(t, func(w *world) {
				// The other process is told 500 at first; the one that was stopped, 200 or 500.
				w.receiver.answer = func(c call) reply {
					if c.at.Sub(bubbleStart) >= lateAt || c.at.Sub(bubbleStart) < 30*time.Second {
						return reply{}
					}
					return reply{status: 500}
				}
				s := &stopped{fullStore: w.store, receiver: w.receiver, step: tt.step, pause: lateAt, once: make(chan struct{}, 1), awake: make(chan struct{})}
				plain := w.options
				w.options.Store = s
				w.options.Client = func(pay.Environment) *http.Client { return &http.Client{Transport: s} }
				e := w.endpoint("game.test")
				w.offer()
				w.run()
				endFirst := w.takeOver(plain)
				w.pass(lateAt + time.Second)
				w.view(func(r store.Reader) error {
					found, err := r.Deliveries(store.DeliveryQuery{Endpoint: e.ID, Limit: 10})
					if d := found.Rows[0]; d.Status != pay.DeliveryPending || d.Attempts != 2 {
						t.Errorf("once the stopped process has woken the delivery is %s after %d attempts, want what the other recorded", d.Status, d.Attempts)
					}
					return err
				})
				calls := w.receiver.got("game.test")
				if len(calls) != tt.posts {
					t.Errorf("%d posts, want %d", len(calls), tt.posts)
				}
				for _, c := range calls {
					if c.body != calls[0].body || c.header.Get("webhook-id") != calls[0].header.Get("webhook-id") {
						t.Errorf("a repeat is %s, the first was %s", c.body, calls[0].body)
					}
				}
				w.pass(time.Minute)
				if stored := w.stored(e.ID); !stored.FailingSince.IsZero() {
					t.Errorf("after it was taken the endpoint is failing since %v", stored.FailingSince)
				}
				endFirst()
			})
		})
	}
}

// lateAt is when the stopped process wakes: after the other's second attempt at 35 s, and
// before its third.
const lateAt = 50 * time.Second

// bubbleStart is when every bubble of synctest begins.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// takeOver starts another relay beside the one that runs, and returns what ends the first.
func (w *world) takeOver(o webhook.Options) (endFirst func()) {
	stop, returned := w.stop, w.returned
	w.options = o
	w.run()
	synctest.Wait()
	return func() {
		stop()
		if err := <-returned; err != nil {
			w.Error(err)
		}
	}
}
