package coinslottest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Receiver is where webhooks arrive. It answers 200 unless told otherwise.
type Receiver struct {
	mu     sync.Mutex
	got    []Received
	answer func(attempt int) int // the HTTP status; nil: always 200
	says   func(Received) string // the body of an answer; nil: none
}

// Say has the receiver say something with each answer, such as a game's decision.
func (r *Receiver) Say(body string) { r.SayTo(func(Received) string { return body }) }

// SayTo has the receiver say to each request what fits it.
func (r *Receiver) SayTo(body func(Received) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.says = body
}

// Received is one request that a receiver got.
type Received struct {
	Header http.Header
	Body   []byte
	At     time.Time
}

// Answer has the receiver answer the nth request, counted from 1, with a status.
func (r *Receiver) Answer(status func(n int) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

// Take returns what has arrived since the last call.
func (r *Receiver) Take() []Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// RoundTrip implements http.RoundTripper.
func (r *Receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	got := Received{req.Header.Clone(), body, time.Now()}
	r.got = append(r.got, got)
	w := httptest.NewRecorder()
	if r.answer != nil {
		w.WriteHeader(r.answer(len(r.got)))
	}
	if r.says != nil {
		_, _ = io.WriteString(w, r.says(got))
	}
	return w.Result(), nil
}
