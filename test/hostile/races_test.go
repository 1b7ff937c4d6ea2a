package hostile

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const service = "/pay.v1.PaymentService/"

// ask calls a method with an id.
func (s *stall) ask(t *testing.T, method string, id string) reply {
	t.Helper()
	return s.post(t, service+method, `{"id":"`+id+`"}`, "Idempotency-Key")
}

// status is what GetSessionStatus says now.
func (s *stall) status(t *testing.T, id pay.SessionID) pay.SessionStatus {
	t.Helper()
	var told struct{ Status pay.SessionStatus }
	if got := s.ask(t, "GetSessionStatus", string(id)); json.Unmarshal([]byte(got.body), &told) != nil || told.Status == "" {
		t.Errorf("GetSessionStatus answered %v", got)
	}
	return told.Status
}

// endings are the events that end a session, and how the session stands then.
var endings = map[pay.EventType]pay.SessionStatus{
	pay.SessionPaidEvent: pay.SessionPaid, pay.SessionFailedEvent: pay.SessionFailed,
	pay.SessionCancelledEvent: pay.SessionCancelled, pay.SessionExpiredEvent: pay.SessionExpired,
}

// openRace starts an installation whose clock can be put forward.
func openRace(t *testing.T) (s *stall, forward func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64 // time that has passed beside the real one
	s = openStall(t, func(o *installation.Options) {
		o.Clock = clock.Reading(func() time.Time { return time.Now().Add(time.Duration(passed.Load())) })
	})
	return s, func(d time.Duration) { passed.Add(int64(d)) }
}

// race lets pay, two ways to cancel, and the clock race for a session while somebody
// watches. It returns the end on which all agree, and what was seen on the way there.
func (s *stall) race(t *testing.T, round int, forward func(time.Duration)) (end pay.SessionStatus, seen []pay.SessionStatus) {
	t.Helper()
	id := s.offer(t, `"return_url"`, `"expires_in":"60s","return_url"`)
	var cancelled, left bool
	var told [3]pay.Code
	racers := []func(){
		func() {
			_, err := s.Gateway.Pay(t.Context(), id, byWallet)
			told[0] = pay.CodeOf(err)
			mayBe(t, err, pay.SessionNotPending, pay.SessionHasExpired)
		},
		func() {
			got := s.ask(t, "CancelSession", string(id))
			cancelled, told[1] = got.status == 200, pay.Code(got.code)
			if !cancelled && !slices.Contains([]string{"session_not_pending", "session_expired", "payment_in_progress"}, got.code) {
				t.Errorf("CancelSession answered %v", got)
			}
		},
		func() {
			_, err := s.Gateway.Leave(t.Context(), id)
			left, told[2] = err == nil, pay.CodeOf(err)
			mayBe(t, err, pay.SessionNotPending, pay.SessionHasExpired, pay.PaymentInProgress)
		},
		func() { forward(time.Minute) },
		func() {
			for range 4 {
				seen = append(seen, s.status(t, id))
			}
		},
	}
	// Each of them is first in its turn, without which the quickest would always win.
	first := round % len(racers)
	together(append(racers[first:], racers[:first]...)...)
	end = s.agreed(t, id)
	if (cancelled || left) != (end == pay.SessionCancelled) {
		t.Errorf("the session ended as %s, but cancelling was answered with success: %v, %v", end, cancelled, left)
	}
	if slices.Contains(told[:], pay.SessionHasExpired) {
		seen = append(seen, pay.SessionExpired)
	}
	return end, seen
}

func TestOfPayCancelAndExpireOneWins(t *testing.T) {
	s, forward := openRace(t)
	won := map[pay.SessionStatus]int{}
	for round := range 60 {
		end, _ := s.race(t, round, forward)
		won[end]++
	}
	t.Logf("won: %v", won)
}

// All ends are final, also for those who look while the race is on.
func TestAnEndThatWasSeenIsTheEnd(t *testing.T) {
	s, forward := openRace(t)
	for round := range 60 {
		end, seen := s.race(t, round, forward)
		ended := slices.IndexFunc(seen, func(s pay.SessionStatus) bool { return s != pay.SessionPending })
		if ended >= 0 && slices.ContainsFunc(seen[ended:], func(s pay.SessionStatus) bool { return s != end }) {
			t.Errorf("round %d: the session ended as %s, but was seen as %v", round, end, seen)
		}
	}
}

// agreed is the end of a session on which all who can be asked agree: every method,
// the list of each status, the payment page, the events and the provider's books.
func (s *stall) agreed(t *testing.T, id pay.SessionID) pay.SessionStatus {
	t.Helper()
	var told string
	for _, status := range pay.SessionStatuses { // the lists, the first of which stores what the clock has decided
		got := s.post(t, service+"ListSessions", `{"game_id":"arcade","status":"`+string(status)+`"}`, "Idempotency-Key")
		if strings.Contains(got.body, `"`+string(id)+`"`) {
			told += string(status)
		}
	}
	end := pay.SessionStatus(told)
	page, err := s.Gateway.Checkout(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	rest := s.send(t, "GET", restSessions+"/"+string(id)+"/status", "", "Content-Type", "Content-Length")
	whole := s.ask(t, "GetSession", string(id))
	if s.status(t, id) != end || page.Session.Status != end ||
		strings.Count(whole.body, `"status":"`+string(end)+`"`) != 2 || !strings.Contains(rest.body, `"status":"`+string(end)+`"`) {
		t.Errorf("the lists say %q, the page %s, GetSession %v, REST %v", end, page.Session.Status, whole, rest)
	}
	var ends []pay.SessionStatus
	charged := 0
	if err := s.Store.View(t.Context(), func(r store.Reader) error {
		events, err := r.SessionEvents(id)
		for i, e := range events {
			if e.Sequence != int64(i+1) {
				t.Errorf("event %d is numbered %d", i+1, e.Sequence)
			}
			if e.Type == pay.PaymentSucceededEvent {
				charged++
			}
			if status, ok := endings[e.Type]; ok {
				ends = append(ends, status)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := 0
	if end == pay.SessionPaid {
		want = 1
	}
	if !slices.Equal(ends, []pay.SessionStatus{end}) || charged != want || s.books.did(t, id, "taken") != want {
		t.Errorf("the session is %s, its events say %v with %d charges, the provider's books %d", end, ends, charged, s.books.did(t, id, "taken"))
	}
	return end
}

// TestOfCompleteAndCancelOneWins lets two games' servers finish one payment in two ways.
func TestOfCompleteAndCancelOneWins(t *testing.T) {
	s := openStall(t)
	won := map[pay.PaymentStatus]int{}
	for range 30 {
		session := s.offer(t, "arcade\"", "chess\"")
		held, err := s.Gateway.Pay(t.Context(), session, byWallet)
		if err != nil || held.Payment.Status != pay.PaymentAuthorized {
			t.Fatal(held, err)
		}
		var completed, cancelled [2]reply
		payment := string(held.Payment.ID)
		together(
			func() { completed[0] = s.ask(t, "CompletePayment", payment) },
			func() { cancelled[0] = s.ask(t, "CancelPayment", payment) },
			func() { completed[1] = s.ask(t, "CompletePayment", payment) },
			func() { cancelled[1] = s.ask(t, "CancelPayment", payment) },
		)
		now, err := s.Gateway.Checkout(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		won[now.Payment.Status]++
		winners, losers, did := completed, cancelled, "taken"
		if now.Payment.Status == pay.PaymentCancelled {
			winners, losers, did = cancelled, completed, "released"
		}
		for i := range winners {
			if winners[i].status != 200 || losers[i].code != "payment_not_authorized" {
				t.Errorf("the payment is %s, but completing is answered %v and cancelling %v", now.Payment.Status, completed, cancelled)
			}
		}
		if s.books.did(t, session, did) != 1 || s.books.did(t, session, "taken")+s.books.did(t, session, "released") != 1 {
			t.Errorf("the payment is %s, but the provider's books disagree", now.Payment.Status)
		}
	}
	t.Logf("won: %v", won)
}
