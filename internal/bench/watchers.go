package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

const (
	// streamsPerConnection is how many streams one connection has at most, as the server
	// allows. There are as many connections as that takes.
	streamsPerConnection = 100

	// patience is how long anything may take before the measurement is given up.
	patience = 30 * time.Second
)

// audience is all that watches in one job.
type audience struct {
	Watch
	ids   []string // of the sessions
	calls payv1connect.PaymentServiceClient
	close []func()

	mu      sync.Mutex
	ended   error
	moments chan moment
}

// moment is when somebody was told of a session's status.
type moment struct {
	session, status string
	at              time.Time
}

// playWatch makes the steps of a measurement, each when it is told to, and answers with
// what it came to.
func playWatch(ctx context.Context, w Watch, lines *json.Decoder, answers *json.Encoder) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &audience{Watch: w, moments: make(chan moment, w.Sessions+w.Feeds*w.Events)}
	a.calls, _ = a.connect()
	streams, leave := context.WithCancel(ctx)
	defer leave()
	var none struct{}
	for i, step := range []func() (Delay, error){
		func() (Delay, error) { return Delay{}, a.sell(ctx) },
		func() (Delay, error) { return Delay{}, a.watchSessions(streams) },
		func() (Delay, error) { return a.change(ctx) },
		func() (Delay, error) { leave(); a.hangUp(); return Delay{}, nil },
		func() (Delay, error) { return Delay{}, a.watchFeeds(ctx) },
		func() (Delay, error) { return a.happen(ctx) },
	} {
		if i > 0 {
			if err := lines.Decode(&none); err != nil {
				return err
			}
		}
		began := time.Now()
		delay, err := step()
		done := Step{Took: time.Since(began), Delay: delay}
		if err != nil {
			done.Error = err.Error()
		}
		if err := answers.Encode(done); err != nil || done.Error != "" {
			return err
		}
	}
	return nil
}

// connect makes a connection of its own.
func (a *audience) connect() (payv1connect.PaymentServiceClient, payv1connect.EventServiceClient) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	a.close = append(a.close, transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	return payv1connect.NewPaymentServiceClient(client, a.Target.URL, connect.WithGRPC()),
		payv1connect.NewEventServiceClient(client, a.Target.URL, connect.WithGRPC())
}

func (a *audience) hangUp() {
	for _, one := range a.close {
		one()
	}
}

func (a *audience) as(ctx context.Context) context.Context {
	ctx, info := connect.NewClientContext(ctx)
	info.RequestHeader().Set("Authorization", "Bearer "+a.Target.Key)
	return ctx
}

// sell makes the sessions, as many at the same time as one connection has streams.
func (a *audience) sell(ctx context.Context) error {
	a.ids = make([]string, a.Sessions)
	errs := make([]error, a.Sessions)
	var all sync.WaitGroup
	turns := make(chan struct{}, streamsPerConnection/2)
	for i := range a.ids {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			made, err := a.calls.CreateSession(a.as(ctx), newOrder(i))
			a.ids[i], errs[i] = made.GetSession().GetId(), err
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// watchSessions opens the streams, and waits until each has told how its session stands.
func (a *audience) watchSessions(ctx context.Context) error {
	var client payv1connect.EventServiceClient
	for i, id := range a.ids {
		if i%streamsPerConnection == 0 {
			_, client = a.connect()
		}
		go listen(ctx, a, func(ctx context.Context) (*connect.ServerStreamForClient[payv1.WatchSessionResponse], error) {
			return client.WatchSession(ctx, &payv1.WatchSessionRequest{Id: id})
		}, func(told *payv1.WatchSessionResponse) (string, string) {
			return told.GetSession().GetId(), told.GetSession().GetStatus()
		})
	}
	_, err := a.hear(len(a.ids))
	return err
}

// watchFeeds opens the streams of events, and waits until each has come to the present.
func (a *audience) watchFeeds(ctx context.Context) error {
	var client payv1connect.EventServiceClient
	for i := range a.Feeds {
		if i%streamsPerConnection == 0 {
			_, client = a.connect()
		}
		go listen(ctx, a, func(ctx context.Context) (*connect.ServerStreamForClient[payv1.WatchEventsResponse], error) {
			return client.WatchEvents(ctx, &payv1.WatchEventsRequest{GameId: proto.String(string(game.ID)), FromNow: true})
		}, func(told *payv1.WatchEventsResponse) (string, string) {
			if told.GetEvent() == nil {
				return "the present", ""
			}
			return told.GetEvent().GetData().GetSessionId(), told.GetEvent().GetType()
		})
	}
	_, err := a.hear(a.Feeds)
	return err
}

// listen notes all that a stream tells until ctx ends. Heartbeats are of nothing.
func listen[T any](ctx context.Context, a *audience, open func(context.Context) (*connect.ServerStreamForClient[T], error), read func(*T) (session, status string)) {
	stream, err := open(a.as(ctx))
	if err != nil {
		a.end(ctx, err)
		return
	}
	for stream.Receive() {
		if session, status := read(stream.Msg()); session != "" {
			a.moments <- moment{session, status, time.Now()}
		}
	}
	a.end(ctx, stream.Err())
	_ = stream.Close() // says the same
}

// end notes a stream that ended although it should go on.
func (a *audience) end(ctx context.Context, err error) {
	if ctx.Err() != nil || err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = err
}

// hear waits for what is told next, so many times.
func (a *audience) hear(n int) ([]moment, error) {
	all := make([]moment, 0, n)
	late := time.NewTimer(patience)
	defer late.Stop()
	for range n {
		select {
		case m := <-a.moments:
			all = append(all, m)
		case <-late.C:
			a.mu.Lock()
			defer a.mu.Unlock()
			return nil, errors.Join(fmt.Errorf("%d of %d were told within %v", len(all), n, patience), a.ended)
		}
	}
	return all, nil
}

// change cancels some of the sessions, one after the other, and hears that they are.
func (a *audience) change(ctx context.Context) (Delay, error) {
	return a.delays(ctx, a.ids[:a.Changed], 1)
}

// happen has other sessions cancelled, of which every feed tells.
func (a *audience) happen(ctx context.Context) (Delay, error) {
	return a.delays(ctx, a.ids[a.Changed:a.Changed+a.Events], a.Feeds)
}

// delays cancels sessions, and is how long after that each was told so many times. The
// next is only cancelled then: what is measured is how long telling takes, not how much
// can be told.
func (a *audience) delays(ctx context.Context, ids []string, times int) (Delay, error) {
	var all []time.Duration
	for _, id := range ids {
		if _, err := a.calls.CancelSession(a.as(ctx), &payv1.CancelSessionRequest{Id: id}); err != nil {
			return Delay{}, err
		}
		answered := time.Now()
		told, err := a.hear(times)
		if err != nil {
			return Delay{}, err
		}
		for _, m := range told {
			if m.session != id {
				return Delay{}, fmt.Errorf("told of %s, which did not change", m.session)
			}
			all = append(all, max(m.at.Sub(answered), 0)) // the answer and the news are under way at once
		}
	}
	slices.Sort(all)
	n := len(all)
	return Delay{all[n/2].Round(time.Microsecond), all[n*99/100].Round(time.Microsecond), all[n-1].Round(time.Microsecond)}, nil
}

// settleAsTold gives memory back whenever it is told to, until it is told nothing more.
func settleAsTold(lines *json.Decoder, answers *json.Encoder) error {
	var none struct{}
	for {
		if err := lines.Decode(&none); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		settle()
		if err := answers.Encode(none); err != nil {
			return err
		}
	}
}
