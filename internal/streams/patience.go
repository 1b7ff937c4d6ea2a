package streams

import (
	"net/http"
	"time"
)

// readWithin is how long the reader of a stream may take nothing of what is sent.
const readWithin = 10 * time.Second

// Patient lets an answer go on for as long as its reader reads. The http.Server's limit
// is of a whole answer, which for a stream has no end: so it is lifted, and each piece
// that is sent has one of its own. The limit of reading stays: it ends with the request.
type Patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

// NewPatient lifts the limit of a whole answer. End must be called before the handler returns.
func NewPatient(w http.ResponseWriter) *Patient {
	p := &Patient{w, http.NewResponseController(w)}
	p.hurry(time.Time{})
	return p
}

// hurry bounds what is written from now on, or with the zero time lets it be. Where
// there is no connection, as in tests, there is nothing to bound.
func (p *Patient) hurry(until time.Time) { _ = p.control.SetWriteDeadline(until) }

func (p *Patient) Write(b []byte) (int, error) {
	p.hurry(time.Now().Add(readWithin))
	defer p.hurry(time.Time{}) // HTTP/2 would end the stream at the deadline though nothing is being written
	return p.ResponseWriter.Write(b)
}

// Flush implements http.Flusher. What is wrong with the connection, the next Write tells.
func (p *Patient) Flush() {
	p.hurry(time.Now().Add(readWithin))
	defer p.hurry(time.Time{})
	_ = p.control.Flush()
}

// Unwrap is for http.ResponseController.
func (p *Patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// End bounds what the http.Server still writes when the handler has returned.
func (p *Patient) End() { p.hurry(time.Now().Add(readWithin)) }
