package transcripts

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// receivers are the games' servers: they answer as they are told, and verify as the
// documentation says.
type receivers struct {
	mu     sync.Mutex
	byHost map[string]*receiver
	bodies map[string][]byte // of each event, as it first came
	made   int               // secrets
}

// receiver is behind one endpoint.
type receiver struct {
	endpoint pay.EndpointID
	secrets  []secret // all that it ever had, newest first
	answer   answer
	lines    []string // what it says, one after the other, the last one from then on
}

type secret struct{ name, text string }

// answer is what a receiver says. The zero answer is a 200.
type answer struct {
	status       int
	retryAfter   string
	body         string
	after        time.Duration // before it answers
	down, silent bool          // nobody listens; nobody answers
}

func newReceivers() *receivers {
	return &receivers{byHost: map[string]*receiver{}, bodies: map[string][]byte{}}
}

// add puts a receiver at NAME.test.
func (r *receivers) add(name string, id pay.EndpointID, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byHost[name+".test"] = &receiver{endpoint: id, secrets: []secret{r.secret(text)}}
}

// secret names a secret after how many there were.
func (r *receivers) secret(text string) secret {
	r.made++
	return secret{"secret_" + strconv.Itoa(r.made), text}
}

// rotate gives a receiver another secret, and says its name.
func (r *receivers) rotate(name, text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	new, at := r.secret(text), r.byHost[name+".test"]
	at.secrets = slices.Insert(at.secrets, 0, new)
	return new.name
}

func (r *receivers) several() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.byHost) > 1
}

// edit changes the receiver of that name.
func (r *receivers) edit(name string, change func(*receiver)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r.byHost[name+".test"])
}

func (r *receivers) id(name string) (id pay.EndpointID) {
	r.edit(name, func(r *receiver) { id = r.endpoint })
	return id
}

var errRefused = errors.New("connection refused")

// respond is a coinslottest.Handler.
func (r *receivers) respond(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	at := r.byHost[req.URL.Host]
	a := at.answer
	if len(at.lines) > 0 {
		a.body = at.lines[0]
		at.lines = at.lines[min(1, len(at.lines)-1):]
	}
	r.mu.Unlock()
	time.Sleep(a.after)
	switch {
	case a.down:
		return nil, errRefused
	case a.silent:
		<-req.Context().Done()
		return nil, req.Context().Err()
	case a.status == 0:
		a.status = http.StatusOK
	}
	header := http.Header{}
	if a.retryAfter != "" {
		header.Set("Retry-After", a.retryAfter)
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)), Request: req}, nil
}

// tolerance is how old a signature may be when it arrives.
const tolerance = 5 * time.Minute

// verify checks a delivery as a receiver would, and that an event never changes on its
// way. It returns the names of the secrets that signed.
func (r *receivers) verify(got coinslottest.Received) (signers []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := got.Header.Get("webhook-id")
	if first, ok := r.bodies[id]; ok && !bytes.Equal(first, got.Body) {
		return nil, fmt.Errorf("event %s came as %s, and then as %s", id, first, got.Body)
	}
	r.bodies[id] = got.Body
	at, signatures, err := stamped(got)
	if err != nil {
		return nil, err
	}
	secrets := r.byHost[got.Host].secrets
	for _, v1 := range signatures {
		i := slices.IndexFunc(secrets, func(s secret) bool { return s.hex(at, got.Body) == v1 })
		if i < 0 {
			return nil, fmt.Errorf("nobody known signed %q", v1)
		}
		signers = append(signers, secrets[i].name)
	}
	for _, s := range secrets {
		standard, err := standardwebhooks.NewWebhook(s.text)
		if err != nil {
			return nil, err
		}
		err = standard.VerifyIgnoringTimestamp(got.Body, got.Header)
		if signed := slices.Contains(signers, s.name); signed != (err == nil) {
			return nil, fmt.Errorf("%s signed: %v, but Standard Webhooks says: %w", s.name, signed, err)
		}
	}
	return signers, nil
}

// stamped takes X-ToffeePay-Signature apart, whose time must be fresh and that of the
// other signature.
func stamped(got coinslottest.Received) (at string, signatures []string, err error) {
	header := got.Header.Get("X-ToffeePay-Signature")
	parts := strings.Split(header, ",")
	at = strings.TrimPrefix(parts[0], "t=")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || got.At.Sub(time.Unix(seconds, 0)).Abs() > tolerance || at != got.Header.Get("webhook-timestamp") {
		return "", nil, fmt.Errorf("signed at %q and %q, arrived at %v", at, got.Header.Get("webhook-timestamp"), got.At)
	}
	for _, part := range parts[1:] {
		v1, ok := strings.CutPrefix(part, "v1=")
		if !ok {
			return "", nil, fmt.Errorf("X-ToffeePay-Signature is %s", header)
		}
		signatures = append(signatures, v1)
	}
	if len(signatures) == 0 {
		return "", nil, fmt.Errorf("X-ToffeePay-Signature is %s", header)
	}
	return at, signatures, nil
}

func (s secret) hex(at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.text))
	mac.Write([]byte(at + "." + string(body)))
	return hex.EncodeToString(mac.Sum(nil))
}
