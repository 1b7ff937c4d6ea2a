package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var listenCommand = command{
	path: "listen", brief: "forward events to a receiver on your machine as they happen",
	details: `Each event is posted to the URL as a webhook would be, with no endpoint registered. It is
signed with a secret that is printed at the start: the same on every run, for every
listener of the environment. The URL may be any, as it is this program that posts.

The server keeps the listener's place, so that the next run goes on where this one
stopped; the first begins with what happens from then on. A receiver that is not there is
waited for. What it answers, be it a failure, is shown, and the event is not sent again.
Ctrl-C ends it.`,
	example: "coinslot listen --forward-to http://localhost:3000/webhooks --events session.paid,refund.succeeded",
	prepare: func(f *config.Flags) action {
		l := &listener{request: &adminv1.ListenRequest{Environment: "sandbox"}}
		var game string
		var secretOnly, asJSON bool
		f.Flag("forward-to", "URL", "where events are posted; required", config.Reader{Read: l.to.read})
		f.Flag("events", "LIST", "only events of these types, such as session.paid,refund.succeeded", config.Texts(&l.request.Events))
		f.Flag("game", "ID", "only events of this game", config.Text(&game))
		f.Flag("environment", "NAME", "sandbox or production", config.Words(&l.request.Environment, "sandbox", "production"))
		f.Flag("name", "NAME", "under which the server keeps the place; by default it follows from URL, game and events", config.Reader{Read: l.readName})
		f.Flag("print-secret", "", "print the secret and end", config.Switch(&secretOnly))
		where := config.AdminFlags(f)
		f.Flag("json", "", "print a line of JSON for each event", config.Switch(&asJSON))
		return func(ctx context.Context, c *console, _ []string) error {
			where.ReadToken(c.env)
			l.find = func() (adminv1connect.AdminServiceClient, string, error) {
				target, err := findServer(where)
				if err != nil {
					return nil, "", err
				}
				return target.client(), target.url, nil
			}
			l.printer = &printer{console: c, json: asJSON}
			if game != "" {
				l.request.GameId = &game
			}
			switch {
			case secretOnly:
				return l.printSecret(ctx)
			case l.to.url == "":
				return config.Misused("--forward-to is required")
			}
			if l.request.Name == "" {
				l.request.Name = defaultName(l.to.url, game, l.request.Events)
			}
			return l.run(ctx)
		}
	},
}

// The server is heard every 15 seconds. How soon one is tried again that cannot be reached:
const (
	longestSilence = 45 * time.Second
	hearWithin     = 5 * time.Second

	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// listener forwards events.
type listener struct {
	*printer
	find    func() (admin adminv1connect.AdminServiceClient, url string, err error)
	request *adminv1.ListenRequest
	to      destination

	secret string // empty: the server has not greeted yet
	heard  string // the cursor that the server keeps
	taken  string // the cursor of what was taken last
}

var listenerNames = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)

func (l *listener) readName(text string) error {
	if !listenerNames.MatchString(text) {
		return errors.New("must be 1 to 100 letters, digits and . _ : -")
	}
	l.request.Name = text
	return nil
}

// defaultName is another one for other events, since the place of one listener would
// pass over what another has yet to take.
func defaultName(url, game string, events []string) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{url, game}, slices.Sorted(slices.Values(events))...), "\n")))
	return hex.EncodeToString(sum[:8])
}

// run forwards until ctx ends. Only a server that never answered ends it with an error.
func (l *listener) run(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		greeted, err := l.follow(ctx)
		switch {
		case ctx.Err() != nil:
			l.note("Stopped. The next run goes on from here.")
			return nil
		case l.secret == "":
			return err
		case greeted:
			l.note("The connection to the server broke: %v. Trying again until it is back.", err)
			pause = firstPause
		}
		rest(ctx, pause)
	}
}

// follow forwards until the connection breaks. It looks for the server each time, which
// after a start can be somewhere else.
func (l *listener) follow(ctx context.Context) (greeted bool, err error) {
	admin, url, err := l.find()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(longestSilence, func() { cancel(errors.New("nothing was heard of it for too long")) })
	defer silence.Stop()
	if err := l.hear(ctx, admin); err != nil {
		return false, explainCall(err, url)
	}
	stream, err := admin.Listen(ctx, l.request)
	if err != nil {
		return false, explainCall(err, url)
	}
	defer func() {
		cancel(nil) // else Close would wait for what is still sent
		_ = stream.Close()
	}()
	for stream.Receive() {
		silence.Stop() // a receiver may take its time
		if err := l.take(ctx, admin, stream.Msg()); err != nil {
			return greeted, explainCall(err, url)
		}
		greeted = true
		silence.Reset(longestSilence)
	}
	if ctx.Err() != nil {
		return greeted, context.Cause(ctx)
	}
	return greeted, explainCall(stream.Err(), url)
}

// take forwards what the server sent, and lets it know that it was taken.
func (l *listener) take(ctx context.Context, admin adminv1connect.AdminServiceClient, m *adminv1.ListenResponse) error {
	if m.Secret != nil {
		l.greet(m)
	}
	if m.EventId != nil {
		if err := l.forward(ctx, m); err != nil {
			return err
		}
	}
	l.taken = m.GetCursor()
	return l.hear(ctx, admin)
}

// hear moves the place that the server keeps to what was taken last. It does so even as
// the program ends: an event that was answered must not come again.
func (l *listener) hear(ctx context.Context, admin adminv1connect.AdminServiceClient) error {
	if l.heard == l.taken {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hearWithin)
	defer cancel()
	_, err := admin.Heard(ctx, &adminv1.HeardRequest{Environment: l.request.Environment, Name: l.request.Name, Cursor: l.taken})
	if err == nil {
		l.heard = l.taken
	}
	return err
}

// forward posts an event until the receiver is reached.
func (l *listener) forward(ctx context.Context, e *adminv1.ListenResponse) error {
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, min(2*pause, longestPause) {
		answer, err := l.to.post(ctx, e, attempt, l.secret)
		switch {
		case err != nil:
			return err
		case answer.reached:
			return l.show(e, answer)
		case attempt == 1:
			l.note("%s cannot be reached: %s. The event is kept, and sent as soon as it can be.", l.to.shown(), answer.problem)
		}
		rest(ctx, pause)
	}
}

// printSecret asks under a name of its own, that leaves no place behind.
func (l *listener) printSecret(ctx context.Context) error {
	admin, url, err := l.find()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.request.Name = "print-secret"
	stream, err := admin.Listen(ctx, l.request)
	if err != nil {
		return explainCall(err, url)
	}
	if !stream.Receive() {
		return explainCall(stream.Err(), url)
	}
	return l.answer(stream.Msg(), func() { l.line("%s", stream.Msg().GetSecret()) })
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// read is a config.Reader's.
func (r *destination) read(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("must be an http or https URL such as http://localhost:3000/webhooks")
	}
	r.url = text
	return nil
}

// shown is the URL as it may be shown.
func (r *destination) shown() string {
	u, err := url.Parse(r.url)
	if err != nil {
		return r.url
	}
	return u.Redacted()
}
