package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/coinslot/coinslot/internal/webhook"
)

// backlogPerSecond is how many events wait to be delivered, for each second that a
// measurement takes.
const backlogPerSecond = 5_000

// mostEndpoints is how many receivers there are, each on a port of its own.
const mostEndpoints = webhook.DefaultWorkers / webhook.DefaultPerEndpoint

// Errand is a number of posts to be made, evenly to each receiver.
type Errand struct {
	URLs    []string // of receivers
	Events  int      // for each of them
	Backlog string   // a database for the events, to be delivered out of it; empty: bare posts
}

// errands are the two processes that deliveries are measured with: one that posts,
// and one that receives.
type errands struct {
	posting, receiving *worker
	urls               []string // of the receivers
	made               int
}

// startErrands starts both processes.
func startErrands(ctx context.Context) (*errands, error) {
	receiving, err := newWorker(ctx, roleReceive)
	if err != nil {
		return nil, err
	}
	e := &errands{receiving: receiving}
	if err := receiving.receive(&e.urls); err != nil {
		receiving.stop()
		return nil, err
	}
	if e.posting, err = newWorker(ctx, rolePost); err != nil {
		receiving.stop()
		return nil, err
	}
	return e, nil
}

func (e *errands) stop() {
	e.posting.stop()
	e.receiving.stop()
}

// measureErrand has an errand run once. What it needs is prepared before the clocks are read.
func (b *bench) measureErrand(ctx context.Context, m measurement, dir string) (r Result, err error) {
	if b.errands == nil {
		if b.errands, err = startErrands(ctx); err != nil {
			return r, err
		}
	}
	e := b.errands
	job := Errand{URLs: e.urls[:m.endpoints], Events: max(int(b.Seconds*backlogPerSecond)/m.endpoints, 1)}
	if m.call == callDeliver {
		e.made++
		job.Backlog = filepath.Join(dir, "backlog"+strconv.Itoa(e.made)+".db")
	}
	var ready struct{ Error string }
	if err := e.posting.ask(job, &ready); err != nil {
		return r, err
	}
	if ready.Error != "" {
		return r, errors.New(ready.Error)
	}
	var load Load
	before := readClocks(e.posting.pid(), e.receiving.pid())
	if err := e.posting.ask(struct{}{}, &load); err != nil {
		return r, err
	}
	used := readClocks(e.posting.pid(), e.receiving.pid()).since(before)
	if load.Error != "" {
		return r, errors.New(load.Error)
	}
	return newResult(load, used), nil
}

// playReceiver answers every post at once, and says where until it is told nothing more.
func playReceiver(lines *json.Decoder, answers *json.Encoder) error {
	s := &servers{}
	urls := make([]string, mostEndpoints)
	for i := range urls {
		url, err := s.listen(http.HandlerFunc(swallow))
		if err != nil {
			return err
		}
		urls[i] = url
	}
	if err := answers.Encode(urls); err != nil {
		return err
	}
	return settleAsTold(lines, answers)
}

// swallow reads what was posted and answers 200 with nothing.
func swallow(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// playPoster runs errands until it is told nothing more. It answers twice: when all is
// ready, and, having been told to go, when all is posted.
func playPoster(ctx context.Context, open OpenStore, lines *json.Decoder, answers *json.Encoder) error {
	p := newPoster(open)
	for {
		var job Errand
		if err := lines.Decode(&job); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := p.play(ctx, job, lines, answers); err != nil {
			return err
		}
	}
}

func (p *poster) play(ctx context.Context, job Errand, lines *json.Decoder, answers *json.Encoder) (err error) {
	run, done, err := p.prepare(ctx, job)
	if err != nil {
		return answers.Encode(struct{ Error string }{err.Error()})
	}
	// What is cleared away is, once the answer is out and the clocks are read.
	defer func() { err = errors.Join(err, done()) }()
	if err := answers.Encode(struct{ Error string }{}); err != nil {
		return err
	}
	var told struct{}
	if err := lines.Decode(&told); err != nil {
		return err
	}
	return answers.Encode(run(ctx))
}

// remove deletes a database with what lies beside it.
func remove(path string) error {
	files, err := filepath.Glob(path + "*")
	if err != nil {
		return fmt.Errorf("find a database's files: %w", err)
	}
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}
