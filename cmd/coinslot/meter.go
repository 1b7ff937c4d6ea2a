package main

import (
	"fmt"
	"time"
)

// meter shows on a terminal how far something has come, and nothing elsewhere.
type meter struct {
	*console
	what  string
	shown time.Time
}

func newMeter(c *console, what string) *meter {
	if !isTerminal(c.err) {
		c = nil
	}
	return &meter{console: c, what: what}
}

const showEvery = 200 * time.Millisecond

// show writes the part of a number of bytes.
func (m *meter) show(done, of int64) {
	m.line(func() string { return fmt.Sprintf("%s of %s", size(done), size(of)) }, done, of)
}

// count writes the part of a number of things.
func (m *meter) count(done, of int64) {
	m.line(func() string { return fmt.Sprintf("%d of %d", done, of) }, done, of)
}

func (m *meter) line(text func() string, done, of int64) {
	if m.console == nil || of <= 0 || time.Since(m.shown) < showEvery {
		return
	}
	m.shown = time.Now()
	_, _ = fmt.Fprintf(m.err, "\r\x1b[K%s %s, %d %%", m.what, text(), done*100/of)
}

// end takes the line away.
func (m *meter) end() {
	if m.console != nil && !m.shown.IsZero() {
		_, _ = fmt.Fprint(m.err, "\r\x1b[K")
	}
}

// size writes a number of bytes as people do.
func size(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	n, names := float64(bytes)/unit, "KMGTPE"
	for n >= unit && len(names) > 1 {
		n, names = n/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %ciB", n, names[0])
}
