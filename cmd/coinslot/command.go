package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/coinslot/coinslot/internal/config"
)

// command is one thing that the program can be told to do.
type command struct {
	path     string // the words that select it, such as "keys create"
	operands string // what must follow, such as "KEY"; empty: nothing may
	brief    string // one line for the list of commands
	details  string // more, for the command's own help; may be empty
	example  string // a command line; may be empty

	// prepare declares the command's flags, and returns what it does once they are read.
	prepare func(*config.Flags) action
}

// action does what a command is there for.
type action func(ctx context.Context, c *console, operands []string) error

// The exit statuses.
const (
	exitFailed = 1
	exitMisuse = 2
)

// dispatch finds the command that the arguments name, and runs it.
func dispatch(ctx context.Context, c *console, all []command, args []string) int {
	if len(args) == 0 {
		writeOverview(c.err, all)
		return exitMisuse
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		return help(c, all, args[1:])
	}
	if slices.Contains([]string{"-version", "--version"}, args[0]) {
		args = []string{"version"}
	}
	cmd, rest, ok := find(all, args)
	if ok {
		return report(c, cmd, cmd.run(ctx, c, rest))
	}
	if asked := slices.IndexFunc(rest, isHelp); asked >= 0 {
		return help(c, all, args[:len(args)-len(rest)])
	}
	return unknown(c, all, args)
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// find returns the command that the first words of args name, and the arguments after them.
// Where there is none it returns the arguments after the words that begin one.
func find(all []command, args []string) (cmd command, rest []string, ok bool) {
	for _, cmd := range all {
		words := strings.Fields(cmd.path)
		if len(args) >= len(words) && slices.Equal(words, args[:len(words)]) {
			return cmd, args[len(words):], true
		}
	}
	if len(group(all, args[0])) > 0 {
		return command{}, args[1:], false
	}
	return command{}, args, false
}

// group lists the commands that begin with a word, such as all of "keys".
func group(all []command, word string) []command {
	var of []command
	for _, cmd := range all {
		if strings.HasPrefix(cmd.path, word+" ") {
			of = append(of, cmd)
		}
	}
	return of
}

// run reads the command's flags and does it.
func (cmd command) run(ctx context.Context, c *console, args []string) error {
	var flags config.Flags
	do := cmd.prepare(&flags)
	operands, err := flags.Parse(args, c.env)
	if errors.Is(err, config.ErrHelp) {
		cmd.writeHelp(c.out)
		return nil
	}
	if err != nil {
		return err
	}
	if wanted := strings.Fields(cmd.operands); len(operands) < len(wanted) {
		return config.Misused("%s is missing", wanted[len(operands)])
	} else if len(operands) > len(wanted) {
		return config.Misused("%q is one argument too many", operands[len(wanted)])
	}
	return do(ctx, c, operands)
}

// report tells of an error and says how the program ends.
func report(c *console, cmd command, err error) int {
	var misuse *config.UsageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &misuse):
		_, _ = fmt.Fprintf(c.err, "coinslot: %v\nSee: coinslot %s --help\n", err, cmd.path)
		return exitMisuse
	}
	_, _ = fmt.Fprintf(c.err, "coinslot: %v\n", err)
	return exitFailed
}

func unknown(c *console, all []command, args []string) int {
	of := group(all, args[0])
	switch {
	case len(of) > 0 && len(args) == 1:
		writeGroup(c.err, of)
	case len(of) > 0:
		_, _ = fmt.Fprintf(c.err, "coinslot: there is no command %q\n\n", args[0]+" "+args[1])
		writeGroup(c.err, of)
	default:
		_, _ = fmt.Fprintf(c.err, "coinslot: there is no command %q\nSee: coinslot help\n", args[0])
	}
	return exitMisuse
}

// help explains one command, a group of them, or lists all.
func help(c *console, all []command, words []string) int {
	if len(words) == 0 {
		writeOverview(c.out, all)
		return 0
	}
	if cmd, rest, ok := find(all, words); ok && len(rest) == 0 {
		cmd.writeHelp(c.out)
		return 0
	}
	if of := group(all, words[0]); len(of) > 0 && len(words) == 1 {
		writeGroup(c.out, of)
		return 0
	}
	_, _ = fmt.Fprintf(c.err, "coinslot: there is no command %q\nSee: coinslot help\n", strings.Join(words, " "))
	return exitMisuse
}

func writeOverview(w io.Writer, all []command) {
	_, _ = fmt.Fprint(w, "Coinslot sells game items: one server for payment sessions, payment page and webhooks.\n\nUsage: coinslot COMMAND\n\n")
	writeList(w, all)
	_, _ = fmt.Fprint(w, "\nMore on one of them: coinslot help COMMAND\n")
}

func writeGroup(w io.Writer, of []command) {
	writeList(w, of)
	_, _ = fmt.Fprint(w, "\nMore on one of them: coinslot help COMMAND\n")
}

func writeList(w io.Writer, list []command) {
	for _, cmd := range list {
		_, _ = fmt.Fprintf(w, "  %-30s%s\n", cmd.path, cmd.brief)
	}
}

func (cmd command) writeHelp(w io.Writer) {
	var flags config.Flags
	cmd.prepare(&flags)
	_, _ = fmt.Fprintf(w, "%s.\n\nUsage: %s\n", upperFirst(cmd.brief), strings.Join(strings.Fields("coinslot "+cmd.path+" "+cmd.operands+" [FLAGS]"), " "))
	if cmd.details != "" {
		_, _ = fmt.Fprintf(w, "\n%s\n", cmd.details)
	}
	if cmd.example != "" {
		_, _ = fmt.Fprintf(w, "\nExample:\n  %s\n", cmd.example)
	}
	_, _ = fmt.Fprintln(w, "\nFlags:")
	flags.WriteHelp(w)
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
