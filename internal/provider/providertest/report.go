package providertest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// desk is where the provider's reports arrive.
type desk struct {
	mu     sync.Mutex
	closed bool // nothing is taken in
	came   []provider.RawReport
	look   func() // at each report
}

var errClosed = errors.New("nobody is there")

func (d *desk) take(_ context.Context, raw provider.RawReport) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.came = append(d.came, raw)
	if d.look != nil {
		d.look()
	}
	if d.closed {
		return errClosed
	}
	return nil
}

// watch has something looked at when each report comes.
func (d *desk) watch(look func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.look = look
}

func (d *desk) close(closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = closed
}

// reports are all that came so far.
func (d *desk) reports() []provider.RawReport {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.came)
}

// wantReports wants so many reports of the payment, so many of which are different ones,
// where the provider brings them by itself.
func (t *trial) wantReports(n, different int) []provider.Report {
	t.Helper()
	if _, ok := t.provider.(provider.Reporter); !ok {
		t.Skip("the provider's reports come over the network")
	}
	var read []provider.Report
	ids := map[string]bool{}
	for _, raw := range t.desk.reports() {
		r, err := t.provider.ReadReport(raw)
		if err != nil || r.ID == "" || r.Payment != payment {
			t.Errorf("ReadReport of %s: %+v and error %v", raw.Body, r, err)
		}
		read, ids[r.ID] = append(read, r), true
	}
	if len(read) != n || len(ids) != different {
		t.Fatalf("%d reports came, %d of them different, want %d and %d: %+v", len(read), len(ids), n, different, read)
	}
	return read
}

// reportedCases are what is reported of a payment that ended at once.
func reportedCases(w Way) []contractCase {
	return append(approvedCases(w),
		contractCase{"is reported as often as it is, and is taken once", func(t *trial) {
			o, err := t.authorize(charge(w, true))(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if came := len(t.desk.reports()); w.EarlyReport && came == 0 {
				t.Error("no report had come when the call returned")
			}
			t.check(pay.OutcomeSucceeded, o)
			t.wait(time.Minute)
			t.sameAs(o, t.want(pay.OutcomeSucceeded, t.lookup))
			t.wantReports(w.Reports, w.Different)
		}},
		contractCase{"is reported by its next start where it was stopped before", func(t *trial) {
			t.stop()
			t.want(pay.OutcomeSucceeded, t.authorize(charge(w, true)))
			t.restart()
			t.wait(time.Minute)
			t.wantReports(w.Reports, w.Different)
		}})
}

// reportCases are the promises about reports.
var reportCases = []contractCase{
	{"what somebody made up is no report", func(t *trial) {
		body := []byte(`{"id":"rep_1","payment":"` + payment + `","state":"succeeded"}`)
		for _, raw := range []provider.RawReport{{}, {Body: body}, {Header: map[string]string{"signature": "00"}, Body: body}} {
			t.wantForged(raw)
		}
	}},
	{"a report that was altered is forged", func(t *trial) {
		raw := t.reported()
		for i := range raw.Body {
			altered := bytes.Clone(raw.Body)
			altered[i] ^= 1
			t.wantForged(provider.RawReport{Header: raw.Header, Body: altered})
		}
		t.wantForged(provider.RawReport{Header: raw.Header, Body: append(bytes.Clone(raw.Body), ' ')})
		t.wantForged(provider.RawReport{Body: raw.Body})
		for name, value := range raw.Header {
			header := maps.Clone(raw.Header)
			header[name] = value[1:]
			t.wantForged(provider.RawReport{Header: header, Body: raw.Body})
		}
	}},
	{"to read a report changes nothing, and can be repeated", func(t *trial) {
		raw := t.reported()
		before, err := t.lookup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, err := t.provider.ReadReport(raw)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := t.provider.ReadReport(raw); err != nil || again != first {
			t.Errorf("read again: %+v and error %v", again, err)
		}
		t.sameAs(before, t.want(before.Kind, t.lookup))
	}},
	{"a report from before a restart can be read after it", func(t *trial) {
		raw := t.reported()
		t.restart()
		if _, err := t.provider.ReadReport(raw); err != nil {
			t.Error(err)
		}
	}},
	{"a report that is not taken in is sent again as the same, and once it is no more", func(t *trial) {
		t.desk.close(true)
		t.reported()
		t.wait(time.Minute)
		sent := len(t.desk.reports())
		if sent < 3 || sent > 10 {
			t.Errorf("it was sent %d times within a minute", sent)
		}
		t.wantReports(sent, 1)
		t.restart()
		t.desk.close(false)
		t.wait(2 * time.Minute)
		sent = len(t.desk.reports())
		t.wait(24 * time.Hour)
		t.wantReports(sent, 1)
	}},
	{"a report that nobody ever takes in is given up", func(t *trial) {
		t.desk.close(true)
		t.reported()
		t.wait(24 * time.Hour)
		sent := len(t.desk.reports())
		t.restart()
		t.wait(24 * time.Hour)
		t.wantReports(sent, 1)
	}},
}

// reported makes a payment of which a report comes by itself, and returns that.
func (t *trial) reported() provider.RawReport {
	t.Helper()
	if t.pending == nil {
		t.Skip("nothing ends by itself")
	}
	t.want(pay.OutcomePending, t.authorize(charge(*t.pending, true)))
	t.wait(t.pending.Pends)
	t.wantReports(1, 1)
	return t.desk.reports()[0]
}

func (t *trial) wantForged(raw provider.RawReport) {
	t.Helper()
	if r, err := t.provider.ReadReport(raw); !errors.Is(err, provider.ErrForgedReport) {
		t.Errorf("%v %s: got %+v and error %v, want ErrForgedReport", raw.Header, raw.Body, r, err)
	}
}
