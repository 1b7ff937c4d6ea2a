package main

import (
	"context"
	"errors"
	"os"
	"strconv"

	"github.com/coinslot/coinslot/internal/bench"
	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

var benchCommand = command{
	path: "bench", brief: "measure this program on this machine",
	details: `Prints rates and what they cost, and how they compare: figures that are ratios hold on
any machine. Everything is written durably to databases of its own, which are removed.
A round in which other programs were busy is void; let the machine rest meanwhile.`,
	example: "coinslot bench --only noop-json,create --rounds 9",
	prepare: func(f *config.Flags) action {
		o := bench.Options{Rounds: 5, Seconds: 1, Connections: 64, Open: openForBench}
		o.Watch = bench.Watch{Sessions: 10_000, Changed: 1000, Feeds: 1000, Events: 50}
		f.Flag("rounds", "NUMBER", "how often everything is measured", atLeastOne(&o.Rounds))
		f.Flag("seconds", "NUMBER", "how long each measurement takes", seconds(&o.Seconds))
		f.Flag("connections", "NUMBER", "how many are busy at the same time", atLeastOne(&o.Connections))
		f.Flag("watchers", "NUMBER", "how many sessions are watched at the same time", atLeastOne(&o.Watch.Sessions))
		f.Flag("only", "LIST", "measure only these, such as create,create-solo", config.Texts(&o.Only))
		f.Flag("full", "", "with lists of a million sessions; storing them takes minutes", config.Switch(&o.Full))
		f.Flag("dir", "DIR", "where databases are put, by default where temporary files are", config.Text(&o.Dir))
		return func(ctx context.Context, c *console, _ []string) error {
			if role, ok := c.env(bench.RoleVariable); ok {
				return bench.Play(ctx, role, openForBench, os.Stdin, c.out)
			}
			o.Out, o.Note = c.out, c.err
			return bench.Run(ctx, o)
		}
	},
}

func openForBench(ctx context.Context, path string, solo bool) (store.Store, error) {
	return sqlite.Open(ctx, path, sqlite.Options{Solo: solo})
}

func atLeastOne(to *int) config.Reader {
	return config.Reader{Default: strconv.Itoa(*to), Read: func(text string) (err error) {
		if *to, err = strconv.Atoi(text); err != nil || *to < 1 {
			return errors.New("must be a whole number from 1")
		}
		return nil
	}}
}

func seconds(to *float64) config.Reader {
	return config.Reader{Default: strconv.FormatFloat(*to, 'g', -1, 64), Read: func(text string) (err error) {
		if *to, err = strconv.ParseFloat(text, 64); err != nil || *to < 0.1 || *to > 3600 {
			return errors.New("must be a number of seconds from 0.1")
		}
		return nil
	}}
}
