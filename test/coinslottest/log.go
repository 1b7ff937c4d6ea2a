package coinslottest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Log holds all that was logged, for a test to read.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Logger writes to the log, whatever the level.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Line is the first line that holds all of the texts; empty where there is none.
func (l *Log) Line(texts ...string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
next:
	for line := range strings.Lines(l.text.String()) {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue next
			}
		}
		return line
	}
	return ""
}

// Contains says whether text was logged.
func (l *Log) Contains(text string) bool { return l.Line(text) != "" }
