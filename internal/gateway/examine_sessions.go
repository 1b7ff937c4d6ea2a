package gateway

import (
	"context"
	"fmt"
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// sessions: what the rows say is what their events tell.
func (x *examiner) sessions(ctx context.Context) (Finding, error) {
	f := Finding{Check: "sessions", Verdict: AllRight}
	if x.Quick {
		return Finding{}, nil
	}
	var looked, wrong int64
	var examples []string
	for after := pay.SessionID(""); ; {
		batch, err := view(ctx, x.store, func(r store.Reader) (checked, error) { return checkAfter(r, after) })
		after, looked, wrong = batch.last, looked+batch.looked, wrong+int64(len(batch.wrong))
		examples = append(examples, batch.wrong[:min(len(batch.wrong), mostExamples-len(examples))]...)
		if err == nil && x.Progress != nil {
			err = x.Progress(looked, max(x.total, looked))
		}
		if err != nil {
			return f, err
		}
		if batch.looked == 0 {
			break
		}
	}
	f.Found = fmt.Sprintf("%d are what their events tell", looked)
	if wrong > 0 {
		f.Verdict, f.Found = Trouble, fmt.Sprintf("%d of %d are not what their events tell: %s", wrong, looked, strings.Join(examples, "; "))
		f.Advice = "compare each with the provider's records before anybody acts on it (coinslot sessions show ID), and with a backup"
	}
	return f, nil
}

// checked is what was found of some sessions.
type checked struct {
	last   pay.SessionID
	looked int64
	wrong  []string // and in what way
}

// checkAfter looks at the sessions that follow one.
func checkAfter(r store.Reader, after pay.SessionID) (c checked, err error) {
	page, err := r.SessionsAfter(after, examineBatch)
	if err != nil {
		return c, err
	}
	for _, session := range page {
		records, err := recordsOf(r, session)
		if err != nil {
			return c, err
		}
		if why := records.Check(); why != nil {
			c.wrong = append(c.wrong, fmt.Sprintf("%s: %v", session.ID, why))
		}
		c.last, c.looked = session.ID, c.looked+1
	}
	return c, nil
}

func recordsOf(r store.Reader, s pay.Session) (all pay.Records, err error) {
	all.Session = s
	if all.Payments, err = r.SessionPayments(s.ID); err != nil {
		return all, err
	}
	if all.Refunds, err = r.SessionRefunds(s.ID); err != nil {
		return all, err
	}
	all.Events, err = r.SessionEvents(s.ID)
	return all, err
}
