package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/coinslot/coinslot/internal/store"
)

// readers is a pool of connections for reading, opened as they are needed.
type readers struct {
	path  string
	turns chan struct{} // a token for each connection that is in use

	mu     sync.Mutex
	idle   []*conn // the last one used on top, its cache being the warmest
	closed bool
}

func newReaders(path string, most int) *readers {
	return &readers{path: path, turns: make(chan struct{}, most)}
}

// take waits for a connection as long as ctx allows.
func (r *readers) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case r.turns <- struct{}{}:
	default:
		select {
		case r.turns <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c, err := r.pick()
	if err != nil {
		<-r.turns
	}
	return c, err
}

func (r *readers) pick() (*conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fmt.Errorf("read: closed: %w", store.ErrUnavailable)
	}
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return c, nil
	}
	return connect(r.path, readerPragmas...)
}

// give takes a connection back. One that had trouble is replaced by a new one.
func (r *readers) give(c *conn) {
	r.mu.Lock()
	if c.fault == nil {
		r.idle = append(r.idle, c)
	} else {
		_ = c.close()
	}
	r.mu.Unlock()
	<-r.turns
}

// close refuses new readers, waits for those at work, and closes their connections.
func (r *readers) close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	for range cap(r.turns) {
		r.turns <- struct{}{}
	}
	// All are back. Those who come now take a turn only to be refused.
	defer func() {
		for range cap(r.turns) {
			<-r.turns
		}
	}()
	var err error
	for _, c := range r.idle {
		err = errors.Join(err, c.close())
	}
	r.idle = nil
	return err
}
