// Package bench measures Coinslot against itself: each figure is a ratio of two
// rates that were measured one right after the other, in the same round, on the same
// machine, since a rate alone says more about the machine than about the program.
//
// Three processes take part, so that what each of them uses can be told apart: one
// serves, one makes the load, and one, here, says who does what and looks at the
// clock. All of them are the same binary.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/coinslot/coinslot/internal/store"
)

// OpenStore opens a store in a file. Solo commits each write by itself.
type OpenStore func(ctx context.Context, path string, solo bool) (store.Store, error)

// Options says what is measured and for how long.
type Options struct {
	Rounds      int
	Seconds     float64 // of each measurement, after it has warmed up
	Connections int
	Only        []string // names of measurements; empty: all
	Full        bool     // with lists over a million sessions, which take minutes to make
	Watch       Watch    // how many watch; its Target is set by Run
	Dir         string   // where databases are put; empty: the system's temporary directory

	Open OpenStore
	Out  io.Writer // the table
	Note io.Writer // what goes on meanwhile
}

// bench is a run under way.
type bench struct {
	Options
	serving, loading *worker
	errands          *errands // nil until they are wanted
	targets          map[string]Target
	results          map[string][]Result // by measurement, one for each round
	starts           []Start
	watched          []Watched // once, if at all
}

// Run measures and prints the table.
func Run(ctx context.Context, o Options) (err error) {
	b := &bench{Options: o, results: map[string][]Result{}}
	wanted, err := b.wanted()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.Dir, "coinslot-bench")
	if err != nil {
		return fmt.Errorf("make a directory for databases: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if b.serving, err = newWorker(ctx, roleServe); err != nil {
		return err
	}
	defer b.serving.stop()
	if b.loading, err = newWorker(ctx, roleLoad); err != nil {
		return err
	}
	defer b.loading.stop()
	defer func() {
		if b.errands != nil {
			b.errands.stop()
		}
	}()
	if o.Full {
		b.note("storing a million sessions; this takes a few minutes …")
	}
	if err := b.serving.ask(Setup{Dir: dir, Full: o.Full}, &b.targets); err != nil {
		return err
	}
	for round := range o.Rounds {
		if err := b.round(ctx, round, dir, wanted); err != nil {
			return err
		}
	}
	if len(o.Only) == 0 || slices.Contains(o.Only, nameOfWatch) {
		b.note("%s", nameOfWatch)
		watched, err := b.measureWatch(ctx, dir)
		if err != nil {
			return fmt.Errorf("measure %s: %w", nameOfWatch, err)
		}
		b.watched = append(b.watched, watched)
	}
	return b.write(wanted)
}

// wanted is what is to be measured, in order.
func (b *bench) wanted() ([]measurement, error) {
	var wanted []measurement
	for _, m := range measurements {
		if (len(b.Only) == 0 || slices.Contains(b.Only, m.name)) && (!m.full || b.Full) {
			wanted = append(wanted, m)
		}
	}
	for _, name := range b.Only {
		if name != nameOfWatch && !slices.ContainsFunc(measurements, func(m measurement) bool { return m.name == name }) {
			return nil, fmt.Errorf("there is no measurement %q; there are %s", name, names())
		}
	}
	return wanted, nil
}

// round measures everything once.
func (b *bench) round(ctx context.Context, round int, dir string, wanted []measurement) error {
	for _, m := range wanted {
		b.note("round %d of %d: %s", round+1, b.Rounds, m.name)
		r, err := b.measureAny(ctx, m, dir)
		if err != nil {
			return fmt.Errorf("measure %s: %w", m.name, err)
		}
		b.results[m.name] = append(b.results[m.name], r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if len(b.Only) > 0 {
		return nil
	}
	s, err := measureStart(ctx, dir)
	b.starts = append(b.starts, s)
	return err
}

func (b *bench) measureAny(ctx context.Context, m measurement, dir string) (Result, error) {
	if m.target == targetDeliveries {
		return b.measureErrand(ctx, m, dir)
	}
	return b.measure(m)
}

// measure has the load made once, and reads the clocks of all while it is.
func (b *bench) measure(m measurement) (Result, error) {
	job := Job{
		Target: b.targets[m.target], Call: m.call, Protocol: m.protocol, Connections: b.Connections,
		For: time.Duration(b.Seconds * float64(time.Second)),
	}
	if m.connections > 0 {
		job.Connections = m.connections
	}
	if err := b.loading.send(job); err != nil {
		return Result{}, err
	}
	var warm struct{}
	if err := b.loading.receive(&warm); err != nil {
		return Result{}, err
	}
	before := readClocks(b.serving.pid(), b.loading.pid())
	var load Load
	if err := b.loading.receive(&load); err != nil {
		return Result{}, err
	}
	used := readClocks(b.serving.pid(), b.loading.pid()).since(before)
	if load.Error != "" {
		return Result{}, errors.New(load.Error)
	}
	return newResult(load, used), nil
}

func (b *bench) note(format string, args ...any) { _, _ = fmt.Fprintf(b.Note, format+"\n", args...) }
