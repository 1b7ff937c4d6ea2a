package pay_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
)

// schedule is the pauses that are documented. After the last it goes on every 12 h.
var schedule = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

func pauseAfter(made int) time.Duration { return schedule[min(made, len(schedule))-1] }

func TestRetriesFollowTheSchedule(t *testing.T) {
	d := pay.Delivery{Since: noon}
	var attempts []time.Duration
	for now, made := noon, 1; ; made++ {
		next, again := d.NextAttempt(made, now, 0)
		if !again {
			break
		}
		if got, want := next.Sub(now), pauseAfter(made); got != want {
			t.Errorf("the pause after attempt %d is %s, want %s", made, got, want)
		}
		attempts = append(attempts, next.Sub(noon))
		now = next
	}
	if len(attempts) != 14 {
		t.Errorf("%d retries, want 14: 11 of the schedule and 3 of every 12 hours", len(attempts))
	}
	last := attempts[len(attempts)-1]
	if last >= 72*time.Hour || last+12*time.Hour < 72*time.Hour {
		t.Errorf("the last retry is %s after the event, want the last that is within 3 days", last)
	}
}

func TestJitterMovesAPauseByUpToATenth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := pay.Delivery{Since: noon}
		made := rapid.IntRange(1, 40).Draw(t, "made")
		jitter := rapid.Float64Range(-1, 1).Draw(t, "jitter")
		now := noon.Add(time.Duration(rapid.Int64Range(0, int64(100*time.Hour/time.Microsecond)).Draw(t, "now")) * time.Microsecond)
		next, again := d.NextAttempt(made, now, jitter)
		pause, want := next.Sub(now), pauseAfter(made)
		if pause < want-want/10-pay.Precision || pause > want+want/10 {
			t.Fatalf("the pause after attempt %d is %s, want %s give or take a tenth", made, pause, want)
		}
		if again != next.Before(noon.Add(72*time.Hour)) {
			t.Fatalf("a retry %s after the event: %v", next.Sub(noon), again)
		}
		if next != pay.Clock(next) {
			t.Fatalf("%s cannot be stored", next)
		}
	})
}

func TestRetriesEndWithinThreeDaysWhateverTheJitter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := pay.Delivery{Since: noon}
		now, made := noon, 1
		for {
			next, again := d.NextAttempt(made, now, rapid.Float64Range(-1, 1).Draw(t, "jitter"))
			if !again {
				break
			}
			now, made = next, made+1
		}
		if took := now.Sub(noon); took > 72*time.Hour || took < 58*time.Hour || made < 14 || made > 17 {
			t.Fatalf("%d attempts in %s", made, took)
		}
	})
}

func TestOnlyA2xxIsDelivered(t *testing.T) {
	for status, want := range map[int]bool{0: false, 100: false, 199: false, 200: true, 204: true, 299: true, 300: false, 304: false, 400: false, 410: false, 500: false} {
		if got := (pay.Attempt{Status: status}).Delivered(); got != want {
			t.Errorf("%d: delivered %v", status, got)
		}
	}
}

func TestWhatAnEndpointWants(t *testing.T) {
	all, one := pay.Endpoint{}, pay.Endpoint{Types: []pay.EventType{pay.SessionPaidEvent}}
	for _, e := range pay.EventTypes {
		if !all.Wants(e) {
			t.Errorf("an endpoint without a list does not want %s", e)
		}
		if one.Wants(e) != (e == pay.SessionPaidEvent) {
			t.Errorf("an endpoint for session.paid: wants %s %v", e, one.Wants(e))
		}
	}
}

// endpointSlips breaks every rule of an endpoint, in the order in which they are checked.
var endpointSlips = []struct {
	rule  string
	spoil func(*pay.Endpoint)
	field string
}{
	{"environment is none", func(e *pay.Endpoint) { e.Environment = "staging" }, "environment"},
	{"url is missing", func(e *pay.Endpoint) { e.URL = "" }, "url"},
	{"type is none", func(e *pay.Endpoint) { e.Types = []pay.EventType{pay.SessionPaidEvent, "session.sold"} }, "events"},
	{"description is too long", func(e *pay.Endpoint) { e.Description = strings.Repeat("ä", 501) }, "description"},
}

func goodEndpoint() pay.Endpoint {
	return pay.Endpoint{
		Environment: pay.Production, URL: "https://example.com/hook", Types: []pay.EventType{pay.SessionPaidEvent},
		Description: strings.Repeat("ä", 500),
	}
}

func TestTheFirstBrokenRuleOfAnEndpointIsTheOneThatIsTold(t *testing.T) {
	if err := goodEndpoint().Check(); err != nil {
		t.Fatal(err)
	}
	for i, first := range endpointSlips {
		bad := goodEndpoint()
		for _, s := range endpointSlips[i:] {
			s.spoil(&bad)
		}
		wantRefusal(t, bad.Check(), pay.InvalidSetting, first.field)
	}
}

func TestEndpointURLs(t *testing.T) {
	for text, want := range map[string]struct{ sandbox, production bool }{
		"https://example.com/hook":                          {true, true},
		"https://example.com:8443/a?b=c":                    {true, true},
		"HTTPS://EXAMPLE.COM":                               {true, true},
		"http://example.com/hook":                           {true, false},
		"http://localhost:3000/":                            {true, false},
		"http://[::1]:3000/":                                {true, false},
		"https://user:secret@example.com":                   {},
		"https://user@example.com":                          {},
		"https://":                                          {},
		"https:///hook":                                     {},
		"https:example.com":                                 {},
		"//example.com/hook":                                {},
		"example.com":                                       {},
		"ftp://example.com":                                 {},
		"file:///etc/passwd":                                {},
		"gopher://example.com":                              {},
		"mygame://hook":                                     {},
		"https://example.com/\r\nHost: x":                   {},
		"https://exam ple.com":                              {},
		"https://example.com:port":                          {},
		"https://" + strings.Repeat("x", 2048) + ".example": {},
	} {
		e := goodEndpoint()
		e.URL = text
		if err := e.Check(); (err == nil) != want.production {
			t.Errorf("%.60s in production: accepted should be %v: %v", text, want.production, err)
		}
		e.Environment = pay.Sandbox
		if err := e.Check(); (err == nil) != want.sandbox {
			t.Errorf("%.60s in sandbox: accepted should be %v: %v", text, want.sandbox, err)
		}
	}
}
