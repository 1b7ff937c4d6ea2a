package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/store/transfer"
)

// bar shows how far a copy is: on a terminal as one line that changes, elsewhere as a line
// now and then.
type bar struct {
	*console
	terminal bool
	now      func() time.Time

	comparing bool
	began     time.Time // the phase
	base      int64     // rows that were there when it began
	shown     time.Time
	drawn     bool
}

func newBar(c *console) *bar { return &bar{console: c, terminal: isTerminal(c.err), now: time.Now} }

const (
	barWidth     = 24
	sayEvery     = 15 * time.Second // where there is no terminal
	soonEstimate = 2 * time.Second  // before which it is not said how long it will take
)

// show tells of progress, if it is time to.
func (b *bar) show(p transfer.Progress) error {
	now := b.now()
	if b.began.IsZero() || b.comparing != p.Comparing {
		b.comparing, b.began, b.base, b.shown = p.Comparing, now, p.Done, time.Time{}
		if !b.terminal {
			b.shown = now
		}
	}
	every := sayEvery
	if b.terminal {
		every = showEvery
	}
	if now.Sub(b.shown) < every || p.Of == 0 {
		return nil
	}
	b.shown = now
	text := b.text(p, now.Sub(b.began))
	if b.terminal {
		b.drawn = true
		_, _ = fmt.Fprintf(b.err, "\r\x1b[K%s", text)
	} else {
		_, _ = fmt.Fprintln(b.err, text)
	}
	return nil
}

// text is one line: how much is done, how quickly it goes, and how long it will take.
func (b *bar) text(p transfer.Progress, took time.Duration) string {
	what, part := "copying", ""
	if p.Comparing {
		what = "comparing"
	}
	percent := min(100, p.Done*100/p.Of)
	if b.terminal {
		filled := int(percent) * barWidth / 100
		part = "[" + strings.Repeat("#", filled) + strings.Repeat(".", barWidth-filled) + "] "
	}
	text := fmt.Sprintf("%-9s %s%3d %%  %d of %d rows", what, part, percent, p.Done, p.Of)
	if rate := float64(p.Done-b.base) / max(took.Seconds(), 0.001); took >= soonEstimate && rate >= 1 {
		left := time.Duration(float64(p.Of-p.Done) / rate * float64(time.Second))
		text += fmt.Sprintf("  %.0f/s  %s left", rate, left.Round(time.Second))
	}
	return text + "  " + p.Table
}

// end takes the line away.
func (b *bar) end() {
	if b.drawn {
		_, _ = fmt.Fprint(b.err, "\r\x1b[K")
		b.drawn = false
	}
}
