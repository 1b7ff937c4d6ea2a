package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Job is one load to be made.
type Job struct {
	Target      Target
	Call        string
	Protocol    string
	Connections int
	For         time.Duration
	Watch       *Watch // in place of all else
}

// Load is what came of it.
type Load struct {
	Requests int
	Took     time.Duration
	P50, P99 time.Duration
	Error    string // of the first call that failed: no figure is worth anything then
}

// warmUp is how much longer the load runs before it is measured, as a part of the whole.
const warmUp = 0.25

// playLoad makes loads as it is told, until it is told nothing more. It answers
// twice: when a load is warm, and when it is over.
func playLoad(ctx context.Context, jobs *json.Decoder, answers *json.Encoder) error {
	for {
		var job Job
		if err := jobs.Decode(&job); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if job.Watch != nil {
			if err := playWatch(ctx, *job.Watch, jobs, answers); err != nil {
				return err
			}
			continue
		}
		load := job.run(ctx, func() error { return answers.Encode(struct{}{}) })
		if err := answers.Encode(load); err != nil {
			return err
		}
	}
}

// caller makes one call after the other on one connection. Its number is never the
// same twice in a job.
type caller interface {
	call(ctx context.Context, number int) error
	close()
}

// crew is the callers of one job at work.
type crew struct {
	measuring atomic.Bool
	over      atomic.Bool
	numbers   atomic.Int64
	fault     atomic.Pointer[error]
}

// run makes the load with every connection busy all the time.
func (j Job) run(ctx context.Context, warm func() error) Load {
	c := &crew{}
	took := make([][]time.Duration, j.Connections)
	var all sync.WaitGroup
	for i := range j.Connections {
		all.Go(func() {
			one, err := newCaller(ctx, j)
			if err != nil {
				c.fail(err)
				return
			}
			defer one.close()
			took[i] = c.work(ctx, one)
		})
	}
	pause(ctx, time.Duration(float64(j.For)*warmUp))
	c.measuring.Store(true)
	if err := warm(); err != nil {
		c.fail(err)
	}
	began := time.Now()
	pause(ctx, j.For)
	c.over.Store(true)
	load := Load{Took: time.Since(began)}
	all.Wait()
	load.sum(slices.Concat(took...))
	if fault := c.fault.Load(); fault != nil {
		load.Error = (*fault).Error()
	}
	return load
}

// work calls until time is over, and returns how long each call took that counts.
func (c *crew) work(ctx context.Context, one caller) (took []time.Duration) {
	for !c.over.Load() {
		counts := c.measuring.Load()
		began := time.Now()
		if err := one.call(ctx, int(c.numbers.Add(1))); err != nil {
			c.fail(err)
			return took
		}
		if counts && !c.over.Load() {
			took = append(took, time.Since(began))
		}
	}
	return took
}

func (c *crew) fail(err error) { c.fault.CompareAndSwap(nil, &err) }

func (l *Load) sum(took []time.Duration) {
	if l.Requests = len(took); l.Requests == 0 {
		l.Error = "no call ended in time"
		return
	}
	slices.Sort(took)
	l.P50, l.P99 = took[len(took)/2], took[len(took)*99/100]
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
