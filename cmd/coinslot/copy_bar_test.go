package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/store/transfer"
)

func TestTheBarSaysHowFarACopyIsAndHowLongItTakes(t *testing.T) {
	now := time.Unix(0, 0)
	var said bytes.Buffer
	b := &bar{console: &console{err: &said}, now: func() time.Time { return now }}
	show := func(after time.Duration, p transfer.Progress) string {
		t.Helper()
		now = now.Add(after)
		said.Reset()
		if err := b.show(p); err != nil {
			t.Fatal(err)
		}
		return said.String()
	}
	at := func(done int64) transfer.Progress { return transfer.Progress{Table: "events", Done: done, Of: 1000} }
	for _, step := range []struct {
		what     string
		terminal bool
		after    time.Duration
		progress transfer.Progress
		want     string
	}{
		{"nothing at once where lines are kept", false, 0, at(100), ""},
		{"nor soon", false, 5 * time.Second, at(150), ""},
		{"then the rate since this run began, and what is left", false, 10 * time.Second, at(400), "copying    40 %  400 of 1000 rows  20/s  30s left  events\n"},
		{"a terminal sees a bar", true, time.Second, at(500), "\r\x1b[Kcopying   [############............]  50 %  500 of 1000 rows  25/s  20s left  events"},
		{"not more often than one can read", true, time.Millisecond, at(501), ""},
		{"comparing begins anew", true, 0, transfer.Progress{Comparing: true, Table: "games", Done: 0, Of: 1000}, "\r\x1b[Kcomparing [........................]   0 %  0 of 1000 rows  games"},
		{"no more than all", true, time.Minute, transfer.Progress{Comparing: true, Table: "games", Done: 1001, Of: 1000}, "\r\x1b[Kcomparing [########################] 100 %  1001 of 1000 rows  17/s  0s left  games"},
		{"nothing to copy", true, time.Minute, transfer.Progress{}, ""},
	} {
		b.terminal = step.terminal
		if got := show(step.after, step.progress); got != step.want {
			t.Errorf("%s: got %q, want %q", step.what, got, step.want)
		}
	}
	b.end()
	if !strings.HasSuffix(said.String(), "\r\x1b[K") {
		t.Error("the bar stays")
	}
}
