package torture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// Options says how a run goes.
type Options struct {
	Program
	Base    *postgrestest.Server // the Program's Database, to be ended as well; nil: it is not
	Seed    uint64
	Rounds  int
	Clients int

	// Patient settles on the server itself, as long as that takes: half a minute,
	// until the leases of webhooks that a killed server was sending have ended.
	// Otherwise they are delivered by the product in this process, its clock set ahead.
	Patient bool
}

// World is all that a run left behind: what the checkers look at.
type World struct {
	History  []Operation
	Truth    Truth
	Arrivals map[string]Arrival
	Asked    map[string]Asked // by payment
	Faults   []Fault          // those of a siege
}

// run is one that is under way.
type run struct {
	Options
	history   *History
	crowd     *crowd
	receiver  *Receiver
	confirmer *Confirmer
	key       string // opens all games
}

// Run tortures the program. The history is there even where an error ended the run.
func Run(ctx context.Context, o Options) (World, *History, error) {
	r := newRun(o)
	defer r.close()
	for i, s := range strikes(o.Seed, o.Rounds) {
		if err := r.round(ctx, i+1, s); err != nil {
			return World{}, r.history, fmt.Errorf("round %d: %w", i+1, err)
		}
	}
	world, err := r.settle(ctx)
	return world, r.history, err
}

func newRun(o Options) *run {
	r := &run{Options: o, history: newHistory(), receiver: newReceiver(o.Seed), confirmer: newConfirmer(o.Seed)}
	r.crowd = newCrowd(o.Seed, o.Clients, r.history)
	r.crowd.stubborn = o.Database != ""
	return r
}

func (r *run) close() {
	r.receiver.server.Close()
	r.confirmer.server.Close()
}

// round is one life of the server.
func (r *run) round(ctx context.Context, number int, s strike) error {
	server, err := r.start(ctx)
	if err != nil {
		return err
	}
	defer server.kill()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	played := make(chan struct{})
	go func() {
		defer close(played)
		r.crowd.play(ctx, number, server.lead, r.key)
	}()
	err = s.strike(ctx, r.history, server, r.Base)
	stop()
	<-played
	return err
}

// start starts the server, and where it is the first time sets up what the crowd needs.
func (r *run) start(ctx context.Context) (*process, error) {
	server, err := r.Program.start(ctx)
	if err != nil || r.key != "" {
		return server, err
	}
	if err := r.setUp(ctx, server); err != nil {
		server.kill()
		return nil, fmt.Errorf("set up: %w", err)
	}
	return server, nil
}

func (r *run) setUp(ctx context.Context, server *process) error {
	admin := dial(server, "", 0, answerWithin).admin
	if err := r.setUpConfirming(ctx, dial(server, "", 0, answerWithin)); err != nil {
		return err
	}
	_, errMany := admin.CreateGame(ctx, &adminv1.CreateGameRequest{Id: many, PaymentAttempts: proto.Int32(3)})
	_, errManual := admin.CreateGame(ctx, &adminv1.CreateGameRequest{
		Id: manual, PaymentAttempts: proto.Int32(2), Capture: proto.String("manual"),
	})
	key, errKey := admin.CreateKey(ctx, &adminv1.CreateKeyRequest{Environment: "sandbox", Label: "torture"})
	if err := errors.Join(errMany, errManual, errKey); err != nil {
		return err
	}
	for _, game := range games {
		made, err := admin.CreateWebhookEndpoint(ctx, &adminv1.CreateWebhookEndpointRequest{
			GameId: game, Environment: "sandbox", Url: r.receiver.endpoint(game),
		})
		if err != nil {
			return err
		}
		r.receiver.trust(game, made.GetSecret())
	}
	r.key = key.GetSecret()
	return nil
}

// settle lets the dust settle after the last kill, and reads what is true then.
func (r *run) settle(ctx context.Context) (World, error) {
	truth, err := r.settled(ctx)
	return World{History: r.history.Operations(), Truth: truth, Arrivals: r.receiver.Arrivals(), Asked: r.confirmer.Asked()}, err
}

func (r *run) settled(ctx context.Context) (truth Truth, err error) {
	r.receiver.beKind()
	r.confirmer.beKind()
	err = r.undisturbed(ctx, func(server *process) error {
		if err := r.crowd.resolve(ctx, r.Rounds+1, server, r.key); err != nil {
			return err
		}
		if r.Database == "" || r.Patient { // else another server might be at it: that takes a minute
			if err := r.awaitDecisions(ctx, server); err != nil {
				return err
			}
		}
		if !r.Patient {
			return nil
		}
		soFar, err := r.readAPI(ctx, server)
		if err != nil {
			return err
		}
		return r.awaitWebhooks(ctx, soFar.events())
	})
	if err != nil {
		return Truth{}, err
	}
	if err := r.finishRest(ctx); err != nil {
		return Truth{}, err
	}
	err = r.undisturbed(ctx, func(server *process) (err error) {
		truth, err = r.readAPI(ctx, server)
		return err
	})
	if err != nil {
		return Truth{}, err
	}
	return truth, r.readFiles(ctx, &truth)
}

// undisturbed is a life of the server that ends in good order.
func (r *run) undisturbed(ctx context.Context, do func(*process) error) error {
	server, err := r.start(ctx)
	if err != nil {
		return err
	}
	defer server.kill()
	if err := do(server); err != nil {
		return err
	}
	return server.stop()
}

// settleWithin bounds each wait for something that must come by itself.
const settleWithin = 2 * time.Minute

// awaitWebhooks waits until the server has delivered the events.
func (r *run) awaitWebhooks(ctx context.Context, ids []string) error {
	return eventually(ctx, "webhooks were not delivered", func() (bool, error) { return r.receiver.has(ids), nil })
}

// eventually asks again and again until it is so, or for too long.
func eventually(ctx context.Context, otherwise string, isSo func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if so, err := isSo(); so || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New(otherwise)
		}
	}
}
