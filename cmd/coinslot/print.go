package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/coinslot/coinslot/internal/rpc"
)

// printer writes what the server answered, as JSON where that was asked for.
type printer struct {
	*console
	json bool
}

// answer writes the message as JSON, or else lets text write what people want to read.
func (p *printer) answer(m proto.Message, text func()) error {
	if !p.json {
		text()
		return nil
	}
	raw, err := rpc.WriteJSON.Marshal(m)
	if err != nil {
		return fmt.Errorf("write the answer as JSON: %w", err)
	}
	var indented bytes.Buffer // protojson puts in white space at random
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		return fmt.Errorf("write the answer as JSON: %w", err)
	}
	_, err = fmt.Fprintln(p.out, indented.String())
	return err
}

// value writes what is no answer of the server's as JSON, or else lets text write it.
func (p *printer) value(v any, text func()) error {
	if !p.json {
		text()
		return nil
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write the answer as JSON: %w", err)
	}
	p.line("%s", raw)
	return nil
}

// progress writes what only people who wait want.
func (p *printer) progress(format string, args ...any) {
	if isTerminal(p.err) {
		p.note(format, args...)
	}
}

// line writes what a script would want.
func (p *printer) line(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format+"\n", args...) }

// note writes what only people want.
func (p *printer) note(format string, args ...any) { _, _ = fmt.Fprintf(p.err, format+"\n", args...) }

// table writes rows in columns below their names.
func (p *printer) table(names []string, rows [][]string) {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{names}, rows...) {
		for i, cell := range row {
			if row[i] = cell; cell == "" {
				row[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

// sheet writes pairs of a name and a value, one below the other. Empty values are left out.
func (p *printer) sheet(pairs ...string) {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", pairs[i], pairs[i+1])
		}
	}
	_ = w.Flush()
}

// moment writes a time to the second, in UTC; an absent one is empty.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format(time.RFC3339)
}

// list writes several values in one cell; what stands for none.
func list(values []string, none string) string {
	if len(values) == 0 {
		return none
	}
	return strings.Join(values, ", ")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
