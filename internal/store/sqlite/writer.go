package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// writer runs closures one after the other on the one connection that writes, and
// commits many with one sync.
//
// There is no goroutine of its own. A caller that finds nobody at work becomes the
// leader: it runs its own closure on its own goroutine, and commits. Callers that
// come meanwhile queue up; when the leader is done it makes the first of them the
// next leader, which takes all that wait along. So a lone caller pays for no hand-over,
// and while one batch is being synced the next one forms, without any timer.
type writer struct {
	conn  *conn
	batch *sqlstore.Batch
	most  int
	wrote func() // called after a commit that had events
	fatal func(error)
	log   *slog.Logger

	mu     sync.Mutex
	idle   *sync.Cond // signalled when a leader leaves and nobody follows
	led    bool
	queue  []*job
	closed bool
	broken error // why nothing can be written any more
}

// closure is what a caller wants to be run in a transaction.
type closure func(*conn, *sqlstore.Batch) error

// job is a closure that waits or runs, and what came of it.
type job struct {
	fn   closure
	wake chan bool // true: lead the next batch; false: it is done

	err      error
	panicked bool
	reason   any // of the panic
}

func newWriter(c *conn, o Options, wrote func()) *writer {
	w := &writer{conn: c, batch: sqlstore.NewBatch(), most: mostInBatch, wrote: wrote, fatal: o.Fatal, log: o.Logger}
	if o.Solo {
		w.most = 1
	}
	w.idle = sync.NewCond(&w.mu)
	return w
}

// do runs fn and returns when what it wrote is durable. ctx ends only the wait
// before fn begins.
func (w *writer) do(ctx context.Context, fn closure) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{fn: fn}
	w.mu.Lock()
	if err := w.refusal(); err != nil {
		w.mu.Unlock()
		return err
	}
	lead := !w.led
	if lead {
		w.led = true
	} else {
		j.wake = make(chan bool, 1)
		w.queue = append(w.queue, j)
	}
	w.mu.Unlock()

	if !lead {
		var err error
		if lead, err = w.wait(ctx, j); err != nil {
			return err
		}
	}
	if lead {
		w.lead(j)
	}
	if j.panicked {
		panic(j.reason)
	}
	return j.err
}

// refusal is why nothing may be written now, if so. The lock is held.
func (w *writer) refusal() error {
	switch {
	case w.broken != nil:
		return unavailable("write", w.broken)
	case w.closed:
		return fmt.Errorf("write: closed: %w", store.ErrUnavailable)
	}
	return nil
}

// wait returns when the job is done or is to lead, or when ctx ends while it is still queued.
func (w *writer) wait(ctx context.Context, j *job) (lead bool, err error) {
	select {
	case lead := <-j.wake:
		return lead, nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	for i, queued := range w.queue {
		if queued == j {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			w.mu.Unlock()
			return false, ctx.Err()
		}
	}
	w.mu.Unlock()
	lead = <-j.wake
	if lead {
		// It was made the leader and has not begun: its own closure is not wanted.
		j.fn, j.err = nil, ctx.Err()
	}
	return lead, nil
}

// lead runs the job's batch and hands over.
func (w *writer) lead(own *job) {
	w.mu.Lock()
	n := min(len(w.queue), w.most-1)
	jobs := make([]*job, 0, 1+n)
	if own.fn != nil {
		jobs = append(jobs, own)
	}
	jobs = append(jobs, w.queue[:n]...)
	w.queue = append(w.queue[:0], w.queue[n:]...)
	w.mu.Unlock()

	// A closure that calls runtime.Goexit ends this goroutine: nobody may be left waiting.
	finished := false
	defer func() {
		if !finished {
			w.abandon(jobs)
		}
		w.handOver(own, jobs)
	}()
	w.commit(jobs)
	finished = true
}

// handOver answers the batch and makes the first that waits the leader.
func (w *writer) handOver(own *job, jobs []*job) {
	w.mu.Lock()
	var next *job
	if len(w.queue) > 0 {
		next = w.queue[0]
		w.queue = append(w.queue[:0], w.queue[1:]...)
	} else {
		w.led = false
		w.idle.Broadcast()
	}
	w.mu.Unlock()
	if next != nil {
		next.wake <- true
	}
	for _, j := range jobs {
		if j != own {
			j.wake <- false
		}
	}
}

// stop refuses further writes, waits for those that have begun, and says whether
// this was the first call.
func (w *writer) stop() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := !w.closed
	w.closed = true
	for _, j := range w.queue {
		j.err = fmt.Errorf("write: closed: %w", store.ErrUnavailable)
		j.wake <- false
	}
	w.queue = nil
	for w.led {
		w.idle.Wait()
	}
	return first
}
