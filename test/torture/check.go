package torture

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// Checkers are the promises, each with what looks for a breach of it in a world. A
// checker is a pure function, and reports in words.
var Checkers = []struct {
	Promise string
	check   func(World, report)
}{
	{"what was acknowledged is there, with the same content", checkKept},
	{"one effect and one id for each idempotency key", checkKeys},
	{"nothing is there twice, and nothing that nobody asked for", checkOrders},
	{"statuses move only along the table, for all who look", checkSightings},
	{"a valid request is refused only for what others did", checkRefusals},
	{"a session is paid at most once, and the provider's books agree", checkMoney},
	{"no more than was paid is returned, once, and the provider's books agree", checkRefunds},
	{"each change is one event, and a session's events add up to its row", checkEvents},
	{"each event reaches its receiver, every time the same, and no other does", checkWebhooks},
	{"totals are the number of sessions, and every view shows the same", checkViews},
	{"a game that is asked decides before its player is charged", checkConfirmed},
	{"when all is quiet, nothing is left in doubt", checkRest},
}

// report notes a breach.
type report func(format string, args ...any)

// Check looks for breaches of every promise.
func (w World) Check() (breaches []string) {
	for _, c := range Checkers {
		c.check(w, func(format string, args ...any) {
			breaches = append(breaches, c.Promise+": "+fmt.Sprintf(format, args...))
		})
	}
	return breaches
}

// content is what never changes of a session.
func content(s *payv1.Session) *payv1.Session {
	s = proto.CloneOf(s)
	s.Status, s.PaymentId = "", nil
	s.PaidAt, s.FailedAt, s.CancelledAt, s.ExpiredAt = nil, nil, nil, nil
	return s
}

func checkKept(w World, breach report) {
	for _, o := range w.History {
		if o.Outcome == Acknowledged && o.Kind == GiveBack {
			checkRefundKept(w, o, breach)
		}
		if o.Outcome != Acknowledged || o.Kind != Create {
			continue
		}
		a := w.Truth.Accounts[o.Session]
		switch {
		case a == nil || a.Listed == nil:
			breach("session %s of operation %d is lost", o.Session, o.Number)
		case !proto.Equal(content(o.Made), content(a.Listed)):
			breach("session %s of operation %d was answered as {%v} and is {%v}", o.Session, o.Number, content(o.Made), content(a.Listed))
		}
	}
}

func checkKeys(w World, breach report) {
	made := map[string]Operation{}
	for _, o := range w.History {
		if o.Outcome != Acknowledged || o.Kind != Create && o.Kind != GiveBack || o.Key == "" {
			continue
		}
		first, again := made[o.Key]
		if again && (first.Session != o.Session || first.Refund != o.Refund) {
			breach("key %s made %s%s in operation %d, and %s%s in operation %d", o.Key, first.Session, first.Refund, first.Number, o.Session, o.Refund, o.Number)
		}
		made[o.Key] = o
	}
}

// checkOrders goes by the order id, which each new order has to itself.
func checkOrders(w World, breach report) {
	asked := map[string]*payv1.CreateSessionRequest{}
	for _, o := range w.History {
		if o.Kind == Create {
			asked[o.Request.GetOrderId()] = o.Request
		}
	}
	made := map[string]string{}
	for id, a := range w.Truth.Accounts {
		s := a.Listed
		if s == nil {
			continue
		}
		req := asked[s.GetOrderId()]
		switch {
		case made[s.GetOrderId()] != "":
			breach("%s was asked for once and became sessions %s and %s", s.GetOrderId(), made[s.GetOrderId()], id)
		case req == nil:
			breach("nobody asked for session %s", id)
		case req.GetGameId() != s.GetGameId() || req.GetUserId() != s.GetUserId() || req.GetReturnUrl() != s.GetReturnUrl() ||
			req.GetItem().GetTitle() != s.GetItem().GetTitle() || req.GetItem().GetPrice() != s.GetItem().GetPrice() ||
			req.GetItem().GetCurrency() != s.GetItem().GetCurrency() || !proto.Equal(req.GetMetadata(), s.GetMetadata()):
			breach("session %s is {%v}, but {%v} was asked for", id, s, req)
		}
		made[s.GetOrderId()] = id
	}
	checkReasons(w, breach)
}

// captured is what a completed payment is: succeeded or refunded. To complete one once more
// is a success, and says no more than that.
const captured = "captured"

// follows is the table: what a status can become, at once or later.
var follows = map[string][]string{
	"processing": {"authorized", "succeeded", "failed", "cancelled", "refunded", captured},
	"authorized": {"succeeded", "failed", "cancelled", "refunded", captured},
	"succeeded":  {"refunded", captured},
	captured:     {"succeeded", "refunded"},
	"refunded":   {captured},
	"pending":    {"paid", "failed", "cancelled", "expired", "succeeded"}, // sessions and refunds
}

// checkSightings compares what was seen of each session and payment, by whoever
// looked, with what had been seen before that look began.
func checkSightings(w World, breach report) {
	type look struct {
		Sighting
		at Operation
	}
	looks := map[string][]look{}
	for _, o := range w.History {
		for _, s := range o.Sightings {
			looks[s.Entity] = append(looks[s.Entity], look{s, o})
		}
	}
	for entity, status := range w.Truth.statuses() {
		looks[entity] = append(looks[entity], look{Sighting{entity, status}, Operation{Begin: 1 << 62, End: 1 << 62}})
	}
	for entity, seen := range looks {
		byEnd := slices.Clone(seen)
		slices.SortFunc(byEnd, func(a, b look) int { return int(a.at.End - b.at.End) })
		slices.SortFunc(seen, func(a, b look) int { return int(a.at.Begin - b.at.Begin) })
		before, over := map[string]look{}, 0
		for _, l := range seen {
			for ; byEnd[over].at.End < l.at.Begin; over++ {
				before[byEnd[over].Status] = byEnd[over]
			}
			for status, earlier := range before {
				if status != l.Status && !slices.Contains(follows[status], l.Status) {
					breach("%s was %s in operation %d and then %s in operation %d (0: in the end)", entity, status, earlier.at.Number, l.Status, l.at.Number)
				}
			}
		}
	}
}

// statuses is where each session and payment ended up.
func (t Truth) statuses() map[string]string {
	all := map[string]string{}
	for _, a := range t.Accounts {
		if a.Row.ID != "" {
			all[string(a.Row.ID)] = string(a.Row.Status)
		}
		for _, p := range a.Payments {
			all[string(p.ID)] = string(p.Status)
		}
		for _, r := range a.Refunds {
			all[string(r.ID)] = string(r.Status)
		}
	}
	return all
}

// refusals are those that the crowd brings upon itself.
var refusals = map[Kind][]string{
	Cancel:        {"session_not_pending", "payment_in_progress"},
	Pay:           {"session_not_pending", "payment_in_progress"},
	Complete:      {"payment_not_authorized"},
	CancelPayment: {"payment_not_authorized"},
	GiveBack:      {"already_refunded", "invalid_amount", "refund_not_allowed"},
}

func checkRefusals(w World, breach report) {
	for _, o := range w.History {
		switch {
		case o.Outcome == Refused && !slices.Contains(refusals[o.Kind], o.Code):
			breach("%s of %s%s was refused in operation %d: %s", o.Kind, o.Session, o.Payment, o.Number, o.Code)
		case o.Outcome == Unknown && o.Code == "internal":
			breach("%s of %s%s failed within the server in operation %d: %s", o.Kind, o.Session, o.Payment, o.Number, o.Code)
		}
	}
}

func checkViews(w World, breach report) {
	for _, t := range w.Truth.Totals {
		if t.Told != t.Listed {
			breach("the list of %s sessions of %s says that it has %d, and has %d", t.Status, t.Game, t.Told, t.Listed)
		}
	}
	for id, a := range w.Truth.Accounts {
		switch {
		case a.Listed == nil || a.Shown == nil || a.Row.ID == "":
			breach("session %s is not in every view: listed %t, shown %t, stored %t", id, a.Listed != nil, a.Shown != nil, a.Row.ID != "")
		case !proto.Equal(a.Listed, a.Shown.GetSession()):
			breach("session %s is listed as {%v} and shown as {%v}", id, a.Listed, a.Shown.GetSession())
		case a.Listed.GetStatus() != string(a.Row.Status):
			breach("session %s is listed as %s and stored as %s", id, a.Listed.GetStatus(), a.Row.Status)
		case len(a.Shown.GetPayments()) != len(a.Payments) || len(a.Shown.GetEvents()) != len(a.Events):
			breach("session %s is shown with %d payments and %d events, and stored with %d and %d", id,
				len(a.Shown.GetPayments()), len(a.Shown.GetEvents()), len(a.Payments), len(a.Events))
		}
	}
}

// checkRest looks for what is left in doubt. That no webhook waits was awaited.
func checkRest(w World, breach report) {
	for id, a := range w.Truth.Accounts {
		for _, p := range a.Payments {
			if p.Status == "processing" {
				breach("payment %s of session %s is still processing", p.ID, id)
			}
		}
		for _, r := range a.Refunds {
			if r.Status == pay.RefundPending {
				breach("refund %s of payment %s is still pending", r.ID, r.Payment)
			}
		}
	}
}
