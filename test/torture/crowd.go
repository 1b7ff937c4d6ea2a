package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// The games that the crowd plays. They differ in what can come of a payment.
const (
	simple = "space_shooter"   // the demo game: one attempt, captured at once
	many   = "second_chances"  // several attempts
	manual = "pay_on_delivery" // the game captures, or does not
)

var games = []string{simple, many, manual, confirming}

// crowd is all who use the server at the same time. They know of each other's
// sessions, so that two of them often do things to the same one at once.
type crowd struct {
	history *History
	clients []*client

	stubborn bool          // they go on where they get no answer
	patience time.Duration // for how long they wait for one

	mu     sync.Mutex
	shelf  []offer     // the latest sessions
	doubts []Operation // unknown ones that have a key, to be asked again
}

// offer is a session that somebody made, its latest payment and the latest refund of it.
type offer struct{ game, session, payment, refund string }

const mostOffers = 24 // few, so that they are fought for

func newCrowd(seed uint64, size int, h *History) *crowd {
	c := &crowd{history: h, patience: answerWithin}
	for i := range size {
		c.clients = append(c.clients, &client{number: i, crowd: c, random: rand.New(rand.NewPCG(seed, clientStream+uint64(i)))})
	}
	return c
}

// way is how a caller comes to a server, which knows of the call until it is done: nil
// where there is none.
type way func(*rand.Rand) *process

// play has everybody use the server until it is gone, or the servers until they are told to stop.
func (c *crowd) play(ctx context.Context, round int, lead way, key string) {
	var all sync.WaitGroup
	for _, one := range c.clients {
		all.Go(func() { one.play(ctx, round, lead, key) })
	}
	all.Wait()
}

// resolve asks again for everything that is still in doubt, until nothing is.
func (c *crowd) resolve(ctx context.Context, round int, server *process, key string) error {
	one := c.clients[0]
	api := dial(server, key, one.number, answerWithin)
	for {
		o, ok := c.takeDoubt()
		if !ok {
			return nil
		}
		o.Round = round
		if one.do(ctx, api, o) == Unknown {
			return fmt.Errorf("nobody disturbs the server any more, but %s still has no answer", o.Kind)
		}
	}
}

func (c *crowd) takeDoubt() (Operation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.doubts) == 0 {
		return Operation{}, false
	}
	o := c.doubts[0]
	c.doubts = c.doubts[1:]
	return o, true
}

// learn takes in what an operation changes for the others.
func (c *crowd) learn(o Operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case o.Outcome == Unknown && o.Key != "":
		c.doubts = append(c.doubts, o)
	case o.Outcome == Acknowledged && o.Kind == Create:
		c.shelf = append(c.shelf, offer{game: o.Game, session: o.Session})
		c.shelf = c.shelf[max(len(c.shelf)-mostOffers, 0):]
	case o.Outcome == Acknowledged && o.Kind == Pay:
		for i := range c.shelf {
			if c.shelf[i].session == o.Session {
				c.shelf[i].payment = o.Payment
			}
		}
	case o.Outcome == Acknowledged && o.Kind == GiveBack:
		for i := range c.shelf {
			if c.shelf[i].session == o.Session {
				c.shelf[i].refund = o.Refund
			}
		}
	}
}

// pick takes an offer at random from those that will do.
func (c *crowd) pick(random *rand.Rand, willDo func(offer) bool) (offer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []offer
	for _, o := range c.shelf {
		if willDo(o) {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		return offer{}, false
	}
	return found[random.IntN(len(found))], true
}

// client is one game server with its players. Its random numbers last over all rounds.
type client struct {
	number int
	crowd  *crowd
	random *rand.Rand
	orders int
}

// play does one thing after the other until one of them gets no answer: the server has
// ended. Where it may only have lost its database, or there are others, the client tries again.
func (c *client) play(ctx context.Context, round int, lead way, key string) {
	known := map[*process]api{}
	for ctx.Err() == nil {
		server := lead(c.random)
		if server == nil {
			pause(ctx)
			continue
		}
		if _, met := known[server]; !met {
			known[server] = dial(server, key, c.number, c.crowd.patience)
		}
		o, again := c.crowd.takeDoubt()
		if !again {
			o = c.next()
		}
		o.Round, o.Server = round, server.program.Number
		outcome := c.do(context.WithoutCancel(ctx), known[server], o)
		server.calls.Done()
		if outcome != Unknown {
			continue
		}
		if !c.crowd.stubborn {
			return
		}
		pause(ctx)
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(longestPause):
	}
}

// do makes one call and writes down what came of it.
func (c *client) do(ctx context.Context, api api, o Operation) Outcome {
	o.Client, o.Outcome, o.Code = c.number, "", ""
	o.Begin = c.crowd.history.now()
	err := api.call(ctx, &o)
	o.End = c.crowd.history.now()
	o.conclude(err)
	c.crowd.history.add(o)
	c.crowd.learn(o)
	return o.Outcome
}

// wishes is how often each kind of operation is asked for.
var wishes = []struct {
	kind   Kind
	weight int
}{
	{Create, 30}, {Pay, 24}, {Cancel, 7}, {Get, 10}, {GetStatus, 8}, {List, 4}, {GetPayment, 5}, {Complete, 8}, {CancelPayment, 4},
	{GiveBack, 14}, {GetRefund, 3},
}

// next decides what to ask for. What there is nothing for becomes a new session.
func (c *client) next() Operation {
	kind := c.wish()
	o := Operation{Kind: kind, Key: c.key()}
	if kind == List {
		o.Game, o.Key = games[c.random.IntN(len(games))], ""
		return o
	}
	found, ok := c.crowd.pick(c.random, func(x offer) bool {
		switch kind {
		case Create:
			return false
		case GetPayment, GiveBack:
			return x.payment != ""
		case GetRefund:
			return x.refund != ""
		case Complete, CancelPayment:
			return x.payment != "" && x.game == manual
		}
		return true
	})
	if !ok {
		return c.order(o.Key)
	}
	o.Game, o.Session, o.Payment = found.game, found.session, found.payment
	switch kind {
	case Pay:
		o.Key, o.Payment, o.Card = "", "", cards[c.random.IntN(len(cards))]
	case GiveBack:
		c.orders++
		o.Reason = fmt.Sprintf("reason-%d-%d", c.number, c.orders)
		if c.random.IntN(3) > 0 { // else all that is left
			o.Amount = 1 + c.random.Int32N(mostGivenBack)
		}
	case GetRefund:
		o.Key, o.Refund = "", found.refund
	case Get, GetStatus, GetPayment:
		o.Key = ""
	}
	return o
}

func (c *client) wish() Kind {
	total := 0
	for _, w := range wishes {
		total += w.weight
	}
	at := c.random.IntN(total)
	for _, w := range wishes {
		if at -= w.weight; at < 0 {
			return w.kind
		}
	}
	panic("unreachable")
}

// key makes an idempotency key two times in three.
func (c *client) key() string {
	if c.random.IntN(3) == 0 {
		return ""
	}
	return fmt.Sprintf("key-%d-%016x", c.number, c.random.Uint64())
}

// mostGivenBack is about half of what the dearest item costs, so that parts add up to
// more than was paid soon.
const mostGivenBack = 50_000

// cards decide what comes of a payment. Most of them succeed, some of
// those are reported badly; one fails, and its money comes late. The refunds of the last two
// are pending for a while, and those of the very last fail then.
var cards = []string{
	"4242424242424242", "5555555555554444", "378282246310005", "4242424242424242", "5555555555554444",
	"4000009900000038", "4000009900000046", "4000009900000053", "4000009900000061",
	"4000000000000002", "4000000000009995", "4000000000007726", "4000000000005126",
}

// order makes a request of its own kind for a new session: its order id is sent for
// this one alone, so that a session which is there twice can be told.
func (c *client) order(key string) Operation {
	c.orders++
	game := games[c.random.IntN(len(games))]
	return Operation{Kind: Create, Game: game, Key: key, Request: &payv1.CreateSessionRequest{
		GameId: game,
		UserId: fmt.Sprintf("player-%d", c.random.IntN(50)),
		Item: &payv1.Item{
			Title: fmt.Sprintf("%d Gems", 1+c.random.IntN(500)), Price: 1 + c.random.Int32N(99_999),
			Currency: []string{"USD", "EUR", "JPY"}[c.random.IntN(3)],
		},
		ReturnUrl: "mygame://payment-complete",
		OrderId:   proto.String(fmt.Sprintf("order-%d-%d", c.number, c.orders)),
		Metadata:  &payv1.SessionMetadata{OfferId: proto.String("torture"), Values: map[string]string{"client": fmt.Sprint(c.number)}},
	}}
}
