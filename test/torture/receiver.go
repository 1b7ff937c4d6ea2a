package torture

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Arrival is an event as a receiver got it, however often.
type Arrival struct {
	ID      string
	Game    string // whose endpoint it came to
	Body    []byte // the first time
	Times   int
	Strange []string // what was wrong with any of the requests
}

// Receiver takes webhooks and writes down all that it gets. It refuses some at
// their first attempt, until it is told to be kind.
type Receiver struct {
	server *httptest.Server

	mu       sync.Mutex
	random   *rand.Rand
	kind     bool
	secrets  map[string]string // by game
	arrivals map[string]*Arrival
}

// refuseOneIn is how many first attempts there are to one that is refused.
const refuseOneIn = 50

func newReceiver(seed uint64) *Receiver {
	r := &Receiver{
		random: rand.New(rand.NewPCG(seed, receiverStream)), secrets: map[string]string{}, arrivals: map[string]*Arrival{},
	}
	r.server = httptest.NewServer(r)
	return r
}

// endpoint is where the receiver takes a game's webhooks.
func (r *Receiver) endpoint(game string) string { return r.server.URL + "/" + game }

// trust tells the receiver what a game's webhooks are signed with.
func (r *Receiver) trust(game, secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets[game] = secret
}

// beKind ends the refusals.
func (r *Receiver) beKind() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kind = true
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // cut off by a kill: nothing has arrived
	}
	if !r.take(req.URL.Path[1:], req.Header, body) {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// take writes a request down and says whether it is accepted. A request that is
// refused has arrived all the same: what it said must be true.
func (r *Receiver) take(game string, header http.Header, body []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := header.Get("webhook-id")
	a, again := r.arrivals[id]
	if !again {
		a = &Arrival{ID: id, Game: game, Body: body}
		r.arrivals[id] = a
	}
	a.Times++
	a.inspect(game, r.secrets[game], header, body)
	return r.kind || again || r.random.IntN(refuseOneIn) != 0
}

// inspect notes what is wrong with a request. Its age is not checked: settling may
// have set the sender's clock ahead.
func (a *Arrival) inspect(game, secret string, header http.Header, body []byte) {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = verifier.VerifyIgnoringTimestamp(body, header)
	}
	if err != nil {
		a.Strange = append(a.Strange, "its signature is wrong: "+err.Error())
	}
	a.inspectBody(game, body)
}

func (a *Arrival) inspectBody(game string, body []byte) {
	var told struct{ ID string }
	switch {
	case json.Unmarshal(body, &told) != nil || told.ID != a.ID:
		a.Strange = append(a.Strange, "its body has the id "+told.ID)
	case !bytes.Equal(body, a.Body):
		a.Strange = append(a.Strange, "its body changed from one attempt to the next")
	case game != a.Game:
		a.Strange = append(a.Strange, "it came to the endpoint of "+game+" as well as that of "+a.Game)
	}
}

// Arrivals is what has arrived, by the event's id.
func (r *Receiver) Arrivals() map[string]Arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]Arrival, len(r.arrivals))
	for id, a := range r.arrivals {
		all[id] = *a
	}
	return all
}

// has says whether all of the events have arrived.
func (r *Receiver) has(ids []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if r.arrivals[id] == nil {
			return false
		}
	}
	return true
}
