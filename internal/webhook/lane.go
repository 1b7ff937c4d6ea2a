package webhook

import (
	"slices"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

const (
	// quickAnswer is how soon a receiver answers of whom we claim ahead.
	quickAnswer = time.Second / 2

	// aheadFactor says how much of a quick receiver's backlog is claimed at a time, as
	// a multiple of what is posted at a time. It saves writes; a crash delays the rest by the lease.
	aheadFactor = 16

	// mineFactor bounds what is posted and not recorded yet of one receiver, likewise.
	mineFactor = 16
)

// lane is one endpoint's turn-taking: what is claimed for it, what is under way,
// and how much it can be trusted with. Only the dispatcher's goroutine touches it.
//
// An endpoint starts with one post at a time. Each success doubles that, and a
// failure sets it back to one, so a dead endpoint holds one worker, not eight.
type lane struct {
	id       pay.EndpointID
	to       target
	held     []claimed                  // not begun yet, in the order of their events
	sessions map[pay.SessionID]struct{} // those with a post under way, or one that is not recorded yet
	posting  int                        // posts under way
	claiming bool
	due      bool // a claim may find something
	hidden   bool // what a claim did not find may be there once a post has ended

	allowance int  // posts at a time
	proven    bool // the last attempt succeeded
	failing   bool // the last attempt failed, as the store has it until we have made one
	quick     bool // and soon
	queued    bool // waits for its turn
}

func newLane(id pay.EndpointID) *lane {
	return &lane{id: id, sessions: map[pay.SessionID]struct{}{}, allowance: 1}
}

// running counts the posts under way and those not recorded yet: a session has at most one.
func (l *lane) running() int { return len(l.sessions) }

// idle says whether there is nothing to do and nothing under way.
func (l *lane) idle() bool { return !l.claiming && !l.due && len(l.held) == 0 && l.running() == 0 }

// take returns the first delivery that can begin. Of a session with another post
// under way none can, so that a session's events arrive in sequence. What has too
// little of its lease left is let go.
func (l *lane) take(now time.Time) (claimed, bool) {
	if l.posting >= l.allowance || l.running() >= mineFactor*l.allowance {
		return claimed{}, false
	}
	l.held = slices.DeleteFunc(l.held, func(c claimed) bool { return !c.canBegin(now) })
	for i, c := range l.held {
		if _, busy := l.sessions[c.Session]; !busy {
			l.held = slices.Delete(l.held, i, i+1)
			l.sessions[c.Session] = struct{}{}
			l.posting++
			return c, true
		}
	}
	return claimed{}, false
}

// room is how many deliveries to claim now; 0: none.
func (l *lane) room() int {
	if !l.due || l.claiming {
		return 0
	}
	mine := len(l.held) + l.posting
	if !l.quick {
		return max(l.allowance-mine, 0)
	}
	ahead := aheadFactor * l.allowance
	if mine > ahead/2 {
		return 0 // a few at a time would be a write for each
	}
	return ahead - mine
}

// hold takes in what a claim brought. A claim that was not filled has found all
// there was to find while our own posts hide the rest of their sessions.
func (l *lane) hold(to target, found []claimed, most int) {
	l.to = to
	l.failing = !l.proven && !to.FailingSince.IsZero()
	l.held = append(l.held, found...)
	l.due = l.due || len(found) >= most
	l.hidden = !l.due && (len(l.held) > 0 || l.running() > 0)
}

// ended takes note that what became of a post is recorded, or cannot be. A claim under way
// may have looked before that.
func (l *lane) ended(session pay.SessionID) {
	delete(l.sessions, session)
	l.due = l.due || l.hidden || l.claiming
	l.hidden = false
}

// posted takes note of a post that ended.
func (l *lane) posted(r result, most int) {
	l.posting--
	if r.attempt.Number == 0 {
		return // none was made
	}
	l.proven = r.attempt.Delivered()
	l.failing = !l.proven
	l.quick = l.proven && r.attempt.Duration < quickAnswer
	if l.proven {
		l.allowance = min(2*l.allowance, most)
	} else {
		l.allowance = 1
		l.to.readAt = time.Time{} // the operator may be mending it, or we have just disabled it
	}
}
