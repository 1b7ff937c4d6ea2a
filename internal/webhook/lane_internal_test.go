package webhook

import (
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

func held(session pay.SessionID, until time.Duration) claimed {
	return claimed{pay.Delivery{Session: session}, noon.Add(until)}
}

// A store may lease several events of a session at once; they go out in turn all the same.
func TestASessionHasOnePostAtATime(t *testing.T) {
	l := newLane("we_1")
	l.allowance = 8
	l.hold(target{}, []claimed{held("a", lease), held("a", lease), held("b", lease)}, 8)
	for _, want := range []pay.SessionID{"a", "b"} {
		if c, ok := l.take(noon); !ok || c.Session != want {
			t.Fatalf("take = %v, %v; want %s", c.Session, ok, want)
		}
	}
	if c, ok := l.take(noon); ok {
		t.Fatalf("take = %v while both sessions have a post under way", c.Session)
	}
	l.posted(result{}, 8)
	l.ended("a")
	if c, ok := l.take(noon); !ok || c.Session != "a" {
		t.Errorf("take = %v, %v; want the second of a", c.Session, ok)
	}
}

// An attempt that outlives its lease may be made by somebody else at the same time.
func TestNothingBeginsThatItsLeaseCannotHold(t *testing.T) {
	enough := attemptTimeout + storeTimeout
	l := newLane("we_1")
	l.hold(target{}, []claimed{held("late", enough-time.Microsecond), held("early", enough)}, 8)
	if c, ok := l.take(noon); !ok || c.Session != "early" {
		t.Errorf("take = %v, %v", c.Session, ok)
	}
	if len(l.held) > 0 {
		t.Errorf("held = %v", l.held)
	}
}

// The store gives out nothing of a session with a post under way. What a claim did not find
// for that reason is found by the next, whichever ends first: the post or the claim.
func TestWhatAPostHidIsClaimedAfterIt(t *testing.T) {
	claim := func(l *lane) { l.claiming, l.due = true, false }
	brought := func(l *lane) { l.claiming = false; l.hold(target{}, nil, 8) }
	for name, ends := range map[string]func(*lane){
		"the claim ends first": func(l *lane) { brought(l); l.ended("a") },
		"the post ends first":  func(l *lane) { l.ended("a"); brought(l) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLane("we_1")
			l.hold(target{}, []claimed{held("a", lease)}, 1)
			if _, ok := l.take(noon); !ok {
				t.Fatal("nothing to take")
			}
			l.posted(result{}, 8)
			claim(l)
			ends(l)
			if l.room() == 0 {
				t.Error("no other claim is made")
			}
		})
	}
}
