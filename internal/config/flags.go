// Package config is what the program can be told: by flags, or by COINSLOT_*
// environment variables where no flag says so. What it hands out has been checked,
// and what it refuses it names as the user wrote it, with what would be right.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// ErrHelp: the user asked what the command does.
var ErrHelp = flag.ErrHelp

// UsageError is a command line, or an environment, that cannot be understood.
type UsageError struct{ Message string }

func (e *UsageError) Error() string { return e.Message }

// Misused makes a UsageError.
func Misused(format string, args ...any) *UsageError {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// Environment looks up an environment variable, as os.LookupEnv does.
type Environment func(name string) (value string, found bool)

// Flags is all that one command can be told.
type Flags struct {
	settings []*setting
}

// setting is one flag, and perhaps the variable that stands in for it.
type setting struct {
	name   string // without dashes
	value  string // what its value is called in the help; empty for a switch
	usage  string
	reader Reader
	env    string   // empty: only the command line sets it
	given  []string // on the command line
}

// Flag declares a flag. Its value is what the help calls what follows it, such as
// FILE; a switch has none.
func (f *Flags) Flag(name, value, usage string, reader Reader) {
	f.settings = append(f.settings, &setting{name: name, value: value, usage: usage, reader: reader})
}

// Setting declares a flag that an environment variable stands in for: COINSLOT_ and
// the flag's name in capitals.
func (f *Flags) Setting(name, value, usage string, reader Reader) {
	f.settingFrom("COINSLOT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")), name, value, usage, reader)
}

func (f *Flags) settingFrom(env, name, value, usage string, reader Reader) {
	f.settings = append(f.settings, &setting{name: name, value: value, usage: usage, reader: reader, env: env})
}

// Parse reads a command's arguments and the environment, and returns the arguments
// that are no flags, which may stand anywhere among them. Its error is ErrHelp or a UsageError.
func (f *Flags) Parse(args []string, env Environment) (operands []string, err error) {
	if operands, err = f.split(args); err != nil {
		return nil, err
	}
	for _, s := range f.settings {
		if err := s.apply(env); err != nil {
			return nil, err
		}
	}
	return operands, nil
}

// split tells flags from operands. The standard parser stops at the first operand,
// so it is started again after each.
func (f *Flags) split(args []string) (operands []string, err error) {
	set := f.parser()
	for {
		if err := set.Parse(args); err != nil {
			return nil, explain(err)
		}
		rest := set.Args()
		if len(rest) == 0 {
			return operands, nil
		}
		if parsed := len(args) - len(rest); parsed > 0 && args[parsed-1] == "--" {
			return append(operands, rest...), nil
		}
		operands, args = append(operands, rest[0]), rest[1:]
	}
}

func (f *Flags) parser() *flag.FlagSet {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, s := range f.settings {
		keep := func(text string) error { s.given = append(s.given, text); return nil }
		if s.value == "" {
			set.BoolFunc(s.name, s.usage, keep)
		} else {
			set.Func(s.name, s.usage, keep)
		}
	}
	return set
}

// explain says what the standard parser refused in the words of our help, where
// flags have two dashes.
func explain(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return ErrHelp
	}
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return Misused("there is no flag --%s", strings.TrimPrefix(name, "-"))
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return Misused("--%s needs a value", strings.TrimPrefix(name, "-"))
	}
	return Misused("%s", text)
}

// apply reads what was given; the command line wins over the environment.
func (s *setting) apply(env Environment) error {
	from, texts := "--"+s.name, s.given
	if len(texts) == 0 && s.env != "" {
		if text, found := env(s.env); found && text != "" {
			from, texts = s.env, []string{text}
		}
	}
	for _, text := range texts {
		if err := s.reader.Read(text); err != nil && s.reader.Secret {
			return Misused("%s %v", from, err)
		} else if err != nil {
			return Misused("%s %v, got %q", from, err, text)
		}
	}
	return nil
}

// WriteHelp lists the flags with their defaults and variables.
func (f *Flags) WriteHelp(w io.Writer) {
	for _, s := range f.settings {
		_, _ = fmt.Fprintf(w, "  %s\n        %s\n", strings.TrimSpace("--"+s.name+" "+s.value), s.describe())
	}
}

func (s *setting) describe() string {
	var notes []string
	if s.reader.Default != "" {
		notes = append(notes, "default "+s.reader.Default)
	}
	if s.env != "" {
		notes = append(notes, s.env)
	}
	if len(notes) == 0 {
		return s.usage
	}
	return s.usage + " (" + strings.Join(notes, "; ") + ")"
}
