package torture

import (
	"fmt"
	"os"
	"strings"
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
	return fmt.Sprintf("%d operations (%d acknowledged, %d refused, %d unknown): %d sessions, %d payments, %d refunds, %d events, %d webhooks, %d questions about %d payments",
		len(w.History), outcomes[Acknowledged], outcomes[Refused], outcomes[Unknown], len(w.Truth.Accounts), payments, refunds, events, times, questions, len(w.Asked))
}

// Complaints are the lines of the server's log that no kill excuses.
func (p Program) Complaints() (lines []string) {
	log, err := os.ReadFile(p.log())
	if err != nil {
		return []string{err.Error()}
	}
	for line := range strings.Lines(string(log)) {
		switch {
		case strings.Contains(line, "it is being returned"):
			continue // the alarm about late money, of a card that players pay with
		case p.Postgres != nil && strings.Contains(line, "store unavailable"):
			continue // while the database was away
		}
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic:") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
