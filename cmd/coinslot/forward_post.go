package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/webhook"
)

const (
	answerWithin   = 10 * time.Second
	mostAnswerRead = 200 // bytes, of the answer of a receiver that failed
)

// destination is where events are forwarded to.
type destination struct{ url string }

// answered is what came of one post.
type answered struct {
	reached bool // else nothing was sent
	attempt int
	at      time.Time
	took    time.Duration
	status  int    // zero: there was no answer
	problem string // empty: it was taken
}

// localClient has no proxy, follows no redirect and begins a connection for each event: one
// that was kept could be of a receiver that has ended.
var localClient = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	Timeout:       answerWithin,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends an event once. What goes wrong with it is in the answer: an error is our own.
func (r *destination) post(ctx context.Context, e *adminv1.ListenResponse, attempt int, secret string) (answered, error) {
	a := answered{attempt: attempt, at: time.Now()}
	header, err := webhook.Sign(webhook.Message{ID: pay.EventID(e.GetEventId()), Body: e.GetPayload(), At: a.at, Attempt: attempt}, secret)
	if err != nil {
		return a, err
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, r.url, bytes.NewReader(e.GetPayload()))
	if err != nil {
		return a, err
	}
	req.Header = header
	res, err := localClient.Do(req)
	a.took, a.reached = time.Since(a.at), err == nil || sent.Load()
	switch {
	case ctx.Err() != nil:
		return a, ctx.Err()
	case err != nil:
		a.problem = unanswered(err)
		return a, nil
	}
	defer res.Body.Close()
	a.status = res.StatusCode
	a.problem = complaint(res)
	return a, nil
}

// unanswered says why there was no answer; the URL is known.
func unanswered(err error) string {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		if inURL.Timeout() {
			return fmt.Sprintf("no answer within %v", answerWithin)
		}
		err = inURL.Err
	}
	return tame(err.Error(), mostMessage)
}

// complaint says why an answer is no success.
func complaint(res *http.Response) string {
	switch {
	case res.StatusCode < 300:
		return ""
	case res.StatusCode < 400:
		return "redirects are not followed"
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, mostAnswerRead))
	text := tame(string(body), mostMessage)
	if isPage := strings.HasPrefix(res.Header.Get("Content-Type"), "text/html"); text != "" && !isPage {
		return text
	}
	return strings.ToLower(http.StatusText(res.StatusCode))
}

// greet says what the server greeted with.
func (l *listener) greet(m *adminv1.ListenResponse) {
	again := l.secret != ""
	moved := l.secret != m.GetSecret()
	l.secret = m.GetSecret()
	if moved {
		l.introduce(m)
	}
	switch {
	case again && m.GetResumed():
		l.note("Connected again. It goes on where it stopped.")
	case again:
		l.note("Connected again, to a server that does not know this listener. It begins with what happens from now on.")
	case m.GetResumed():
		l.note("It goes on where the last run stopped. Ctrl-C ends it.")
	default:
		l.note("It begins with what happens from now on. Ctrl-C ends it.")
	}
}

func (l *listener) introduce(m *adminv1.ListenResponse) {
	if l.json {
		_ = json.NewEncoder(l.out).Encode(struct {
			ForwardTo string `json:"forward_to"`
			Secret    string `json:"secret"`
			Name      string `json:"name"`
			Resumed   bool   `json:"resumed"`
		}{l.to.shown(), m.GetSecret(), l.request.Name, m.GetResumed()})
		return
	}
	l.note("Forwarding %s events to %s, signed with this secret, the same on every run:\n\n  %s\n", l.request.Environment, l.to.shown(), m.GetSecret())
}

// show writes what became of an event.
func (l *listener) show(e *adminv1.ListenResponse, a answered) error {
	if l.json {
		return json.NewEncoder(l.out).Encode(struct {
			At       time.Time `json:"at"`
			Event    string    `json:"event_id"`
			Type     string    `json:"event_type"`
			Session  string    `json:"session_id"`
			Attempt  int       `json:"attempt"`
			Status   int       `json:"http_status,omitempty"`
			Error    string    `json:"error,omitempty"`
			Duration string    `json:"duration"`
		}{a.at.UTC(), e.GetEventId(), e.GetEventType(), e.GetSessionId(), a.attempt, a.status, a.problem, fmt.Sprintf("%.3fs", a.took.Seconds())})
	}
	outcome := fmt.Sprintf("failed after %d ms: %s", a.took.Milliseconds(), a.problem)
	switch {
	case a.problem == "":
		outcome = fmt.Sprintf("%d in %d ms", a.status, a.took.Milliseconds())
	case a.status != 0:
		outcome = fmt.Sprintf("%d in %d ms: %s", a.status, a.took.Milliseconds(), a.problem)
	}
	l.line("%s  %-18s  %s  %s", a.at.Format(time.TimeOnly), e.GetEventType(), e.GetSessionId(), l.coloured(outcome, a.problem == ""))
	return nil
}

// The colours of a terminal.
const (
	red, green = "\x1b[31m", "\x1b[32m"
	plain      = "\x1b[0m"
)

// coloured is a text as good or bad news, where there is a terminal that shows it.
func (l *listener) coloured(text string, good bool) string {
	f, ok := l.out.(*os.File)
	if _, unwanted := l.env("NO_COLOR"); !ok || unwanted || !isatty.IsTerminal(f.Fd()) {
		return text
	}
	if good {
		return green + text + plain
	}
	return red + text + plain
}
