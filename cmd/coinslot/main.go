// Command coinslot is the payment-session server and the operator's tool for it, in
// one binary. `coinslot help` lists what it can do.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/coinslot/coinslot/internal/config"
)

func main() { os.Exit(run(os.Args[1:])) }

// run is the program as its caller sees it: the exit status is 0 where all went
// well, 2 where the command line made no sense, and else 1.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	// A second signal ends the program at once, however long the first takes.
	context.AfterFunc(ctx, stop)
	c := &console{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv}
	return dispatch(ctx, c, commands, args)
}

// console is where a command reads its surroundings and writes its answers. What a
// script would want is written to out, everything else to err.
type console struct {
	in       io.Reader
	out, err io.Writer
	env      config.Environment
}
