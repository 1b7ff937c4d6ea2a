package storetest

import (
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

var examineCases = []testCase{
	{"all sessions are paged through in the order of their ids", func(w *world) {
		a, b, c := w.sell(home), w.sell(shelf{pay.Production, "go"}), w.sell(home)
		w.settle(w.start(b.ID).ID, pay.OutcomeFailed)
		w.view(func(r store.Reader) {
			for _, test := range []struct {
				after pay.SessionID
				most  int
				want  []pay.SessionID
			}{
				{"", 10, []pay.SessionID{a.ID, b.ID, c.ID}},
				{"", 2, []pay.SessionID{a.ID, b.ID}},
				{b.ID, 2, []pay.SessionID{c.ID}},
				{c.ID, 2, nil},
			} {
				var got []pay.SessionID
				found, err := r.SessionsAfter(test.after, test.most)
				w.must(err)
				for _, s := range found {
					got = append(got, s.ID)
				}
				w.same("sessions after "+string(test.after), got, test.want)
			}
			found, err := r.SessionsAfter(a.ID, 1)
			w.must(err)
			want, err := r.Session(b.ID)
			w.must(err)
			w.same("the whole of it", found, []pay.Session{want})
		})
	}},
	{"counts are those of the rows, list by list", func(w *world) {
		w.sell(home)
		p := w.paid(home)
		w.paid(shelf{pay.Production, "go"})
		w.refund(p.ID, 100)
		w.settleRefund(w.refund(p.ID, 1).ID, pay.RefundSucceeded)
		w.counts(home, map[string]int64{"sessions": 2, "pending": 1, "paid": 1, "payments": 1, "refunds": 2, "refunds:pending": 1, "refunds:succeeded": 1})
		w.counts(shelf{pay.Sandbox, ""}, map[string]int64{"refunds": 2, "refunds:pending": 1, "refunds:succeeded": 1})
		w.counts(shelf{pay.Production, "go"}, map[string]int64{"sessions": 1, "paid": 1, "payments": 1})
		w.counts(shelf{pay.Production, ""}, nil)
		w.counts(shelf{pay.Sandbox, "nowhere"}, nil)
	}},
}

// counts wants lists of these sizes, and all others to be empty.
func (w *world) counts(at shelf, want map[string]int64) {
	w.Helper()
	w.view(func(r store.Reader) {
		found, err := r.Counts(at.env, at.game)
		w.must(err)
		if len(found) < 5 {
			w.Errorf("only %d lists were counted", len(found))
		}
		for _, c := range found {
			w.same(c.List, c, store.Count{List: c.List, Kept: want[c.List], Counted: want[c.List]})
			delete(want, c.List)
		}
		w.same("lists that were not counted", len(want), 0)
	})
}
