package webhook_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// offsets are the times of calls, counted from the first.
func offsets(calls []call) []time.Duration {
	var all []time.Duration
	for _, c := range calls {
		all = append(all, c.at.Sub(calls[0].at))
	}
	return all
}

func TestAnEventGoesOutAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.endpoint("game.test")
		w.run()
		w.pass(time.Minute)
		written := time.Now()
		w.offer()
		w.pass(0)
		calls := w.receiver.got("game.test")
		if len(calls) != 1 || !calls[0].at.Equal(written) {
			t.Fatalf("calls = %v", calls)
		}
		w.pass(time.Hour)
		if calls := w.receiver.got("game.test"); len(calls) != 1 {
			t.Errorf("it was sent again: %v", calls)
		}
	})
}

func TestWhatWaitsGoesOutAtTheStart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.endpoint("game.test")
		for range 50 {
			w.offer()
		}
		w.run()
		if calls := w.receiver.got("game.test"); len(calls) != 50 {
			t.Errorf("calls = %d, want 50", len(calls))
		}
	})
}

func TestAFailingReceiverIsRetriedForThreeDays(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{status: 500} }
		w.endpoint("game.test")
		w.run()
		w.offer()
		w.pass(84 * time.Hour) // three days, and as long as the last pause
		calls := w.receiver.got("game.test")

		pauses := []time.Duration{
			0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
			time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour,
		}
		var want []time.Duration
		at := time.Duration(0)
		for _, p := range pauses {
			at += p
			want = append(want, at)
		}
		if diff := cmp.Diff(want, offsets(calls)); diff != "" {
			t.Errorf("times of the attempts (-want +got):\n%s", diff)
		}
		checkAttempts(t, calls)
	})
}

// checkAttempts wants attempts of one event: the same id and body, fresh times and signatures.
func checkAttempts(t *testing.T, calls []call) {
	t.Helper()
	for i, c := range calls {
		unix := c.at.Unix()
		want := http.Header{}
		want.Set("Webhook-Id", calls[0].header.Get("Webhook-Id"))
		want.Set("Webhook-Attempt", strconv.Itoa(i+1))
		want.Set("Webhook-Timestamp", strconv.FormatInt(unix, 10))
		want.Set("X-ToffeePay-Signature", "t="+strconv.FormatInt(unix, 10)+",v1="+toffeeV1(newSecret, unix, []byte(c.body)))
		for name := range want {
			if c.header.Get(name) != want.Get(name) {
				t.Errorf("attempt %d: %s = %q, want %q", i+1, name, c.header.Get(name), want.Get(name))
			}
		}
		standard, err := standardwebhooks.NewWebhook(newSecret)
		if err != nil {
			t.Fatal(err)
		}
		if err := standard.VerifyIgnoringTimestamp([]byte(c.body), c.header); err != nil {
			t.Errorf("attempt %d: %v", i+1, err)
		}
		if c.body != calls[0].body {
			t.Errorf("attempt %d: body = %s, the first was %s", i+1, c.body, calls[0].body)
		}
	}
}

func TestRetriesEndWithSuccess(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(c call) reply {
			switch c.attempt() {
			case "1":
				return reply{status: 500}
			case "2":
				return reply{err: http.ErrServerClosed}
			case "3":
				return reply{status: 302, header: http.Header{"Location": {"http://elsewhere.test"}}}
			}
			return reply{status: 299}
		}
		w.endpoint("game.test")
		w.run()
		w.offer()
		w.pass(2 * time.Hour)
		want := []time.Duration{0, 5 * time.Second, 35 * time.Second, 155 * time.Second}
		if diff := cmp.Diff(want, offsets(w.receiver.got("game.test"))); diff != "" {
			t.Errorf("times of the attempts (-want +got):\n%s", diff)
		}
		if calls := w.receiver.got("elsewhere.test"); len(calls) > 0 {
			t.Errorf("the redirect was followed: %v", calls)
		}
	})
}

func TestJitterSpreadsRetries(t *testing.T) {
	for jitter, want := range map[float64]time.Duration{-1: 4500 * time.Millisecond, 1: 5500 * time.Millisecond} {
		inWorld(t, func(w *world) {
			w.options.Jitter = func() float64 { return jitter }
			w.receiver.answer = func(c call) reply {
				if c.attempt() == "1" {
					return reply{status: 500}
				}
				return reply{}
			}
			w.endpoint("game.test")
			w.run()
			w.offer()
			w.pass(time.Minute)
			if got := offsets(w.receiver.got("game.test")); len(got) != 2 || got[1] != want {
				t.Errorf("jitter %v: attempts at %v, want the second at %v", jitter, got, want)
			}
		})
	}
}

func TestAReceiverHasTenSeconds(t *testing.T) {
	for _, tt := range []struct {
		takes time.Duration
		calls int
	}{{9999 * time.Millisecond, 1}, {10001 * time.Millisecond, 2}} {
		inWorld(t, func(w *world) {
			w.receiver.answer = func(call) reply { return reply{after: tt.takes} }
			w.endpoint("game.test")
			w.run()
			w.offer()
			w.pass(16 * time.Second)
			got := offsets(w.receiver.got("game.test"))
			if len(got) != tt.calls {
				t.Errorf("a receiver that takes %v: attempts at %v, want %d", tt.takes, got, tt.calls)
			}
			if tt.calls == 2 && got[1] != 15*time.Second {
				t.Errorf("the pause must begin at the attempt's end: attempts at %v", got)
			}
		})
	}
}

func TestRetryAfterPutsOff(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header string
		want   time.Duration // until the second attempt
	}{
		{"429 with seconds", 429, "120", 2 * time.Minute},
		{"503 with seconds", 503, "120", 2 * time.Minute},
		{"a date", 429, time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC).Format(http.TimeFormat), 10 * time.Minute},
		{"an hour at most", 429, "86400", time.Hour},
		{"sooner than the schedule", 429, "1", 5 * time.Second},
		{"nonsense", 429, "soon", 5 * time.Second},
		{"another status", 500, "120", 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.receiver.answer = func(c call) reply {
					if c.attempt() == "1" {
						return reply{status: tt.status, header: http.Header{"Retry-After": {tt.header}}}
					}
					return reply{}
				}
				w.endpoint("game.test")
				w.run()
				w.offer()
				w.pass(2 * time.Hour)
				if got := offsets(w.receiver.got("game.test")); len(got) != 2 || got[1] != tt.want {
					t.Errorf("attempts at %v, want the second at %v", got, tt.want)
				}
			})
		})
	}
}

func TestGoneDisablesTheEndpointAndKeepsItsBacklog(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{status: 410} }
		e := w.endpoint("game.test")
		w.run()
		w.offer()
		w.pass(time.Second)
		if got := w.stored(e.ID); got.Enabled || !strings.Contains(got.Disabled, "410 Gone") {
			t.Fatalf("endpoint = %+v", got)
		}
		w.pass(2 * time.Hour)
		if calls := w.receiver.got("game.test"); len(calls) != 1 {
			t.Errorf("calls to a disabled endpoint = %v", calls)
		}

		w.receiver.answer = nil
		e = w.stored(e.ID)
		e.Enabled, e.Disabled = true, ""
		w.configure(func(tx store.Settings) error { return tx.UpdateEndpoint(e) })
		w.pass(time.Minute)
		if calls := w.receiver.got("game.test"); len(calls) != 2 || calls[1].body != calls[0].body {
			t.Errorf("calls after it was enabled = %v", calls)
		}
	})
}

func TestSecretsThatHaveExpiredNoLongerSign(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.endpoint("game.test")
		e.Secrets = append(e.Secrets, w.seal(e.ID, oldSecret, pay.Clock(time.Now().Add(time.Hour))))
		w.configure(func(tx store.Settings) error { return tx.UpdateEndpoint(e) })
		w.run()
		w.offer()
		w.pass(time.Hour)
		w.offer()
		w.pass(time.Second)
		calls := w.receiver.got("game.test")
		if len(calls) != 2 {
			t.Fatalf("calls = %v", calls)
		}
		for i, want := range []int{2, 1} {
			if got := strings.Count(calls[i].header.Get("X-ToffeePay-Signature"), "v1="); got != want {
				t.Errorf("call %d has %d signatures, want %d", i+1, got, want)
			}
		}
	})
}

func TestNothingIsSentUnsigned(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.endpoint("game.test")
		e.Secrets[0].ExpiresAt = pay.Clock(time.Now())
		w.configure(func(tx store.Settings) error { return tx.UpdateEndpoint(e) })
		w.run()
		w.offer()
		w.pass(time.Second)
		if calls := w.receiver.got("game.test"); len(calls) > 0 {
			t.Errorf("calls = %v", calls)
		}
		e.Secrets[0].ExpiresAt = time.Time{}
		w.configure(func(tx store.Settings) error { return tx.UpdateEndpoint(e) })
		w.pass(time.Minute)
		if calls := w.receiver.got("game.test"); len(calls) != 1 || calls[0].attempt() != "2" {
			t.Errorf("calls with a secret = %v", calls)
		}
	})
}

func TestAClockThatIsSetBackStopsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		var offset atomic.Int64
		w.options.Clock = clock.Reading(func() time.Time { return time.Now().Add(time.Duration(offset.Load())) })
		w.receiver.answer = func(c call) reply {
			if c.attempt() == "1" {
				return reply{status: 500}
			}
			return reply{}
		}
		w.endpoint("game.test")
		w.run()
		w.offer()
		w.pass(time.Minute)
		w.offer()
		offset.Store(int64(-time.Hour))
		w.pass(0)
		w.offer()
		w.pass(20 * time.Millisecond)
		if calls := w.receiver.got("game.test"); len(calls) != 4 {
			t.Errorf("calls = %v, want the third event's first at once", calls)
		}
		w.pass(2 * time.Hour)
		if calls := w.receiver.got("game.test"); len(calls) != 6 {
			t.Errorf("calls = %v, want two for each event", calls)
		}
	})
}

func TestTheLogHoldsNoSecrets(t *testing.T) {
	inWorld(t, func(w *world) {
		w.receiver.answer = func(call) reply { return reply{status: 500, body: "answer of the receiver"} }
		e := w.endpoint("game.test")
		w.run()
		w.offer()
		w.pass(time.Second)
		log := w.log.String()
		for _, want := range []string{"endpoint=" + string(e.ID), "event=", "attempt=1", "status=500", "duration="} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q: %s", want, log)
			}
		}
		for _, never := range []string{"whsec_", newSecret[6:], "hunter2", "answer of", "player_42", "v1="} {
			if strings.Contains(log, never) {
				t.Errorf("the log holds %q: %s", never, log)
			}
		}
	})
}
