package transcripts

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// The directives about deliveries. NAME is an endpoint's; without it, it is game.
//
//	sessions N game=ID                         makes sessions, of each of which session.created tells
//	receiver [NAME] [status=N] [retry-after=TEXT] [body=(TEXT)] [after=DURATION] [down] [silent]
//	                                           how it answers from now on; without more, 200
//	jitter N                                   the spread of retries: -1 to 1, 0 at first
//	endpoints                                  how each of them is
//	deliveries [NAME] [status=NAME]            an endpoint's, newest event first
//	attempts DELIVERY                          what was tried
//	redeliver DELIVERY|EVENT
//	recover [NAME] [since=DURATION]            of events that happened no longer ago
//	enable [NAME]
//	disable [NAME]
//	rotate [NAME] [overlap=DURATION]
func (p *player) playDeliveries(t testing.TB, d *datadriven.TestData) string {
	out, err := "", error(nil)
	switch d.Cmd {
	case "sessions":
		out, err = p.sessions(d)
	case "receiver":
		p.receivers.edit(named(d), func(r *receiver) { r.answer = answerOf(d) })
	case "jitter":
		n, fault := strconv.ParseFloat(d.CmdArgs[0].Key, 64)
		p.jitter.Store(&n)
		err = fault
	case "endpoints":
		out, err = p.endpoints()
	case "deliveries":
		out, err = p.deliveries(d)
	case "attempts":
		out, err = p.attempts(d)
	case "redeliver":
		out, err = p.redeliver(d.CmdArgs[0].Key)
	case "recover":
		out, err = p.recover(d)
	case "enable", "disable":
		_, err = p.Gateway.UpdateEndpoint(p.t.Context(), p.receivers.id(named(d)), func(e *pay.Endpoint) { e.Enabled = d.Cmd == "enable" })
	case "rotate":
		out, err = p.rotate(d)
	default:
		d.Fatalf(t, "unknown directive %s", d.Cmd)
	}
	synctest.Wait()
	if err != nil {
		return p.ids.named(err.Error() + "\n")
	}
	return p.ids.named(out)
}

// options are those of the installation that a transcript is played against.
func (p *player) options(o *installation.Options) {
	p.jitter.Store(new(float64))
	o.WebhookJitter = func() float64 { return *p.jitter.Load() }
}

// order is what the players of these transcripts want.
func order(game string) pay.Order {
	return pay.Order{
		Game: pay.GameID(game), User: "player_42", ReturnURL: "arcade://done",
		Item: &pay.ItemOrder{Title: "Coin", Price: 100, Currency: "USD"},
	}
}

// named is the endpoint that a directive names.
func named(d *datadriven.TestData) string {
	for _, a := range d.CmdArgs {
		if len(a.Vals) == 0 && a.Key != "down" && a.Key != "silent" {
			return a.Key
		}
	}
	return "game"
}

func answerOf(d *datadriven.TestData) answer {
	a := answer{retryAfter: words(d, "retry-after"), body: words(d, "body"), down: d.HasArg("down"), silent: d.HasArg("silent")}
	a.status, _ = strconv.Atoi(arg(d, "status"))
	a.after, _ = time.ParseDuration(arg(d, "after"))
	return a
}

// words is an argument in brackets, in which datadriven splits at commas.
func words(d *datadriven.TestData, name string) string {
	for _, a := range d.CmdArgs {
		if a.Key == name {
			return strings.Join(a.Vals, ", ")
		}
	}
	return ""
}

func (p *player) sessions(d *datadriven.TestData) (string, error) {
	n, err := strconv.Atoi(d.CmdArgs[0].Key)
	if err != nil {
		return "", err
	}
	game := arg(d, "game")
	var out strings.Builder
	for range n {
		s, _, err := p.Gateway.CreateSession(p.t.Context(), gateway.Caller{Environment: pay.Sandbox}, order(game), gateway.Idempotency{})
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&out, s.ID)
		time.Sleep(time.Millisecond) // their ids tell which is older
	}
	return out.String(), nil
}

func (p *player) endpoints() (string, error) {
	all, err := p.Gateway.Endpoints(p.t.Context(), "")
	var out strings.Builder
	for _, e := range all {
		state := "enabled"
		if !e.Enabled {
			state = "disabled"
		}
		if e.Disabled != "" {
			state += ": " + e.Disabled
		}
		if !e.FailingSince.IsZero() {
			state += ", failing since " + e.FailingSince.Format(time.RFC3339)
		}
		fmt.Fprintf(&out, "%s is %s\n", e.URL, state)
	}
	return out.String(), err
}

func (p *player) deliveries(d *datadriven.TestData) (string, error) {
	found, err := p.Gateway.Deliveries(p.t.Context(), store.DeliveryQuery{
		Endpoint: p.receivers.id(named(d)), Status: pay.DeliveryStatus(arg(d, "status")), Limit: 100,
	})
	var out strings.Builder
	for _, row := range found.Rows {
		out.WriteString(stateOf(row))
	}
	return out.String(), err
}

// stateOf is a delivery in a line.
func stateOf(d store.DeliveryState) string {
	text := fmt.Sprintf("%s, %s %s of %s: %s, %d attempts", d.ID, d.Event, d.Type, d.Session, d.Status, d.Attempts)
	switch wait := time.Until(d.DueAt); {
	case d.Status != pay.DeliveryPending:
	case wait > 0:
		text += ", the next in " + roughly(wait)
	default:
		text += ", the next is due"
	}
	return text + "\n"
}

// roughly writes a duration without what nobody promises: an attempt may be a second late.
func roughly(d time.Duration) string {
	if d > time.Hour {
		return config.Shortly(d.Round(time.Minute))
	}
	return config.Shortly(d.Round(time.Second))
}

func (p *player) attempts(d *datadriven.TestData) (string, error) {
	id, err := pay.ParseDeliveryID("delivery", p.ids.real(d.CmdArgs[0].Key))
	if err != nil {
		return "", err
	}
	state, attempts, err := p.Gateway.Attempts(p.t.Context(), id)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for i, a := range attempts {
		fmt.Fprintf(&out, "attempt %d", a.Number)
		if i > 0 {
			before := attempts[i-1]
			fmt.Fprintf(&out, ", %s later", roughly(a.At.Sub(before.At.Add(before.Duration))))
		}
		out.WriteString(": " + wordsOf(a) + "\n")
	}
	if len(attempts) > 1 {
		fmt.Fprintf(&out, "in all %s\n", roughly(attempts[len(attempts)-1].At.Sub(attempts[0].At)))
	}
	return out.String() + stateOf(state), nil
}

// wordsOf is what came of an attempt.
func wordsOf(a pay.Attempt) string {
	switch {
	case a.Error != "":
		return a.Error
	case len(a.Answer) > 0:
		return fmt.Sprintf("HTTP %d, %s", a.Status, a.Answer)
	}
	return fmt.Sprintf("HTTP %d", a.Status)
}

func (p *player) redeliver(what string) (string, error) {
	real := p.ids.real(what)
	if strings.HasPrefix(what, "event_") {
		n, err := p.Gateway.RedeliverEvent(p.t.Context(), pay.EventID(real))
		return fmt.Sprintf("%d on the way\n", n), err
	}
	id, err := pay.ParseDeliveryID("delivery", real)
	if err != nil {
		return "", err
	}
	return "", p.Gateway.Redeliver(p.t.Context(), id)
}

func (p *player) recover(d *datadriven.TestData) (string, error) {
	since := time.Time{}
	if text := arg(d, "since"); text != "" {
		ago, err := time.ParseDuration(text)
		if err != nil {
			return "", err
		}
		since = time.Now().Add(-ago)
	}
	n, err := p.Gateway.Recover(p.t.Context(), p.receivers.id(named(d)), since)
	return fmt.Sprintf("%d on the way\n", n), err
}

func (p *player) rotate(d *datadriven.TestData) (string, error) {
	overlap := 24 * time.Hour
	if text := arg(d, "overlap"); text != "" {
		var err error
		if overlap, err = time.ParseDuration(text); err != nil {
			return "", err
		}
	}
	_, text, err := p.Gateway.RotateSecret(p.t.Context(), p.receivers.id(named(d)), overlap)
	if err != nil {
		return "", err
	}
	return p.receivers.rotate(named(d), text) + "\n", nil
}
