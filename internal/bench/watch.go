package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"
)

// nameOfWatch is the measurement of those who watch. It is no rate, and made once.
const nameOfWatch = "watch"

// Watch says how many watch, and how often they are told something.
type Watch struct {
	Target   Target
	Sessions int // streams of WatchSession, each of a session of its own
	Changed  int // of these sessions, one after the other
	Feeds    int // streams of WatchEvents, all of one game
	Events   int // that each of them is told
}

// Watched is what came of it.
type Watched struct {
	Watch
	Opened    time.Duration // until all streams of WatchSession had told how their session stands
	Memory    int64         // of the server, for each of them; 0: not known
	Live      int64         // of that, what was in use
	Told      Delay         // of a session's change
	ToldFeeds Delay         // of an event
}

// Delay is how long after its call was answered a change was told.
type Delay struct{ P50, P99, Most time.Duration }

// measureWatch has a server and a load of its own, so that nothing else is in their memory.
func (b *bench) measureWatch(ctx context.Context, dir string) (w Watched, err error) {
	if dir, err = os.MkdirTemp(dir, nameOfWatch); err != nil {
		return w, err
	}
	serving, err := newWorker(ctx, roleServe)
	if err != nil {
		return w, err
	}
	defer serving.stop()
	loading, err := newWorker(ctx, roleLoad)
	if err != nil {
		return w, err
	}
	defer loading.stop()
	targets := map[string]Target{}
	if err := serving.ask(Setup{Dir: dir, Watch: true}, &targets); err != nil {
		return w, err
	}
	w.Watch = b.Watch
	w.Target = targets[targetGrouped]
	return w, w.steps(serving, loading)
}

// steps goes through what the load does, and looks at the server's memory in between.
func (w *Watched) steps(serving, loading *worker) error {
	s := &steps{serving: serving, loading: loading}
	s.next(Job{Watch: &w.Watch}) // the sessions are made
	_, before := s.memory()
	w.Opened = s.next(struct{}{}).Took
	grown, live := s.memory()
	w.Memory, w.Live = (grown-before)/int64(w.Sessions), (live-before)/int64(w.Sessions)
	w.Told = s.next(struct{}{}).Delay
	s.next(struct{}{}) // these streams are closed
	s.next(struct{}{}) // the feeds are opened
	w.ToldFeeds = s.next(struct{}{}).Delay
	return s.err
}

// Step is what a part of the load came to.
type Step struct {
	Took  time.Duration
	Delay Delay
	Error string
}

type steps struct {
	serving, loading *worker
	err              error
}

func (s *steps) next(message any) (done Step) {
	if s.err == nil {
		s.err = s.loading.ask(message, &done)
	}
	if s.err == nil && done.Error != "" {
		s.err = errors.New(done.Error)
	}
	return done
}

// memory is how much the server has, and how much of it is left once it has given back
// what it does not use.
func (s *steps) memory() (all, used int64) {
	all = residentMemory(s.serving.pid())
	var settled struct{}
	if s.err == nil {
		s.err = s.serving.ask(struct{}{}, &settled)
	}
	return all, residentMemory(s.serving.pid())
}

// settle gives back to the system what this process does not use.
func settle() { debug.FreeOSMemory() }

func (b *bench) writeWatch(w io.Writer) {
	for _, r := range b.watched {
		_, _ = fmt.Fprintf(w, "%d streams of WatchSession\t%.1f KB each, %.1f of it live\topened in %v\ttold after %v (P50), %v (P99), %v (most)\n",
			r.Sessions, float64(r.Memory)/1e3, float64(r.Live)/1e3, r.Opened.Round(time.Millisecond), r.Told.P50, r.Told.P99, r.Told.Most)
		_, _ = fmt.Fprintf(w, "%d streams of WatchEvents of one game\t\t\ttold after %v (P50), %v (P99), %v (most)\n",
			r.Feeds, r.ToldFeeds.P50, r.ToldFeeds.P99, r.ToldFeeds.Most)
	}
}
