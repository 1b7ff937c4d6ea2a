// Package transcripts is Coinslot's behaviour as text: requests and their answers,
// played against a whole installation under a fake clock.
//
// In the files, ids are replaced by names in the order in which they appear: sess_1,
// pay_1, ref_1, event_1. A request can use the names. Directives:
//
//	game ID [attempts=N] [capture=manual] [confirm=URL]   registers a game
//	answers                                    what the game says when it is asked, a line each time, the last one from then on
//	key NAME game=ID [environment=production] [readonly]
//	endpoint [NAME] game=ID [environment=production] [events=a,b]
//	call METHOD [key=NAME] [idempotency=KEY]   a Connect JSON call of PaymentService, or of SERVICE/METHOD
//	rest VERB PATH [query=(a=b&c=d)] [key=NAME] [idempotency=KEY]
//	pay SESSION [card=NUMBER] [method=NAME]    pays in the sandbox as a player would
//	advance DURATION                           lets time pass
//	webhooks [whole] [sessions] [signers] [count]
//	                                           what arrived since, both signatures verified
//
// Those about deliveries are in deliveries_test.go.
package transcripts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/test/coinslottest"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// Each transcript is played on every store, and must be the same byte for byte.
func TestTranscripts(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		playAll(t, func(testing.TB) string { return "" })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		postgrestest.Programs(t)
		playAll(t, postgrestest.URL)
	})
}

// playAll plays the transcripts, each on a PostgreSQL database of its own, or where that
// has no URL on SQLite.
func playAll(t *testing.T, database func(testing.TB) string) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			url := database(t) // outside the bubble: the server is no part of it
			synctest.Test(t, func(t *testing.T) {
				p := &player{t: t, keys: map[string]string{}, receivers: newReceivers()}
				on := []func(*installation.Options){p.options}
				if url != "" {
					on = append(on, coinslottest.OnPostgres(t, url))
				}
				p.Installation = coinslottest.Start(t, on...)
				p.Receiver.Handle(p.receivers.respond)
				datadriven.RunTestAny(patient{t}, file, p.play)
			})
		})
	}
}

// patient drops what datadriven logs of a directive every ten seconds: here days pass
// in one.
type patient struct{ testing.TB }

func (p patient) Logf(format string, args ...any) {
	if !strings.Contains(format, "still running") {
		p.TB.Logf(format, args...)
	}
}

// player plays one transcript against one installation.
type player struct {
	*coinslottest.Installation
	t         *testing.T
	keys      map[string]string // by name
	receivers *receivers
	jitter    atomic.Pointer[float64]
	ids       names
}

func (p *player) play(t testing.TB, d *datadriven.TestData) string {
	switch d.Cmd {
	case "game":
		return p.game(d)
	case "key":
		return p.key(d)
	case "endpoint":
		return p.endpoint(d)
	case "call":
		method := d.CmdArgs[0].Key
		if !strings.Contains(method, "/") {
			method = "PaymentService/" + method
		}
		return p.do(d, "POST", "/pay.v1."+method)
	case "rest":
		path := p.ids.real(d.CmdArgs[1].Key)
		if query := arg(d, "query"); query != "" {
			path += "?" + p.ids.real(query)
		}
		return p.do(d, d.CmdArgs[0].Key, path)
	case "pay":
		return p.pay(d)
	case "late":
		return p.late(d)
	case "advance":
		pause, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		time.Sleep(pause)
		synctest.Wait()
		return ""
	case "webhooks":
		return p.webhooks(d)
	case "answers":
		p.answers(d)
		return ""
	}
	return p.playDeliveries(t, d)
}

func (p *player) game(d *datadriven.TestData) string {
	g := pay.Game{ID: pay.GameID(d.CmdArgs[0].Key)}
	if attempts := arg(d, "attempts"); attempts != "" {
		g.Attempts, _ = strconv.Atoi(attempts)
	}
	g.Capture = pay.CaptureMode(arg(d, "capture"))
	g.ConfirmURL = arg(d, "confirm")
	_, err := p.Gateway.CreateGame(p.t.Context(), g)
	if err == nil && g.ConfirmURL != "" {
		var secret string
		_, secret, err = p.Gateway.RotateConfirmSecret(p.t.Context(), g.ID, 0)
		p.receivers.add(gameServer, "", secret)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// gameServer is the receiver that is asked whether to charge: https://shop.test/….
const gameServer = "shop"

// answers has the game say one line after the other when it is asked.
func (p *player) answers(d *datadriven.TestData) {
	p.receivers.edit(gameServer, func(r *receiver) { r.lines = strings.Split(strings.TrimSpace(d.Input), "\n") })
}

func (p *player) key(d *datadriven.TestData) string {
	_, text, err := p.Gateway.CreateKey(p.t.Context(), pay.Key{
		Environment: environment(d), Game: pay.GameID(arg(d, "game")), ReadOnly: d.HasArg("readonly"),
	})
	if err != nil {
		return err.Error()
	}
	p.keys[d.CmdArgs[0].Key] = text
	return ""
}

func (p *player) endpoint(d *datadriven.TestData) string {
	name := named(d)
	e := pay.Endpoint{Environment: environment(d), Game: pay.GameID(arg(d, "game")), URL: "https://" + name + ".test/webhooks"}
	for name := range strings.SplitSeq(arg(d, "events"), ",") {
		if name != "" {
			e.Types = append(e.Types, pay.EventType(name))
		}
	}
	e, secret, err := p.Gateway.CreateEndpoint(p.t.Context(), e)
	if err != nil {
		return err.Error()
	}
	p.receivers.add(name, e.ID, secret)
	return ""
}

// do sends one request and shows its answer: the status, headers that matter, the
// body with its ids named.
func (p *player) do(d *datadriven.TestData, method, path string) string {
	r := httptest.NewRequest(method, path, strings.NewReader(p.ids.real(d.Input)))
	r.Header.Set("Content-Type", "application/json")
	name := arg(d, "key")
	if name == "" {
		name = "sandbox"
	}
	if key, ok := p.keys[name]; ok {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if key := arg(d, "idempotency"); key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return p.send(r)
}

func (p *player) send(r *http.Request) string {
	rest := strings.HasPrefix(r.URL.Path, "/v1/")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	synctest.Wait()
	out := fmt.Sprintln(w.Code)
	for _, name := range []string{"Idempotent-Replayed", "X-Total-Count", "Link", rpc.FeedCursorHeader, "Retry-After"} {
		if v := w.Header().Get(name); v != "" && (rest || !strings.HasPrefix(name, "X-")) {
			if name == rpc.FeedCursorHeader {
				v = p.ids.name("cursor", v)
			}
			out += name + ": " + cursors.ReplaceAllString(v, "cursor=…") + "\n"
		}
	}
	return p.ids.named(out + pretty(w.Body.Bytes()))
}

// late lists payments for which money came late.
func (p *player) late(d *datadriven.TestData) (out string) {
	late, err := p.Gateway.LatePayments(p.t.Context(), "", 10)
	if err != nil {
		d.Fatalf(p.t, "%v", err)
	}
	for _, l := range late {
		out += fmt.Sprintf("%s %s, its late money %s since %s\n", l.ID, l.Status, l.Late, l.LateAt.Format(time.RFC3339))
	}
	return p.ids.named(out)
}

func (p *player) pay(d *datadriven.TestData) string {
	request := map[string]any{"session_id": p.ids.real(d.CmdArgs[0].Key), "refuse_challenge": d.HasArg("refuse")}
	for _, with := range []string{"card", "method"} {
		if v := arg(d, with); v != "" {
			request[with] = v
		}
	}
	body, _ := json.Marshal(request)
	r := httptest.NewRequest("POST", "/admin.v1.AdminService/SandboxPay", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+coinslottest.AdminToken)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	synctest.Wait()
	var answer struct {
		Message string
		Session struct{ Status string }
		Payment struct {
			ID, Status string
			Error      struct{ Code string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		return fmt.Sprintf("%d %s", w.Code, w.Body)
	}
	if answer.Message != "" {
		return p.ids.named(answer.Message + "\n")
	}
	out := fmt.Sprintf("session %s, %s %s %s", answer.Session.Status, answer.Payment.ID, answer.Payment.Status, answer.Payment.Error.Code)
	return p.ids.named(strings.TrimSpace(out) + "\n")
}

// webhooks shows what arrived, each request verified in both documented ways. Of what
// arrived at the same instant the order is nobody's promise, so it is put into one.
func (p *player) webhooks(d *datadriven.TestData) string {
	time.Sleep(deliveryTime)
	synctest.Wait()
	all := p.Receiver.Take()
	slices.SortStableFunc(all, func(a, b coinslottest.Received) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(headOf(a).Data.SessionID, headOf(b).Data.SessionID),
			cmp.Compare(headOf(a).Sequence, headOf(b).Sequence), cmp.Compare(a.Host, b.Host))
	})
	var out strings.Builder
	for _, got := range all {
		signers, err := p.receivers.verify(got)
		if err != nil {
			d.Fatalf(p.t, "%v", err)
		}
		if !d.HasArg("count") {
			out.WriteString(p.arrival(d, got, signers))
		}
	}
	if d.HasArg("count") {
		fmt.Fprintf(&out, "%d attempts\n", len(all))
	}
	return p.ids.named(out.String())
}

func (p *player) arrival(d *datadriven.TestData, got coinslottest.Received, signers []string) string {
	head := headOf(got)
	out := fmt.Sprintf("attempt %s: %s", got.Header.Get("Webhook-Attempt"), head.Event)
	if head.Event == string(pay.ConfirmType) {
		out += " " + got.Header.Get("webhook-id")
	}
	if d.HasArg("sessions") {
		out += " of " + head.Data.SessionID
	}
	if d.HasArg("signers") {
		out += ", signed by " + strings.Join(signers, " and ")
	}
	if p.receivers.several() {
		out += ", at " + got.Host
	}
	out += "\n"
	if d.HasArg("whole") {
		out += pretty(got.Body)
	}
	return out
}

// head is what transcripts show of a payload; what is no payload has none.
type head struct {
	Event    string
	Sequence int
	Data     struct {
		SessionID string `json:"session_id"`
	}
}

func headOf(got coinslottest.Received) (h head) {
	_ = json.Unmarshal(got.Body, &h)
	return h
}

// deliveryTime is more than a first attempt ever waits for.
const deliveryTime = 100 * time.Millisecond

func environment(d *datadriven.TestData) pay.Environment {
	if env := arg(d, "environment"); env != "" {
		return pay.Environment(env)
	}
	return pay.Sandbox
}

// arg is the value of an optional argument.
func arg(d *datadriven.TestData, name string) string {
	for _, a := range d.CmdArgs {
		if a.Key == name && len(a.Vals) == 1 {
			return a.Vals[0]
		}
	}
	return ""
}

func pretty(body []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		return string(body) + "\n"
	}
	// A detail's binary form holds ids in base64; its readable form stands beside it.
	return detailValue.ReplaceAllString(strings.TrimRight(out.String(), "\n")+"\n", "")
}

var detailValue = regexp.MustCompile(`\n *"value": "[A-Za-z0-9+/]*",`)

var (
	ids     = regexp.MustCompile(`\b(sess|pay|ref|key|we)_[0-9a-v]{32}\b|\bdlv_[0-9]{13,}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|"(next_)?cursor": *"[^"]+"`)
	cursors = regexp.MustCompile(`cursor=[A-Za-z0-9_-]+`)
)

// names gives ids short names in the order in which they appear.
type names struct {
	byID  map[string]string
	count map[string]int
}

func (n *names) named(text string) string {
	return ids.ReplaceAllStringFunc(text, func(id string) string {
		if field, cursor, ok := strings.Cut(strings.TrimSuffix(id, `"`), `": `); ok {
			return field + `": "` + n.name("cursor", strings.Trim(cursor, ` "`)) + `"`
		}
		kind, _, ok := strings.Cut(id, "_")
		if !ok {
			kind = "event"
		}
		return n.name(kind, id)
	})
}

func (n *names) name(kind, id string) string {
	if n.byID == nil {
		n.byID, n.count = map[string]string{}, map[string]int{}
	}
	if _, ok := n.byID[id]; !ok {
		n.count[kind]++
		n.byID[id] = kind + "_" + strconv.Itoa(n.count[kind])
	}
	return n.byID[id]
}

// real puts ids back where a transcript has their names.
func (n *names) real(text string) string {
	for id, name := range n.byID {
		text = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllLiteralString(text, id)
	}
	return text
}
