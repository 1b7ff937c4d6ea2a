package torture

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// confirming is a game that is asked before its players are charged.
const confirming = "asks_first"

// Asked is what the game was asked about a payment, and what it has answered.
type Asked struct {
	IDs      []string // of the questions, each once
	Times    int
	Approved bool     // it has said so at least once; a game's mind is made up by its first answer
	Rejected bool     // likewise
	Strange  []string // what was wrong with any of the questions
}

// Confirmer is the game's confirm_url. It decides once about each payment, but answers
// some questions with nonsense, slowly or not at all, until it is told to be kind.
type Confirmer struct {
	server *httptest.Server
	secret string

	mu     sync.Mutex
	random *rand.Rand
	kind   bool
	asked  map[string]*Asked // by payment
	minds  map[string]bool   // approve, by payment
}

// In a hundred questions the confirmer is so often …
const (
	rejectIn  = 30
	garbageIn = 4
	silentIn  = 3
	slowIn    = 20
)

const mostSlowness = 60 * time.Millisecond // so that many are killed while they wait

func newConfirmer(seed uint64) *Confirmer {
	c := &Confirmer{
		random: rand.New(rand.NewPCG(seed, confirmerStream)), asked: map[string]*Asked{}, minds: map[string]bool{},
	}
	c.server = httptest.NewServer(c)
	return c
}

// beKind has every question answered well from now on.
func (c *Confirmer) beKind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kind = true
}

// ServeHTTP implements http.Handler.
func (c *Confirmer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // cut off by a kill: nothing was asked
	}
	answer, after := c.take(req.Header, body)
	select {
	case <-time.After(after):
	case <-req.Context().Done():
	}
	_, _ = io.WriteString(w, answer)
}

// take writes a question down and picks what is answered to it and how late. An answer is
// noted before it is given: the asker may have heard it, and must not act on what is not noted.
func (c *Confirmer) take(header http.Header, body []byte) (answer string, after time.Duration) {
	var told struct {
		ID, Type string
		Data     struct {
			PaymentID string `json:"payment_id"`
		}
	}
	err := json.Unmarshal(body, &told)
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.asked[told.Data.PaymentID]
	if a == nil {
		a = &Asked{}
		c.asked[told.Data.PaymentID] = a
		c.minds[told.Data.PaymentID] = c.random.IntN(100) >= rejectIn
	}
	a.Times++
	if !slices.Contains(a.IDs, told.ID) {
		a.IDs = append(a.IDs, told.ID)
	}
	if err != nil || told.Type != string(pay.ConfirmType) || told.ID != header.Get("webhook-id") {
		a.Strange = append(a.Strange, "it says "+string(body))
	}
	verifier, err := standardwebhooks.NewWebhook(c.secret)
	if err == nil {
		err = verifier.Verify(body, header)
	}
	if err != nil {
		a.Strange = append(a.Strange, "its signature is wrong: "+err.Error())
	}
	return c.answer(a, c.minds[told.Data.PaymentID])
}

func (c *Confirmer) answer(a *Asked, approve bool) (string, time.Duration) {
	mood := c.random.IntN(100)
	slowness := time.Duration(c.random.Int64N(int64(mostSlowness)))
	switch {
	case c.kind:
		slowness = 0
	case mood < garbageIn:
		return `{"decision":"perhaps"}`, 0
	case mood < garbageIn+silentIn:
		return "", time.Minute
	case mood >= garbageIn+silentIn+slowIn:
		slowness = 0
	}
	if approve {
		a.Approved = true
		return `{"decision":"approve"}`, slowness
	}
	a.Rejected = true
	return `{"decision":"reject","reason":"out_of_stock"}`, slowness
}

// Asked is what has been asked, by payment.
func (c *Confirmer) Asked() map[string]Asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]Asked, len(c.asked))
	for id, a := range c.asked {
		all[id] = *a
	}
	return all
}

// setUpConfirming makes the game that is asked.
func (r *run) setUpConfirming(ctx context.Context, a api) error {
	made, err := a.admin.CreateGame(ctx, &adminv1.CreateGameRequest{
		Id: confirming, PaymentAttempts: proto.Int32(2), ConfirmUrl: proto.String(r.confirmer.server.URL),
	})
	r.confirmer.secret = made.GetConfirmSecret()
	return err
}

// awaitDecisions waits until no payment is left about which the game is asked.
func (r *run) awaitDecisions(ctx context.Context, server *process) error {
	a := dial(server, r.key, 0, answerWithin)
	return eventually(ctx, "a game's decision is still waited for", func() (bool, error) {
		var t Truth
		if err := t.list(ctx, a, confirming, "pending"); err != nil {
			return false, err
		}
		for id := range t.Accounts {
			shown, err := a.admin.ShowSession(ctx, &adminv1.ShowSessionRequest{Id: id})
			if err != nil {
				return false, err
			}
			for _, p := range shown.GetPayments() {
				if s := p.GetStatus(); s == "processing" || s == "authorized" {
					return false, nil
				}
			}
		}
		return true, nil
	})
}

func checkConfirmed(w World, breach report) {
	taken := map[string]bool{}
	for _, e := range w.Truth.Ledger {
		taken[e.Payment] = e.Taken() > 0
	}
	known := map[string]bool{}
	for session, a := range w.Truth.Accounts {
		for _, p := range a.Payments {
			if a.Row.Game == confirming {
				known[string(p.ID)] = true
				checkDecision(session, p, w.Asked[string(p.ID)], taken[string(p.ID)] || p.Status == pay.PaymentSucceeded, breach)
			}
		}
	}
	for payment, a := range w.Asked {
		if !known[payment] {
			breach("the game was asked about payment %s, which is not there", payment)
		}
		for _, strange := range a.Strange {
			breach("the question about payment %s: %s", payment, strange)
		}
	}
}

func checkDecision(session string, p pay.Payment, a Asked, taken bool, breach report) {
	switch {
	case taken && a.Rejected:
		breach("the game rejected payment %s of session %s, and its money was taken", p.ID, session)
	case taken && !a.Approved:
		breach("the money of payment %s of session %s was taken, and the game had not approved", p.ID, session)
	case p.Status.Live() || p.Asking:
		breach("payment %s of session %s is %s, and nobody decides", p.ID, session, p.Status)
	case p.Failure != nil && p.Failure.Code == pay.ConfirmationRejected && !a.Rejected:
		breach("payment %s of session %s failed as rejected, and the game did not reject it", p.ID, session)
	}
	if len(a.IDs) > 1 {
		breach("the game was asked about payment %s as %v", p.ID, a.IDs)
	}
}
