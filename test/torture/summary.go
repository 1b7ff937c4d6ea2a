package torture

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Summary says how much a run did, since a run that did little shows little.
func (w World) Summary() string {
	outcomes := map[Outcome]int{}
	for _, o := range w.History {
		outcomes[o.Outcome]++
	}
	payments, refunds, events, times := 0, 0, 0, 0
	for _, a := range w.Truth.Accounts {
		payments += len(a.Payments)
		refunds += len(a.Refunds)
		events += len(a.Events)
	}
	for _, a := range w.Arrivals {
		times += a.Times
	}
	questions := 0
	for _, a := range w.Asked {
		questions += a.Times
	}
	text := fmt.Sprintf("%d operations (%d acknowledged, %d refused, %d unknown): %d sessions, %d payments, %d refunds, %d events, %d webhooks, %d questions about %d payments",
		len(w.History), outcomes[Acknowledged], outcomes[Refused], outcomes[Unknown], len(w.Truth.Accounts), payments, refunds, events, times, questions, len(w.Asked))
	return text + w.faults()
}

// faults says how many there were of each kind, and how soon there was service again.
func (w World) faults() (text string) {
	back := map[FaultKind][]time.Duration{}
	for _, f := range w.Faults {
		back[f.Kind] = append(back[f.Kind], w.Back(f))
	}
	for _, kind := range slices.Sorted(maps.Keys(back)) {
		took := slices.Sorted(slices.Values(back[kind]))
		text += fmt.Sprintf("\n%d × %s: back after %v, at most %v", len(took), kind,
			took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	}
	return text
}

// Complaints are the lines of the log of a server, or of several, that no kill excuses.
func (p Program) Complaints() (lines []string) {
	logs, _ := filepath.Glob(filepath.Join(p.Dir, "server-*", "server.log"))
	if logs == nil {
		logs = []string{p.log()}
	}
	for _, path := range logs {
		log, err := os.ReadFile(path)
		if err != nil {
			return []string{err.Error()}
		}
		lines = append(lines, p.complaints(string(log))...)
	}
	return lines
}

func (p Program) complaints(log string) (lines []string) {
	for line := range strings.Lines(log) {
		switch {
		case strings.Contains(line, "it is being returned"):
			continue // the alarm about late money, of a card that players pay with
		case p.Database != "" && strings.Contains(line, "store unavailable"):
			continue // while the database was away
		case p.Database != "" && strings.Contains(line, "context deadline exceeded"):
			continue // likewise, and no connection came about in time
		}
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic:") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
