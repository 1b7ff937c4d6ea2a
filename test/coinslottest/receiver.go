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
	handle Handler               // instead of answer
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

// Handler answers a webhook, or fails as a connection would.
type Handler func(*http.Request) (*http.Response, error)

// Received is one request that a receiver got.
type Received struct {
	Host   string
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

// Handle has a handler answer from now on, several requests at a time.
func (r *Receiver) Handle(h Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handle = h
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
	return r.note(Received{req.URL.Host, req.Header.Clone(), body, time.Now()})(req)
}

// note writes a request down, and says who answers it.
func (r *Receiver) note(got Received) Handler {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, got)
	if r.handle != nil {
		return r.handle
	}
	w := httptest.NewRecorder()
	if r.answer != nil {
		w.WriteHeader(r.answer(len(r.got)))
	}
	if r.says != nil {
		_, _ = io.WriteString(w, r.says(got))
	}
	return func(*http.Request) (*http.Response, error) { return w.Result(), nil }
}
